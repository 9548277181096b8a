"""The page Search and its Atom feed: everything that was read, by the query language, in threads beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost.config.routes import parsed
from watchpost.errors import QueryError
from watchpost.model import SEVERITIES, Severity
from watchpost.operations.saved_searches import search_path
from watchpost.schedules import Silence
from watchpost.store.saved_searches import SavedSearch
from watchpost.web.atom import ATOM, clean_of_xml, is_language
from watchpost.web.formatting import safe_link

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive
    from watchpost.archive.search import FoundArticle, FoundPage, Wanted
    from watchpost.config.config import Config

PAGE = 25
"""The articles of a page and of a feed."""

FIELDS = ("q", "since", "until", "source", "lang", "topic", "severity", "muted")
"""The fields of the form, which are the parameters of the address: a search is saved by its address."""

_LONGEST = 2_000  # characters of a field in an address
_MOST_READ = 3_000  # articles for one page: about a second
_AT_ONCE = 2
_MUTED = {"": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was asked, by field; the mistakes in it; and what is wanted, None if there are mistakes."""

    asked: Mapping[str, str]
    mistakes: Mapping[str, str]
    wanted: Wanted | None


class ArchiveSearch:
    """Searches of the pages. A few run at once; others wait for them."""

    def __init__(self, archive: Archive, config: Config) -> None:
        self._archive = archive
        self._config = config
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def form(self, query: Mapping[str, str], now: datetime) -> SearchForm:
        """What an address or form asks for."""
        from watchpost.archive.archive import ReadBetween  # not imported where there is no archive
        from watchpost.archive.search import Wanted

        asked = {name: query.get(name, "").strip()[: _LONGEST + 1] for name in FIELDS}
        long = [name for name, value in asked.items() if len(value) > _LONGEST]
        if long:
            mistakes = {
                name: f"{name.title()}: more than {_LONGEST:,} characters are not possible here" for name in long
            }
            return SearchForm(asked, mistakes, None)
        mistakes = dict[str, str]()
        moments: dict[str, datetime | None] = {"since": None, "until": None}
        for name in moments:
            try:
                zone = ZoneInfo(self._config.timezone)
                moments[name] = durations.since(asked[name], now, zone) if asked[name] else None
            except ValueError as error:
                mistakes[name] = f"{name.title()}: {error}"
        try:
            tree = parsed(asked["q"], self._config.written) if asked["q"] else None
        except QueryError as error:
            tree, mistakes["q"] = None, f"Query: {error}"
        if asked["topic"] and all(topic.name != asked["topic"] for topic in self._config.topics):
            mistakes["topic"] = f"Topic: there is no topic '{asked['topic']}'"
        for name, choices in (("severity", ("", *SEVERITIES)), ("muted", tuple(_MUTED))):
            if asked[name] not in choices:
                mistakes[name] = f"{name.title()}: choose one of {', '.join(filter(None, choices))}"
        if mistakes:
            return SearchForm(asked, mistakes, None)
        between = ReadBetween.of(moments["since"], moments["until"])
        severity, muted = cast("Severity", asked["severity"]), _MUTED[asked["muted"]]
        wanted = Wanted(tree, between, asked["source"], asked["lang"].lower(), asked["topic"], severity, muted)
        return SearchForm(asked, {}, wanted)

    async def page(self, wanted: Wanted, before: str, silences: Sequence[Silence], now: datetime) -> FoundPage:
        """What is found, from the mark `before` on. Raises ArchiveError."""
        from watchpost.archive.archive import Mark  # not imported where there is no archive
        from watchpost.archive.search import Search

        search = Search(wanted, self._config.topics, silences, now=now)
        async with self._turns:
            return await asyncio.to_thread(search.page, self._archive, PAGE, Mark.read(before), _MOST_READ)


def is_continued(mark: str) -> bool:
    """Whether a search can continue there."""
    from watchpost.archive.archive import Mark  # not imported where there is no archive

    return Mark.read(mark) is not None


def address(asked: Mapping[str, str], path: str = "/search", **more: str) -> str:
    """The address of a search; fields that are empty are left out."""
    given = {name: value for name, value in {**asked, **more}.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def page_of_search(
    form: SearchForm, page: FoundPage | None, config: Config, saved: Sequence[SavedSearch], name: str = ""
) -> dict[str, Any]:
    """What the page shows. `page` is None before anything was asked; `name` is that of the saved search shown."""
    found = () if page is None else page.found
    path = search_path(name) if name else "/search"
    more = "" if page is None or page.more is None else address({} if name else form.asked, path, before=str(page.more))
    return {
        "active": "search",
        "asked": form.asked,
        "said": in_words(form.asked),
        "name": name,
        "path": path,
        "saved": [(one, search_path(one.name), in_words(one.asked)) for one in saved],
        "mistakes": form.mistakes,
        "searched": page is not None,
        "found": [(one, one.snippet(), _title_places(one)) for one in found],
        "more": more,
        "feed": "" if page is None else f"{path}.atom" if name else address(form.asked, "/search.atom"),
        "topics": [(topic.name, topic.title) for topic in config.topics],
        "sources": [part.name for part in config.sources][:100],
        "severities": SEVERITIES,
    }


def in_words(asked: Mapping[str, str]) -> str:
    """A search as one line: its query, and its other fields by name."""
    return " ".join(value if name == "q" else f"{name}:{value}" for name, value in asked.items() if value)


def _title_places(one: FoundArticle) -> tuple[tuple[int, int], ...]:
    """The places in the headline that matched, without those that overlap an earlier one."""
    places: list[tuple[int, int]] = []
    evidence = one.evidence or tuple(item for hit in one.hits for item in hit.evidence)
    for start, end in sorted((item.start, item.end) for item in evidence if item.field == "title"):
        if not places or start >= places[-1][1]:
            places.append((start, end))
    return tuple(places)


def atom_of_search(
    asked: Mapping[str, str], found: Sequence[FoundArticle], own: str, now: datetime, name: str = ""
) -> bytes:
    """The search as a feed (RFC 4287), with one entry for each article. `own` is the feed's address."""
    feed = Element("feed", {"xmlns": ATOM})
    said = name or in_words(asked)
    _text(feed, "id", own)
    _text(feed, "title", f"Search: {said}" if said else "Everything that was read")
    _text(feed, "updated", _time(found[0].article.fetched if found else now))
    SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": own})
    for one in found:
        about = one.article
        entry = SubElement(
            feed, "entry", {"{http://www.w3.org/XML/1998/namespace}lang": about.lang} if is_language(about.lang) else {}
        )
        _text(entry, "id", f"urn:watchpost:article:{about.id}")
        _text(entry, "title", about.title or "(no headline)")
        _text(entry, "updated", _time(about.fetched))
        _text(entry, "published", _time(about.published or about.fetched))
        if link := safe_link(about.url):
            SubElement(entry, "link", {"rel": "alternate", "href": link})
        _text(SubElement(entry, "author"), "name", about.outlet or about.source)
        for hit in one.hits:
            SubElement(entry, "category", {"term": hit.topic, "label": clean_of_xml(hit.topic_title)})
        _text(entry, "summary", one.snippet().text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(feed, encoding="unicode")}'.encode()


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = clean_of_xml(text)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
