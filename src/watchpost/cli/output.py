"""What a command prints: results on stdout; messages, errors and a progress bar on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from time import monotonic
from types import TracebackType
from typing import Any, Literal, TypeVar

from watchpost import control_characters
from watchpost.errors import ArchiveError, Complaint, ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import UNREACHABLE, USAGE
from watchpost.moments import with_zone

Verbosity = Literal["quiet", "normal", "verbose"]
Item = TypeVar("Item")

_VERBOSITY: ContextVar[Verbosity] = ContextVar("verbosity", default="normal")
_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
_NAMES_SHOWN = 10


class CommandError(WatchpostError):
    """A command cannot do what it was asked for. `code` is its exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def set_verbosity(verbosity: Verbosity) -> None:
    """Choose how much goes to stderr: -q leaves only errors, -v adds details."""
    _VERBOSITY.set(verbosity)


def set_zone(zone: tzinfo) -> None:
    """Show times in this zone from now on."""
    _ZONE.set(zone)


def is_quiet() -> bool:
    """Whether only errors go to stderr."""
    return _VERBOSITY.get() == "quiet"


def log_level(configured: str) -> str:
    """The level of the log: as configured, unless -q or -v is given."""
    return {"quiet": "error", "normal": configured, "verbose": "debug"}[_VERBOSITY.get()]


def echo(line: str = "") -> None:
    """Print a line of the result. Control characters in it are written out."""
    print(control_characters.on_lines(line))  # noqa: T201 - the command line prints


def echo_json(value: Any) -> None:
    """Print a line of the result as JSON; times are written in ISO 8601."""
    document = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat)
    print(control_characters.in_json(document))  # noqa: T201 - the command line prints


def warn(message: str) -> None:
    """Print what went wrong on stderr, without secrets."""
    _stderr(f"watchpost: {message}")


def note(message: str) -> None:
    """Print a hint on stderr, unless -q is given."""
    if not is_quiet():
        warn(message)


def _stderr(line: str) -> None:
    from watchpost import redaction

    print(control_characters.on_lines(redaction.clean(line)), file=sys.stderr)  # noqa: T201 - the command line prints


def report(error: WatchpostError) -> int:
    """Print an error; returns the exit code for it."""
    if isinstance(error, ConfigError):
        report_complaints(error.complaints)
        return USAGE
    warn(str(error))
    if isinstance(error, StoreError | ArchiveError):
        return UNREACHABLE
    return error.code if isinstance(error, CommandError) else USAGE


def report_complaints(complaints: Sequence[Complaint]) -> None:
    """Print the mistakes of a configuration and how many there are; with -q no warnings."""
    from watchpost.plurals import count

    complaints = [each for each in complaints if each.severity == "error" or not is_quiet()]
    if not complaints:
        return
    for complaint in complaints:
        _stderr(str(complaint))
    if any(each.problem == "no such file" and not each.line for each in complaints):
        note("`watchpost init` writes a configuration to start with; --config or WATCHPOST_CONFIG names another file")
    errors = sum(each.severity == "error" for each in complaints)
    _stderr(f"{count(errors, 'error')}, {count(len(complaints) - errors, 'warning')}")


def pick(what: str, name: str, items: Mapping[str, Item]) -> Item:
    """The item of that name. Raises CommandError that proposes the nearest name, or lists some."""
    if name in items:
        return items[name]
    from watchpost.config.errors import suggest

    names = list(items)
    hint = suggest(name, names)
    if not hint and names:
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        hint = f"; there {'is only' if len(names) == 1 else 'are'} {', '.join(names[:_NAMES_SHOWN])}{more}"
    raise CommandError(f"no {what} '{name}'{hint or '; there is none'}")


def local_time(moment: datetime | None, zone: tzinfo) -> str:
    """A time to the minute in this zone, without its name, for lists of articles; "" for none."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment is not None else ""


def exact_time(moment: datetime | None) -> str:
    """A time to the second in the time zone of the configuration, with its name; "" for none."""
    return with_zone(moment, _ZONE.get(), seconds=True)


def iso_time(moment: datetime | None) -> str | None:
    """A time for JSON, to the second."""
    return moment.isoformat(timespec="seconds") if moment is not None else None


def echo_table(headings: Sequence[str], rows: Iterable[Sequence[str]], below: Sequence[str] = ()) -> None:
    """Print rows under their headings: aligned on a terminal; elsewhere with a tab between cells.

    Cells are never folded or cut, so that names and addresses can be copied; rich.table would. Where the terminal is
    too narrow, the columns `below` go to a line of their own, the first of them first. Control characters in a cell
    become spaces: a subject may come from anywhere.
    """
    table = [
        ["".join(char if char.isprintable() else " " for char in cell) for cell in row] for row in (headings, *rows)
    ]
    if not sys.stdout.isatty():
        for row in table:
            echo("\t".join(row))
        return
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    places = list(range(len(headings)))
    for heading in below:
        if sum(widths[place] + 2 for place in places) - 2 > shutil.get_terminal_size().columns:
            places.remove(headings.index(heading))
    for row in table:
        echo("  ".join(row[place] + " " * (widths[place] - cell_len(row[place])) for place in places).rstrip())
        moved = [cell for place, cell in enumerate(row) if place not in places and cell]
        if moved:
            echo("    " + "  ".join(moved))


class ProgressBar:
    """`with ProgressBar("reading feeds") as bar: work(progress=bar)`; call it with how much is done, of how much.

    The bar shows on a terminal after a second, and goes away when all is done. What is written through sys.stdout and
    sys.stderr meanwhile stands above it.
    """

    PATIENCE_SECONDS = 1.0

    def __init__(self, title: str, wanted: bool = True) -> None:
        """An unwanted bar never shows: beside JSON lines it would break them at the edge of the terminal."""
        self._title = title
        self._begun = monotonic()
        self._bar: Any = None  # rich's Progress: importing rich takes longer than most commands
        self._task: Any = None
        self._over = not wanted

    def __enter__(self) -> ProgressBar:
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._over:
            return
        if done >= total:
            self._end()
        elif self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif monotonic() - self._begun > self.PATIENCE_SECONDS and sys.stderr.isatty() and not is_quiet():
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
        # Results that go into a pipe must not be diverted to the terminal.
        redirect = sys.stdout.isatty()
        self._bar = Progress(*columns, console=console, transient=True, refresh_per_second=4, redirect_stdout=redirect)
        self._task = self._bar.add_task(self._title, completed=done, total=total)
        self._bar.start()
        console.show_cursor(True)  # a process that is killed cannot bring it back

    def _end(self) -> None:
        self._over = True
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
