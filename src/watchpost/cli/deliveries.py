"""`watchpost delivery list|show|replay`: messages that have not arrived."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from watchpost.cli.options import ConfigOption, DataOption, Ids, JsonOption, Only, Yes, span_of
from watchpost.cli.output import ProgressBar, say, tell, tell_json
from watchpost.cli.queue import (
    StoreOptions,
    as_facts,
    at,
    chosen_deliveries,
    confirmed,
    receiver_known,
    report,
    show_deliveries,
    when,
)
from watchpost.config.config import Config
from watchpost.exit_codes import FAILED, OK, USAGE
from watchpost.operations import factory
from watchpost.operations.deliveries import send_again
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters, failed_since
from watchpost.store.deliveries import DeliveryAdmin


def show_all(where: StoreOptions, receiver: str, failed: bool, since: str, env: Mapping[str, str]) -> int:
    """The exit code of `delivery list`."""

    async def work(config: Config, store: Store) -> int:
        after = _moment(since)
        if not await receiver_known(config, store, receiver):
            return USAGE
        cases = await DeliveryAdmin(store).records(receiver)
        chosen = [case for case in cases if not failed or case.state == "dead"]
        show_deliveries(where, [case for case in chosen if after is None or (case.created and case.created >= after)])
        return OK

    return at(where, env, work)


def show(where: StoreOptions, id_: str, env: Mapping[str, str]) -> int:
    """The exit code of `delivery show`: 1 if nothing is known of it."""

    async def work(config: Config, store: Store) -> int:
        case = await DeliveryAdmin(store).record(id_)
        if case is None:
            say(f"nothing is known of a delivery {id_} (any more)")
            return FAILED
        editions = dict(case.message.renderings) if case.message is not None else {}
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
    where: StoreOptions, ids: Sequence[str], failed: bool, since: str, receiver: str, yes: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `delivery replay`: 5 if some of what was named could not be sent again."""
    if bool(ids) == failed:
        say("name deliveries by their ids, or all of them with --failed (and --since 6h)")
        return USAGE

    async def work(config: Config, store: Store) -> int:
        after = _moment(since)
        if not await receiver_known(config, store, receiver):
            return USAGE
        dead_letters = [
            one for one in failed_since(await DeadLetters(store).all(), after) if chosen_deliveries(one, ids, receiver)
        ]
        if failed and after is None and not confirmed(len(dead_letters), "sent again", yes):
            return USAGE
        with ProgressBar("sending again") as bar:
            done = await send_again(
                store, dead_letters, factory.operator(), receiver=receiver, deed="replay", progress=bar
            )
        return report(where, "replayed", done, max(len(dead_letters), len(ids)) - done)

    return at(where, env, work)


def _moment(since: str) -> datetime | None:
    span = span_of(since)
    return None if span is None else datetime.now(UTC) - span


delivery_app = typer.Typer(help="Messages on their way, and those that were given up.", no_args_is_help=True)


@delivery_app.command("list")
def delivery_list(
    receiver: Only = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    since: Annotated[str, typer.Option("--since", help="Not older than this: 30m, 6h, 7d.")] = "",
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deliveries that have not arrived, the oldest first."""
    from watchpost.cli import queue

    where = queue.StoreOptions(config_path, data, as_json)
    raise typer.Exit(show_all(where, receiver, failed, since, os.environ))


@delivery_app.command("show")
def delivery_show(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """One delivery: what became of it, and the very text that is sent."""
    from watchpost.cli import queue

    raise typer.Exit(show(queue.StoreOptions(config_path, data, as_json), id_, os.environ))


@delivery_app.command("replay")
def delivery_replay(
    ids: Ids = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that was given up.")] = False,
    since: Annotated[str, typer.Option("--since", help="Not older than this: 30m, 6h, 7d.")] = "",
    receiver: Only = "",
    yes: Yes = False,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send again what was given up: the same id and the same bytes, marked as a replay, each once, in order."""
    from watchpost.cli import queue

    where = queue.StoreOptions(config_path, data, as_json)
    raise typer.Exit(replay(where, tuple(ids or ()), failed, since, receiver, yes, os.environ))
