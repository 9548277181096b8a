"""`watchpost silence …`: rules that keep hits from being sent for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, SeverityOption, SourceOption, TopicOption
from watchpost.cli.output import CommandError, echo, echo_json, echo_table
from watchpost.cli.session import running_service
from watchpost.errors import StoreError, WatchpostError
from watchpost.exit_codes import FAILED
from watchpost.moments import with_zone

if TYPE_CHECKING:
    from watchpost.schedules import Silence

app = CommandApp(
    "docs/commands.md#silence, docs/digests.md",
    'watchpost silence add --topic mali --for 2h --reason "replays"',
    "watchpost silence list",
)


@app.command("add", reads="service")
async def silence_add(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the list of silences shows it.")],
    topic: TopicOption = "",
    source: SourceOption = "",
    severity: SeverityOption = "",
    text: Annotated[str, typer.Option("--text", metavar="WORDS", help="Words in the headline or the snippet.")] = "",
    story: Annotated[str, typer.Option("--story", metavar="ID", help="All reports of this story.")] = "",
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 2h, 3d.")] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="WHEN", help="Until when: 2026-12-01, 2026-12-01T08:00+01:00.")
    ] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who adds the silence; without it, the user.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Stop messages about hits for which all conditions hold.

    watchpost silence add --topic mali --source rfi --for 2h --reason "replays"
    watchpost silence add --text archive --until 2026-12-01 --reason "old reports"

    Silenced hits are counted, and digests give their number.
    """
    from watchpost.operations import factory
    from watchpost.operations.silences import SilenceRequest, add_silence

    request = SilenceRequest(
        topic=topic,
        source=source,
        severity=severity,
        text=text,
        story=story,
        lasting=lasting,
        until=until,
        reason=reason,
    )
    async with running_service() as (config, store):
        silence = await add_silence(config, store, request, by or factory.operator())
    if as_json:
        echo_json({"silence": _facts(silence, "command line")})
    else:
        end = silence.until.astimezone(ZoneInfo(config.timezone))
        echo(f"silence {silence.id} lasts until {end:%Y-%m-%d %H:%M %Z}")


@app.command("list", reads="service")
async def silence_list(as_json: JsonOption = False) -> None:
    """List the silences of the configuration and of the command line.

    watchpost silence list
    """
    from watchpost.operations.silences import conditions_in_words
    from watchpost.store.silences import Silences

    async with running_service() as (config, store):
        silences = [(silence, "configuration") for silence in config.silences]
        silences += [(silence, "command line") for silence in await Silences(store).all()]
    now, zone = datetime.now(UTC), ZoneInfo(config.timezone)
    if as_json:
        echo_json({"silences": [_facts(silence, origin) for silence, origin in silences]})
        return
    echo_table(
        ("ID", "STATE", "UNTIL", "MATCHES", "REASON", "BY", "FROM"),
        [
            (
                silence.id,
                "active" if now < silence.until else "ended",
                with_zone(silence.until, zone),
                conditions_in_words(silence),
                silence.reason,
                silence.by,
                origin,
            )
            for silence, origin in silences
        ],
        ("REASON", "MATCHES"),
    )


@app.command("expire", reads="service")
async def silence_expire(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A silence.")],
    as_json: JsonOption = False,
) -> None:
    """End a silence now.

    watchpost silence expire e2cb5bf4

    Ends with 1 if no such silence is active.
    """
    from watchpost.operations import factory
    from watchpost.operations.silences import end_silence

    async with running_service() as (config, store):
        try:
            silence = await end_silence(config, store, id_, factory.operator())
        except StoreError:
            raise
        except WatchpostError as error:
            raise CommandError(str(error), FAILED) from error
    if as_json:
        echo_json({"silence": _facts(silence, "command line")})
    else:
        echo(f"silence {id_} has ended")


def _facts(silence: Silence, origin: str) -> dict[str, object]:
    conditions = {key: getattr(silence, key) or None for key in ("topic", "source", "severity", "text", "story")}
    state = {"id": silence.id, "active": datetime.now(UTC) < silence.until, "until": silence.until}
    return {**state, **conditions, "reason": silence.reason, "by": silence.by, "from": origin}
