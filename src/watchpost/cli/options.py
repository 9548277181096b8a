"""The options that several commands have."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from watchpost.errors import WatchpostError
from watchpost.operations import deliveries

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration file [WATCHPOST_CONFIG].")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data directory [WATCHPOST_DATA].")]
PrivateOption = Annotated[
    list[str] | None, typer.Option("--allow-private", metavar="CIDR", help="A private network that may be asked.")
]


# Names for the shell to complete: topics, feeds and receivers of the configuration, as far as it can be read.


def roles(incomplete: str) -> list[str]:
    """Roles that begin so."""
    return [role for role in ("poll", "match", "notify", "web", "all") if role.startswith(incomplete)]


def topics(incomplete: str) -> list[str]:
    """Topics that begin so."""
    return _names("topics", incomplete)


def feeds(incomplete: str) -> list[str]:
    """Feeds that begin so; those of lists are not looked up."""
    return _names("feeds", incomplete)


def sources(incomplete: str) -> list[str]:
    """Feeds and folders that begin so."""
    return _names("feeds", incomplete) + _names("folders", incomplete)


def severities(incomplete: str) -> list[str]:
    """Severities that begin so."""
    return [severity for severity in ("low", "normal", "high") if severity.startswith(incomplete)]


def receivers(incomplete: str) -> list[str]:
    """Receivers that begin so."""
    return _names("receivers", incomplete)


def _names(section: str, incomplete: str) -> list[str]:
    """Reads the files, and checks nothing: a mistake elsewhere must not keep the shell from completing."""
    from watchpost.config.files import read_files
    from watchpost.config.settings import read_settings
    from watchpost.errors import ConfigError

    try:
        blocks = getattr(read_files(read_settings().config).sections, section)
    except ConfigError:
        return []
    return [block.name for block in blocks if block.name.startswith(incomplete)]


# How far back a command looks: --since 90m, 12h, 7d.


def span_of(since: str) -> timedelta | None:
    """The time span that --since names, None for "". Raises WatchpostError with what to write instead."""
    try:
        return deliveries.span_of(since)
    except WatchpostError as error:
        raise WatchpostError(f"--since {error}") from None


Yes = Annotated[bool, typer.Option("--yes", help="Do it, without being asked.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Deliveries or dead letters, by their ids.")]
Only = Annotated[str, typer.Option("--receiver", help="Only this receiver's.", autocompletion=receivers)]
Name = Annotated[str, typer.Argument(help="A receiver of the configuration.", autocompletion=receivers)]
Dead = Annotated[bool, typer.Option("--dead", help="The dead letters.")]


Receiver = Annotated[str, typer.Argument(help="A receiver of the configuration.", autocompletion=receivers)]
Topic = Annotated[str, typer.Option("--topic", "-t", help="A topic of the configuration.", autocompletion=topics)]
Severity = Annotated[str, typer.Option("--severity", help="low, normal or high.", autocompletion=severities)]
Source = Annotated[
    str,
    typer.Option("--source", "--feed", help="A feed or folder of the configuration.", autocompletion=sources),
]
