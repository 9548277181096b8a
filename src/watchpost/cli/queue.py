"""`watchpost queue …`: what is waiting in a running service; waited for, retried or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.deliveries import check_receiver, confirm, echo_count, echo_deliveries, is_chosen
from watchpost.cli.options import DeadOption, IdsArgument, JsonOption, ReceiverOption, YesOption
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, echo_table, exact_time, warn
from watchpost.cli.session import running_service, zone_of
from watchpost.durations import in_words, parse
from watchpost.errors import StoreUnreachable
from watchpost.exit_codes import FAILED, OK, PARTIAL
from watchpost.moments import with_zone
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.store.dead_letters import DeadLetter
    from watchpost.store.overview import Depths
    from watchpost.store.receivers import ReceiverState

app = CommandApp("docs/commands.md#queue, docs/operations.md", "watchpost queue status", "watchpost queue peek --dead")

_POLL_SECONDS = 0.5
_SELDOM = ("unjoined",)  # shown only if something waits
_FATES = {"named": "named", "copies": "copies", "left_out": "left out", "silenced": "silenced", "failed": "failed"}
_TOTALS = ("new", "matched", "parked", "told", "sent")


@app.command("status", reads="service")
async def queue_status(as_json: JsonOption = False) -> int:
    """Show how much is waiting, and whether all of it is accounted for.

    watchpost queue status

    The ledger counts what came in, went out and still waits, and what became of each hit for each receiver. Ends with 1
    if its sums do not match: then something was lost.
    """
    from watchpost.operations.problem import notes, problems
    from watchpost.operations.service_state import DEAD_WORDS, QUEUE_WORDS, RETRY_WORDS, look_from_outside
    from watchpost.store.ledger import ENDS, Ledger, by_receiver, by_topic, gaps

    async with running_service() as (config, store):
        now, names = datetime.now(UTC), [receiver.name for receiver in config.receivers]
        seen = await look_from_outside(store, config)
        ledger = await Ledger(store).audit()
    if (depths := seen.depths) is None:
        raise StoreUnreachable(seen.problem)
    ages, states = seen.ages or {}, {name: state.status(now) for name, state in (seen.receivers or {}).items()}
    found = problems(replace(seen, gaps=gaps(ledger)), now)
    missing = gaps(ledger)
    if as_json:
        shown = ("pushed", "articles", "unarchived", "unjoined", "parked", "outbox", "retry", "dead")
        queues = {key: getattr(depths, key) for key in shown}
        oldest_seconds = {queue: round(age, 1) for queue, age in ages.items()}
        facts = {"receivers": states, "ledger": dict(ledger.totals), "gaps": [str(gap) for gap in missing]}
        facts |= {"fates": by_topic(ledger), "problems": [problem.facts() for problem in found]}
        facts |= {"notes": [note.facts() for note in notes(seen)]}
        echo_json({**queues, "oldest_seconds": oldest_seconds, **facts})
    else:
        counts = depths.by_queue()
        outboxes = {f"outbox:{name}": f"messages for {name}" for name in names}
        rows = [
            (
                words,
                str(counts[queue]),
                states.get(queue.removeprefix("outbox:"), ""),
                in_words(timedelta(seconds=round(ages[queue], 1))) if counts[queue] else "",
            )
            for queue, words in (QUEUE_WORDS | outboxes | {"retry": RETRY_WORDS}).items()
            if counts[queue] or queue not in _SELDOM
        ]
        echo_table(("WAITING", "COUNT", "STATE", "OLDEST"), [*rows, (DEAD_WORDS, str(depths.dead), "", "")])
        new, matched, parked, told, sent = (ledger.totals.get(key, 0) for key in _TOTALS)
        echo(
            f"since first start: {count(new, 'article')} read, {matched} matched, {count(parked, 'hit')} collected, "
            f"{told} put into messages, {count(sent, 'message')} sent"
        )
        for receiver, hits in by_receiver(ledger).items():
            fates = ", ".join(f"{hits.get(state, 0)} {_FATES[state]}" for state in ENDS)
            waiting = sum(hits.get(state, 0) for state in ("waiting", "over", "open"))
            echo(f"{receiver}: {count(hits.get('came', 0), 'hit')}: {fates}, {waiting} waiting")
        if seen.loss is not None:
            echo(f"the counts begin at {with_zone(seen.loss.at, zone_of(config))}, when the store came back empty")
        for problem in found:
            if problem.subject != "ledger":
                echo(f"{problem.subject}: {problem.said(zone_of(config))}")
                echo(f"      → {problem.cure}")
        for note in notes(seen):
            echo(f"{note.subject}: {note.said(zone_of(config))}")
        if not missing:
            echo("everything is accounted for")
    for gap in missing:
        warn(f"NOT ACCOUNTED FOR: {gap}; {gap.missing} missing: {gap.command}")
    return FAILED if missing else OK


@app.command("peek", reads="service")
async def queue_peek(
    receiver: ReceiverOption = "",
    dead: DeadOption = False,
    articles: Annotated[bool, typer.Option("--articles", help="Articles that wait to be matched.")] = False,
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="Show at most this many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what is waiting, the oldest first. Changes nothing.

    watchpost queue peek
    watchpost queue peek --dead --receiver newsroom
    """
    from watchpost.store.dead_letters import DeadLetters
    from watchpost.store.deliveries import DeliveryAdmin
    from watchpost.store.overview import Overview

    async with running_service() as (config, store):
        await check_receiver(config, store, receiver)
        if articles:
            titles = await Overview(store).next_articles(number)
            if as_json:
                echo_json({"articles": titles})
            else:
                echo_table(("ARTICLE",), [(title,) for title in titles])
        elif dead:
            _echo_dead_letters((await DeadLetters(store).all())[:number], as_json)
        else:
            waiting = [each for each in await DeliveryAdmin(store).records(receiver) if each.state != "dead"]
            echo_deliveries(waiting[:number], as_json)


