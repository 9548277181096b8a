"""Pure: which of an alert's stories are told now, which wait, and which are no news.

A story that the group does not know is told at once, and so is one that another topic asks for. Other news of a
story wait until `group_interval` has passed since it was told, and then go out as one update. A story that only goes
on is told again when `repeat_interval` has passed, and else not at all. Quiet hours and a receiver's limit hold
everything that is to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from watchpost.model import Hit
from watchpost.notify.notification_log import NotificationRecord, status
from watchpost.schedules import Immediate, QuietHours, Silence

Reason = Literal["new", "topic", "update", "repeat", "interval", "known", "quiet", "limit"]
TOLD: tuple[Reason, ...] = ("new", "topic", "update", "repeat")


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one story's hits. `until` is set if they are held: "interval", "quiet" or "limit"."""

    reason: Reason
    hits: tuple[Hit, ...]
    until: datetime | None = None

    @property
    def told(self) -> bool:
        """Whether they are told now."""
        return self.reason in TOLD


def decide(
    hits: Sequence[Hit],
    known: Mapping[str, NotificationRecord],
    schedule: Immediate,
    now: datetime,
    quiet_until: Callable[[Hit], datetime | None] = lambda hit: None,
    limited_until: datetime | None = None,
) -> tuple[Decision, ...]:
    """A ruling for each story, and for each part of one of which quiet hours let only some hits through.

    `quiet_until` says of a hit how long quiet hours hold it, `limited_until` when the receiver may get more.
    """
    decisions: list[Decision] = []
    for (_, silent), members in _parts(hits, quiet_until).items():
        decision = _of_story(members, known.get(members[0].story), schedule, now)
        if decision.told and silent is not None:
            decision = Decision("quiet", decision.hits, silent)
        if decision.told and limited_until is not None:
            decision = Decision("limit", decision.hits, limited_until)
        decisions.append(decision)
    return tuple(decisions)


def _parts(
    hits: Sequence[Hit], quiet_until: Callable[[Hit], datetime | None]
) -> dict[tuple[str, datetime | None], tuple[Hit, ...]]:
    parts: dict[tuple[str, datetime | None], tuple[Hit, ...]] = {}
    for hit in hits:
        key = hit.story, quiet_until(hit)
        parts[key] = (*parts.get(key, ()), hit)
    return parts


def _of_story(hits: tuple[Hit, ...], told: NotificationRecord | None, schedule: Immediate, now: datetime) -> Decision:
    word, change = status(hits, told)
    if told is None or word == "new":
        return Decision("new", hits)
    if change.topics:
        return Decision("topic", hits)
    if word == "updated":
        due = told.at + schedule.group_interval if told.at else now
        return Decision("update", hits) if due <= now else Decision("interval", hits, due)
    again = told.at is not None and told.at + schedule.repeat_interval <= now
    return Decision("repeat" if again else "known", hits)


# quiet hours and silences. Who is not told now, and of what nobody is.


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
