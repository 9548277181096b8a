"""`watchpost silence add|list|expire`: of what nobody is told for a while."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from watchpost.cli.options import ConfigOption, DataOption, JsonOption, Severity, Source, Topic
from watchpost.cli.output import say, table, tell, tell_json
from watchpost.cli.queue import StoreOptions, at
from watchpost.config.config import Config
from watchpost.errors import WatchpostError
from watchpost.exit_codes import FAILED, OK
from watchpost.operations import factory
from watchpost.operations.silences import SilenceRequest, add_silence, conditions_in_words, end_silence
from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.silences import Silences


def add(where: StoreOptions, wish: SilenceRequest, by: str, env: Mapping[str, str]) -> int:
    """The exit code of `silence add`."""

    async def work(config: Config, store: Store) -> int:
        silence = await add_silence(config, store, wish, by or factory.operator())
        if where.as_json:
            tell_json({"silence": _facts(silence, "command line", datetime.now(UTC))})
        else:
            tell(f"{silence.id}: silent until {silence.until.astimezone(ZoneInfo(config.timezone)):%Y-%m-%d %H:%M %Z}")
        return OK

    return at(where, env, work)


def show(where: StoreOptions, env: Mapping[str, str]) -> int:
    """The exit code of `silence list`."""

    async def work(config: Config, store: Store) -> int:
        now, zone = datetime.now(UTC), ZoneInfo(config.timezone)
        found = [(one, "configuration") for one in config.silences]
        found += [(one, "command line") for one in await Silences(store).all()]
        if where.as_json:
            tell_json({"silences": [_facts(one, origin, now) for one, origin in found]})
            return OK
        rows = [
            (
                one.id,
                "active" if now < one.until else "ended",
                f"{one.until.astimezone(zone):%Y-%m-%d %H:%M}",
                conditions_in_words(one),
                one.reason,
                one.by,
                origin,
            )
            for one, origin in found
        ]
        table(("ID", "STATE", "UNTIL", "MATCHES", "REASON", "BY", "FROM"), rows, below=("REASON", "MATCHES"))
        return OK

    return at(where, env, work)


def expire(where: StoreOptions, id_: str, env: Mapping[str, str]) -> int:
    """The exit code of `silence expire`: 1 if there is none of that id that has not ended."""

    async def work(config: Config, store: Store) -> int:
        try:
            ended = await end_silence(config, store, id_, factory.operator())
        except WatchpostError as error:
            say(str(error))
            return FAILED
        if where.as_json:
            tell_json({"silence": _facts(ended, "command line", datetime.now(UTC))})
        else:
            tell(f"{id_} has ended")
        return OK

    return at(where, env, work)


def _facts(silence: Silence, origin: str, now: datetime) -> dict[str, object]:
    return {
        "id": silence.id,
        "active": now < silence.until,
        "until": silence.until.isoformat(),
        "topic": silence.topic or None,
        "source": silence.source or None,
        "severity": silence.severity or None,
        "text": silence.text or None,
        "story": silence.story or None,
        "reason": silence.reason,
        "by": silence.by,
        "from": origin,
    }


silence_app = typer.Typer(help="Silences: of what nobody is told for a while.", no_args_is_help=True)


@silence_app.command("add")
def silence_add(
    reason: Annotated[str, typer.Option("--reason", help="Why; readers of the list will want to know.")],
    topic: Topic = "",
    source: Source = "",
    severity: Severity = "",
    text: Annotated[str, typer.Option("--text", help="Words in the headline or the snippet.")] = "",
    story: Annotated[str, typer.Option("--story", help="A story's id: all its reports.")] = "",
    lasting: Annotated[str, typer.Option("--for", help="How long: 2h, 3d.")] = "",
    until: Annotated[str, typer.Option("--until", help="Until when: 2026-12-01, 2026-12-01T08:00:00+01:00.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who wants it [the user].")] = "",
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell nobody of hits for which all of this holds, for a while. They are counted, and digests say how many."""
    from watchpost.cli import queue
    from watchpost.operations.silences import SilenceRequest

    wish = SilenceRequest(
        topic=topic,
        source=source,
        severity=severity,
        text=text,
        story=story,
        lasting=lasting,
        until=until,
        reason=reason,
    )
    raise typer.Exit(add(queue.StoreOptions(config_path, data, as_json), wish, by, os.environ))


@silence_app.command("list")
def silence_list(config_path: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every silence, of the configuration and of the command line."""
    from watchpost.cli import queue

    raise typer.Exit(show(queue.StoreOptions(config_path, data, as_json), os.environ))


@silence_app.command("expire")
def silence_expire(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a silence now."""
    from watchpost.cli import queue

    raise typer.Exit(expire(queue.StoreOptions(config_path, data, as_json), id_, os.environ))
