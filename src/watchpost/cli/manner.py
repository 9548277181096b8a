"""How the command line speaks: -q, -v and --no-color, which every command takes, before its name or after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from watchpost.plan.settings import Settings

Loudness = Literal["quiet", "as usual", "verbose"]

_LOUDNESS: ContextVar[Loudness] = ContextVar("loudness", default="as usual")


def quiet() -> bool:
    """Only errors are wanted on stderr."""
    return _LOUDNESS.get() == "quiet"


def log_level(usual: str) -> str:
    """The level of the log: `usual`, unless the command line asks for less or more."""
    return {"quiet": "error", "as usual": usual, "verbose": "debug"}[_LOUDNESS.get()]


def open_log(settings: Settings) -> None:
    """Begin a command that is no service: of what happens inside only what is wrong is said, on stderr."""
    from watchpost import telemetry as tm

    tm.set_up_log(settings.log_format or "auto", log_level(settings.log_level or "warning"))
    tm.log().debug("command.where", config=str(settings.config), data=str(settings.data))


class SpeakingGroup(TyperGroup):
    """The root of the commands. All of them take the options of this module; of -q and -v the last one counts."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        offered, without_letter = get_command(_full).params, get_command(_lettered_otherwise).params
        for command in _every(self):
            taken = {letter for param in command.params for letter in param.opts}
            command.params.extend(without_letter if "-q" in taken else offered)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As every group does; whoever called before in this process leaves nothing behind."""
        _LOUDNESS.set("as usual")
        return super().parse_args(ctx, args)


def _every(command: Any) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from _every(inner)


def _hush(value: bool) -> None:
    if value:
        _LOUDNESS.set("quiet")


def _tell_more(value: bool) -> None:
    if value:
        _LOUDNESS.set("verbose")


def _decolour(value: bool) -> None:
    if value:
        os.environ["NO_COLOR"] = "1"  # no-color.org: what draws for us looks there, too


_QUIET = "Only errors on stderr; results stay."
_panel: dict[str, Any] = {"expose_value": False, "rich_help_panel": "Options of every command", "show_default": False}
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Also details: where it looks, each visit to a source.", callback=_tell_more, **_panel
    ),
]
NoColor = Annotated[
    bool,
    typer.Option("--no-color", help="No colours [NO_COLOR].", callback=_decolour, is_eager=True, **_panel),
]

_full = typer.Typer(add_completion=False)
_lettered_otherwise = typer.Typer(add_completion=False)


@_full.command()
def _options(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=_QUIET, callback=_hush, **_panel)] = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Never called: what it declares is lent to every command."""


@_lettered_otherwise.command()
def _options_without_letter(
    quiet: Annotated[bool, typer.Option("--quiet", help=_QUIET, callback=_hush, **_panel)] = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """As above, for a command in which -q is something else."""
