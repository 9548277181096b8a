"""`watchpost receiver list|test|enable`: who is told, and how they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter

from watchpost.app import doors
from watchpost.app.deeds import PlanDeeds
from watchpost.cli import manner
from watchpost.cli.queue import Where, at
from watchpost.cli.saying import complain, count, say, table, tell, tell_json, unknown
from watchpost.errors import ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, USAGE
from watchpost.model import Delivered, Delivery, Outcome
from watchpost.notify.editor import deliveries_of
from watchpost.notify.sample import sample_digest
from watchpost.plan.plan import Part, Plan
from watchpost.plan.settings import Settings, read_settings
from watchpost.wire.board import Board
from watchpost.wire.desk import Desk
from watchpost.wire.store import Store


def show(where: Where, env: Mapping[str, str]) -> int:
    """The exit code of `receiver list`."""

    async def work(plan: Plan, store: Store) -> int:
        names, now = [part.name for part in plan.receivers], datetime.now(UTC)
        depths, rows = await Board(store).depths(names), []
        facts: list[dict[str, object]] = []
        for part in plan.receivers:
            state = await Desk(store).state(part.name)
            till = f"{state.till:%H:%M:%S}Z" if state.till and state.till > now else ""
            waiting = depths.outbox[part.name]
            until = state.till.isoformat() if till and state.till else None
            facts.append(
                {"name": part.name, "type": part.kind, "state": state.word(now), "until": until}
                | {"waiting": waiting, "why": state.why}
            )
            rows.append((part.name, part.kind, state.word(now), till, str(waiting), state.why))
        if where.as_json:
            tell_json({"receivers": facts})
        else:
            table(("NAME", "TYPE", "STATE", "UNTIL", "WAITING", "WHY"), rows, below=("WHY",))
        return OK

    return at(where, env, work)


def enable(where: Where, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `receiver enable`."""

    async def work(plan: Plan, store: Store) -> int:
        part = part_of(plan, name)
        if part is None:
            return USAGE
        moved = await PlanDeeds(plan, store).enable(name, doors.operator())
        if where.as_json:
            tell_json({"enabled": name, "retried": moved})
        else:
            waited = f"{count(moved or 0, 'message')} that waited for it go now" if moved else "nothing waited for it"
            tell(f"{name} is enabled; {waited}")
        return OK

    return at(where, env, work)


def test(where: Where, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `receiver test`: 1 if the message did not arrive. Needs no running service.

    Where one runs, a good test enables the receiver again.
    """
    try:
        settings = read_settings(config=where.config, data=where.data)
        manner.open_log(settings)
        plan = doors.read_plan(settings.config, env)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE
    part = part_of(plan, name)
    if part is None:
        return USAGE
    results = asyncio.run(_try(plan, part, settings))
    good = all(isinstance(outcome, Delivered) for _, outcome, _ in results)
    if where.as_json:
        facts = [
            {"id": one.id, "outcome": _word(outcome), "detail": outcome.detail, "milliseconds": round(took * 1000)}
            for one, outcome, took in results
        ]
        tell_json({"receiver": name, "ok": good, "messages": facts})
    else:
        for one, outcome, took in results:
            tell(f"{_word(outcome)} after {took * 1000:.0f} ms: {one.message.subject}: {outcome.detail}")
    return OK if good else FAILED


async def _try(plan: Plan, part: Part, settings: Settings) -> list[tuple[Delivery, Outcome, float]]:
    receiver = doors.build_receivers(plan, "test", doors.terminal())[part.name]
    own = {"timezone": plan.timezone, "language": plan.language, "install": plan.install, "public_url": plan.public_url}
    digest = sample_digest(part.name, datetime.now(UTC), **own)
    results = []
    try:
        for delivery in deliveries_of(digest, receiver.compose(digest)):
            begun = perf_counter()
            outcome = await receiver.send(delivery)
            results.append((delivery, outcome, perf_counter() - begun))
    finally:
        await receiver.close()
    if all(isinstance(outcome, Delivered) for _, outcome, _ in results):
        try:
            async with doors.look(settings, plan) as store:
                if not (await Desk(store).state(part.name)).well:
                    await PlanDeeds(plan, store).enable(part.name, doors.operator())
        except StoreError:
            pass  # nothing runs here: then nothing is held either
    return results


def part_of(plan: Plan, name: str) -> Part | None:
    """The receiver of that name; None after it was said that there is none."""
    part = next((part for part in plan.receivers if part.name == name), None)
    if part is None:
        unknown("receiver", name, [part.name for part in plan.receivers])
    return part


def _word(outcome: Outcome) -> str:
    return {"Delivered": "delivered", "TryLater": "not now", "Refused": "refused", "Unknown": "unknown"}[
        type(outcome).__name__
    ]
