"""`watchpost hit …`: what became of hits, from the entry of a feed to the messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.deliveries import check_receiver
from watchpost.cli.options import JsonOption, ReceiverOption, TopicOption
from watchpost.cli.output import CommandError, echo, echo_json, echo_table, exact_time, pick
from watchpost.cli.session import running_service
from watchpost.exit_codes import FAILED

if TYPE_CHECKING:
    from watchpost.store.hit_records import HitFate, HitRecord

app = CommandApp("docs/commands.md#hit, docs/operations.md", "watchpost hit list --topic mali", "watchpost hit show ID")

_STATES = {
    "waiting": "waits for a message",
    "over": "beyond the topic's limit; the next message counts it",
    "open": "in a message that has not arrived",
    "named": "named",
    "copies": "copy of a report that is named",
    "left_out": "left out, counted",
    "silenced": "silenced",
    "failed": "failed for good",
    "missing": "missing: it does not wait, and no message has it",
}


@app.command("list", reads="service")
async def hit_list(
    topic: TopicOption = "",
    receiver: ReceiverOption = "",
    fate: Annotated[
        str, typer.Option("--fate", metavar="FATE", help=f"Only those of this fate: {', '.join(_STATES)}.")
    ] = "",
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="Show at most this many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List hits and what became of them for each receiver, the newest first.

    watchpost hit list --topic mali
    watchpost hit list --receiver newsroom --fate left_out

    With --fate waiting, those that are missing are listed, too. COPY OF names the hit that a copy repeats, and how
    much of the text they have in common. Copies are known for at most 7 days.
    """
    from watchpost.store.history import History
    from watchpost.store.hit_records import HitRecords

    if fate:
        pick("fate", fate, _STATES)
    found: list[tuple[HitRecord, HitFate]] = []
    async with running_service() as (config, store):
        await check_receiver(config, store, receiver)
        history, records, before = History(store), HitRecords(store), ""
        while len(found) < number:
            page = await history.search(lambda hit: True, topic=topic, before=before, count=200)
            for record in await records.records([past.hit.id for past in page.hits]):
                found += [(record, each) for each in record.fates if _is_wanted(each, receiver, fate)]
            before = page.more
            if not before:
                break
        for record in await records.records(await records.copies(topic)):
            found += [(record, each) for each in record.fates if _is_wanted(each, receiver, fate)]
    found.sort(key=lambda pair: _found_at(*pair), reverse=True)
    found = found[:number]
    if as_json:
        echo_json({"hits": [{**_facts(record), **_fate_facts(each)} for record, each in found]})
        return
    echo_table(
        ("ID", "TOPIC", "RECEIVER", "FATE", "SINCE", "COPY OF", "MESSAGE", "HEADLINE"),
        [
            (
                record.id,
                record.hit.topic if record.hit else "",
                each.receiver,
                each.state,
                exact_time(each.since),
                _copy_of(record) if "copies" in (each.state, each.planned) else "",
                each.message or " ".join(each.deliveries),
                record.hit.article.title if record.hit else "",
            )
            for record, each in found
        ],
        ("HEADLINE", "MESSAGE", "COPY OF"),
    )


@app.command("show", reads="service")
async def hit_show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A hit.")],
    as_json: JsonOption = False,
) -> None:
    """Show one hit from the entry of its feed to the messages: for each receiver whether it is named, and where.

    watchpost hit show ID

    A copy has the fate of the report that it repeats; that one is shown, too. Ends with 1 if there is no such hit.
    """
    from watchpost.store.hit_records import HitRecords

    async with running_service() as (_, store):
        records = HitRecords(store)
        record = await records.record(id_)
        first = await records.record(record.first) if record is not None and record.first != id_ else None
        nearest = await records.record(record.of) if record is not None and record.of else None
    if record is None:
        raise CommandError(f"no hit {id_} is known", FAILED)
    original = None if first is None else {**_facts(first), "receivers": list(map(_fate_facts, first.fates))}
    if as_json:
        echo_json({**_facts(record), "receivers": list(map(_fate_facts, record.fates)), "copy_of": original})
        return
    _echo_record(record)
    is_copy = any("copies" in (fate.state, fate.planned) for fate in record.fates)
    if is_copy and (nearest or first):
        common = f"; {_percent(record.share)} of the text is in common" if record.share else ""
        echo(f"\nit is a copy of this hit{common}:")
        _echo_record(nearest or first)
    elif first is not None:
        echo(f"\nits story began with this hit; {_percent(record.share)} of the text is in common:")
        _echo_record(first)


