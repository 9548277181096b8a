"""Pure: hits as a feed for other readers: Atom (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from watchpost.model import Hit, Topic
from watchpost.web.formatting import safe_link

ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}lang"
# Characters that XML 1.0 cannot express (https://www.w3.org/TR/xml/#charsets), and bidirectional overrides.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def atom(topic: Topic, hits: Sequence[Hit], address: str, now: datetime) -> bytes:
    """The feed of a topic's hits, the newest first. `address` is the feed's own."""
    feed = Element("feed", {"xmlns": ATOM})
    _text(feed, "id", f"{address}")
    _text(feed, "title", topic.title)
    _text(feed, "updated", _time(hits[0].matched if hits else now))
    SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": address})
    for hit in hits:
        about = hit.article
        language = {_XML: about.lang} if _LANGUAGE.fullmatch(about.lang) else {}
        entry = SubElement(feed, "entry", language)
        _text(entry, "id", f"urn:watchpost:hit:{hit.id}")
        _text(entry, "title", about.title or "(no headline)")
        _text(entry, "updated", _time(hit.matched))
        if about.published is not None:
            _text(entry, "published", _time(about.published))
        if link := safe_link(about.url):
            SubElement(entry, "link", {"rel": "alternate", "href": link})
        _text(SubElement(entry, "author"), "name", about.outlet or about.source)
        _text(entry, "summary", hit.snippet.text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(feed, encoding="unicode")}'.encode()


def json_feed(topic: Topic, hits: Sequence[Hit], address: str) -> dict[str, Any]:
    """The same as JSON Feed, with our own keys under `_watchpost`."""
    items = []
    for hit in hits:
        about = hit.article
        item: dict[str, Any] = {
            "id": f"urn:watchpost:hit:{hit.id}",
            "title": about.title,
            "content_text": hit.snippet.text,
            "date_published": _time(about.published or hit.matched),
            "authors": [{"name": about.outlet or about.source}],
            "_watchpost": {"story": hit.story, "why": list(dict.fromkeys(one.text for one in hit.evidence))},
        }
        if link := safe_link(about.url):
            item["url"] = link
        if _LANGUAGE.fullmatch(about.lang):
            item["language"] = about.lang
        items.append(item)
    return {"version": "https://jsonfeed.org/version/1.1", "title": topic.title, "feed_url": address, "items": items}


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _UNFIT.sub("", text)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
