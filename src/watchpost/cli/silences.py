"""`watchpost silence add|list|expire`: of what nobody is told for a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from watchpost.app import doors
from watchpost.app.deeds import audit
from watchpost.cli.queue import FAILED, OK, USAGE, Where, at
from watchpost.cli.saying import say, table, tell, tell_json
from watchpost.model import SEVERITIES, derive_id
from watchpost.plan.complaints import suggest
from watchpost.plan.fields import Duration
from watchpost.plan.hush import moment
from watchpost.plan.plan import Plan
from watchpost.timetable import Silence
from watchpost.wire.silences import Silences
from watchpost.wire.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What was written on the command line."""

    topic: str
    source: str
    severity: str
    text: str
    lasting: str
    until: str
    reason: str
    by: str


def add(where: Where, asked: Asked, env: Mapping[str, str]) -> int:
    """The exit code of `silence add`."""

    async def work(plan: Plan, store: Store) -> int:
        now = datetime.now(UTC)
        until = _until(asked, plan.timezone, now)
        if until is None or not _sensible(plan, asked):
            return USAGE
        if until <= now:
            say("that moment has passed")
            return USAGE
        conditions = asked.topic, asked.source, asked.severity, asked.text.strip()
        id_ = derive_id("silence", *conditions, until.isoformat(), asked.reason)[:8]
        silence = Silence(id_, until, asked.reason, asked.by or doors.operator(), *conditions)
        await Silences(store).add(silence, now)
        audit("silence add", 1, doors.operator(), silence=id_)
        if where.as_json:
            tell_json({"silence": _facts(silence, "command line", now)})
        else:
            tell(f"{id_}: silent until {until.astimezone(ZoneInfo(plan.timezone)):%Y-%m-%d %H:%M %Z}")
        return OK

    return at(where, env, work)


def show(where: Where, env: Mapping[str, str]) -> int:
    """The exit code of `silence list`."""

    async def work(plan: Plan, store: Store) -> int:
        now, zone = datetime.now(UTC), ZoneInfo(plan.timezone)
        found = [(one, "configuration") for one in plan.silences]
        found += [(one, "command line") for one in await Silences(store).all()]
        if where.as_json:
            tell_json({"silences": [_facts(one, origin, now) for one, origin in found]})
            return OK
        rows = [
            (
                one.id,
                "active" if now < one.until else "ended",
                f"{one.until.astimezone(zone):%Y-%m-%d %H:%M}",
                _conditions(one),
                one.reason,
                one.by,
                origin,
            )
            for one, origin in found
        ]
        table(("ID", "STATE", "UNTIL", "MATCHES", "REASON", "BY", "FROM"), rows)
        return OK

    return at(where, env, work)


def expire(where: Where, id_: str, env: Mapping[str, str]) -> int:
    """The exit code of `silence expire`: 1 if there is none of that id that has not ended."""

    async def work(plan: Plan, store: Store) -> int:
        now = datetime.now(UTC)
        if any(one.id == id_ for one in plan.silences):
            say(f"{id_} stands in the configuration: take it out there")
            return FAILED
        ended = await Silences(store).expire(id_, now)
        if ended is None:
            say(f"no silence {id_} that has not ended")
            return FAILED
        audit("silence expire", 1, doors.operator(), silence=id_)
        if where.as_json:
            tell_json({"silence": _facts(ended, "command line", now)})
        else:
            tell(f"{id_} has ended")
        return OK

    return at(where, env, work)


def _until(asked: Asked, timezone: str, now: datetime) -> datetime | None:
    if bool(asked.lasting) == bool(asked.until):
        say("say how long: either --for 2h or --until 2026-12-01")
        return None
    try:
        if asked.lasting:
            return now + TypeAdapter(Duration).validate_python(asked.lasting)
        until = moment(asked.until)
    except ValidationError:
        say(f"--for {asked.lasting}: write a duration with its unit, like 30m, 6h or 7d")
        return None
    except (ValueError, OverflowError) as error:
        say(str(error))
        return None
    return (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)


def _sensible(plan: Plan, asked: Asked) -> bool:
    named: Iterable[tuple[str, str, list[str]]] = (
        ("topic", asked.topic, [one.name for one in plan.topics]),
        ("feed or folder", asked.source, [part.name for part in plan.sources]),
        ("severity", asked.severity, list(SEVERITIES)),
    )
    for what, name, known in named:
        if name and name not in known:
            say(f"no {what} '{name}'{suggest(name, known)}")
            return False
    if not (asked.topic or asked.source or asked.severity or asked.text.strip()):
        say("at least one of --topic, --source, --severity, --text is needed: else everything would be silenced")
        return False
    if not asked.reason.strip():
        say("a reason is needed")
        return False
    return True


def _conditions(silence: Silence) -> str:
    named = ("topic", silence.topic), ("source", silence.source), ("severity", silence.severity), ("text", silence.text)
    return ", ".join(f"{what} {value}" for what, value in named if value)


def _facts(silence: Silence, origin: str, now: datetime) -> dict[str, object]:
    return {
        "id": silence.id,
        "active": now < silence.until,
        "until": silence.until.isoformat(),
        "topic": silence.topic or None,
        "source": silence.source or None,
        "severity": silence.severity or None,
        "text": silence.text or None,
        "reason": silence.reason,
        "by": silence.by,
        "from": origin,
    }
