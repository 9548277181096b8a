"""Still: a feed that has moved for good, proven over time before it is believed (RFC 9110, 15.4.2 and 15.4.9).

A permanent redirect is followed at each visit. Only when it has led to the same place three times, with a day
between the first and the last, and to a feed each time, is that place visited directly: a captive portal or a
mistake at the other end lasts less long. The place that the operator wrote stays the feed's name and its way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

PROOFS = 3
PROVEN_AFTER = timedelta(hours=24)


def noted(memory: Mapping[str, str], target: str, now: datetime) -> dict[str, str]:
    """What to remember after a visit that brought a feed. `target` is where permanent redirects led, "" if nowhere.

    `moved` is the place that is being proven, `moved_since` and `moved_times` since when and how often it was
    seen, `moved_to` the proven place.
    """
    if not target:
        return {"moved": "", "moved_since": "", "moved_times": ""}
    if target == memory.get("moved"):
        since, times = memory.get("moved_since", ""), memory.get("moved_times", "")
    else:
        since, times = "", ""
    began = _moment(since) or now
    count = (int(times) if times.isascii() and times.isdigit() and len(times) < 6 else 0) + 1
    if count >= PROOFS and now - began >= PROVEN_AFTER:
        return {"moved": "", "moved_since": "", "moved_times": "", "moved_to": target}
    return {"moved": target, "moved_since": began.isoformat(timespec="seconds"), "moved_times": str(count)}


def back() -> dict[str, str]:
    """What to remember when the proven place has failed: the next visit goes to the place in the configuration."""
    return {"moved_to": "", "moved": "", "moved_since": "", "moved_times": ""}


def said(memory: Mapping[str, str]) -> str:
    """For the operator: where the feed has gone, "" if nowhere."""
    if memory.get("moved_to"):
        return f"moved for good, read at {memory['moved_to']}"
    return f"moved for good to {memory['moved']}, the server says" if memory.get("moved") else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
