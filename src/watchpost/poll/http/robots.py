"""Pure: what a site's robots.txt lets a reader fetch (RFC 9309), parsed by Protego within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protego import Protego

BYTES_MAX = 512_000
"""How much of a robots.txt is read; RFC 9309, 2.5 asks for 500 KiB at least."""

_LINES_MAX = 10_000
_LINE_MAX = 2_000
_SITES_MAX = 2_000
_USER_AGENT = re.compile(r"\s*user[- ]?agent\b[\s:]*([^#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one robots.txt for the reader with the product token `agent`."""

    rules: Protego
    agent: str

    def allow(self, url: str) -> bool:
        """Whether `url` may be fetched: the longest pattern that fits decides, of equal ones the one that allows."""
        return bool(self.rules.can_fetch(url, self.agent))


def read_robots(body: bytes, agent: str) -> Robots:
    """The rules for the product token `agent` ("watchpost"), else those for everybody."""
    text = body[:BYTES_MAX].decode("utf-8", "replace").lstrip("\ufeff")
    lines = (line[:_LINE_MAX] for line in text.splitlines()[:_LINES_MAX])
    return Robots(Protego.parse("\n".join(_without_others(line, agent) for line in lines)), agent)


def _without_others(line: str, agent: str) -> str:
    """The line, with one name in place of every reader's but ours.

    Protego copies each rule to each reader of its group, so 5,000 readers with 5,000 rules would fill the memory. It
    also takes a name that begins ours ("watch") for ours, where RFC 9309, 2.2.1 asks for the whole token.
    """
    match = _USER_AGENT.match(line)
    if match is None or match[1].strip().lower().replace("*", "") in ("", agent.lower()):
        return line
    return "User-agent: -"


ALLOW_ALL = read_robots(b"", "")
DISALLOW_ALL = read_robots(b"User-agent: *\nDisallow: /", "")


def product(user_agent: str) -> str:
    """The product token of a User-Agent, by which a robots.txt names its sender: "watchpost/1 (+…)" is "watchpost"."""
    return (re.match(r"[A-Za-z_-]*", user_agent.strip()) or [""])[0]


class RobotsCache:
    """The rules of each site that this process has asked, of at most 2,000 sites."""

    def __init__(self) -> None:
        self._sites: dict[tuple[object, ...], tuple[Robots, float]] = {}

    def get(self, site: tuple[object, ...], now: float) -> Robots | None:
        """The rules of a site, None if they are unknown or too old. `now` is in seconds of any steady clock."""
        robots, until = self._sites.get(site, (None, 0.0))
        return robots if now < until else None

    def put(self, site: tuple[object, ...], robots: Robots, until: float) -> None:
        """Keep the rules until then. The site that was asked longest ago makes room."""
        self._sites.pop(site, None)
        self._sites[site] = (robots, until)
        while len(self._sites) > _SITES_MAX:
            del self._sites[next(iter(self._sites))]
