"""`watchpost silence add|list|expire`: of what nobody is told for a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watchpost.app import doors
from watchpost.app.deeds import PlanDeeds
from watchpost.app.silencing import Wish
from watchpost.cli.queue import Where, at
from watchpost.cli.saying import say, table, tell, tell_json
from watchpost.errors import WatchpostError
from watchpost.exit_codes import FAILED, OK
from watchpost.plan.plan import Plan
from watchpost.timetable import Silence
from watchpost.wire.silences import Silences
from watchpost.wire.store import Store


def add(where: Where, wish: Wish, by: str, env: Mapping[str, str]) -> int:
    """The exit code of `silence add`."""

    async def work(plan: Plan, store: Store) -> int:
        silence = await PlanDeeds(plan, store).silence(wish, by or doors.operator())
        if where.as_json:
            tell_json({"silence": _facts(silence, "command line", datetime.now(UTC))})
        else:
            tell(f"{silence.id}: silent until {silence.until.astimezone(ZoneInfo(plan.timezone)):%Y-%m-%d %H:%M %Z}")
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
        table(("ID", "STATE", "UNTIL", "MATCHES", "REASON", "BY", "FROM"), rows, below=("REASON", "MATCHES"))
        return OK

    return at(where, env, work)


def expire(where: Where, id_: str, env: Mapping[str, str]) -> int:
    """The exit code of `silence expire`: 1 if there is none of that id that has not ended."""

    async def work(plan: Plan, store: Store) -> int:
        try:
            ended = await PlanDeeds(plan, store).expire(id_, doors.operator())
        except WatchpostError as error:
            say(str(error))
            return FAILED
        if where.as_json:
            tell_json({"silence": _facts(ended, "command line", datetime.now(UTC))})
        else:
            tell(f"{id_} has ended")
        return OK

    return at(where, env, work)


def _conditions(silence: Silence) -> str:
    names = ("topic", "source", "severity", "text", "story")
    return ", ".join(f"{name} {value}" for name in names if (value := getattr(silence, name)))


def _facts(silence: Silence, origin: str, now: datetime) -> dict[str, object]:
    return {
        "id": silence.id,
        "active": now < silence.until,
        "until": silence.until.isoformat(),
        "topic": silence.topic or None,
        "source": silence.source or None,
        "severity": silence.severity or None,
        "text": silence.text or None,
        "story": silence.story or None,
        "reason": silence.reason,
        "by": silence.by,
        "from": origin,
    }
