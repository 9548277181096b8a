"""Dataclasses as texts in a hash: what is written between two visits leads from the one value to the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watchpost.poll.feed_memory import FeedMemory, HubSubscription
from watchpost.poll.visit import merged
from watchpost.store.sources import SourceStatus
from watchpost.store.text_fields import changed_fields, from_fields

_MOMENTS = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_SPANS = st.integers(0, 10**9).map(lambda seconds: timedelta(seconds=seconds))
_TEXTS = st.text(max_size=20)
_HUBS = st.builds(HubSubscription, hub=_TEXTS, asked=st.none() | _MOMENTS, polled=st.booleans())
_MEMORIES = st.builds(
    FeedMemory,
    url=st.just("https://coast.example/feed"),
    etag=_TEXTS,
    read=st.none() | _MOMENTS,
    whole=st.booleans(),
    ttl=st.none() | _SPANS,
    skip_hours=st.lists(st.integers(0, 23), max_size=3).map(tuple),
    day_new=st.integers(0, 10**6),
    subscription=_HUBS,
)
_STATUSES = st.builds(
    SourceStatus, name=st.just("coast"), detail=_TEXTS, failures=st.integers(0, 99), next_at=st.none() | _MOMENTS
)


@given(st.one_of(st.tuples(_MEMORIES, _MEMORIES), st.tuples(_STATUSES, _STATUSES)))
def test_changes_lead_from_one_value_to_the_other(pair: tuple[Any, Any]) -> None:
    before, after = pair
    kind = type(before)
    named = {"name": "coast"} if kind is SourceStatus else {}
    texts = merged({}, changed_fields(kind(**named), before)) | named
    assert from_fields(kind, texts) == before
    changes = changed_fields(before, after)
    assert from_fields(kind, merged(texts, changes)) == after
    assert not changed_fields(after, after)
    assert all(texts.get(key, "") != text for key, text in changes.items())
