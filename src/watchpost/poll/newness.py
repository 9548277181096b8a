"""Which entries of a feed's document become articles: the look-up at the store, and what a first reading leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from watchpost.documents.results import EntryHead
from watchpost.store.polling import MARK, PollStore

OnNew = timedelta | Literal["all", "baseline"]
"""How far back the first reading of a feed looks: a time, everything, or nothing."""

UNDATED = 10
"""Feeds put what is new on top: so many entries without a date count as new."""


def split(heads: Sequence[EntryHead], on_new: OnNew, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of (new, old) entries of a first reading, both in the feed's order. The old ones are never sent."""
    ids = tuple(head.id for head in heads)
    if on_new == "all":
        return ids, ()
    if on_new == "baseline":
        return (), ids
    top = {head.id for head in [head for head in heads if head.published is None][:UNDATED]}
    new = {head.id for head in heads if (head.id in top if head.published is None else now - head.published <= on_new)}
    return tuple(id_ for id_ in ids if id_ in new), tuple(id_ for id_ in ids if id_ not in new)


class EntrySelector:
    """Selects the entries of one document. Without a `store` all are new.

    After `wanted`, `baseline` are the ids to be remembered and never sent, `seen` those that an earlier visit
    committed, `marks` the marks of the others' headlines. `versions`: an article whose headline has changed is
    wanted, too. The look-up spares work, COMMIT decides: it drops what has become known meanwhile, and refuses what
    is known no more, so that the feed is read again.
    """

    def __init__(self, store: PollStore | None, on_new: OnNew, now: datetime, *, versions: bool) -> None:
        self._store = store
        self._on_new = on_new
        self._now = now
        self._versions = versions
        self.heads: Sequence[EntryHead] = ()
        self.baseline: tuple[str, ...] = ()
        self.seen: tuple[str, ...] = ()
        self.marks: Mapping[str, str] = {}

    async def wanted(self, heads: Sequence[EntryHead]) -> frozenset[str]:
        """The ids of the entries to make articles of; of a changed headline the version's id. Raises StoreError."""
        self.heads = heads
        versions = {head.id: head.version if self._versions else "" for head in heads}
        new, self.baseline = split(heads, self._on_new, self._now)
        if self._store is None:
            return frozenset(new)
        marks = {id_: versions[id_][:MARK] for id_ in new}
        known = await self._store.find_new(marks)
        wanted = known.unseen | known.retitled
        self.seen = tuple(id_ for id_ in new if id_ not in wanted)
        self.marks = {id_: mark for id_, mark in marks.items() if id_ in wanted}
        return known.unseen | {versions[id_] for id_ in known.retitled}
