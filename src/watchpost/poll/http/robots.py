"""Pure: what a site's robots.txt lets a reader fetch (RFC 9309)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LONGEST = 512_000
"""So many bytes are read of a robots.txt; RFC 9309, 2.5 asks for 500 KiB at least."""

_RULES = 10_000
_MOST_SITES = 2_000
_LINE = re.compile(r"([A-Za-z-]{1,20})[ \t]{0,99}:[ \t]{0,99}([^#]{0,2000})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one reader: pairs of a path pattern and whether it allows. Without rules everything is allowed."""

    rules: tuple[tuple[str, bool], ...] = ()

    def allow(self, url: str) -> bool:
        """Whether `url` may be fetched: the longest pattern that fits decides, of equal ones the one that allows."""
        parts = urlsplit(url)
        path = _normal((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        fitting = [(len(pattern), allows) for pattern, allows in self.rules if _fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


ALLOW_ALL = Robots()
DISALLOW_ALL = Robots((("/", False),))


class RobotsMemory:
    """What the sites of one process allow: each robots.txt is asked for once a day, an absent site once an hour."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Robots, float]] = {}

    def recall(self, site: tuple[object, ...], now: float) -> Robots | None:
        """What is known of a site and not too old. `now` is in seconds of any steady clock."""
        robots, until = self._known.get(site, (None, 0.0))
        return robots if now < until else None

    def keep(self, site: tuple[object, ...], robots: Robots, until: float) -> None:
        """Remember until then; of very many sites the one that was asked first is forgotten."""
        self._known.pop(site, None)
        self._known[site] = (robots, until)
        while len(self._known) > _MOST_SITES:
            del self._known[next(iter(self._known))]


def read_robots(body: bytes, agent: str) -> Robots:
    """The rules for the product token `agent` ("watchpost"), else those for everybody.

    Groups for one agent count together. What is no line of the protocol is passed over.
    """
    rules: dict[str, list[tuple[str, bool]]] = {}
    named: list[str] = []
    naming = False
    for line in body[:LONGEST].decode("utf-8", "replace").lstrip("\ufeff").splitlines()[: 2 * _RULES]:
        if (found := _LINE.match(line.strip())) is None:
            continue
        key, value = found[1].lower(), found[2].strip()
        if key == "user-agent":
            named = [*named, value.lower()] if naming else [value.lower()]
            naming = True
            for name in named:
                rules.setdefault(name, [])
        elif key in ("allow", "disallow"):
            naming = False
            for name in named if value else ():
                rules[name].append((_normal(value), key == "allow"))
    return Robots(tuple(rules.get(agent.lower(), rules.get("*", ()))[:_RULES]))


def product(user_agent: str) -> str:
    """The name by which a robots.txt speaks of whoever sends this User-Agent: "watchpost/1 (+…)" is "watchpost"."""
    return (re.match(r"[A-Za-z_-]*", user_agent.strip()) or [""])[0]


def _fits(pattern: str, path: str) -> bool:
    """`*` stands for anything, `$` at the end for the end; a pattern without `$` fits what begins with it."""
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for part in others[: -1 if ends else None]:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    if not ends:
        return True
    return len(path) - at >= len(others[-1]) and path.endswith(others[-1]) if others else at == len(path)


def _normal(path: str) -> str:
    """One spelling for each path: letters beyond ASCII escaped, escapes in capitals, none that says nothing."""
    escaped = quote(path, safe="%/?:@!$&'()*+,;=~#[]")
    return _ESCAPE.sub(lambda found: c if (c := chr(int(found[1], 16))) in _UNRESERVED else found[0].upper(), escaped)
