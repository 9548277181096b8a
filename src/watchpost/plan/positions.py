"""Still: a YAML document as a tree in which every key and value knows its file, line and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchpost.errors import Complaint

Plain = str | int | float | bool | None

_ESCAPE_WIDTHS = {
    "x": 4,
    "u": 6,
    "U": 10,
}  # of double-quoted scalars; all others are a backslash and one more


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file. line and column count from 1 (column: code points); 0, 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def complaint(self, path: str, problem: str, severity: str = "error") -> Complaint:
        """A complaint at this place."""
        return Complaint(self.file, self.line, self.column, path, problem, severity)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One plain value. `written` is it as it stands in the file, with quotes or block header."""

    mark: Mark
    value: Plain
    text: str = ""
    written: str = ""

    def at(self, index: int) -> Mark:
        """The place of character `index` (from 0) of this text; the value's own if it cannot be told."""
        raw, position = self.written, 0
        if raw[:1] in ("|", ">"):
            position = raw.find("\n") + 1
        elif raw[:1] in ("'", '"'):
            position = 1
        for offset, character in enumerate(self.text[: index + 1]):
            start, width = position, 1
            if raw[:1] == '"' and raw.startswith("\\", position):
                width = _ESCAPE_WIDTHS.get(raw[position + 1 : position + 2], 2)
            elif character in "\n " and not raw.startswith(character, position):
                width = 0  # a fold or an indent: the file has other white space here
            else:
                start = raw.find(character, position)
            if start < 0:
                return self.mark
            position = start + (width if offset < index else 0)
        before = raw[:position].split("\n")
        column = len(before[-1]) + (self.mark.column if len(before) == 1 else 1)
        return Mark(self.mark.file, self.mark.line + len(before) - 1, column)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping, where it stands, and what it holds."""

    mark: Mark
    node: Node

    @property
    def place(self) -> Mark:
        """Where to point at when the value is wrong: a scalar itself, and the key of anything larger."""
        return self.node.mark if isinstance(self.node, Scalar) and self.node.written else self.mark


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys, as written, in file order."""

    mark: Mark
    entries: dict[str, Entry]

    def get(self, key: str) -> Node | None:
        """What stands under `key`; None if nothing does, or only a null."""
        entry = self.entries.get(key)
        return None if entry is None or is_null(entry.node) else entry.node


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    mark: Mark
    items: tuple[Node, ...]


Node = Scalar | Mapping | Sequence


def broken(place: Mark) -> Scalar:
    """Stands for what could not be read. Whatever is said about this place later has been said already."""
    return Scalar(place, None, written="?")


def is_null(node: Node) -> bool:
    """True for `~`, `null` and nothing at all."""
    return isinstance(node, Scalar) and node.value is None and node.written != "?"


def plain(node: Node) -> Any:
    """The node as dicts, lists and plain values."""
    match node:
        case Scalar():
            return node.value
        case Mapping():
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case Sequence():
            return [plain(item) for item in node.items]
