"""Pure: cookies for the redirects of one visit (RFC 6265). Each goes to the very host that set it, and nowhere else.

Sites that check for consent or for robots set a cookie and redirect to the same address. When the visit ends, the
cookies are forgotten, so that no site can recognise watchpost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from watchpost.http_headers import http_date

COOKIES_MAX = 50
_BYTES_MAX = 4096  # RFC 6265, 6.1


@dataclass(frozen=True, slots=True)
class _Cookie:
    value: str
    path: str
    secure: bool


@dataclass(slots=True)
class VisitCookies:
    """The cookies that the answers of one visit have set; `host` is that of host_of."""

    _kept: dict[tuple[str, str, str], _Cookie] = field(default_factory=dict)

    def keep(self, url: str, host: str, lines: Iterable[str], now: datetime) -> None:
        """Keep what an answer from `url` has set, in the values of its Set-Cookie headers."""
        for line in lines:
            pair, *attributes = line.split(";")
            name, sign, value = (part.strip() for part in pair.partition("="))
            if not sign or not name or len(line) > _BYTES_MAX or not _is_printable(name + value):
                continue
            given = dict(_attribute(text) for text in attributes)
            path = given.get("path", "") if given.get("path", "").startswith("/") else _default_path(url)
            key = (host, path, name)
            if _is_expired(given, now):
                self._kept.pop(key, None)
            elif key in self._kept or len(self._kept) < COOKIES_MAX:
                self._kept[key] = _Cookie(value, path, "secure" in given)

    def header(self, url: str, host: str) -> str:
        """The Cookie header for a request to `url`; "" if none belongs there. Longer paths come first."""
        parts = urlsplit(url)
        path = parts.path or "/"
        fitting = [
            (cookie.path, name, cookie.value)
            for (owner, _, name), cookie in self._kept.items()
            if owner == host and _is_below(path, cookie.path) and (parts.scheme == "https" or not cookie.secure)
        ]
        fitting.sort(key=lambda each: -len(each[0]))
        return "; ".join(f"{name}={value}" for _, name, value in fitting)


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


def _is_printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_expired(given: dict[str, str], now: datetime) -> bool:
    """RFC 6265, 5.3: Max-Age goes before Expires."""
    age = given.get("max-age", "")
    if age.removeprefix("-").isdecimal():
        return int(age[:12]) <= 0
    end = http_date(given["expires"]) if given.get("expires") else None
    return end is not None and end <= now


def _default_path(url: str) -> str:
    """RFC 6265, 5.1.4."""
    return urlsplit(url).path.rpartition("/")[0] or "/"


def _is_below(path: str, parent: str) -> bool:
    """RFC 6265, 5.1.4."""
    return path == parent or path.startswith(parent if parent.endswith("/") else f"{parent}/")