@app.command("drain", reads="service")
async def queue_drain(
    patience: Annotated[str, typer.Option("--for", metavar="TIME", help="Wait at most this long: 30s, 5m.")] = "5m",
    as_json: JsonOption = False,
) -> int:
    """Wait until nothing is in progress.

    watchpost queue drain
    watchpost queue drain --for 30s

    In progress are pushes, articles and messages. Hits that wait for their digest and deliveries that wait for another
    attempt do not count. Ends with 5 if something is still in progress after that time.
    """
    from watchpost.store.overview import Overview

    try:
        end = monotonic() + parse(patience).total_seconds()
    except ValueError as error:
        raise CommandError(f"--for {patience}: {error}") from None
    async with running_service() as (config, store):
        names, overview = [receiver.name for receiver in config.receivers], Overview(store)
        depths = await overview.depths(names)
        most = _in_progress(depths)
        with ProgressBar("draining", not as_json) as bar:
            while (left := _in_progress(depths)) and monotonic() < end:
                most = max(most, left)
                bar(most - left, most)
                await asyncio.sleep(_POLL_SECONDS)
                depths = await overview.depths(names)
        if as_json:
            in_progress = {"pushed": depths.pushed, "articles": depths.articles, "outbox": depths.outbox}
            echo_json({"drained": not left, **in_progress, "parked": depths.parked, "retry": depths.retry})
        elif left:
            warn(f"still in progress: {', '.join(_stuck(depths, await overview.receivers(names)))}")
        else:
            later = count(depths.parked, "hit"), count(depths.retry, "message")
            echo("nothing is in progress; {} for a coming message and {} to try again stay".format(*later))
    return PARTIAL if left else OK


