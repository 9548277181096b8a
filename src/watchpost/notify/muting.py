"""Still: quiet hours and silences. Who is not told now, and of what nobody is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from watchpost.model import Hit
from watchpost.timetable import QuietHours, Silence


def quiet_until(rules: Iterable[QuietHours], receiver: str, severity: str, now: datetime) -> datetime | None:
    """When the quiet hours end that hold what is so severe back from this receiver; None if none does.

    `severity` "" is a digest's: no exception lets it through.
    """
    ends = [
        end
        for rule in rules
        if receiver in rule.receivers and severity not in rule.except_for and (end := _end(rule, now)) is not None
    ]
    return max(ends, default=None)


def _end(rule: QuietHours, now: datetime) -> datetime | None:
    """When the quiet ends that it is now, in UTC. A skipped local time is read with the offset before the gap."""
    zone = ZoneInfo(rule.timezone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() in rule.days:
            last = day + timedelta(days=rule.end <= rule.begin)
            begin = datetime.combine(day, rule.begin, tzinfo=zone).astimezone(UTC)
            end = datetime.combine(last, rule.end, tzinfo=zone).astimezone(UTC)
            if begin <= now < end:
                return end
    return None


def silence_of(silences: Sequence[Silence], hit: Hit, now: datetime) -> Silence | None:
    """The first silence that covers the hit now."""
    return next((one for one in silences if now < one.until and covers(one, hit)), None)


def covers(silence: Silence, hit: Hit) -> bool:
    """Whether all conditions of a silence hold for a hit, whenever it ends. One without conditions covers nothing."""
    wanted = silence.topic, silence.source, silence.severity, silence.text, silence.story
    if not any(wanted):
        return False
    told = f"{hit.article.title}\n{hit.snippet.text}".casefold()
    return (
        silence.topic in ("", hit.topic)
        and silence.story in ("", hit.story)
        and silence.source in ("", hit.article.source)
        and silence.severity in ("", hit.severity)
        and silence.text.casefold() in told
    )
