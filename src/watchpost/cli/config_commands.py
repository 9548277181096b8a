"""The commands of `watchpost config`: arguments → one call → an exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from watchpost.cli.arguments import ConfigOption, DataOption, JsonOption

config_app = typer.Typer(help="The configuration itself.", no_args_is_help=True)

Files = Annotated[list[Path] | None, typer.Argument(help="YAML files; else the configuration and what it includes.")]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something would be changed.")]


@config_app.command("check")
def config_check(
    file: Annotated[Path | None, typer.Argument(help="Configuration file [WATCHPOST_CONFIG].")] = None,
    as_json: JsonOption = False,
) -> None:
    """The same as `watchpost check`."""
    from watchpost.cli import checking

    raise typer.Exit(checking.check(file, as_json, os.environ))


@config_app.command("show")
def config_show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The configuration as it is understood: defaults filled in, files put together, secrets by their origin."""
    from watchpost.cli import configuring

    raise typer.Exit(configuring.show(config, as_json, os.environ))


@config_app.command("fmt")
def config_fmt(files: Files = None, check: Check = False, config: ConfigOption = None) -> None:
    """Lay the files out in one way. Comments stay, and so does what they say."""
    from watchpost.cli import configuring

    raise typer.Exit(configuring.fmt(files or [], check, config))


@config_app.command("diff")
def config_diff(
    first: Annotated[Path | None, typer.Argument(help="A configuration; without it, what runs.")] = None,
    second: Annotated[Path | None, typer.Argument(help="Another; without it, WATCHPOST_CONFIG.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a reload would change, and what needs a restart. Exit 1 if there is a difference."""
    from watchpost.cli import configuring

    raise typer.Exit(configuring.diff(first, second, data, as_json, os.environ))


@config_app.command("migrate")
def config_migrate(files: Files = None, check: Check = False, config: ConfigOption = None) -> None:
    """Rewrite keys of earlier versions. Comments stay."""
    from watchpost.cli import configuring

    raise typer.Exit(configuring.migrate(files or [], check, config))


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from watchpost.cli import checking

    raise typer.Exit(checking.schema())
