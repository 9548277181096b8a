"""Pure: the page Stories with its search, and the page of one story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchpost.model import Hit
from watchpost.operations.stories import StoryView
from watchpost.schedules import Silence
from watchpost.store.handling import Handling
from watchpost.web.formatting import page_of

PAGE = 20  # stories of the list; with all details it stays below 100 kB
REPORTS_LISTED = 5  # of each story there
REPORTS = 60  # of one story on its page

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Search:
    """A search; "" for anything. `text`: words that must all occur in headline, snippet, outlet or evidence."""

    text: str = ""
    topic: str = ""
    source: str = ""
    lang: str = ""
    before: str = ""


def search_of(query: Mapping[str, str]) -> Search:
    """The search in a form, cut to a sensible length."""
    wanted = {name: query.get(name, "")[:_LONGEST].strip() for name in ("q", "topic", "source", "lang", "before")}
    return Search(wanted["q"], wanted["topic"], wanted["source"], wanted["lang"].lower(), wanted["before"])


def wanted_by(search: Search) -> Callable[[Hit], bool]:
    """A test whether a hit fits a search, its topic apart."""
    words = search.text.casefold().split()

    def wanted(hit: Hit) -> bool:
        about = hit.article
        if search.source and about.source != search.source:
            return False
        if search.lang and about.lang.lower().split("-")[0] != search.lang:
            return False
        if not words:
            return True
        why = " ".join(item.text for item in hit.evidence)
        text = f"{about.title}\n{hit.snippet.text}\n{about.outlet}\n{why}".casefold()
        return all(word in text for word in words)

    return wanted


def page_of_stories(
    found: Sequence[StoryView],
    handlings: Mapping[str, Handling],
    search: Search,
    *,
    topics: Sequence[tuple[str, str]],
    sources: Sequence[str],
    more: str,
) -> dict[str, Any]:
    """What the list shows. `more`: the address of older stories, "" if there are none."""
    return {
        "active": "stories",
        "stories": found,
        "handlings": handlings,
        "reports_shown": REPORTS_LISTED,
        "search": search,
        "topics": topics,
        "sources": sources,
        "more": more,
        "complete": not more,
    }


def page_of_story(
    story: StoryView, query: Mapping[str, str], handling: Handling, silences: Sequence[Silence], may_end: Sequence[str]
) -> dict[str, Any]:
    """What the page of one story shows: all of it, and of its reports a page at a time, the newest first.

    `silences` are those that cover it; those whose ids are in `may_end` can be ended here.
    """
    reports = story.reports[::-1]
    number, pages = page_of(query, len(reports), REPORTS)
    return {
        "active": "stories",
        "story": story,
        "handling": handling,
        "silences": silences,
        "may_end": may_end,
        "sources_of_story": tuple(dict.fromkeys(hit.article.source for hit in story.reports))[:20],
        "reports": reports[(number - 1) * REPORTS : number * REPORTS],
        "page": number,
        "pages": pages,
        "places": tuple(dict.fromkeys((place.name, place.country) for hit in story.topics for place in hit.places)),
    }
