"""What one visit to a folder gathers, how much it may carry, and what of it is known already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from watchpost.model import Article
from watchpost.poll.folders.settling import Look, Record, recall
from watchpost.poll.source import Failure

ARTICLES_PER_VISIT = 100
TEXT_PER_VISIT = 10_000_000
"""Code points in the articles of one visit, give or take one article: they all are in memory at once."""

_KEY = "f:"


@dataclass(slots=True)
class Haul:
    """What a visit has gathered so far.

    `digests` are those of all files that were read to their end: was something in them cut, replaced or skipped?
    """

    memory: Mapping[str, str]
    now: datetime
    digests: dict[str, bool]
    articles: list[Article] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unfinished: list[Look] = field(default_factory=list)  # files of which more is to be read in the next visit
    more: bool = False

    @property
    def room(self) -> int:
        """How many articles still fit in."""
        text = sum(len(article.body) + len(article.summary) for article in self.articles)
        return ARTICLES_PER_VISIT - len(self.articles) if text < TEXT_PER_VISIT else 0

    def before(self, look: Look) -> Record | None:
        """What was remembered of this file when the visit began."""
        return recall(self.memory.get(key(look), ""))

    def note(self, look: Look, record: Record) -> None:
        """Remember this of the file, once what was gathered is committed."""
        self.changes[key(look)] = record.encode()
        if record.offset is None:
            self.digests[record.digest] = record.flawed


def digests_in(memory: Mapping[str, str]) -> dict[str, bool]:
    """Haul.digests, from the memory: wherever a file lay, a moved one is no news."""
    return {record.digest: record.flawed for record in _records(memory) if record.offset is None}


def vanished(memory: Mapping[str, str], looks: tuple[Look, ...]) -> list[str]:
    """The keys of files that are gone; none if all are: then it is the disk that is gone."""
    here = {key(look) for look in looks}
    return [name for name in memory if name.startswith(_KEY) and name not in here] if here else []


def key(look: Look) -> str:
    """What a file is called in the memory of its folder."""
    return _KEY + look.shown


def _records(memory: Mapping[str, str]) -> Iterator[Record]:
    for name, text in memory.items():
        if name.startswith(_KEY) and (record := recall(text)) is not None:
            yield record
