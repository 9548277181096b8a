"""`watchpost queue status|peek|retry|drop`: what waits in a running service."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from watchpost import log as tm
from watchpost.cli import output
from watchpost.cli.options import ConfigOption, DataOption, Dead, Ids, JsonOption, Only, Yes
from watchpost.cli.output import ProgressBar, complain, say, table, tell, tell_json, unknown
from watchpost.config.config import Config
from watchpost.config.settings import read_settings
from watchpost.durations import in_words
from watchpost.errors import ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL, UNREACHABLE, USAGE
from watchpost.operations import factory
from watchpost.operations.deliveries import retry_waiting, send_again, span_of
from watchpost.plurals import count
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetter, DeadLetters
from watchpost.store.deliveries import DeliveryAdmin, DeliveryRecord
from watchpost.store.ledger import Ledger, gaps
from watchpost.store.overview import Depths, Overview
from watchpost.store.receivers import ReceiverState


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Which service is meant, and whether a machine reads the answer."""

    config_path: Path | None
    data: Path | None
    as_json: bool


def at(where: StoreOptions, env: Mapping[str, str], work: Callable[[Config, Store], Awaitable[int]]) -> int:
    """Do `work` at the running service. Returns its exit code, or 2 for the configuration, 4 for no service."""

    async def do(config: Config) -> int:
        async with factory.look(settings, config) as store:
            return await work(config, store)

    try:
        settings = read_settings(config=where.config_path, data=where.data)
        output.open_log(settings)
        return asyncio.run(do(factory.read_config(settings.config, env)))
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except StoreError as error:
        say(str(error))
        return UNREACHABLE
    except WatchpostError as error:
        say(str(error))
        return USAGE


def status(where: StoreOptions, env: Mapping[str, str]) -> int:
    """The exit code of `queue status`: 1 if the sums of the ledger do not meet."""

    async def work(config: Config, store: Store) -> int:
        names = [part.name for part in config.receivers]
        now, overview = datetime.now(UTC), Overview(store)
        depths, ages, audit = await overview.depths(names), await overview.ages(names), await Ledger(store).audit()
        states = await overview.receivers(names)
        missing = gaps(audit)
        if where.as_json:
            tell_json(
                {
                    "pushed": depths.pushed,
                    "articles": depths.articles,
                    "parked": depths.parked,
                    "outbox": depths.outbox,
                    "retry": depths.retry,
                    "dead": depths.dead,
                    "oldest_seconds": {queue: round(age, 1) for queue, age in ages.items()},
                    "receivers": {name: state.status(now) for name, state in states.items()},
                    "ledger": dict(audit.totals),
                    "gaps": [str(gap) for gap in missing],
                }
            )
        else:
            counts = depths.by_queue()
            since = {
                queue: in_words(timedelta(seconds=round(ages[queue], 1))) if counts[queue] else "" for queue in counts
            }
            rows = [
                ("pushes to read", str(depths.pushed), "", since["pushed"]),
                ("articles to match", str(depths.articles), "", since["articles"]),
                ("hits for a coming edition", str(depths.parked), "", since["parked"]),
            ]
            rows += [
                (f"for {name}", str(depths.outbox[name]), states[name].status(now), since[f"outbox:{name}"])
                for name in names
            ]
            rows += [
                ("for a later attempt", str(depths.retry), "", since["retry"]),
                ("dead letters", str(depths.dead), "", ""),
            ]
            table(("WAITING", "COUNT", "STATE", "OLDEST"), rows)
            sums = ("new", "matched", "parked", "told", "sent")
            tell("since the books were opened: " + ", ".join(f"{audit.totals.get(key, 0)} {key}" for key in sums))
            tell("everything is accounted for" if not missing else "")
        for gap in missing:
            say(f"NOT ACCOUNTED FOR: {gap}")
        return FAILED if missing else OK

    return at(where, env, work)


def peek(where: StoreOptions, receiver: str, dead: bool, articles: bool, count: int, env: Mapping[str, str]) -> int:
    """The exit code of `queue peek`."""

    async def work(config: Config, store: Store) -> int:
        if not await receiver_known(config, store, receiver):
            return USAGE
        if articles:
            titles = await Overview(store).next_articles(count)
            if where.as_json:
                tell_json({"articles": titles})
            else:
                table(("ARTICLE",), [(title,) for title in titles])
        elif dead:
            show_dead_letters(where, (await DeadLetters(store).all())[:count])
        else:
            waiting = [case for case in await DeliveryAdmin(store).records(receiver) if case.state != "dead"]
            show_deliveries(where, waiting[:count])
        return OK

    return at(where, env, work)