@app.command("retry", reads="service")
async def queue_retry(
    ids: IdsArgument = None, receiver: ReceiverOption = "", dead: DeadOption = False, as_json: JsonOption = False
) -> int:
    """Try now what waits for a later attempt, or dead letters.

    watchpost queue retry --receiver newsroom
    watchpost queue retry --dead

    --dead includes articles and hits. Ends with 5 if some of it cannot be sent again.
    """
    from watchpost.operations import factory
    from watchpost.operations.deliveries import retry_waiting, send_again
    from watchpost.store.dead_letters import DeadLetters

    async with running_service() as (config, store):
        operator = factory.operator()
        await check_receiver(config, store, receiver)
        if not dead and not ids:
            return echo_count("retried", await retry_waiting(config, store, operator, receiver), 0, as_json)
        chosen = [letter for letter in await DeadLetters(store).all() if is_chosen(letter, ids, receiver)]
        with ProgressBar("sending again") as bar:
            done = await send_again(store, chosen, operator, receiver=receiver, progress=bar)
    return echo_count("retried", done, max(len(chosen), len(ids or ())) - done, as_json)


@app.command("drop", reads="service")
async def queue_drop(
    ids: IdsArgument = None,
    receiver: ReceiverOption = "",
    dead: DeadOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> int:
    """Delete messages that wait, or dead letters.

    watchpost queue drop --dead --receiver newsroom
    watchpost queue drop --receiver newsroom --yes

    Shows the number first; confirm at the terminal or with --yes. Ends with 5 if some could not be deleted.
    """
    from watchpost.log import operator_acted
    from watchpost.operations import factory
    from watchpost.store.dead_letters import DeadLetters
    from watchpost.store.deliveries import DeliveryAdmin

    if not ids and not receiver and not dead:
        raise CommandError("name what to drop: IDs, --receiver NAME or --dead")
    async with running_service() as (config, store):
        letters, admin = DeadLetters(store), DeliveryAdmin(store)
        await check_receiver(config, store, receiver)
        dead_letters = await letters.all() if dead or ids else ()
        chosen = [letter for letter in dead_letters if is_chosen(letter, ids, receiver)]
        waiting = [] if dead else [each for each in await admin.records(receiver) if each.state != "dead"]
        waiting = [each for each in waiting if not ids or each.id in ids]
        confirm(len(chosen) + len(waiting), "dropped for good", yes)
        done = [await letters.drop(letter) for letter in chosen] + [await admin.drop(each) for each in waiting]
        if any(done):
            operator_acted("drop", sum(done), factory.operator(), receiver=receiver)
    return echo_count("dropped", sum(done), max(len(done), len(ids or ())) - sum(done), as_json)


def _in_progress(depths: Depths) -> int:
    return depths.pushed + depths.articles + sum(depths.outbox.values())


def _stuck(depths: Depths, states: Mapping[str, ReceiverState]) -> list[str]:
    """What is in progress, in words; of each receiver its state."""
    now = datetime.now(UTC)
    stuck = [
        f"{count(number, 'message')} for {name} ({states[name].status(now)})"
        for name, number in depths.outbox.items()
        if number
    ]
    stuck += [f"{count(depths.articles, 'article')} to match"] if depths.articles else []
    return stuck + ([f"{count(depths.pushed, 'push', 'pushes')} to read"] if depths.pushed else [])


def _echo_dead_letters(dead_letters: Sequence[DeadLetter], as_json: bool) -> None:
    if as_json:
        keys = ("kind", "receiver", "delivery", "at", "reason", "detail", "about")
        facts = [{"letter": each.id} | {key: getattr(each, key) for key in keys} for each in dead_letters]
        echo_json({"letters": facts})
        return
    headings = ("DEAD LETTER", "KIND", "RECEIVER", "DELIVERY", "SINCE", "REASON", "WHAT")
    rows = [
        (each.id, each.kind, each.receiver, each.delivery, exact_time(each.at), each.reason, each.detail or each.about)
        for each in dead_letters
    ]
    echo_table(headings, rows, ("WHAT", "DELIVERY", "KIND"))
