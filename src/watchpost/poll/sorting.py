"""What of a document is wanted, said to the parser before it makes text of anything.

The look-up is a hint that spares work: COMMIT decides. What becomes known meanwhile it drops; what is known no more it
refuses, and the feed is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchpost.poll.newness import Head, OnNew, split
from watchpost.poll.source import Registry


class Sorter:
    """Sorts the entries of one document. `registry` None: all are new.

    When it was asked, `baseline` are the ids that are to be remembered and never told, `seen` those that somebody has
    committed before.
    """

    def __init__(self, registry: Registry | None, on_new: OnNew, now: datetime) -> None:
        self._registry = registry
        self._on_new = on_new
        self._now = now
        self.heads: Sequence[Head] = ()
        self.baseline: tuple[str, ...] = ()
        self.seen: tuple[str, ...] = ()

    async def wanted(self, heads: Sequence[Head]) -> frozenset[str]:
        """The ids of those that are to become articles. Raises StoreError."""
        self.heads = heads
        news, self.baseline = split(heads, self._on_new, self._now)
        unseen = await self._registry.unseen(news) if self._registry is not None else frozenset(news)
        self.seen = tuple(id_ for id_ in news if id_ not in unseen)
        return unseen
