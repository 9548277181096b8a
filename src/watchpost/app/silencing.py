"""A silence out of what a person wrote, on the command line or a page: the same checks and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import FormError
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
    """The silence. Raises FormError that says of each wrong field what to write."""
    wrong = dict(_mistakes(wish, plan))
    until = _until(wish, plan.timezone, now, wrong)
    if until is not None and until <= now:
        wrong["lasting" if wish.lasting else "until"] = "that moment has passed"
    reason = " ".join(wish.reason.split())[:200]
    if not reason:
        wrong["reason"] = "a reason is needed"
    if wrong or until is None:
        raise FormError(wrong)
    conditions = wish.topic, wish.source, wish.severity, wish.text.strip()
    id_ = derive_id("silence", *conditions, wish.story, until.isoformat(), reason)[:8]
    return Silence(id_, until, reason, by, *conditions, story=wish.story)


def _mistakes(wish: Wish, plan: Plan) -> Iterator[tuple[str, str]]:
    named = (
        ("topic", "topic", wish.topic, [one.name for one in plan.topics]),
        ("source", "feed or folder", wish.source, [part.name for part in plan.sources]),
        ("severity", "severity", wish.severity, list(SEVERITIES)),
    )
    for field, what, name, known in named:
        if name and name not in known:
            yield field, f"no {what} '{name}'{suggest(name, known)}"
    if not any((wish.topic, wish.source, wish.severity, wish.text.strip(), wish.story)):
        yield "topic", "at least one of topic, source, severity, text is needed: else everything would be silenced"


def _until(wish: Wish, timezone: str, now: datetime, wrong: dict[str, str]) -> datetime | None:
    if bool(wish.lasting) == bool(wish.until):
        wrong["lasting"] = "say how long: either for 2h or until 2026-12-01"
        return None
    try:
        if wish.lasting:
            return now + TypeAdapter(Duration).validate_python(wish.lasting)
        until = moment(wish.until)
        return (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    except ValidationError:
        wrong["lasting"] = f"{wish.lasting}: write a duration with its unit, like 30m, 6h or 7d"
    except (ValueError, OverflowError) as error:
        wrong["lasting" if wish.lasting else "until"] = str(error)
    return None
