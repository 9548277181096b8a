"""`watchpost delivery list|show|replay`: messages that have not arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from watchpost.app import doors
from watchpost.app.deeds import PlanDeeds
from watchpost.cli.progress import Bar
from watchpost.cli.queue import (
    Where,
    as_facts,
    at,
    confirmed,
    meant,
    receiver_known,
    report,
    show_cases,
    when,
)
from watchpost.cli.saying import say, tell, tell_json
from watchpost.cli.spans import span_of
from watchpost.exit_codes import FAILED, OK, USAGE
from watchpost.plan.plan import Plan
from watchpost.wire.desk import Desk, failed_since
from watchpost.wire.store import Store


def show_all(where: Where, receiver: str, failed: bool, since: str, env: Mapping[str, str]) -> int:
    """The exit code of `delivery list`."""

    async def work(plan: Plan, store: Store) -> int:
        after = _moment(since)
        if not await receiver_known(plan, store, receiver):
            return USAGE
        cases = await Desk(store).cases(receiver)
        chosen = [case for case in cases if not failed or case.state == "dead"]
        show_cases(where, [case for case in chosen if after is None or (case.created and case.created >= after)])
        return OK

    return at(where, env, work)


def show(where: Where, id_: str, env: Mapping[str, str]) -> int:
    """The exit code of `delivery show`: 1 if nothing is known of it."""

    async def work(plan: Plan, store: Store) -> int:
        case = await Desk(store).case(id_)
        if case is None:
            say(f"nothing is known of a delivery {id_} (any more)")
            return FAILED
        editions = dict(case.message.editions) if case.message is not None else {}
        if where.as_json:
            tell_json({**as_facts(case), "editions": editions})
            return OK
        times = {"created": when(case.created), "due": when(case.due)}
        for key, value in (as_facts(case) | times).items():
            if value not in (None, ""):
                tell(f"{key}: {value}")
        for name, text in editions.items():
            tell(f"\n── {name} ──\n{text}")
        return OK

    return at(where, env, work)


def replay(
    where: Where, ids: Sequence[str], failed: bool, since: str, receiver: str, yes: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `delivery replay`: 5 if some of what was named could not be sent again."""
    if bool(ids) == failed:
        say("name deliveries by their ids, or all of them with --failed (and --since 6h)")
        return USAGE

    async def work(plan: Plan, store: Store) -> int:
        after = _moment(since)
        if not await receiver_known(plan, store, receiver):
            return USAGE
        letters = [one for one in failed_since(await Desk(store).letters(), after) if meant(one, ids, receiver)]
        if failed and after is None and not confirmed(len(letters), "sent again", yes):
            return USAGE
        with Bar("sending again") as bar:
            deeds = PlanDeeds(plan, store)
            done = await deeds.take_up(letters, doors.operator(), receiver, deed="replay", progress=bar)
        return report(where, "replayed", done, max(len(letters), len(ids)) - done)

    return at(where, env, work)


def _moment(since: str) -> datetime | None:
    span = span_of(since)
    return None if span is None else datetime.now(UTC) - span
