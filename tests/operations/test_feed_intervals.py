"""The reasons for the time until the next visit to a feed, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.operations.feeds.status import interval_reasons
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.feed_options import FeedOptions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def reasons(memory: dict[str, str], failures: int = 0, name: str = "rfi", **options: Any) -> tuple[str, ...]:
    written = FeedOptions.model_validate({"url": "https://e.example/rss"} | options)
    return interval_reasons(name, written, FeedMemory.decode(memory), failures, NOW)


def test_a_configured_interval_counts_more_than_an_observed_one() -> None:
    assert reasons({"pace": "1800"}, every="30s") == ("every 30 seconds, as configured",)
    assert reasons({"pace": "1800"})[0].startswith("every 30 minutes, from how often it has new entries")
    assert reasons({})[0] == "every 10 minutes, until it is known how often it has new entries"


def test_every_reason_for_an_interval_is_shown() -> None:
    memory = {"fresh": "3600", "fresh_by": "max-age", "ttl": "7200", "update_every": "86400"}
    memory |= {"skip_hours": "1,2", "skip_days": "5"}
    assert reasons(memory, every="30s")[1:] == (
        "the server says max-age 1 hour",
        "the feed says ttl 2 hours",
        "the feed says that it changes every 1 day",
        "the feed asks for no visits at 1h, 2h GMT",
        "the feed asks for no visits on Saturday",
    )
    pushed = {"push_hub": "h", "push_topic": "t", "push_granted": "t", "push_from": NOW.isoformat()}
    pushed |= {"push_until": (NOW + timedelta(days=9)).isoformat()}
    assert "its hub pushes what is new; polled once a day all the same" in reasons(pushed)


def test_failures_and_the_shift_of_each_feed_are_shown() -> None:
    assert len(reasons({}, failures=1, every="30s")) == 1
    assert "there were 3 in a row" in reasons({}, failures=3, every="30s")[1]
    shifts = {reasons({}, name=name, every="10m")[1].split("%")[0] for name in ("a", "b", "c", "d")}
    assert len(shifts) > 1
    assert all(-10 <= int(text) <= 10 for text in shifts)
