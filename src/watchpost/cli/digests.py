"""`watchpost digest …`: what a receiver would be sent now, or would have been sent, and sending it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import SINCE_FORMS, JsonOption, ReceiverArgument
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, exact_time, note, pick
from watchpost.cli.session import open_config, running_service, since_moment
from watchpost.control_characters import on_one_line
from watchpost.durations import in_words
from watchpost.errors import WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.config.config import Config, ReceiverConfig
    from watchpost.operations.previews import DigestDraft

PDF = "pdf"
"""A format of every receiver, which is printed and not sent."""

app = CommandApp(
    "docs/commands.md#digest, docs/digests.md",
    "watchpost digest preview newsroom --explain",
    "watchpost digest send newsroom",
)


@app.command("preview", reads="service")
async def digest_preview(
    receiver: ReceiverArgument,
    form: Annotated[
        str,
        typer.Option("--format", metavar="NAME", help="Print only this format: text, html, json, blocks, mime, pdf …"),
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show how stories rank, and what is held back and why.")
    ] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help=f"Use all hits since then, not what waits: {SINCE_FORMS}.")
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Show what a receiver would be sent now.

    watchpost digest preview newsroom
    watchpost digest preview newsroom --format html > preview.html
    watchpost digest preview newsroom --since 7d --format pdf > week.pdf

    Changes nothing. The text is byte for byte the one that is sent. --since uses today's topics on the archive. A PDF
    is printed by Chromium; without one, HTML comes instead, and the code is 5. Ends with 1 if the receiver has no such
    format.
    """
    drafts = await _drafts(receiver, form, since)
    if form == PDF:
        return _print_pdf(drafts, receiver)
    if as_json:
        echo_json({"receiver": receiver, "drafts": [_facts(draft) for draft in drafts]})
        return OK
    messages = [delivery.message for draft in drafts for delivery in draft.composed.deliveries]
    for message in messages if form else ():
        if form in message.renderings:
            echo(message.renderings[form].rstrip("\n"))
    for draft in () if form else drafts:
        _echo_draft(draft)
    for draft in drafts if explain else ():
        _explain(draft)
    if not messages:
        note(f"{receiver} would be sent nothing " + (f"of all since {since}" if since else "now"))
    return OK


async def _drafts(receiver: str, form: str, since: str) -> tuple[DigestDraft, ...]:
    """The drafts that a preview shows; says on stderr what they lack."""
    from watchpost.operations import factory
    from watchpost.operations.previews import open_drafts
    from watchpost.store.windows import AT_MOST_HITS

    settings, config = open_config()
    async with factory.look(settings, config) as store:
        configured = pick("receiver", receiver, {configured.name: configured for configured in config.receivers})
        begin = since_moment(since, config)
        if form and form != PDF:
            _check_format(config, configured, form)
        previews = await open_drafts(config, store)
        if begin is None:
            return await previews.of(receiver)
        archive, span, total = factory.build_archive(settings, config), datetime.now(UTC) - begin, 0
        if archive is not None:
            from watchpost.archive.archive import ReadBetween  # not imported where there is no archive

            total = await asyncio.to_thread(archive.count, ReadBetween.of(begin))
        with ProgressBar("reading the archive") as bar:
            drafts, more = await previews.over(receiver, span, archive, lambda read: bar(read, total))
        if more:
            note(f"there are more than {AT_MOST_HITS} hits: the oldest are left out")
        kept, key = config.retention.hits, "retention.hits"
        if config.archive_keep and config.archive_keep > kept:
            kept, key = config.archive_keep, "archive.keep"
        if not more and span > kept:
            note(f"hits are kept for {in_words(kept)} ({key}): older hits are gone")
        return drafts


def _print_pdf(drafts: Sequence[DigestDraft], receiver: str) -> int:
    """Print the digests as one PDF, or as HTML where there is no Chromium."""
    from watchpost.notify.render import html
    from watchpost.operations.printing import find_browser, pdf_of

    pages = [html.page(draft.composed.digest, whole=True) for draft in drafts if draft.composed.digest is not None]
    if not pages:
        note(f"{receiver} would be sent nothing: there is nothing to print")
        return OK
    browser = find_browser()
    if browser is None:
        for page in pages:
            echo(page.rstrip("\n"))
        note("there is no Chromium on this machine, so this is HTML: install chromium, or print it from a browser")
        return PARTIAL
    if sys.stdout.isatty():
        raise CommandError("a PDF is not for a terminal; write it to a file: … --format pdf > digest.pdf")
    try:
        printed = pdf_of(browser, pages)
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from None
    sys.stdout.buffer.write(printed)
    sys.stdout.buffer.flush()
    return OK


