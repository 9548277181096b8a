"""Quiet hours and silences: what an operator writes of them, and what they become."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from watchpost.model import Severity, derive_id
from watchpost.plan import schedule_text
from watchpost.plan.fields import Options
from watchpost.plan.several import Several
from watchpost.timetable import QuietHours, Silence


def moment(text: object) -> datetime:
    """A moment from `2026-12-01T08:00:00+01:00`, `2026-12-01 08:00` or `2026-12-01`; without an offset it is naive.

    Raises ValueError with a sentence that says what to write.
    """
    if isinstance(text, datetime):
        return text
    try:
        return datetime.fromisoformat(text.strip() if isinstance(text, str) else "")
    except ValueError:
        raise ValueError("a moment is written like 2026-12-01T08:00:00+01:00 or 2026-12-01") from None


Time = Annotated[time, BeforeValidator(schedule_text.time_of_day, json_schema_input_type=str)]
Moment = Annotated[datetime, BeforeValidator(moment, json_schema_input_type=str)]
Days = Annotated[tuple[int, ...], BeforeValidator(schedule_text.days_of_week, json_schema_input_type=str | list[str])]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Exceptions(Options):
    """Which alerts quiet hours let through."""

    severity: Several[Severity]


class QuietOptions(Options):
    """When receivers are not told; over midnight if `to` is the earlier one. On `days` it begins."""

    receivers: Several[str]
    begin: Time = Field(alias="from")
    end: Time = Field(alias="to")
    days: Days = tuple(range(7))
    except_for: Exceptions | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begin == self.end:
            raise ValueError("from and to are the same time")
        return self


class Matching(Options):
    """Of which hits nobody is told: all that is written must hold."""

    topic: str = ""
    feed: str = ""
    source: str = ""
    severity: Severity | None = None
    text: str = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.topic or self.feed or self.source or self.severity or self.text.strip()):
            raise ValueError("at least one of topic, feed, severity, text is needed: else everything would be silenced")
        if self.feed and self.source:
            raise ValueError("feed and source are the same: write one of them")
        return self


class SilenceOptions(Options):
    """What nobody is told of, until when, why, and who wanted it."""

    match: Matching
    until: Moment
    reason: Text
    by: Text


def quiet_of(options: QuietOptions, timezone: str) -> QuietHours:
    """The quiet hours as a value."""
    spared = () if options.except_for is None else options.except_for.severity
    return QuietHours(options.receivers, options.begin, options.end, options.days, timezone, spared)


def silence_of(options: SilenceOptions, timezone: str) -> Silence:
    """The silence as a value, its id derived; a moment without an offset is local."""
    until = options.until
    until = (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    match = options.match
    conditions = match.topic, match.feed or match.source, match.severity or "", match.text.strip()
    id_ = derive_id("silence", *conditions, until.isoformat(), options.reason)[:8]
    return Silence(id_, until, options.reason, options.by, *conditions)
