"""A silence out of what a person wrote, on the command line or a page: the same checks and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import WatchpostError
from watchpost.model import SEVERITIES, derive_id
from watchpost.plan.complaints import suggest
from watchpost.plan.fields import Duration
from watchpost.plan.hush import moment
from watchpost.plan.plan import Plan
from watchpost.timetable import Silence


@dataclass(frozen=True, slots=True)
class Wish:
    """What was written: conditions ("" for none), how long (`lasting`, "2h") or `until` when, and why."""

    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    story: str = ""
    lasting: str = ""
    until: str = ""
    reason: str = ""


def silence_of(wish: Wish, plan: Plan, by: str, now: datetime) -> Silence:
    """The silence. Raises WatchpostError with a sentence that says what to write."""
    until = _until(wish, plan.timezone, now)
    named = (
        ("topic", wish.topic, [one.name for one in plan.topics]),
        ("feed or folder", wish.source, [part.name for part in plan.sources]),
        ("severity", wish.severity, list(SEVERITIES)),
    )
    for what, name, known in named:
        if name and name not in known:
            raise WatchpostError(f"no {what} '{name}'{suggest(name, known)}")
    conditions = wish.topic, wish.source, wish.severity, wish.text.strip()
    if not any((*conditions, wish.story)):
        raise WatchpostError(
            "at least one of topic, source, severity, text is needed: else everything would be silenced"
        )
    reason = " ".join(wish.reason.split())[:200]
    if not reason:
        raise WatchpostError("a reason is needed")
    if until <= now:
        raise WatchpostError("that moment has passed")
    id_ = derive_id("silence", *conditions, wish.story, until.isoformat(), reason)[:8]
    return Silence(id_, until, reason, by, *conditions, story=wish.story)


def _until(wish: Wish, timezone: str, now: datetime) -> datetime:
    if bool(wish.lasting) == bool(wish.until):
        raise WatchpostError("say how long: either for 2h or until 2026-12-01")
    try:
        if wish.lasting:
            return now + TypeAdapter(Duration).validate_python(wish.lasting)
        until = moment(wish.until)
    except ValidationError:
        raise WatchpostError(f"{wish.lasting}: write a duration with its unit, like 30m, 6h or 7d") from None
    except (ValueError, OverflowError) as error:
        raise WatchpostError(str(error)) from error
    return (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
