"""Still: what one visit to a source brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from watchpost.model import Article
from watchpost.poll.due import AS_CONFIGURED, Pace


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing in a source that could not be read: a file, an entry. `reason` is from a small closed set."""

    item: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit brought.

    `known` are ids of articles that are only remembered, so that they are never told; `seen` are those that a look-up
    found remembered, so that nobody made articles of them. `marks` are the marks of headlines by article: under
    another one the article is told again. `memory` is what the source wants to find again at its next visit
    (validators, what was read of which file); it is stored in the same step as the articles, or not at all; a value
    of "" deletes its key. `outcome` "failed" means that the source as a whole could not be read. `pace` is what the
    other side asked for before the next visit. `more` says that there is more to read right now. `size` is how many
    bytes were read, unpacked.
    """

    outcome: Literal["read", "unchanged", "failed"]
    articles: tuple[Article, ...] = ()
    known: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    pace: Pace = AS_CONFIGURED
    failures: tuple[Failure, ...] = ()
    more: bool = False
    size: int = 0
