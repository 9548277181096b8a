"""What of a document is wanted, said to the parser before it makes text of anything.

The look-up is a hint that spares work: COMMIT decides. What becomes known meanwhile it drops; what is known no more it
refuses, and the feed is read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from watchpost.poll.newness import Head, OnNew, split
from watchpost.poll.registry import Registry
from watchpost.wire.intake import MARK


class Sorter:
    """Sorts the entries of one document. `registry` None: all are new.

    When it was asked, `baseline` are the ids that are to be remembered and never told, `seen` those that somebody has
    committed before, `marks` the marks of the others' headlines. `versions`: an article under another headline than
    before is wanted, too.
    """

    def __init__(self, registry: Registry | None, on_new: OnNew, now: datetime, *, versions: bool = False) -> None:
        self._registry = registry
        self._on_new = on_new
        self._now = now
        self._versions = versions
        self.heads: Sequence[Head] = ()
        self.baseline: tuple[str, ...] = ()
        self.seen: tuple[str, ...] = ()
        self.marks: Mapping[str, str] = {}

    async def wanted(self, heads: Sequence[Head]) -> frozenset[str]:
        """The ids of those that are to become articles; for a later version its own. Raises StoreError."""
        self.heads = heads
        versions = {head.id: head.version if self._versions else "" for head in heads}
        news, self.baseline = split(heads, self._on_new, self._now)
        if self._registry is None:
            return frozenset(news)
        marks = {id_: versions[id_][:MARK] for id_ in news}
        looked = await self._registry.look(marks)
        wanted = looked.unseen | looked.retitled
        self.seen = tuple(id_ for id_ in news if id_ not in wanted)
        self.marks = {id_: mark for id_, mark in marks.items() if id_ in wanted}
        return looked.unseen | {versions[id_] for id_ in looked.retitled}
