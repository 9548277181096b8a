"""Pure: values of HTTP header fields, read (RFC 9110, RFC 8288)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,2000})")
_REL = re.compile(r"""(?:^|;)\s*rel\s*=\s*(?:"([^"]{0,200})"|([^\s";,]{1,200}))""", re.IGNORECASE)
_URL_MAX = 500


def http_date(value: str) -> datetime | None:
    """The moment of an HTTP-date (RFC 9110, 5.6.7); None if it is unreadable. Without a zone it is in UTC."""
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """The wait that a Retry-After asks for (RFC 9110, 10.2.3: seconds or a date); None if it is unreadable.

    A date counts from `now`: pass the answer's own Date where it has one. A date in the past is 0.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    moment = http_date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def declared_charset(content_type: str) -> str:
    """The charset that a Content-Type declares, "" if none."""
    match = _CHARSET.search(content_type)
    return match[1] if match else ""


def hub_links(link: str) -> dict[str, str]:
    """`hub` and `self` of a Link header (RFC 8288; WebSub, 4): the first web address of each."""
    links: dict[str, str] = {}
    for url, parameters in _LINK.findall(link[:20_000]):
        relation = _REL.search(parameters)
        for name in ((relation[1] or relation[2]) if relation else "").lower().split():
            if name in ("hub", "self") and url.startswith(("http://", "https://")) and len(url) <= _URL_MAX:
                links.setdefault(name, url)
    return links
