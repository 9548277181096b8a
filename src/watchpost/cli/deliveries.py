"""`watchpost delivery …`: messages that have not arrived, listed, shown and sent again."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import IdsArgument, JsonOption, ReceiverOption, SinceOption, YesOption
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, echo_table, exact_time, pick, warn
from watchpost.cli.session import running_service, since_moment
from watchpost.exit_codes import FAILED, OK, PARTIAL
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.config.config import Config
    from watchpost.store.client import Store
    from watchpost.store.dead_letters import DeadLetter
    from watchpost.store.deliveries import DeliveryRecord

app = CommandApp(
    "docs/commands.md#delivery, docs/operations.md",
    "watchpost delivery list --failed",
    "watchpost delivery replay --failed --since 6h",
)


@app.command("list", reads="service")
async def delivery_list(
    receiver: ReceiverOption = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed for good.")] = False,
    since: SinceOption = "",
    as_json: JsonOption = False,
) -> None:
    """List deliveries that have not arrived, the oldest first.

    watchpost delivery list
    watchpost delivery list --failed --since yesterday
    """
    from watchpost.store.deliveries import DeliveryAdmin

    async with running_service() as (config, store):
        begin = since_moment(since, config)
        await check_receiver(config, store, receiver)
        records = await DeliveryAdmin(store).records(receiver)
    records = tuple(each for each in records if not failed or each.state == "dead")
    echo_deliveries([each for each in records if begin is None or (each.created and each.created >= begin)], as_json)


@app.command("show", reads="service")
async def delivery_show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A delivery.")],
    as_json: JsonOption = False,
) -> None:
    """Show one delivery: its state, its attempts, and the text that is sent.

    watchpost delivery show ID
    """
    from watchpost.store.deliveries import DeliveryAdmin

    async with running_service() as (_, store):
        record = await DeliveryAdmin(store).record(id_)
    if record is None:
        raise CommandError(f"no delivery {id_} is waiting or failed", FAILED)
    renderings = dict(record.message.renderings) if record.message is not None else {}
    facts = _facts(record)
    if as_json:
        echo_json({**facts, "editions": renderings})
        return
    for key, value in (facts | {"created": exact_time(record.created), "due": exact_time(record.due)}).items():
        if value not in (None, ""):
            echo(f"{key}: {value}")
    for name, text in renderings.items():
        echo(f"\n── {name} ──\n{text}")


@app.command("replay", reads="service")
async def delivery_replay(
    ids: IdsArgument = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed for good.")] = False,
    since: SinceOption = "",
    receiver: ReceiverOption = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> int:
    """Send again what failed for good: same id, same text, marked as a replay.

    watchpost delivery replay ID
    watchpost delivery replay --failed --since 6h --receiver newsroom

    --failed without --since needs a confirmation or --yes. Ends with 5 if some of it cannot be sent again.
    """
    from watchpost.operations import factory
    from watchpost.operations.deliveries import send_again
    from watchpost.store.dead_letters import DeadLetters, failed_since

    if bool(ids) == failed:
        raise CommandError("name deliveries by their IDs, or all of them by --failed (and --since 6h)")
    async with running_service() as (config, store):
        begin = since_moment(since, config)
        await check_receiver(config, store, receiver)
        dead_letters = failed_since(await DeadLetters(store).all(), begin)
        chosen = [letter for letter in dead_letters if is_chosen(letter, ids, receiver)]
        if failed and begin is None:
            confirm(len(chosen), "sent again", yes)
        with ProgressBar("sending again") as bar:
            done = await send_again(store, chosen, factory.operator(), receiver=receiver, deed="replay", progress=bar)
    return echo_count("replayed", done, max(len(chosen), len(ids or ())) - done, as_json)


async def check_receiver(config: Config, store: Store, name: str) -> None:
    """Raise CommandError for a receiver that neither is configured nor was: messages may wait for an old name."""
    from watchpost.store.deliveries import DeliveryAdmin

    names = {receiver.name: receiver for receiver in config.receivers}
    if name and name not in names and name not in await DeliveryAdmin(store).receivers():
        pick("receiver", name, names)


def is_chosen(letter: DeadLetter, ids: Collection[str] | None, receiver: str) -> bool:
    """Whether a dead letter is one of these, by its own id or by that of its delivery; without `ids` all are."""
    return (not ids or letter.id in ids or letter.delivery in ids) and receiver in ("", letter.receiver)


def confirm(number: int, what: str, yes: bool) -> None:
    """Ask at a terminal before something is done to `number` messages. Raises CommandError for anything but yes."""
    if yes or not number:
        return
    question = f"{count(number, 'message')} will be {what}"
    if not sys.stdin.isatty():
        raise CommandError(f"{question}: add --yes to do it")
    warn(f"{question}: type yes to go on")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")


def echo_count(done: str, number: int, failed: int, as_json: bool) -> int:
    """Print how many were done, and how many could not be; returns the exit code."""
    if as_json:
        echo_json({done: number, "failed": failed})
    else:
        echo(f"{number} {done}" + (f", {failed} not: no longer stored" if failed > 0 else ""))
    return PARTIAL if failed > 0 else OK


def echo_deliveries(records: Sequence[DeliveryRecord], as_json: bool) -> None:
    """Print deliveries as a table or as JSON."""
    if as_json:
        echo_json({"deliveries": [_facts(record) for record in records]})
    else:
        echo_table(
            ("ID", "RECEIVER", "STATE", "ATTEMPTS", "NEXT", "SUBJECT"),
            ((r.id, r.receiver, r.state, str(r.attempts), exact_time(r.due), r.subject) for r in records),
            ("SUBJECT", "NEXT"),
        )


def _facts(record: DeliveryRecord) -> dict[str, Any]:
    keys = ("id", "receiver", "state", "digest", "attempts", "replays", "created", "due", "error", "subject")
    return {key: getattr(record, key) for key in keys}
