"""`watchpost digest preview|send`: what a receiver would be sent now, and sending it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from watchpost.cli.options import ConfigOption, DataOption, JsonOption, Receiver, span_of
from watchpost.cli.output import note, say, tell, tell_json, unknown
from watchpost.cli.queue import StoreOptions, at
from watchpost.config.config import Config
from watchpost.durations import in_words
from watchpost.exit_codes import FAILED, OK, PARTIAL, USAGE
from watchpost.notify.render.plain import plain
from watchpost.operations import factory
from watchpost.operations.previews import DigestDraft, drafts
from watchpost.plurals import count
from watchpost.store.client import Store
from watchpost.store.windows import AT_MOST_HITS


def preview(where: StoreOptions, receiver: str, form: str, explain: bool, since: str, env: Mapping[str, str]) -> int:
    """The exit code of `digest preview`: 1 if the receiver has no edition of that form."""

    async def work(config: Config, store: Store) -> int:
        span = span_of(since)
        if not _known(config, receiver):
            return USAGE
        async with drafts(config, store) as desk:
            found, more = await desk.over(receiver, span) if span is not None else (await desk.of(receiver), False)
        if more:
            note(f"more was found than {AT_MOST_HITS} hits: the older ones are left out")
        elif span is not None and span > config.retention.hits:
            note(f"hits are kept for {in_words(config.retention.hits)} (retention.hits): older hits are gone")
        if where.as_json:
            tell_json({"receiver": receiver, "drafts": [_facts(draft) for draft in found]})
            return OK
        messages = [message for draft in found for message in (one.message for one in draft.edition.deliveries)]
        if form:
            texts = [message.renderings[form] for message in messages if form in message.renderings]
            for text in texts:
                tell(text.rstrip("\n"))
            if messages and not texts:
                forms = ", ".join(sorted({name for message in messages for name in message.renderings}))
                say(f"{receiver} gets no '{form}': there is {forms}")
                return FAILED
        else:
            for draft in found:
                _show(draft)
        for draft in found if explain else ():
            _explain(draft)
        if not messages:
            past = f"of the last {since} nothing would be sent to {receiver}" if since else ""
            note(past or f"nothing would be sent to {receiver} now")
        return OK

    return at(where, env, work)


def send(where: StoreOptions, receiver: str, dry_run: bool, env: Mapping[str, str]) -> int:
    """The exit code of `digest send`: 5 if a notifier was faster with some of it."""

    async def work(config: Config, store: Store) -> int:
        if not _known(config, receiver):
            return USAGE
        async with drafts(config, store) as desk:
            found = [draft for draft in await desk.of(receiver) if draft.edition.deliveries]
            sent = () if dry_run else await desk.send(found, factory.operator())
        subjects = [one.message.subject for draft in (found if dry_run else sent) for one in draft.edition.deliveries]
        if where.as_json:
            tell_json({"receiver": receiver, "sent": 0 if dry_run else len(subjects), "subjects": subjects})
        else:
            for subject in subjects:
                tell(("would send: " if dry_run else "goes now: ") + subject)
            if not subjects:
                note(f"nothing is to be sent to {receiver} now")
        return OK if dry_run or len(sent) == len(found) else PARTIAL

    return at(where, env, work)


def _known(config: Config, receiver: str) -> bool:
    names = [part.name for part in config.receivers]
    if receiver not in names:
        unknown("receiver", receiver, names)
    return receiver in names


def _show(draft: DigestDraft) -> None:
    if draft.edition.digest is not None:
        tell(draft.edition.deliveries[0].message.subject if draft.edition.deliveries else "")
        tell()
        tell(plain(draft.edition.digest).rstrip("\n"))
        tell()


def _explain(draft: DigestDraft) -> None:
    tell(f"── {draft.group.key}: {count(len(draft.parked.hits), 'hit')}")
    if draft.edition.digest is not None:
        for number, story in enumerate(draft.edition.digest.stories, 1):
            tell(f"{number}. severity {story.severity}; {story.reckoning}  {story.lead.title}")
        tell("the score is log(1 + independent voices) · weight · freshness · strength of the match")
    for decision in draft.edition.decisions:
        until = f" until {decision.until:%Y-%m-%d %H:%M}Z" if decision.until else ""
        tell(f"{count(len(decision.hits), 'hit')}: {decision.reason}{until}  {decision.hits[0].article.title}")
    for (silence, topic), number in draft.edition.silenced.items():
        tell(f"{count(number, 'hit')} on {topic}: silenced by {silence}")


def _facts(draft: DigestDraft) -> dict[str, Any]:
    digest = draft.edition.digest
    return {
        "group": draft.group.key,
        "parked": len(draft.parked.hits),
        "messages": [
            {"id": one.id, "subject": one.message.subject, "editions": dict(one.message.renderings)}
            for one in draft.edition.deliveries
        ],
        "ranking": [
            {
                "story": story.id,
                "title": story.lead.title,
                "severity": story.severity,
                "score": story.score,
                "reckoning": story.reckoning,
            }
            for story in (digest.stories if digest is not None else ())
        ],
        "rulings": [
            {
                "reason": decision.reason,
                "hits": len(decision.hits),
                "until": decision.until.isoformat() if decision.until else None,
            }
            for decision in draft.edition.decisions
        ],
        "silenced": [
            {"silence": silence, "topic": topic, "hits": count}
            for (silence, topic), count in draft.edition.silenced.items()
        ],
    }


digest_app = typer.Typer(help="Editions: what would be sent, and sending it now.", no_args_is_help=True)


@digest_app.command("preview")
def digest_preview(
    receiver: Receiver,
    form: Annotated[
        str, typer.Option("--format", help="Print exactly this edition: text, html, blocks, json, mime …")
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Also how stories rank, and what is held and why.")
    ] = False,
    since: Annotated[
        str, typer.Option("--since", help="Not what waits, but everything found in the last 90m, 12h, 7d.")
    ] = "",
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the receiver would be sent now, byte for byte. Changes nothing."""
    from watchpost.cli import queue

    where = queue.StoreOptions(config_path, data, as_json)
    raise typer.Exit(preview(where, receiver, form, explain, since, os.environ))


@digest_app.command("send")
def digest_send(
    receiver: Receiver,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close the receiver's windows now: what is parked goes out before its time. What is held stays held."""
    from watchpost.cli import queue

    raise typer.Exit(send(queue.StoreOptions(config_path, data, as_json), receiver, dry_run, os.environ))
