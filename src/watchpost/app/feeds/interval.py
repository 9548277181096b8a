"""Still: what the time between two visits to a feed is made of, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from watchpost.poll.due import shift, words
from watchpost.poll.fetching import freshness, subscribing

_WORTH_SAYING = 0.005
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def parts(
    name: str, every: timedelta, configured: bool, memory: Mapping[str, str], failures: int, now: datetime
) -> tuple[str, ...]:
    """Everything that speaks for waiting; the longest of it decides. `memory` is the feed's, {} if nothing is kept.

    `configured`: somebody wrote the interval `every`; else it is what a feed begins with.
    """
    pace = freshness.pace(memory, {}, adaptive=not configured)
    if configured:
        found = [f"every {words(every)}, as configured"]
    elif pace.every is not None:
        found = [f"every {words(pace.every)}, by how often it brings something (no `every` is configured)"]
    else:
        found = [f"every {words(every)}, until it is known how often it brings something"]
    if abs(share := shift(name, pace.every or every)) >= _WORTH_SAYING:
        found.append(f"{share:+.0%} of that, so that feeds of one interval spread out")
    if failures > 1:
        found.append(f"doubled with each failure after the first, of which there are {failures} in a row")
    found += [floor.why for floor in pace.floors]
    pushed = subscribing.floor(memory, now)
    found += [pushed.why] if pushed is not None else []
    if pace.skip_hours:
        found.append(f"the feed wants no visits at {', '.join(f'{hour}h' for hour in pace.skip_hours)} GMT")
    if pace.skip_days:
        found.append(f"the feed wants no visits on {', '.join(_DAYS[day] for day in pace.skip_days)}")
    return tuple(found)
