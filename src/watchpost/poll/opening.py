"""Still: how far a process is with its first round over the feeds.

A large list takes minutes; whoever looks on wants to see that it goes on. The feeds of the round are those that are due
when it begins. One whose host is busy has a turn of its own later; one whose turn has long come was read by another
poller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

WORTH_TELLING = 100
"""A round over fewer feeds is soon over."""
_GRACE_SECONDS = 5.0

Progress = Callable[[int, int], None]
"""Is called with how many feeds have been visited, and of how many; with the same number twice at the end."""


def silent(done: int, total: int) -> None:
    """Nobody looks on."""


class Opening:
    """The first round; afterwards nothing is told any more."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._left: set[str] | None = None  # None: it has not begun
        self._total = 0
        self._turns: dict[str, float] = {}

    @property
    def begun(self) -> bool:
        """Whether the feeds of the round are known."""
        return self._left is not None

    def begin(self, due: Iterable[str]) -> None:
        """These feeds are the round."""
        self._left = set(due)
        self._total = len(self._left)
        if self._total < WORTH_TELLING:
            self._left.clear()

    def visited(self, feed: str) -> None:
        """A visit is over, whatever came of it."""
        if self._left and feed in self._left:
            self._left.discard(feed)
            self._progress(self._total - len(self._left), self._total)

    def looked(self, put_off: Mapping[str, int], now: float, *, idle: bool) -> None:
        """What is due was claimed at `now` (seconds); these feeds have their turns in so many ms.

        `idle`: nothing is under way, and nothing more is due. Then the round is over, but for feeds that wait for
        their turn.
        """
        if not self._left:
            return
        self._turns |= {feed: now + wait / 1000 for feed, wait in put_off.items() if feed in self._left}
        if idle and not any(self._turns.get(feed, 0.0) > now - _GRACE_SECONDS for feed in self._left):
            self._left.clear()
            self._progress(self._total, self._total)
