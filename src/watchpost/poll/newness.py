"""Pure: what of a feed that is read for the first time is news. The rest is known from then on, and never told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from watchpost.documents.results import EntryHead

OnNew = timedelta | Literal["all", "baseline"]
"""How far back the first reading looks: a time, everything, or nothing."""

UNDATED = 10
"""Feeds put what is new on top: so many entries without a date count as new."""


def split(heads: Sequence[EntryHead], on_new: OnNew, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of (news, baseline) of a first reading, both in the feed's order."""
    ids = tuple(head.id for head in heads)
    if on_new == "all":
        return ids, ()
    if on_new == "baseline":
        return (), ids
    top = {head.id for head in [one for one in heads if one.published is None][:UNDATED]}
    new = {head.id for head in heads if (head.id in top if head.published is None else now - head.published <= on_new)}
    return tuple(id_ for id_ in ids if id_ in new), tuple(id_ for id_ in ids if id_ not in new)