def retry(where: StoreOptions, ids: Sequence[str], receiver: str, dead: bool, env: Mapping[str, str]) -> int:
    """The exit code of `queue retry`: 5 if some of what was named could not be sent again."""

    async def work(config: Config, store: Store) -> int:
        if not await receiver_known(config, store, receiver):
            return USAGE
        if not dead and not ids:
            return report(where, "retried", await retry_waiting(store, factory.operator(), receiver), 0)
        dead_letters = [one for one in await DeadLetters(store).all() if chosen_deliveries(one, ids, receiver)]
        with ProgressBar("sending again") as bar:
            done = await send_again(store, dead_letters, factory.operator(), receiver=receiver, progress=bar)
        return report(where, "retried", done, max(len(dead_letters), len(ids)) - done)

    return at(where, env, work)


def drop(where: StoreOptions, ids: Sequence[str], receiver: str, dead: bool, yes: bool, env: Mapping[str, str]) -> int:
    """The exit code of `queue drop`: 2 if it was not confirmed."""
    if not ids and not receiver and not dead:
        say("name what is to be dropped: ids, --receiver NAME or --dead")
        return USAGE

    async def work(config: Config, store: Store) -> int:
        desk = DeliveryAdmin(store)
        if not await receiver_known(config, store, receiver):
            return USAGE
        dead_letters = (
            [one for one in await DeadLetters(store).all() if chosen_deliveries(one, ids, receiver)]
            if dead or ids
            else []
        )
        cases: list[DeliveryRecord] = []
        if not dead:
            found = [case for case in await desk.records(receiver) if case.state != "dead"]
            cases = [case for case in found if not ids or case.id in ids]
        if not confirmed(len(dead_letters) + len(cases), "dropped for ever", yes):
            return USAGE
        done = [await DeadLetters(store).drop(dead_letter) for dead_letter in dead_letters] + [
            await desk.drop(case) for case in cases
        ]
        if any(done):
            tm.operator_acted("drop", sum(done), factory.operator(), receiver=receiver)
        return report(where, "dropped", sum(done), max(len(done), len(ids)) - sum(done))

    return at(where, env, work)


async def receiver_known(config: Config, store: Store, receiver: str) -> bool:
    """Whether there is such a receiver ("": all of them), or once was: what waits for it is found by its old name."""
    names = [part.name for part in config.receivers]
    if receiver in ("", *names) or receiver in await DeliveryAdmin(store).receivers():
        return True
    unknown("receiver", receiver, names)
    return False


def chosen_deliveries(dead_letter: DeadLetter, ids: Sequence[str], receiver: str) -> bool:
    """Is this letter one of those that were named?"""
    return (not ids or dead_letter.id in ids or dead_letter.delivery in ids) and (
        not receiver or dead_letter.receiver == receiver
    )


def confirmed(number: int, what: str, yes: bool) -> bool:
    """The count is said first; without --yes a person at a terminal is asked, and nobody else."""
    word = count(number, "message is", "messages are")
    if yes or not number:
        return True
    if not sys.stdin.isatty():
        say(f"{word} to be {what}: add --yes to do it")
        return False
    say(f"{word} to be {what}: type yes to go on")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def report(where: StoreOptions, word: str, done: int, left: int) -> int:
    """Say how many; the exit code is 5 if not all."""
    if where.as_json:
        tell_json({word: done, "failed": left})
    else:
        tell(f"{done} {word}" + (f", {left} not: gone already, or nothing of it is left" if left > 0 else ""))
    return PARTIAL if left > 0 else OK


def show_deliveries(where: StoreOptions, cases: Sequence[DeliveryRecord]) -> None:
    """Deliveries as a table, or one JSON document."""
    if where.as_json:
        tell_json({"deliveries": [as_facts(case) for case in cases]})
        return
    rows = [(case.id, case.receiver, case.state, str(case.attempts), when(case.due), case.subject) for case in cases]
    table(("ID", "RECEIVER", "STATE", "TRIED", "NEXT", "WHAT"), rows, below=("WHAT", "NEXT"))


def show_dead_letters(where: StoreOptions, dead_letters: Sequence[DeadLetter]) -> None:
    """Dead letters as a table, or one JSON document."""
    if where.as_json:
        tell_json({"letters": [_letter_facts(one) for one in dead_letters]})
        return
    rows = [
        (one.id, one.kind, one.receiver, one.delivery, when(one.at), one.reason, one.detail or one.about)
        for one in dead_letters
    ]
    table(
        ("LETTER", "KIND", "RECEIVER", "DELIVERY", "SINCE", "REASON", "WHAT"), rows, below=("WHAT", "DELIVERY", "KIND")
    )


