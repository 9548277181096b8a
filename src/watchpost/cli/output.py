"""Messages on stderr, results on stdout."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup
from typer.main import get_command

from watchpost import redaction
from watchpost.config.errors import suggest
from watchpost.errors import Complaint
from watchpost.plurals import count

# How the command line speaks: -q, -v and --no-color, which every command takes, before its name or after it.


if TYPE_CHECKING:
    from watchpost.config.settings import Settings

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
    from watchpost import log as tm

    tm.set_up_log(settings.log_format or "auto", log_level(settings.log_level or "warning"))
    tm.log().debug("command.where", config=str(settings.config), data=str(settings.data))


class CommandGroup(TyperGroup):
    """The root of the commands. All of them take the options of this module; of -q and -v the last one counts."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        offered, without_letter = get_command(_full).params, get_command(_lettered_otherwise).params
        for command in _every(self):
            taken = {dead_letter for param in command.params for dead_letter in param.opts}
            command.params.extend(without_letter if "-q" in taken else offered)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As every group does; whoever called before in this process leaves nothing behind."""
        _LOUDNESS.set("as usual")
        return super().parse_args(ctx, args)


def _every(command: Any) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from _every(inner)


def _holding_rules(value: bool) -> None:
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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=_QUIET, callback=_holding_rules, **_panel)] = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """Never called: what it declares is lent to every command."""


@_lettered_otherwise.command()
def _options_without_letter(
    quiet: Annotated[bool, typer.Option("--quiet", help=_QUIET, callback=_holding_rules, **_panel)] = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
) -> None:
    """As above, for a command in which -q is something else."""


_NAMED = 10


def note(message: str) -> None:
    """What a person may like to know; with -q nobody does."""
    if not quiet():
        say(message)


def say(message: str) -> None:
    """What went wrong, for a person."""
    print(f"watchpost: {redaction.clean(message)}", file=sys.stderr)  # noqa: T201 - the command line prints


def tell(line: str = "") -> None:
    """A line of the result."""
    print(line)  # noqa: T201 - the command line prints


def tell_json(value: Any) -> None:
    """A line of the result, for machines."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))  # noqa: T201 - the command line prints


def complain(complaints: Sequence[Complaint]) -> None:
    """Every mistake of a configuration, and how many there are, on stderr; with -q no warnings."""
    complaints = [one for one in complaints if one.severity == "error" or not quiet()]
    if not complaints:
        return
    for complaint in complaints:
        print(redaction.clean(str(complaint)), file=sys.stderr)  # noqa: T201 - the command line prints
    errors = sum(1 for complaint in complaints if complaint.severity == "error")
    warnings = len(complaints) - errors
    if any(one.problem == "no such file" and not one.line for one in complaints):
        note("`watchpost init` writes a configuration to begin with; --config or WATCHPOST_CONFIG names another")
    print(f"{count(errors, 'error')}, {count(warnings, 'warning')}", file=sys.stderr)  # noqa: T201


def unknown(what: str, name: str, names: Iterable[str]) -> None:
    """There is no such thing: say what comes close, or what there is."""
    known = list(names)
    hint = suggest(name, known)
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    if not hint:
        hint = f"; there are {', '.join(known[:_NAMED])}{more}" if known else "; there is none"
    say(f"no {what} '{name}'{hint}")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], below: Sequence[str] = ()) -> None:
    """Rows with their heads, aligned on a terminal; in a pipe tab-separated and without heads, for other programs.

    Where a terminal is too narrow, what stands under the heads `below` goes to a line of its own, the first of them
    first. Control characters in cells are shown as a space: a subject may come from anywhere.
    """
    clean = [["".join(char if char.isprintable() else " " for char in cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in clean:
            tell("\t".join(row))
        return
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(heads, *clean, strict=True)]
    places = list(range(len(heads)))
    for head in below:
        if sum(widths[place] + 2 for place in places) - 2 > shutil.get_terminal_size().columns:
            places.remove(heads.index(head))
    for row in (list(heads), *clean):
        cells = (row[place] + " " * (widths[place] - cell_len(row[place])) for place in places)
        tell("  ".join(cells).rstrip())
        under = [cell for place, cell in enumerate(row) if place not in places and cell]
        if under:
            tell("    " + "  ".join(under))


# A progress bar on stderr for what takes longer than a second, if a person is watching.


PATIENCE_SECONDS = 1.0


class ProgressBar:
    """`with Bar("reading feeds") as bar: work(progress=bar)`: call it with how much is done, of how much.

    It goes away when all is done, and leaves nothing behind. What is written to the terminal meanwhile, by way of
    sys.stdout and sys.stderr, passes above it.
    """

    def __init__(self, title: str, wanted: bool = True) -> None:
        """Not `wanted`: it is never shown. Beside lines for machines it would break them where the terminal ends."""
        self._title = title
        self._begun = monotonic()
        self._shown: Any = None  # rich's Progress; importing rich costs more than most commands do
        self._task: Any = None
        self._over = not wanted

    def __enter__(self) -> ProgressBar:
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._over:
            return
        if done >= total:
            self._end()
        elif self._shown is not None:
            self._shown.update(self._task, completed=done, total=total)
        elif monotonic() - self._begun > PATIENCE_SECONDS and sys.stderr.isatty() and not quiet():
            self._show(done, total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _show(self, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        console = Console(stderr=True)
        # Results that go into a pipe must not be led to the terminal with the bar.
        above = sys.stdout.isatty()
        self._shown = Progress(*columns, console=console, transient=True, refresh_per_second=4, redirect_stdout=above)
        self._task = self._shown.add_task(self._title, completed=done, total=total)
        self._shown.start()
        console.show_cursor(True)  # a process that is killed cannot bring it back

    def _end(self) -> None:
        self._over = True
        if self._shown is not None:
            self._shown.stop()
            self._shown = None
