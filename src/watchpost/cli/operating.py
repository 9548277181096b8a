"""The commands of a person on duty: `queue`, `delivery` and `receiver`. Declared here; what they do is elsewhere."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from watchpost.cli import completing
from watchpost.cli.arguments import ConfigOption, DataOption, JsonOption

queue_app = typer.Typer(help="What waits, and why.", no_args_is_help=True)
delivery_app = typer.Typer(help="Messages on their way, and those that were given up.", no_args_is_help=True)
receiver_app = typer.Typer(help="Who is told, and how they stand.", no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", help="Do it, without being asked.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Deliveries or dead letters, by their ids.")]
Only = Annotated[str, typer.Option("--receiver", help="Only this receiver's.", autocompletion=completing.receivers)]
Name = Annotated[str, typer.Argument(help="A receiver of the configuration.", autocompletion=completing.receivers)]
Dead = Annotated[bool, typer.Option("--dead", help="The dead letters.")]


@queue_app.command("status")
def queue_status(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """How much waits where, how the receivers stand, and whether everything is accounted for."""
    from watchpost.cli import queue

    raise typer.Exit(queue.status(queue.Where(config, data, as_json), os.environ))


@queue_app.command("peek")
def queue_peek(
    receiver: Only = "",
    dead: Dead = False,
    articles: Annotated[bool, typer.Option("--articles", help="Articles that wait to be matched.")] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="At most so many.")] = 20,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What waits, the oldest first. Changes nothing."""
    from watchpost.cli import queue

    raise typer.Exit(queue.peek(queue.Where(config, data, as_json), receiver, dead, articles, count, os.environ))


@queue_app.command("drain")
def queue_drain(
    patience: Annotated[str, typer.Option("--for", help="How long to wait: 30s, 5m.")] = "5m",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wait until everything that is on its way is dealt with: before the service is moved or stopped for long."""
    from watchpost.cli import draining, queue

    raise typer.Exit(draining.drain(queue.Where(config, data, as_json), patience, os.environ))


@queue_app.command("retry")
def queue_retry(
    ids: Ids = None,
    receiver: Only = "",
    dead: Dead = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try now what waits for a later attempt; with --dead, what was given up: articles and hits, too."""
    from watchpost.cli import queue

    where = queue.Where(config, data, as_json)
    raise typer.Exit(queue.retry(where, tuple(ids or ()), receiver, dead, os.environ))


@queue_app.command("drop")
def queue_drop(
    ids: Ids = None,
    receiver: Only = "",
    dead: Dead = False,
    yes: Yes = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give up deliveries that wait, or throw dead letters away. Says how many first, and needs --yes."""
    from watchpost.cli import queue

    where = queue.Where(config, data, as_json)
    raise typer.Exit(queue.drop(where, tuple(ids or ()), receiver, dead, yes, os.environ))


@delivery_app.command("list")
def delivery_list(
    receiver: Only = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    since: Annotated[str, typer.Option("--since", help="Not older than this: 30m, 6h, 7d.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deliveries that have not arrived, the oldest first."""
    from watchpost.cli import deliveries, queue

    where = queue.Where(config, data, as_json)
    raise typer.Exit(deliveries.show_all(where, receiver, failed, since, os.environ))


@delivery_app.command("show")
def delivery_show(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """One delivery: what became of it, and the very text that is sent."""
    from watchpost.cli import deliveries, queue

    raise typer.Exit(deliveries.show(queue.Where(config, data, as_json), id_, os.environ))


@delivery_app.command("replay")
def delivery_replay(
    ids: Ids = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that was given up.")] = False,
    since: Annotated[str, typer.Option("--since", help="Not older than this: 30m, 6h, 7d.")] = "",
    receiver: Only = "",
    yes: Yes = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send again what was given up: the same id and the same bytes, marked as a replay, each once, in order."""
    from watchpost.cli import deliveries, queue

    where = queue.Where(config, data, as_json)
    raise typer.Exit(deliveries.replay(where, tuple(ids or ()), failed, since, receiver, yes, os.environ))


@receiver_app.command("list")
def receiver_list(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every receiver, how it stands, and what waits for it."""
    from watchpost.cli import queue, receivers

    raise typer.Exit(receivers.show(queue.Where(config, data, as_json), os.environ))


@receiver_app.command("test")
def receiver_test(
    name: Name, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Send one message that is clearly marked as a test, and say what the other side answers."""
    from watchpost.cli import queue, receivers

    raise typer.Exit(receivers.test(queue.Where(config, data, as_json), name, os.environ))


@receiver_app.command("enable")
def receiver_enable(
    name: Name, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Send again to a receiver that is disabled or paused: what waits for it goes at once."""
    from watchpost.cli import queue, receivers

    raise typer.Exit(receivers.enable(queue.Where(config, data, as_json), name, os.environ))