def as_facts(case: DeliveryRecord) -> dict[str, Any]:
    """A delivery for machines."""
    return {
        "id": case.id,
        "receiver": case.receiver,
        "state": case.state,
        "digest": case.digest,
        "attempts": case.attempts,
        "replays": case.replays,
        "created": case.created and case.created.isoformat(),
        "due": case.due and case.due.isoformat(),
        "error": case.error,
        "subject": case.subject,
    }


def _letter_facts(one: DeadLetter) -> dict[str, Any]:
    return {
        "letter": one.id,
        "kind": one.kind,
        "receiver": one.receiver,
        "delivery": one.delivery,
        "at": one.at.isoformat(),
        "reason": one.reason,
        "detail": one.detail,
        "about": one.about,
    }


def when(moment: datetime | None) -> str:
    """A time for people, "" for none; UTC, as in the log."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z"


# `watchpost queue drain`: waits until the running service has dealt with everything that is on its way.


_LOOK_SECONDS = 0.5


def drain(where: StoreOptions, patience: str, env: Mapping[str, str]) -> int:
    """The exit code of `queue drain`: 0 when nothing is on its way, 5 if something still is after `patience`.

    On its way are pushes, articles and messages. What waits for its time stays: hits for their edition, and messages
    for a later attempt.
    """

    async def work(config: Config, store: Store) -> int:
        try:
            span = span_of(patience)
        except WatchpostError as error:
            raise WatchpostError(f"--for {error}") from None
        names, overview = [part.name for part in config.receivers], Overview(store)
        end = monotonic() + (span.total_seconds() if span is not None else 0)
        depths = await overview.depths(names)
        most = _waiting(depths)
        with ProgressBar("draining", not where.as_json) as bar:
            while (left := _waiting(depths)) and monotonic() < end:
                most = max(most, left)
                bar(most - left, most)
                await asyncio.sleep(_LOOK_SECONDS)
                depths = await overview.depths(names)
        if where.as_json:
            later = {"parked": depths.parked, "retry": depths.retry}
            left_now = {"pushed": depths.pushed, "articles": depths.articles, "outbox": depths.outbox}
            tell_json({"drained": not left, **left_now, **later})
        else:
            await _tell(depths, left, await overview.receivers(names))
        return PARTIAL if left else OK

    return at(where, env, work)


def _waiting(depths: Depths) -> int:
    return depths.pushed + depths.articles + sum(depths.outbox.values())


async def _tell(depths: Depths, left: int, states: Mapping[str, ReceiverState]) -> None:
    later = f"{count(depths.parked, 'hit')} for a coming edition, {count(depths.retry, 'message')} for a later attempt"
    if not left:
        tell(f"nothing is on its way; what waits for its time: {later}")
        return
    now = datetime.now(UTC)
    stuck = [f"{depth} for {name} ({states[name].status(now)})" for name, depth in depths.outbox.items() if depth]
    stuck += [f"{count(depths.articles, 'article')} to match"] if depths.articles else []
    stuck += [f"{count(depths.pushed, 'push', 'pushes')} to read"] if depths.pushed else []
    say(f"still on its way: {', '.join(stuck)}")


queue_app = typer.Typer(help="What waits, and why.", no_args_is_help=True)


@queue_app.command("status")
def queue_status(config_path: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """How much waits where, how the receivers stand, and whether everything is accounted for."""

    raise typer.Exit(status(StoreOptions(config_path, data, as_json), os.environ))


@queue_app.command("peek")
def queue_peek(
    receiver: Only = "",
    dead: Dead = False,
    articles: Annotated[bool, typer.Option("--articles", help="Articles that wait to be matched.")] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="At most so many.")] = 20,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What waits, the oldest first. Changes nothing."""

    raise typer.Exit(peek(StoreOptions(config_path, data, as_json), receiver, dead, articles, count, os.environ))


@queue_app.command("drain")
def queue_drain(
    patience: Annotated[str, typer.Option("--for", help="How long to wait: 30s, 5m.")] = "5m",
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wait until everything that is on its way is dealt with: before the service is moved or stopped for long."""

    raise typer.Exit(drain(StoreOptions(config_path, data, as_json), patience, os.environ))


@queue_app.command("retry")
def queue_retry(
    ids: Ids = None,
    receiver: Only = "",
    dead: Dead = False,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try now what waits for a later attempt; with --dead, what was given up: articles and hits, too."""

    where = StoreOptions(config_path, data, as_json)
    raise typer.Exit(retry(where, tuple(ids or ()), receiver, dead, os.environ))


@queue_app.command("drop")
def queue_drop(
    ids: Ids = None,
    receiver: Only = "",
    dead: Dead = False,
    yes: Yes = False,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give up deliveries that wait, or throw dead letters away. Says how many first, and needs --yes."""

    where = StoreOptions(config_path, data, as_json)
    raise typer.Exit(drop(where, tuple(ids or ()), receiver, dead, yes, os.environ))
