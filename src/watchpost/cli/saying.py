"""Messages on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from watchpost import redaction
from watchpost.cli import manner
from watchpost.errors import Complaint


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


def tell_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person; in a pipe each row is a line, with tabs between its cells, and there is no header."""
    if not sys.stdout.isatty():
        for row in rows:
            tell("\t".join(row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def complain(complaints: Sequence[Complaint]) -> None:
    """Every mistake of a configuration, and how many there are, on stderr; with -q no warnings."""
    complaints = [one for one in complaints if one.severity == "error" or not manner.quiet()]
    if not complaints:
        return
    for complaint in complaints:
        print(redaction.clean(str(complaint)), file=sys.stderr)  # noqa: T201 - the command line prints
    errors = sum(1 for complaint in complaints if complaint.severity == "error")
    warnings = len(complaints) - errors
    print(f"{count(errors, 'error')}, {count(warnings, 'warning')}", file=sys.stderr)  # noqa: T201


def count(number: int, word: str, words: str = "") -> str:
    """A number with its noun: "1 hit", "2 hits"; `words` is the plural where it has another form."""
    return f"{number} {word}" if number == 1 else f"{number} {words or word + 's'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows with their heads, aligned on a terminal; in a pipe tab-separated and without heads, for other programs.

    Control characters in cells are shown as a space: a subject may come from anywhere.
    """
    clean = [["".join(char if char.isprintable() else " " for char in cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in clean:
            tell("\t".join(row))
        return
    widths = [max(map(len, column)) for column in zip(heads, *clean, strict=True)]
    for row in (list(heads), *clean):
        tell("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
