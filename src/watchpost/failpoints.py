"""Named points at which a test may kill this very process: `WATCHPOST_CRASH_AT=notify.sent:2`.

Inert unless the variable is set when the process starts. The kill is SIGKILL: no clean-up of any kind runs,
as with a power cut or the kernel's out-of-memory killer. The points stand between any two steps of the way
of an article; tests/flow kills each of them.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "poll.claimed",  # the lease is ours, nothing was fetched
    "poll.fetched",  # the page is in memory, nothing was written
    "poll.committed",  # COMMIT ran, its answer was not used
    "match.read",  # the article is claimed
    "match.matched",  # hits are in memory
    "match.committed",  # MATCHED ran
    "notify.closed",  # CLOSE_DUE ran, nothing was sent
    "notify.claimed",  # the delivery is ours, no connection was opened
    "notify.sent",  # the other side said yes, nobody here knows
    "notify.journaled",  # this machine's journal knows, Redis does not
    "notify.done",  # DONE ran
)

_name, _, _nth = os.environ.get("WATCHPOST_CRASH_AT", "").partition(":")
_left = int(_nth or 1)


def point(name: str) -> None:
    """Die here, if the environment asked for this point and the count is up. `name` is one of POINTS."""
    global _left  # noqa: PLW0603 - a countdown for the one process that is about to die
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
