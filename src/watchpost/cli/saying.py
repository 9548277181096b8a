"""Messages on stderr, results on stdout."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from watchpost import redaction
from watchpost.cli import manner
from watchpost.errors import Complaint
from watchpost.plan.complaints import suggest

_NAMED = 10


def note(message: str) -> None:
    """What a person may like to know; with -q nobody does."""
    if not manner.quiet():
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
    complaints = [one for one in complaints if one.severity == "error" or not manner.quiet()]
    if not complaints:
        return
    for complaint in complaints:
        print(redaction.clean(str(complaint)), file=sys.stderr)  # noqa: T201 - the command line prints
    errors = sum(1 for complaint in complaints if complaint.severity == "error")
    warnings = len(complaints) - errors
    if any(one.problem == "no such file" and not one.line for one in complaints):
        note("`watchpost init` writes a configuration to begin with; --config or WATCHPOST_CONFIG names another")
    print(f"{count(errors, 'error')}, {count(warnings, 'warning')}", file=sys.stderr)  # noqa: T201


def count(number: int, word: str, words: str = "") -> str:
    """A number with its noun: "1 hit", "2 hits"; `words` is the plural where it has another form."""
    return f"{number} {word}" if number == 1 else f"{number} {words or word + 's'}"


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
