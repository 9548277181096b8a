"""Still: when a source is visited next, and why then."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(hours=24)
_JITTER = 0.1
_NO_JITTER_BELOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asks:
    """What a feed document asks of those who poll it; an empty value asks nothing.

    `ttl` is RSS 2.0's, `update_every` comes from sy:updatePeriod and sy:updateFrequency (RSS 1.0 Syndication),
    `skip_hours` are hours in GMT and `skip_days` days of the week, 0 = Monday (RSS 2.0); `hub` and `self_url` are
    WebSub's links.
    """

    ttl: timedelta | None = None
    update_every: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    self_url: str = ""


def next_visit(
    every: timedelta, failures: int, wait: timedelta | None, name: str, now: datetime
) -> tuple[datetime, str]:
    """The moment of the next visit and the reason in words an operator reads.

    `every` is the configured interval, `failures` how many visits failed in a row, `wait` what the other side
    asked for (capped at 24 h, so that an absurd wish does not freeze a feed). Intervals from a minute up are
    stretched or shrunk by up to 10 %, always the same for one `name`: feeds of one interval spread out. From the
    second failure on each one doubles the pause, up to 24 h.
    """
    pause, reason = _spread(every, name), f"every {words(every)}"
    if failures > 0:
        patience = max(every, min(every * 2 ** min(failures - 1, 20), LONGEST))
        pause = max(every, _spread(patience, name))
        times = "1 failure" if failures == 1 else f"{failures} failures"
        longer = f"{words(patience)} instead of {words(every)}" if patience > every else f"still every {words(every)}"
        reason = f"after {times} in a row: {longer}"
    if wait is not None and min(wait, LONGEST) > pause:
        pause = min(wait, LONGEST)
        reason = f"the server asked for {words(pause)}"
    return now + pause, reason


def words(span: timedelta) -> str:
    """A time span as people say it, in at most two units: "10 minutes", "1 hour 20 minutes", "0.5 seconds"."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds:g} seconds"
    rest, said = round(seconds), []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            said.append(f"{count} {name}" + ("s" if count > 1 else ""))
    return " ".join(said[:2])


def _spread(span: timedelta, name: str) -> timedelta:
    if span < _NO_JITTER_BELOW:
        return span
    drawn = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest()) / 0xFFFFFFFF
    return span * (1 + _JITTER * (2 * drawn - 1))
