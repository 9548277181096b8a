"""The page Search and its Atom feed: everything that was read, by the query language, in threads beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from watchpost.model import SEVERITIES
from watchpost.operations.archive_search import SearchForm, search_form
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

_MOST_READ = 3_000  # articles for one page: about a second
_AT_ONCE = 2


class ArchiveSearch:
    """Searches of the pages. A few run at once; others wait for them."""

    def __init__(self, archive: Archive, config: Config) -> None:
        self._archive = archive
        self._config = config
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def form(self, query: Mapping[str, str], now: datetime) -> SearchForm:
        """What an address or form asks for."""
        return search_form(self._config, query, now)

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
