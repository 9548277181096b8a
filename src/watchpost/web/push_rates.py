"""Pure: how much hubs may push: bytes of one feed and of all together, so that none fills the store or the memory."""

from __future__ import annotations

from dataclasses import dataclass, field

FEED_BYTES, ALL_BYTES = 10_000_000, 50_000_000
"""What may come at once, and again within each minute."""

_LEAST_BYTES = 50_000  # what a short push counts as: a minute has room for 200 of them of one feed
_SECONDS = 60.0


@dataclass(slots=True)
class _Room:
    left: float
    at: float

    def refilled(self, most: float, now: float) -> float:
        return min(most, self.left + (now - self.at) * most / _SECONDS)


@dataclass(slots=True)
class PushRates:
    """What was pushed lately. Times are seconds of any clock that only goes forward. Feeds are those we subscribed."""

    _feeds: dict[str, _Room] = field(default_factory=dict)
    _all: _Room = field(default_factory=lambda: _Room(ALL_BYTES, 0.0))
    _told: dict[str, float] = field(default_factory=dict)

    def wait(self, feed: str, size: int, now: float) -> int:
        """0 if a push of `size` bytes may be read now, and then it counts; else in how many seconds to try again."""
        cost = max(size, _LEAST_BYTES)
        room = self._feeds.setdefault(feed, _Room(FEED_BYTES, now))
        of_feed, of_all = room.refilled(FEED_BYTES, now), self._all.refilled(ALL_BYTES, now)
        missing = max((cost - of_feed) / FEED_BYTES, (cost - of_all) / ALL_BYTES)
        if missing > 0:
            return int(missing * _SECONDS) + 1
        room.left, room.at = of_feed - cost, now
        self._all.left, self._all.at = of_all - cost, now
        return 0

    def is_to_tell(self, feed: str, now: float) -> bool:
        """Whether the log has had no line about this feed's pushes for a minute."""
        due = now - self._told.get(feed, -_SECONDS) >= _SECONDS
        if due:
            self._told[feed] = now
        return due