@app.command("send", reads="service")
async def digest_send(
    receiver: ReceiverArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Send a receiver now what waits for its next digest or alert.

    watchpost digest send newsroom --dry-run
    watchpost digest send newsroom

    Hits that are held back are not sent. Ends with 5 if the service has sent some of it meanwhile.
    """
    from watchpost.operations import factory
    from watchpost.operations.previews import open_drafts

    async with running_service() as (config, store):
        pick("receiver", receiver, {configured.name: configured for configured in config.receivers})
        previews = await open_drafts(config, store)
        drafts = [draft for draft in await previews.of(receiver) if draft.composed.deliveries]
        sent = () if dry_run else await previews.send(drafts, factory.operator())
    shown = drafts if dry_run else sent
    subjects = [delivery.message.subject for draft in shown for delivery in draft.composed.deliveries]
    if as_json:
        echo_json({"receiver": receiver, "sent": 0 if dry_run else len(subjects), "subjects": subjects})
    else:
        for subject in subjects:
            echo(("would send: " if dry_run else "sending: ") + subject)
        if not subjects:
            note(f"nothing waits for {receiver}")
    return OK if dry_run or len(sent) == len(drafts) else PARTIAL


def _check_format(config: Config, configured: ReceiverConfig, form: str) -> None:
    """Raise CommandError if messages of this receiver have no such format."""
    from watchpost.notify.notices import sample_digest
    from watchpost.operations import factory

    receiver = factory.build_receivers(config, "preview", factory.terminal())[configured.name]
    sample = receiver.render(
        sample_digest(configured.name, datetime.now(UTC), factory.installation_of(config, "preview"))
    )
    formats = sorted({name for message in sample for name in message.renderings})
    if form not in formats:
        raise CommandError(f"{configured.name} has no format '{form}'; there are {', '.join(formats)}", FAILED)


def _echo_draft(draft: DigestDraft) -> None:
    from watchpost.notify.render.plain import plain

    if draft.composed.digest is not None:
        echo(draft.composed.deliveries[0].message.subject if draft.composed.deliveries else "")
        echo()
        echo(plain(draft.composed.digest).rstrip("\n"))
        echo()


def _explain(draft: DigestDraft) -> None:
    echo(f"── {draft.group.key}: {count(len(draft.bucket.hits), 'hit')}")
    if draft.composed.digest is not None:
        for number, story in enumerate(draft.composed.digest.stories, 1):
            echo(f"{number}. severity {story.severity}; {story.reckoning}  {on_one_line(story.lead.title)}")
        echo("score = log(1 + independent outlets) · weight · freshness · strength of the match")
    for decision in draft.composed.decisions:
        until = f" until {exact_time(decision.until)}" if decision.until else ""
        first = on_one_line(decision.hits[0].article.title)
        echo(f"{count(len(decision.hits), 'hit')}: {decision.reason}{until}  {first}")
    for (silence, topic), number in draft.composed.silenced.items():
        echo(f"{count(number, 'hit')} on {topic}: silenced by {silence}")


def _facts(draft: DigestDraft) -> dict[str, Any]:
    stories = draft.composed.digest.stories if draft.composed.digest is not None else ()
    return {
        "group": draft.group.key,
        "parked": len(draft.bucket.hits),
        "messages": [
            {"id": delivery.id, "subject": delivery.message.subject, "editions": dict(delivery.message.renderings)}
            for delivery in draft.composed.deliveries
        ],
        "ranking": [
            {"story": story.id, "title": story.lead.title}
            | {key: getattr(story, key) for key in ("severity", "score", "reckoning")}
            for story in stories
        ],
        "rulings": [
            {"reason": decision.reason, "hits": len(decision.hits), "until": decision.until}
            for decision in draft.composed.decisions
        ],
        "silenced": [
            {"silence": silence, "topic": topic, "hits": number}
            for (silence, topic), number in draft.composed.silenced.items()
        ],
    }
