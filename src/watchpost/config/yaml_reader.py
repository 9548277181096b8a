"""Pure: reads YAML 1.2 text into a tree with positions.

Built from ruamel.yaml's event stream, so that depth and alias expansion are bounded while reading. Plain
scalars follow the core schema of YAML 1.2.2 (section 10.3.2) without its infinities: `no`, `08:00` and
`2026-01-01` stay text. `<<` merges mappings, as in YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from watchpost.errors import Complaint

Plain = str | int | float | bool | None

_ESCAPE_WIDTHS = {"x": 4, "u": 6, "U": 10}  # in double quotes; all others are a backslash and one more


def shown(text: str) -> str:
    """The text if it looks like a name; "…" for what may be an address, or a secret in the wrong place."""
    return text if re.fullmatch(r"[\w ./+-]{0,40}", text) and "//" not in text else "…"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file. Line and column count from 1 (columns are code points); 0, 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def complaint(self, path: str, problem: str, severity: str = "error") -> Complaint:
        """A complaint at this place."""
        return Complaint(self.file, self.line, self.column, path, problem, severity)

    def defined_twice(self, name: str, path: str, first: Mark) -> Complaint:
        """A complaint about the second of two definitions: `'alpha' is defined twice (first in line 3)`."""
        file = "" if first.file == self.file else f"{first.file}, "
        return self.complaint(path, f"'{shown(name)}' is defined twice (first in {file}line {first.line})")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """A plain value; `written` is its text in the file, with quotes or block header."""

    mark: Mark
    value: Plain
    text: str = ""
    written: str = ""

    def at(self, index: int) -> Mark:
        """The place of character `index` (from 0) of this text; that of the whole value if it cannot be found."""
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
class MappingEntry:
    """The place of a key in a mapping, and its value."""

    mark: Mark
    node: Node

    @property
    def place(self) -> Mark:
        """Where to point if the value is wrong: at a scalar itself, and at the key of anything larger."""
        return self.node.mark if isinstance(self.node, ScalarNode) and self.node.written else self.mark


@dataclass(frozen=True, slots=True, eq=False)
class MappingNode:
    """Keys, as they are written, in file order."""

    mark: Mark
    entries: dict[str, MappingEntry]

    def get(self, key: str) -> Node | None:
        """The value of `key`; None if it is absent or null."""
        entry = self.entries.get(key)
        return None if entry is None or is_null(entry.node) else entry.node


@dataclass(frozen=True, slots=True, eq=False)
class SequenceNode:
    """A list of nodes."""

    mark: Mark
    items: tuple[Node, ...]


Node = ScalarNode | MappingNode | SequenceNode


def broken(place: Mark) -> ScalarNode:
    """A placeholder for what could not be read; a complaint about it was made already."""
    return ScalarNode(place, None, written="?")


def is_null(node: Node) -> bool:
    """True for `~`, `null` and nothing at all."""
    return isinstance(node, ScalarNode) and node.value is None and node.written != "?"


def plain(node: Node) -> Any:
    """The node as dicts, lists and plain values."""
    match node:
        case ScalarNode():
            return node.value
        case MappingNode():
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case SequenceNode():
            return [plain(item) for item in node.items]


MAX_DEPTH = 20
MAX_ALIASED = 50_000  # nodes that all aliases of one file may add together

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_OCTAL_HEX = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Plain] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _WORDS |= dict.fromkeys((_word, _word.capitalize(), _word.upper()), _value)


def read_yaml(text: str, file: str) -> tuple[Node | None, tuple[Complaint, ...]]:
    """The tree of one YAML document, and every complaint about it. Never raises for what the text holds.

    The tree is None if there is no document or if it cannot be read. A repeated key is a complaint, and the first
    one counts; a part that cannot be read is a null in the tree.
    """
    composer = _Composer(text, file)
    try:
        root = composer.document()
    except _Stop as stop:
        return None, (*composer.complaints, stop.complaint)
    except ReaderError as error:
        before = text[: error.position].split("\n")
        place = Mark(file, len(before), len(before[-1]) + 1)
        return None, (place.complaint("", "this control character is not allowed in YAML; remove it"),)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if re.search("unexpected end of stream|found '<stream end>'|^expected ',' or", str(error.problem)):
            mark = error.context_mark or mark  # where the bracket opens: its end may be missing anywhere after that
        place = Mark(file, mark.line + 1, mark.column + 1) if mark is not None else Mark(file)
        return None, (*composer.complaints, place.complaint("", _syntax(str(error.problem or ""))))
    except (YAMLError, ValueError, RecursionError):
        return None, (*composer.complaints, Mark(file).complaint("", "this is not YAML"))
    return root, tuple(composer.complaints)


_HINTS = (
    (r"mapping values are not allowed", "no ':' can stand here; put the value in quotes, or fix the indentation"),
    (r"character '\\t'", "this is a tab; indent YAML with spaces"),
    (r"character '([@`%|>&*!])'", "a value cannot begin with '{0}'; put it in quotes"),
    (r"while scanning a quoted|unexpected end of stream", "this quote is never closed"),
    (r"unknown escape character", "this escape is unknown; use single quotes, or write \\\\ for a backslash"),
    (r"expected ',' or '([\]}])'", "this list or mapping is not closed with '{0}'"),
    (r"expected the node content, but found '<stream end>'", "this list or mapping is never closed"),
    (r"expected <block end>, but found", "this does not fit the line above; fix the indentation"),
    (r"could not find expected ':'", "a ':' is missing after this key"),
)


def _syntax(problem: str) -> str:
    for pattern, hint in _HINTS:
        if match := re.search(pattern, problem):
            return hint.format(*match.groups())
    return f"this is not YAML: {problem}"


class _Stop(Exception):
    """Ends the reading of a file; raised and caught in this module only."""

    def __init__(self, complaint: Complaint) -> None:
        self.complaint = complaint


class _Composer:
    """Builds the tree of the first document, and counts how large it is with all aliases expanded."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.complaints: list[Complaint] = []
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}  # node, its size, its height
        self._aliased = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise _Stop(self._at(event).complaint("", "a file holds one document; remove this '---'"))
                root, _, _ = self._node(next(self._events), 0)
            elif isinstance(event, StreamEndEvent):
                break
        return root

    def _at(self, event: Any) -> Mark:
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, depth: int) -> tuple[Node, int, int]:
        place = self._at(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if depth > MAX_DEPTH:
            raise _Stop(place.complaint("", f"this is nested more than {MAX_DEPTH} levels deep"))
        if event.anchor:
            self._anchors[event.anchor] = None  # known, but not complete
        tagged = event.tag not in (None, "!", "tag:yaml.org,2002:str")
        if tagged:
            problem = "YAML tags are not supported; put a text that begins with ! in quotes"
            self.complaints.append(place.complaint("", problem))
        build: Callable[[Any, Mark, int], tuple[Node, int, int]]
        if isinstance(event, MappingStartEvent):
            build = self._mapping
        elif isinstance(event, SequenceStartEvent):
            build = self._sequence
        else:
            build = self._scalar
        built = build(event, place, depth)
        if tagged:
            built = broken(place), 1, 0
        if event.anchor:
            self._anchors[event.anchor] = built
        return built

    def _alias(self, event: Any, depth: int) -> tuple[Node, int, int]:
        known = self._anchors.get(event.anchor, ...)
        if known is ...:
            problem = "this alias has no anchor before it; put a text that begins with * in quotes"
        elif known is None:
            problem = "this alias is inside its own anchor"
        else:
            self._aliased += known[1]
            if self._aliased <= MAX_ALIASED and depth + known[2] <= MAX_DEPTH:
                return known
            too_many = f"the aliases expand to more than {MAX_ALIASED:,} values"
            problem = too_many if self._aliased > MAX_ALIASED else f"this is nested more than {MAX_DEPTH} levels deep"
        raise _Stop(self._at(event).complaint("", problem))

    def _scalar(self, event: ScalarEvent, place: Mark, depth: int) -> tuple[Node, int, int]:
        written = self.text[event.start_mark.index : event.end_mark.index]
        if not event.value.isascii() and any("\ud800" <= c <= "\udfff" for c in event.value):
            self.complaints.append(place.complaint("", "half of a surrogate pair is not a character; write both"))
            return broken(place), 1, 0
        value = _core(event.value) if event.implicit[0] and event.tag is None else event.value
        return ScalarNode(place, value, event.value, written), 1, 0

    def _sequence(self, event: SequenceStartEvent, place: Mark, depth: int) -> tuple[Node, int, int]:
        items, size, height = [], 1, 0
        while not isinstance(event := next(self._events), SequenceEndEvent):
            node, node_size, node_height = self._node(event, depth + 1)
            items.append(node)
            size, height = size + node_size, max(height, node_height)
        return SequenceNode(place, tuple(items)), size, height + 1

    def _mapping(self, event: MappingStartEvent, place: Mark, depth: int) -> tuple[Node, int, int]:
        entries: dict[str, MappingEntry] = {}
        merged: dict[str, MappingEntry] = {}
        size, height, fit = 1, 0, True
        while not isinstance(event := next(self._events), MappingEndEvent):
            key, _, _ = self._node(event, depth + 1)
            node, node_size, node_height = self._node(next(self._events), depth + 1)
            size, height = size + node_size + 1, max(height, node_height)
            if not isinstance(key, ScalarNode):
                fit = False
            elif key.written == "<<":
                merged = self._merge(node, merged)
            elif key.text in entries:
                self.complaints.append(key.mark.defined_twice(key.text, "", entries[key.text].mark))
            else:
                entries[key.text] = MappingEntry(key.mark, node)
        if not fit:
            problem = "a key must be plain text; put a value with {{ in quotes"
            self.complaints.append(place.complaint("", problem))
            return broken(place), 1, 0
        inherited = {key: entry for key, entry in merged.items() if key not in entries}
        return MappingNode(place, entries | inherited), size, height + 1

    def _merge(self, node: Node, merged: dict[str, MappingEntry]) -> dict[str, MappingEntry]:
        for each in node.items if isinstance(node, SequenceNode) else (node,):
            if isinstance(each, MappingNode):
                merged = each.entries | merged  # of several, the first counts
            else:
                self.complaints.append(each.mark.complaint("", "<< takes a mapping, or a list of mappings"))
        return merged


def _core(text: str) -> Plain:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL_HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and not text.isdigit() and isfinite(number := float(text)):
        return number
    return text  # a number of twenty digits is an identifier: text keeps all of them