def _found_at(record: HitRecord, fate: HitFate) -> datetime:
    return record.hit.matched if record.hit is not None else fate.since


def _copy_of(record: HitRecord) -> str:
    """The hit that a copy repeats, and how much of the text they have in common."""
    original = record.of or (record.first if record.first != record.id else "")
    return f"{original} ({_percent(record.share)})" if original and record.share else original


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


@app.command("judge", reads="service")
async def hit_judge(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A hit.")],
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="relevant, not-relevant or none.")],
) -> None:
    """Say whether a hit is relevant, for `watchpost topic suggest`.

    watchpost hit judge ID not-relevant

    A later verdict on the same article replaces the earlier one, none takes it back. Ends with 1 if there is no such
    hit.
    """
    from watchpost.errors import NotFound
    from watchpost.operations import factory, verdicts

    pick("verdict", verdict, {word: word for word in verdicts.WORDS})
    async with running_service() as (_, store):
        try:
            hit = await verdicts.judge(store, id_, verdict, factory.operator())
        except NotFound as error:
            raise CommandError(str(error), FAILED) from error
    echo(f"{hit.topic}: {verdict}: {' '.join(hit.article.title.split()) or hit.article.url}")


def _echo_record(record: HitRecord | None) -> None:
    if record is None:
        return
    for key, value in _facts(record).items():
        if value not in (None, "") and key not in ("share", "of"):
            echo(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    if not record.fates:
        echo("no route takes it: no receiver is sent it")
    for fate in record.fates:
        echo(f"{fate.receiver}: {_in_words(fate)} ({fate.group})")


def _in_words(fate: HitFate) -> str:
    """What became of it, and where to look on."""
    words = _STATES.get(fate.state, fate.state)
    messages = fate.message or " ".join(fate.deliveries)
    if fate.state == "silenced":
        return f"{words} by {fate.silence}, {exact_time(fate.since)}"
    if messages:
        planned = f" (there: {_STATES[fate.planned]})" if fate.planned not in ("", fate.state) else ""
        return f"{words} in message {messages}{planned}, {exact_time(fate.arrived or fate.since)}"
    return f"{words}, since {exact_time(fate.since)}"


def _is_wanted(fate: HitFate, receiver: str, wanted: str) -> bool:
    states: Sequence[str] = ("waiting", "missing") if wanted == "waiting" else (wanted,)
    return receiver in ("", fate.receiver) and (not wanted or fate.state in states)


def _facts(record: HitRecord) -> dict[str, Any]:
    hit = record.hit
    facts: dict[str, Any] = {"id": record.id}
    if hit is not None:
        article = hit.article
        facts |= {
            "topic": hit.topic,
            "headline": article.title,
            "source": article.source,
            "outlet": article.outlet,
            "url": article.url,
            "article": article.id,
            "published": article.published,
            "read": article.fetched,
            "matched": hit.matched,
            "words": list(dict.fromkeys(item.text for item in hit.evidence)),
            "story": hit.story,
        }
    return facts | {"first": record.first, "share": record.share, "of": record.of}


def _fate_facts(fate: HitFate) -> dict[str, Any]:
    return {
        "receiver": fate.receiver,
        "group": fate.group,
        "fate": fate.state,
        "planned": fate.planned,
        "since": fate.since,
        "silence": fate.silence,
        "deliveries": list(fate.deliveries),
        "message": fate.message,
        "arrived": fate.arrived,
    }
