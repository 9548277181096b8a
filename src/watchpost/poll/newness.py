"""Which entries of a feed's document become articles: what is new, what a first reading leaves out, what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from watchpost.documents.results import EntryHead
from watchpost.store.polling import MARK, NewIds, PollStore

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


def beyond(unseen: Sequence[EntryHead], on_new: OnNew, read: datetime, top: frozenset[str]) -> tuple[str, ...]:
    """The ids of the old ones among entries that were never seen, of a feed of which only the `top` was looked at.

    `read` is when that was. What has been published since is new, and before that as at a first reading; an entry
    without a date is new at the top only.
    """
    if on_new == "all":
        return ()
    since = read if on_new == "baseline" else read - on_new
    return tuple(
        head.id for head in unseen if (head.id not in top if head.published is None else head.published < since)
    )


def newest(heads: Sequence[EntryHead], limit: int) -> Sequence[EntryHead]:
    """At most `limit` entries, in the document's order: the newest, wherever they are in the document.

    One without a date counts as old as the one before it, or else after it. If none has a date the first are taken.
    """
    if len(heads) <= limit:
        return heads
    dates = [head.published for head in heads]
    for places in (range(1, len(dates)), range(len(dates) - 2, -1, -1)):
        for place in places:
            dates[place] = dates[place] or dates[place - places.step]
    known = [date for date in dates if date is not None]
    if not known:
        return heads[:limit]
    order = sorted(range(len(heads)), key=lambda place: dates[place] or known[0], reverse=True)
    return [heads[place] for place in sorted(order[:limit])]


class EntrySelector:
    """Selects the entries of one document, `limit` of the new ones. Without a `store` all are new.

    `partly_read` is when an earlier version last read the feed, of which it looked at the first `limit` entries; None
    if every entry was looked at. After `wanted`, `baseline` are the ids to be remembered and never sent, `seen` those
    that an earlier visit committed, `marks` the marks of the others' headlines, and `waiting` counts the new ones
    beyond the limit, which stay unmarked. `versions`: an article whose headline has changed is wanted, too. The
    look-up spares work, COMMIT decides: it drops what has become known meanwhile, and refuses what
    is known no more, so that the feed is read again.
    """

    def __init__(
        self,
        store: PollStore | None,
        on_new: OnNew,
        now: datetime,
        *,
        limit: int,
        versions: bool,
        partly_read: datetime | None = None,
    ) -> None:
        self._store = store
        self._on_new = on_new
        self._now = now
        self._limit = limit
        self._versions = versions
        self._partly_read = partly_read
        self.heads: Sequence[EntryHead] = ()
        self.baseline: tuple[str, ...] = ()
        self.seen: tuple[str, ...] = ()
        self.marks: Mapping[str, str] = {}
        self.waiting = 0

    async def wanted(self, heads: Sequence[EntryHead]) -> frozenset[str]:
        """The ids of the entries to make articles of; of a changed headline the version's id. Raises StoreError."""
        self.heads = heads
        is_first = self._partly_read is None
        new, self.baseline = split(heads, self._on_new if is_first else "all", self._now)
        versions = {head.id: head.version if self._versions else "" for head in heads}
        marks = {id_: versions[id_][:MARK] for id_ in new}
        known = NewIds(frozenset(new)) if self._store is None else await self._store.find_new(marks)
        if self._partly_read is not None and len(heads) > self._limit:
            unseen = [head for head in heads if head.id in known.unseen]
            top = frozenset(head.id for head in heads[: self._limit])
            self.baseline = beyond(unseen, self._on_new, self._partly_read, top)
        candidates = (known.unseen | known.retitled).difference(self.baseline)
        taken = newest([head for head in heads if head.id in candidates], self._limit)
        self.waiting = len(candidates) - len(taken)
        self.seen = tuple(id_ for id_ in new if id_ not in known.unseen and id_ not in known.retitled)
        self.marks = {head.id: marks[head.id] for head in taken}
        return frozenset(versions[head.id] if head.id in known.retitled else head.id for head in taken)
