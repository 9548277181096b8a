"""Pure: which stories of an alert are sent now, which wait, and which are dropped; quiet hours and silences.

The rules are Alertmanager's. A new story is sent at once, and so is one that matches another topic. Any other update
waits until `group_interval` has passed since the story was last sent. A story that only continues is sent again after
`repeat_interval`. Quiet hours and a receiver's hourly limit hold whatever would be sent. A group may ask for several
independent voices: a story that was not sent waits for them as long as a further report may join its event, and is then
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from watchpost.model import Hit
from watchpost.notify.notification_log import NotificationRecord, status, voice
from watchpost.schedules import Immediate, QuietHours, Schedule, Silence

Reason = Literal["new", "topic", "update", "repeat", "interval", "known", "quiet", "limit", "voices", "alone"]
VOICES_WAIT = timedelta(hours=72)
"""How long a story waits for another voice: so long a further report may join its event."""

_SOONEST_LOOK = timedelta(seconds=5)

_REASONS_TO_SEND: tuple[Reason, ...] = ("new", "topic", "update", "repeat")


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one story's hits, and why.

    `until` is set while they are held: "interval", "quiet", "limit", "voices". "alone": no other voice came.
    """

    reason: Reason
    hits: tuple[Hit, ...]
    until: datetime | None = None

    @property
    def send(self) -> bool:
        """Whether they are sent now."""
        return self.reason in _REASONS_TO_SEND


def decide(
    hits: Sequence[Hit],
    records: Mapping[str, NotificationRecord],
    schedule: Immediate,
    now: datetime,
    *,
    quiet_until: Callable[[Hit], datetime | None] = lambda hit: None,
    limited_until: datetime | None = None,
) -> tuple[Decision, ...]:
    """A decision for each story, or for each part of one of which quiet hours hold only some hits.

    `records` is the group's notification log, by story. `quiet_until` gives the end of the quiet hours that hold a
    hit, `limited_until` is when a receiver that reached its limit may get more.
    """
    decisions: list[Decision] = []
    voices = _voices_of(hits)
    for (story, quiet_end), members in _by_story_and_quiet(hits, quiet_until).items():
        decision = _of_story(members, records.get(story), schedule, now)
        if decision.send and records.get(story) is None and len(voices[story]) < schedule.voices:
            decision = _waiting(members, now)
        if decision.send and quiet_end is not None:
            decision = Decision("quiet", members, quiet_end)
        if decision.send and limited_until is not None:
            decision = Decision("limit", members, limited_until)
        decisions.append(decision)
    return tuple(decisions)


def decide_voices(
    hits: Sequence[Hit], records: Mapping[str, NotificationRecord], schedule: Schedule, now: datetime
) -> tuple[Decision, ...]:
    """For a digest, a decision for each story that it does not send because of too few voices."""
    voices = _voices_of(hits)
    few = [story for story, found in voices.items() if story not in records and len(found) < schedule.voices]
    return tuple(_waiting(tuple(hit for hit in hits if hit.story == story), now) for story in few)


def _voices_of(hits: Iterable[Hit]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for hit in hits:
        found.setdefault(hit.story, set()).add(voice(hit))
    return found


def _waiting(hits: tuple[Hit, ...], now: datetime) -> Decision:
    """Hits that wait for another voice. It is looked for again after half as long as they have waited so far."""
    since = min(hit.matched for hit in hits)
    if now - since >= VOICES_WAIT:
        return Decision("alone", hits)
    return Decision("voices", hits, min(since + VOICES_WAIT, now + max(_SOONEST_LOOK, (now - since) / 2)))


def _by_story_and_quiet(
    hits: Sequence[Hit], quiet_until: Callable[[Hit], datetime | None]
) -> dict[tuple[str, datetime | None], tuple[Hit, ...]]:
    members: dict[tuple[str, datetime | None], list[Hit]] = {}
    for hit in hits:
        members.setdefault((hit.story, quiet_until(hit)), []).append(hit)
    return {key: tuple(of_story) for key, of_story in members.items()}


def _of_story(hits: tuple[Hit, ...], record: NotificationRecord | None, schedule: Immediate, now: datetime) -> Decision:
    story_status, change = status(hits, record)
    if record is None or story_status == "new":
        return Decision("new", hits)
    if change.topics:
        return Decision("topic", hits)
    if story_status == "updated":
        due = record.at + schedule.group_interval if record.at else now
        return Decision("update", hits) if due <= now else Decision("interval", hits, due)
    repeat = record.at is not None and record.at + schedule.repeat_interval <= now
    return Decision("repeat" if repeat else "known", hits)


def quiet_until(rules: Iterable[QuietHours], receiver: str, severity: str, now: datetime) -> datetime | None:
    """When the quiet hours end that hold a message of this severity for this receiver; None if none do.

    A digest has severity "", which no exception of the quiet hours lets through.
    """
    ends = [
        end
        for rule in rules
        if receiver in rule.receivers and severity not in rule.except_for and (end := _end(rule, now)) is not None
    ]
    return max(ends, default=None)


def _end(rule: QuietHours, now: datetime) -> datetime | None:
    """The end, in UTC, of the quiet hours that `now` is in. A skipped local time has the offset before the gap."""
    zone = ZoneInfo(rule.timezone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() in rule.days:
            last_day = day + timedelta(days=rule.end <= rule.begin)
            begin = datetime.combine(day, rule.begin, tzinfo=zone).astimezone(UTC)
            end = datetime.combine(last_day, rule.end, tzinfo=zone).astimezone(UTC)
            if begin <= now < end:
                return end
    return None


def silence_of(silences: Sequence[Silence], hit: Hit, now: datetime) -> Silence | None:
    """The first silence that covers the hit now."""
    return next((silence for silence in silences if now < silence.until and covers(silence, hit)), None)


def covers(silence: Silence, hit: Hit) -> bool:
    """Whether all conditions of a silence hold for a hit, whenever it ends. One without conditions covers nothing."""
    if not any((silence.topic, silence.source, silence.severity, silence.text, silence.story)):
        return False
    return (
        silence.topic in ("", hit.topic)
        and silence.story in ("", hit.story)
        and silence.source in ("", hit.article.source)
        and silence.severity in ("", hit.severity)
        and silence.text.casefold() in f"{hit.article.title}\n{hit.snippet.text}".casefold()
    )
