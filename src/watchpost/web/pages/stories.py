"""Pure: the page Stories with its search, and the page of one story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchpost.operations.stories import StoryView
from watchpost.operations.story_search import Search
from watchpost.operations.voices import EventView
from watchpost.schedules import Silence
from watchpost.store.handling import Handling
from watchpost.web.formatting import page_of

PAGE = 20  # stories of the list; with all details it stays below 100 kB
REPORTS_LISTED = 5  # of each story there
REPORTS = 60  # of one story on its page
HARM = {"killed": "dead"}
"""The word after a number of people, where it is not that of the role."""


def page_of_stories(
    found: Sequence[StoryView],
    handlings: Mapping[str, Handling],
    search: Search,
    *,
    topics: Sequence[tuple[str, str]],
    sources: Sequence[str],
    more: str,
    asked: str,
    mistakes: Mapping[str, str],
) -> dict[str, Any]:
    """What the list shows. `more`: the address of older stories, "" if there are none. `asked`: the search in it."""
    return {
        "active": "stories",
        "stories": found,
        "handlings": handlings,
        "reports_shown": REPORTS_LISTED,
        "search": search,
        "topics": topics,
        "sources": sources,
        "more": more,
        "asked": asked,
        "mistakes": mistakes,
        "complete": not more,
    }


def page_of_story(
    story: StoryView,
    query: Mapping[str, str],
    handling: Handling,
    silences: Sequence[Silence],
    may_end: Sequence[str],
    event: EventView | None,
    *,
    joinable: bool,
) -> dict[str, Any]:
    """What the page of one story shows: all of it, and of its reports a page at a time, the newest first.

    `silences` are those that cover it; those whose ids are in `may_end` can be ended here. `event` is None if the story
    is alone in its event; `joinable`: events are switched on.
    """
    reports = story.reports[::-1]
    number, pages = page_of(query, len(reports), REPORTS)
    return {
        "active": "stories",
        "story": story,
        "handling": handling,
        "event": event,
        "joinable": joinable,
        "harm": HARM,
        "silences": silences,
        "may_end": may_end,
        "sources_of_story": tuple(dict.fromkeys(hit.article.source for hit in story.reports))[:20],
        "reports": reports[(number - 1) * REPORTS : number * REPORTS],
        "page": number,
        "pages": pages,
        "places": tuple(dict.fromkeys((place.name, place.country) for hit in story.topics for place in hit.places)),
    }
