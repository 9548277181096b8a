"""Still: the feeds that a web page names (RSS Advisory Board, "RSS Autodiscovery"; HTML, link type "alternate")."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from watchpost.poll.documents.charset import decode_html
from watchpost.poll.documents.markup import parse_html

MAX_LINKS = 10
_LONGEST_PAGE = 1_000_000
_TYPES = frozenset(f"application/{t}" for t in ("rss+xml", "atom+xml", "feed+json", "json", "rdf+xml"))


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed as a page names it."""

    url: str
    title: str


def find_feed_links(data: bytes, base: str) -> tuple[FeedLink, ...]:
    """The page's `<link rel="alternate">` of a feed's type and `rel="feed"`, in its order, at most ten.

    `base` is the page's address; its own `<base href>` goes before. Only http and https; a WordPress page's API,
    which is announced as JSON, is no feed.
    """
    root = parse_html(decode_html(data)[:_LONGEST_PAGE])
    if root is None:
        return ()
    own = next((str(tag.get("href")) for tag in root.iter("base") if tag.get("href")), "")
    found: dict[str, FeedLink] = {}
    for link in root.iter("link", "a"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        named = "feed" in rels or (link.tag == "link" and "alternate" in rels and kind in _TYPES)
        href = (link.get("href") or "").strip()
        if not (named and href):
            continue
        try:
            url = urljoin(urljoin(base, own), href)
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and "/wp-json/" not in url and len(url) < 2000:
            found.setdefault(url, FeedLink(url, " ".join((link.get("title") or "").split())[:200]))
    return tuple(found.values())[:MAX_LINKS]
