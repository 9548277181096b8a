"""The gauges that the store knows: read when somebody asks for the metrics, and gone when the store is.

Every process that has a door measures them for itself. A service of four processes shows each of them four times,
on purpose: the process that would say it may be the one that died. Alerts take the maximum.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

from prometheus_client import Gauge

from watchpost import telemetry as tm
from watchpost.errors import StoreError
from watchpost.web.watched import Watched
from watchpost.wire.board import Board
from watchpost.wire.status import Depths, ReceiverState, SourceStatus

_KEPT_SECONDS = 5.0  # what was measured serves everybody who asks within that time
_DEADLINE_SECONDS = 5.0  # a store that hangs must not hide what the process itself counts: Prometheus waits for ten
_PART = 500  # sources that are read at once: the loop has other work, too

_RECEIVER_STATES = ("ok", "failing", "paused", "open", "trial", "disabled")
_FROM_STORE: tuple[Gauge, ...] = (
    tm.feed_last_read, tm.feed_failures, tm.feeds, tm.queue_depth, tm.queue_age, tm.queue_dead,
    tm.receiver_state, tm.receiver_till, tm.stories_open,
)  # fmt: skip


class Gauges:
    """Measures what stands in the store. One at a time, and not more often than each five seconds."""

    def __init__(self, board: Board, watched: Watched) -> None:
        self._board = board
        self._watched = watched
        self._lock = asyncio.Lock()
        self._measured = -_KEPT_SECONDS

    async def measure(self) -> None:
        """Set the gauges. If the store is away they are taken away: an old number must not look like a new one."""
        async with self._lock:
            if monotonic() - self._measured < _KEPT_SECONDS:
                return
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    statuses: list[SourceStatus] = []
                    for at in range(0, len(self._watched.feeds), _PART):
                        statuses += await self._board.sources(self._watched.feeds[at : at + _PART])
                    depths = await self._board.depths(self._watched.receivers)
                    ages = await self._board.ages(self._watched.receivers)
                    receivers = await self._board.receivers(self._watched.receivers)
                    stories = await self._board.open_stories([topic.name for topic in self._watched.topics])
            except (StoreError, TimeoutError):
                for gauge in _FROM_STORE:
                    gauge.clear()
                self._measured = monotonic()
                return
            for gauge in _FROM_STORE:
                gauge.clear()
            _tell_feeds(statuses)
            _tell_receivers(receivers, datetime.now(UTC))
            for queue, depth in depths.by_queue().items():
                tm.queue_depth.labels(queue).set(depth)
            for queue, age in ages.items():
                tm.queue_age.labels(queue).set(age)
            _tell_dead(depths, self._watched.receivers)
            for topic, count in stories.items():
                tm.stories_open.labels(topic).set(count)
            self._measured = monotonic()


def _tell_dead(depths: Depths, receivers: Sequence[str]) -> None:
    """Each queue in which something may die; what died of receivers that are no longer configured is one sum."""
    numbers = dict.fromkeys(("articles", "parked", *(f"outbox:{name}" for name in receivers)), 0)
    for queue, number in depths.dead_of.items():
        name = queue if queue in numbers else tm.OTHER_QUEUES
        numbers[name] = numbers.get(name, 0) + number
    for queue, number in numbers.items():
        tm.queue_dead.labels(queue).set(number)


def _tell_receivers(receivers: Mapping[str, ReceiverState], now: datetime) -> None:
    for name, state in receivers.items():
        for word in _RECEIVER_STATES:
            tm.receiver_state.labels(name, word).set(word == state.word(now))
        if state.till is not None:
            tm.receiver_till.labels(name).set(state.till.timestamp())


def _tell_feeds(statuses: Sequence[SourceStatus]) -> None:
    states = dict.fromkeys(("ok", "failing", "gone", "dead", "new"), 0)
    for status in statuses:
        states[status.state or ("failing" if status.failures else "ok" if status.last_read else "new")] += 1
    for state, count in states.items():
        tm.feeds.labels(state).set(count)
    for status in statuses[: tm.FEEDS_BY_NAME]:
        tm.feed_failures.labels(status.name).set(status.failures)
        if status.last_read is not None:
            tm.feed_last_read.labels(status.name).set(status.last_read.timestamp())
    others = statuses[tm.FEEDS_BY_NAME :]
    if others:
        tm.feed_failures.labels(tm.OTHER_FEEDS).set(max(status.failures for status in others))
        read = [status.last_read.timestamp() for status in others if status.last_read is not None]
        if read:
            tm.feed_last_read.labels(tm.OTHER_FEEDS).set(min(read))
