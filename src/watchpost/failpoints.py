"""Points at which a test can kill this process: `WATCHPOST_CRASH_AT=notify.sent:2` is the second time at notify.sent.

Without the variable they do nothing. The kill is SIGKILL: no clean-up runs, as after a power cut or the kernel's
out-of-memory killer. There is a point between any two steps of an article; tests/flow kills at each of them.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "poll.claimed",  # the lease is ours, nothing was fetched
    "poll.fetched",  # the document is in memory, nothing was written
    "poll.committed",  # the commit script ran, its answer was not used
    "archive.written",  # the archive has the articles, Redis still has them, too
    "match.read",  # the article is claimed
    "match.matched",  # hits are in memory
    "match.committed",  # the matched script ran
    "events.read",  # a story waits for its event, and nothing was decided
    "events.joined",  # the join script ran
    "notify.closed",  # the close_due script ran, nothing was sent
    "notify.claimed",  # the delivery is ours, no connection was opened
    "notify.sent",  # the receiver accepted it, nothing recorded that
    "notify.journaled",  # the journal recorded it, Redis did not
    "notify.done",  # the done script ran
)

_name, _, _nth = os.environ.get("WATCHPOST_CRASH_AT", "").partition(":")
_left = int(_nth or 1)


def point(name: str) -> None:
    """Kill the process if the environment names this point and it was reached often enough. `name` is in POINTS."""
    global _left  # noqa: PLW0603 - one countdown for the process
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
