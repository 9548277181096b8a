"""The hits that today's topics have in the archive, with stories and without copies, as if they came in now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from watchpost.match.matcher import Topics
from watchpost.match.stories import Shelf
from watchpost.model import Hit, Signature, Topic
from watchpost.store.matching import marks_of

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive


def hits_in(
    archive: Archive,
    topics: Sequence[Topic],
    begin: datetime,
    known: Sequence[Hit],
    most: int,
    progress: Callable[[int], None] = lambda read: None,
) -> tuple[tuple[Hit, ...], bool]:
    """The hits on articles read since `begin`, the oldest first, and whether there are more than `most`.

    If there are more, the newest are returned. `known` are hits that the service found then: their stories keep their
    ids, and those on articles from before and after the archive are added. Raises ArchiveError. It blocks.
    """
    from watchpost.archive.archive import ReadBetween  # not imported where there is no archive
    from watchpost.archive.search import archived

    matcher, state = Topics(topics), archive.state()
    found: list[tuple[tuple[Hit, ...], Signature]] = []
    count = 0
    for article in archived(archive, topics, ReadBetween.of(begin), progress):
        hits, signed = matcher.signed(article, article.fetched)
        if hits and signed is not None:
            found.append((hits, signed))
            count += len(hits)
        if count > most:
            break
    beyond = [hit for hit in known if not _is_within(hit.article.fetched, state.oldest, state.newest)]
    ordered = sorted([*beyond, *_as_found(reversed(found), known)], key=lambda hit: hit.matched)
    return tuple(ordered[-most:]), count > most or len(ordered) > most


def _is_within(moment: datetime, oldest: datetime | None, newest: datetime | None) -> bool:
    return oldest is not None and newest is not None and oldest <= moment <= newest


def _as_found(found: Iterable[tuple[tuple[Hit, ...], Signature]], known: Sequence[Hit]) -> list[Hit]:
    """The hits in the order in which they came, each in its story, and of copies the first."""
    shelf, stories = Shelf(), {hit.article.id: hit.story for hit in known}
    names: dict[str, str] = {}  # of stories here, as the service named them
    marks: set[str] = set()
    texts: dict[tuple[str, str], set[str]] = {}  # of a topic, what a source has under one headline
    hits: list[Hit] = []
    for of_article, signed in found:
        verdict = shelf.decide(signed, of_article[0].matched)
        if (name := stories.get(of_article[0].article.id)) is not None:
            names.setdefault(verdict.story, name)
        for hit in of_article:
            own = marks_of(hit.topic, hit.article)
            published = texts.setdefault((hit.topic, signed.siblings), set())
            is_another = published and signed.words not in published and not hit.article.revises
            published.add(signed.words)
            if is_another or marks.isdisjoint(own):
                hits.append(replace(hit, story=verdict.story, voice=verdict.voice))
            marks.update(own)
    return [replace(hit, story=names.get(hit.story, hit.story)) for hit in hits]
