"""Pure: the page Stories: hits grouped by story, and the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchpost.model import Hit
from watchpost.notify.story_choice import Spans, current, shown_hit, title_highlights
from watchpost.store.history import HitPage

PAGE = 25  # hits on a page; with all details a page stays below 100 kB

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Search:
    """A search; "" for anything. `text`: words that must all occur in headline, snippet, outlet or evidence."""

    text: str = ""
    topic: str = ""
    source: str = ""
    lang: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story: the hit that is shown, its newest hit of each topic, and its other reports."""

    id: str
    lead: Hit
    topics: tuple[Hit, ...]
    others: tuple[Hit, ...]
    voices: int
    title_highlights: Spans


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


def gather(hits: Sequence[Hit]) -> tuple[StoryCard, ...]:
    """Group hits (the newest first) by story, in the order of their newest hit; the lead is what a digest shows."""
    stories: dict[str, list[Hit]] = {}
    for hit in hits:
        stories.setdefault(hit.story, []).append(hit)
    cards = []
    for id_, found in stories.items():
        lead = shown_hit(current(found[::-1]))
        topics = {lead.topic: lead} | {hit.topic: hit for hit in reversed(found) if hit.topic != lead.topic}
        others = {hit.article.id: hit for hit in found if hit.article.id != lead.article.id}
        voices = {hit.voice or hit.article.outlet or hit.article.source for hit in found}
        cards.append(
            StoryCard(id_, lead, tuple(topics.values()), tuple(others.values()), len(voices), title_highlights([lead]))
        )
    return tuple(cards)


def page_of_stories(
    found: HitPage, search: Search, topics: Sequence[tuple[str, str]], sources: Sequence[str], more: str
) -> dict[str, Any]:
    """What the template shows. `more`: the address of older stories, "" if there are none."""
    return {
        "active": "stories",
        "stories": gather([past.hit for past in found.hits]),
        "search": search,
        "topics": topics,
        "sources": sources,
        "more": more,
        "complete": not found.more,
    }
