"""Pure: stories as a feed for other readers: Atom (RFC 4287) and JSON Feed 1.1, with one entry for each story."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, SubElement, tostring

from watchpost.control_characters import left_out
from watchpost.model import Hit, Topic
from watchpost.operations.stories import StoryView
from watchpost.operations.voices import PREFIX, EventView
from watchpost.web.formatting import safe_link

ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}lang"
# Characters that XML 1.0 cannot express (https://www.w3.org/TR/xml/#charsets) beside those that control.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_REPORTS = 20  # of one entry


def atom(
    topic: Topic, stories: Sequence[StoryView], address: str, now: datetime, events: Mapping[str, EventView]
) -> bytes:
    """The feed of a topic's stories, the newest first. `address` is the feed's own.

    An entry is updated by each further report. Its links are the article (alternate), the page of the story (related),
    and the other reports (via), also those of other stories of its event, with their language. The event is a category.
    """
    feed = Element("feed", {"xmlns": ATOM})
    _text(feed, "id", f"{address}")
    _text(feed, "title", topic.title)
    _text(feed, "updated", _time(max((story.last_report for story in stories), default=now)))
    SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": address})
    for story in stories:
        about = story.lead.article
        language = {_XML: about.lang} if _LANGUAGE.fullmatch(about.lang) else {}
        entry = SubElement(feed, "entry", language)
        _text(entry, "id", _id(story))
        _text(entry, "title", about.title or "(no headline)")
        _text(entry, "updated", _time(story.last_report))
        _text(entry, "published", _time(about.published or story.first_found))
        if link := safe_link(about.url):
            SubElement(entry, "link", {"rel": "alternate", "href": link})
        SubElement(entry, "link", {"rel": "related", "type": "text/html", "href": urljoin(address, story.path)})
        for hit in story.others[:_REPORTS]:
            if link := safe_link(hit.article.url):
                title = clean_of_xml(f"{_outlet(hit)}: {hit.article.title}")
                SubElement(entry, "link", {"rel": "via", "href": link, "title": title})
        if (event := events.get(story.id)) is not None:
            _add_event(entry, event, story.id)
        _text(SubElement(entry, "author"), "name", _outlet(story.lead))
        for hit in story.topics:
            SubElement(entry, "category", {"term": hit.topic, "label": clean_of_xml(hit.topic_title)})
        _text(entry, "summary", story.lead.snippet.text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(feed, encoding="unicode")}'.encode()


def _add_event(entry: Element, event: EventView, story: str) -> None:
    SubElement(entry, "category", {"scheme": "urn:watchpost:event", "term": f"{PREFIX}{event.id}", "label": "Event"})
    for voice in event.others(story)[:_REPORTS]:
        about = voice.report.article
        if link := safe_link(about.url):
            title = clean_of_xml(f"{voice.outlet}: {about.title}")
            language = {"hreflang": about.lang} if _LANGUAGE.fullmatch(about.lang) else {}
            SubElement(entry, "link", {"rel": "via", "href": link, "title": title} | language)


def json_feed(
    topic: Topic, stories: Sequence[StoryView], address: str, events: Mapping[str, EventView]
) -> dict[str, Any]:
    """The same as JSON Feed, with our own keys under `_watchpost`."""
    items = []
    for story in stories:
        about = story.lead.article
        item: dict[str, Any] = {
            "id": _id(story),
            "title": about.title,
            "content_text": story.lead.snippet.text,
            "date_published": _time(about.published or story.first_found),
            "date_modified": _time(story.last_report),
            "authors": [{"name": _outlet(story.lead)}],
            "tags": [hit.topic for hit in story.topics],
            "_watchpost": {
                "story": story.id,
                "page": urljoin(address, story.path),
                "severity": story.severity,
                "why": list(dict.fromkeys(one.text for hit in story.topics for one in hit.evidence)),
                "voices": story.voices,
                "reports": [
                    {"outlet": _outlet(hit), "title": hit.article.title, "url": safe_link(hit.article.url) or None}
                    for hit in story.others[:_REPORTS]
                ],
                "event": _event(events[story.id], story.id) if story.id in events else None,
            },
        }
        if link := safe_link(about.url):
            item["url"] = link
        if _LANGUAGE.fullmatch(about.lang):
            item["language"] = about.lang
        items.append(item)
    return {"version": "https://jsonfeed.org/version/1.1", "title": topic.title, "feed_url": address, "items": items}


def _event(event: EventView, story: str) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{event.id}",
        "voices": [
            {
                "story": voice.story,
                "outlet": voice.outlet,
                "lang": voice.report.article.lang or None,
                "title": voice.report.article.title,
                "url": safe_link(voice.report.article.url) or None,
                "reasons": list(voice.reasons),
            }
            for voice in event.others(story)[:_REPORTS]
        ],
        "differences": [
            {"role": one.role, "numbers": [{"number": number, "voices": said} for number, said in one.numbers]}
            for one in event.differences
        ],
    }


def clean_of_xml(text: str) -> str:
    """The text without characters that XML cannot express, and without those that control terminals and directions."""
    return _UNFIT.sub("", left_out(text))


def is_language(lang: str) -> bool:
    """Whether this has the form of a language tag (RFC 5646)."""
    return _LANGUAGE.fullmatch(lang) is not None


def _id(story: StoryView) -> str:
    return f"urn:watchpost:story:{story.id}"


def _outlet(hit: Hit) -> str:
    return hit.article.outlet or hit.article.source


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = clean_of_xml(text)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
