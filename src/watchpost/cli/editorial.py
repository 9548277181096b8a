"""The commands of an editor: `digest`, `route` and `silence`. Declared here; what they do is elsewhere."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from watchpost.cli import completing
from watchpost.cli.arguments import ConfigOption, DataOption, JsonOption

digest_app = typer.Typer(help="Editions: what would be sent, and sending it now.", no_args_is_help=True)
route_app = typer.Typer(help="Routes: who is told of what, and when.", no_args_is_help=True)
silence_app = typer.Typer(help="Silences: of what nobody is told for a while.", no_args_is_help=True)

Receiver = Annotated[str, typer.Argument(help="A receiver of the configuration.", autocompletion=completing.receivers)]
Topic = Annotated[
    str, typer.Option("--topic", "-t", help="A topic of the configuration.", autocompletion=completing.topics)
]
Severity = Annotated[str, typer.Option("--severity", help="low, normal or high.", autocompletion=completing.severities)]
Source = Annotated[
    str,
    typer.Option(
        "--source", "--feed", help="A feed or folder of the configuration.", autocompletion=completing.sources
    ),
]


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
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the receiver would be sent now, byte for byte. Changes nothing."""
    from watchpost.cli import editions, queue

    where = queue.Where(config, data, as_json)
    raise typer.Exit(editions.preview(where, receiver, form, explain, since, os.environ))


@digest_app.command("send")
def digest_send(
    receiver: Receiver,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close the receiver's windows now: what is parked goes out before its time. What is held stays held."""
    from watchpost.cli import editions, queue

    raise typer.Exit(editions.send(queue.Where(config, data, as_json), receiver, dry_run, os.environ))


@route_app.command("test")
def route_test(
    topic: Topic,
    severity: Severity = "",
    source: Source = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who would be told of a hit, when, and why; and why the other routes do not take it. Needs no service."""
    from watchpost.cli import routing

    raise typer.Exit(routing.test(topic, severity, source, config, as_json, os.environ))


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
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell nobody of hits for which all of this holds, for a while. They are counted, and digests say how many."""
    from watchpost.app.silencing import Wish
    from watchpost.cli import queue, silences

    wish = Wish(topic, source, severity, text, story, lasting, until, reason)
    raise typer.Exit(silences.add(queue.Where(config, data, as_json), wish, by, os.environ))


@silence_app.command("list")
def silence_list(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every silence, of the configuration and of the command line."""
    from watchpost.cli import queue, silences

    raise typer.Exit(silences.show(queue.Where(config, data, as_json), os.environ))


@silence_app.command("expire")
def silence_expire(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a silence now."""
    from watchpost.cli import queue, silences

    raise typer.Exit(silences.expire(queue.Where(config, data, as_json), id_, os.environ))
