"""Searching the archive: the index proposes articles, and the query decides, as it does when articles come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from watchpost.archive.archive import ALWAYS, Archive, Mark, ReadBetween
from watchpost.archive.packing import unpack
from watchpost.errors import CodecError
from watchpost.match.matcher import Topics, document, in_its_language, snippet
from watchpost.model import Article, Hit, Severity, Snippet, Topic
from watchpost.notify.rules import silence_of
from watchpost.query.document import LANG
from watchpost.query.language import fits
from watchpost.query.prefilter import (
    FIELD_MARKS,
    LANGUAGE_UNKNOWN,
    LONGEST_WORD,
    IndexWord,
    Prefilter,
    all_of,
    any_of,
    prefilter,
)
from watchpost.query.tree import Evidence, Query
from watchpost.query.words import folded_words
from watchpost.schedules import Silence

MOST_READ = 20_000
"""The articles that one search reads at most; it says where it can continue."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for: all conditions must be true; None and "" are no condition.

    `topic` and `severity` mean topics of the configuration that match the article, `muted` whether a silence covers one
    of its hits. `lang` is a code such as fr; an article whose language is not known has none.
    """

    query: Query | None = None
    between: ReadBetween = ALWAYS
    source: str = ""
    lang: str = ""
    topic: str = ""
    severity: Severity | Literal[""] = ""
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article that a search found: its position, the words that matched, and the hits on topics.

    `muted`: a silence covers one of the hits.
    """

    mark: Mark
    article: Article
    evidence: tuple[Evidence, ...]
    hits: tuple[Hit, ...]
    muted: bool

    def snippet(self) -> Snippet:
        """The part of the text around the words that matched, or around those of its hits."""
        evidence = self.evidence or tuple(one for hit in self.hits for one in hit.evidence)
        return snippet(self.article, evidence)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """The result of a search; `more` is where it can continue, None if there is nothing older."""

    found: tuple[FoundArticle, ...]
    more: Mark | None


class Search:
    """One search. It is not for several threads at once."""

    def __init__(
        self,
        wanted: Wanted,
        topics: Sequence[Topic] = (),
        silences: Sequence[Silence] = (),
        *,
        now: datetime,
        matcher: Topics | None = None,
    ) -> None:
        """`topics` and `silences` are those that count `now`; `matcher` has these topics, if they are compiled."""
        self._wanted = wanted
        self._silences = silences
        self._now = now
        self._topics = matcher if matcher is not None else Topics(topics, "brute")
        self.expression = all_of(
            (
                None if wanted.query is None else prefilter(wanted.query.root),
                _of_source(wanted.source),
                _of_language(wanted.lang),
                _of_topics([topic for topic in topics if _is_asked(wanted, topic.name, topic.severity)], wanted),
            )
        )

    def decide(self, mark: Mark, article: Article) -> FoundArticle | None:
        """The article, if it is one that is wanted. The mark only goes into the result."""
        wanted = self._wanted
        text = document(article)
        if wanted.source and article.source != wanted.source:
            return None
        if wanted.lang and not (text.languages and fits(text.languages, (wanted.lang,))):
            return None
        evidence = () if wanted.query is None else wanted.query.evaluate(text)
        if evidence is None:
            return None
        hits = self._topics.match(article, self._now, text)
        if (wanted.topic or wanted.severity) and not any(_is_asked(wanted, hit.topic, hit.severity) for hit in hits):
            return None
        muted = any(silence_of(self._silences, hit, self._now) is not None for hit in hits)
        if wanted.muted is not None and muted != wanted.muted:
            return None
        return FoundArticle(mark, in_its_language(article, text), evidence, hits, muted)

    def page(self, archive: Archive, count: int, before: Mark | None = None, most_read: int = MOST_READ) -> FoundPage:
        """Up to `count` articles, the newest first, from the mark `before` on; `most_read` are looked at.

        Raises ArchiveError.
        """
        found: list[FoundArticle] = []
        last: Mark | None = None
        for mark, one in self._decided(archive, before, most_read):
            last = mark
            if one is not None:
                found.append(one)
                if len(found) == count:
                    return FoundPage(tuple(found), mark)
        # If fewer were read than may be, there are no more.
        return FoundPage(tuple(found), last if self._read == most_read else None)

    def all(self, archive: Archive, progress: Callable[[int], None] = lambda read: None) -> Iterator[FoundArticle]:
        """Every article that is wanted, the newest first. `progress` gets how many were read. Raises ArchiveError."""
        for _, one in self._decided(archive, None, None):
            if self._read % 50 == 0:
                progress(self._read)
            if one is not None:
                yield one

    def _decided(
        self, archive: Archive, before: Mark | None, most: int | None
    ) -> Iterator[tuple[Mark, FoundArticle | None]]:
        """Each article that the index proposes, and what was decided."""
        self._read = 0
        for record in islice(archive.newest_first(self.expression, self._wanted.between, before), most):
            self._read += 1
            try:
                article = unpack(record.packed)
            except CodecError:  # of a later version; it is still there for that version
                continue
            yield record.mark, self.decide(record.mark, article)


def archived(
    archive: Archive, topics: Sequence[Topic], between: ReadBetween, progress: Callable[[int], None] = lambda read: None
) -> Iterator[Article]:
    """The articles that one of the topics may match, the newest first, to try the topics on. Raises ArchiveError.

    `progress` gets how many articles lie behind, with those that the index left out.
    """
    expression = any_of(prefilter(topic.query.root) for topic in topics) if topics else None
    passed, top = 0, Mark("", 0)  # articles of later months; the first one read of this month
    for number, record in enumerate(archive.newest_first(expression, between)):
        if record.mark.month != top.month:
            passed, top = passed + top.number, record.mark
        if number % 50 == 0:
            progress(passed + top.number - record.mark.number)
        try:
            yield unpack(record.packed)
        except CodecError:
            continue


def _is_asked(wanted: Wanted, topic: str, severity: str) -> bool:
    """Whether hits on this topic are wanted."""
    return wanted.topic in ("", topic) and wanted.severity in ("", severity)


def _of_topics(asked: Sequence[Topic], wanted: Wanted) -> Prefilter | None:
    needed = wanted.topic or wanted.severity or wanted.muted
    return any_of(prefilter(topic.query.root) for topic in asked) if needed and asked else None


def _of_source(source: str) -> Prefilter | None:
    mark = FIELD_MARKS["source"]
    return all_of(IndexWord((mark + word)[:LONGEST_WORD]) for word in folded_words(source))


def _of_language(lang: str) -> Prefilter | None:
    """Articles that are filed under a language with this code, or under none, and may be recognised as this one."""
    if not lang:
        return None
    words = folded_words(lang)
    filed = all_of(IndexWord((FIELD_MARKS[LANG] + word)[:LONGEST_WORD]) for word in words)
    undetermined = IndexWord(FIELD_MARKS[LANG] + "und")  # RFC 5646, 4.1: declared, and yet to be recognised
    return any_of((filed, IndexWord(LANGUAGE_UNKNOWN), undetermined))
