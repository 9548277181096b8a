"""The commands of `watchpost feed`: arguments → one call → an exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from watchpost.cli import completing
from watchpost.cli.arguments import ConfigOption, DataOption, JsonOption, PrivateOption

feed_app = typer.Typer(help="Feeds: how they fare, what they bring, where there are more.", no_args_is_help=True)


@feed_app.command("list")
def feed_list(
    failing: Annotated[bool, typer.Option("--failing", help="Only those that cannot be read.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every feed: how it fares, when it is visited next, and why then."""
    from watchpost.cli import feeds

    raise typer.Exit(feeds.show_all(failing, config, data, as_json, os.environ))


@feed_app.command("show")
def feed_show(
    name: Annotated[str, typer.Argument(help="A feed of the configuration.", autocompletion=completing.feeds)],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything about one feed: options, last answer, failures, next visit."""
    from watchpost.cli import feeds

    raise typer.Exit(feeds.show(name, config, data, as_json, os.environ))


@feed_app.command("read")
def feed_read(
    name: Annotated[str, typer.Argument(help="A feed of the configuration.", autocompletion=completing.feeds)],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a feed of the running service now, at its host's next turn."""
    from watchpost.cli import queue, reading

    raise typer.Exit(reading.read(queue.Where(config, data, as_json), name, os.environ))


@feed_app.command("test")
def feed_test(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL|NAME", help="An address, or a feed of the configuration.", autocompletion=completing.feeds
        ),
    ],
    allow_private: PrivateOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a feed once, without Redis: what it answers, its entries, its problems and their cures."""
    from watchpost.cli import feeds

    raise typer.Exit(feeds.test(target, allow_private or [], config, as_json, os.environ))


@feed_app.command("discover")
def feed_discover(
    url: Annotated[str, typer.Argument(help="A web page.")],
    guess: Annotated[bool, typer.Option("--guess", help="If it names none, ask for the usual places.")] = False,
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds of a web page, each read once, as lines for the configuration."""
    from watchpost.cli import feeds

    raise typer.Exit(feeds.discover(url, guess, allow_private or [], as_json))


@feed_app.command("import")
def feed_import(
    file: Annotated[Path, typer.Argument(help="An OPML file.")],
    into: Annotated[Path | None, typer.Option("--into", help="Add them to this YAML file; else to stdout.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is new; write nothing.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds of an OPML file as lines for the configuration: what is new, known already, or no feed."""
    from watchpost.cli import subscriptions

    raise typer.Exit(subscriptions.take_in(file, into, dry_run, config, as_json, os.environ))


@feed_app.command("export")
def feed_export(
    opml: Annotated[bool, typer.Option("--opml", help="As OPML 2.0, which is the only form there is.")] = True,
    config: ConfigOption = None,
) -> None:
    """The configured feeds as a list for other programs. Headers and secrets stay here."""
    from watchpost.cli import subscriptions

    raise typer.Exit(subscriptions.give_out(config, os.environ))
