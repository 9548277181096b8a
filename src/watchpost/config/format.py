"""Pure: lays configuration files out in one way, and renames deprecated keys. Comments and meaning stay.

The layout is ruamel.yaml's: two spaces, lists indented under their key, quotes as they were written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from watchpost.config.yaml_reader import MappingEntry, MappingNode, Node, SequenceNode, plain, read_yaml
from watchpost.errors import Complaint, ConfigError, WatchpostError

VERSION = 1
"""The format that this version writes, and the only one that it reads."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A key that has another name now, and is read under both until version `until` of watchpost.

    `block`: where it stands; `*` is any name or list item, as in ("routes", "*", "when"). `several`: the key holds a
    list; if both names are there, the lists are put together.
    """

    block: tuple[str, ...]
    old: str
    new: str
    until: str
    several: bool = False


RENAMED: tuple[Renamed, ...] = (
    Renamed(("routes", "*", "when"), "topic", "topics", "0.3", several=True),
    Renamed(("routes", "*", "when"), "feeds", "sources", "0.3", several=True),
    Renamed(("silences", "*", "match"), "feed", "source", "0.3"),
)


def rename_keys(root: MappingNode, table: Sequence[Renamed] = RENAMED) -> tuple[Complaint, ...]:
    """Gives deprecated keys in the tree their new names. Returns a warning for each, or an error if it has no room."""
    complaints = []
    for renamed, path, node in _deprecated(root, table):
        mark, key = node.entries[renamed.old].mark, f"{path}{renamed.old}"
        if renamed.new in node.entries and not renamed.several:
            problem = f"'{renamed.old}' is the old name of '{renamed.new}', which is there, too; remove it"
            complaints.append(mark.complaint(key, problem))
            del node.entries[renamed.old]
            continue
        problem = f"'{renamed.old}' is deprecated; write '{renamed.new}', or run `watchpost config migrate`"
        complaints.append(mark.complaint(key, problem, "warning"))
        entries = list(node.entries.items())
        node.entries.clear()
        for name, entry in entries:
            today = renamed.new if name == renamed.old else name
            other = node.entries.get(today)
            node.entries[today] = entry if other is None else _joined(other, entry)
    return tuple(complaints)


def migrated(text: str, file: str, table: Sequence[Renamed] = RENAMED) -> tuple[str, tuple[str, ...]]:
    """The text with deprecated keys renamed, and what was renamed ("limits.queue → limits.queue_max").

    Only the keys change. If both names are there, the old one stays. Raises ConfigError for what is not YAML.
    """
    root, complaints = read_yaml(text, file)
    if complaints:
        raise ConfigError(complaints)
    lines = text.splitlines(keepends=True)
    done: list[str] = []
    edits: dict[tuple[int, int], Renamed] = {}  # an anchor's block is reached on several paths, and edited once
    for renamed, path, node in _deprecated(root, table) if isinstance(root, MappingNode) else ():
        mark = node.entries[renamed.old].mark
        place = (mark.line - 1, mark.column - 1)
        if renamed.new not in node.entries and place not in edits:
            edits[place] = renamed
            done.append(f"{path}{renamed.old} → {path}{renamed.new}")
    for (line, column), renamed in sorted(edits.items(), key=lambda edit: edit[0], reverse=True):
        before, after = lines[line][:column], lines[line][column:]
        lines[line] = before + re.sub(f"^([\"']?){renamed.old}", rf"\g<1>{renamed.new}", after)
    return "".join(lines), tuple(done)


def _deprecated(root: MappingNode, table: Sequence[Renamed]) -> Iterator[tuple[Renamed, str, MappingNode]]:
    """Each mapping with a deprecated key, and the path to it, which is empty or ends with a dot."""
    for renamed in table:
        for path, node in _blocks(root, renamed.block, ""):
            if renamed.old in node.entries:
                yield renamed, path, node


def _blocks(node: Node, block: Sequence[str], path: str) -> Iterator[tuple[str, MappingNode]]:
    if isinstance(node, MappingNode):
        if not block:
            yield path, node
            return
        for key in list(node.entries) if block[0] == "*" else block[:1]:
            if key in node.entries:
                yield from _blocks(node.entries[key].node, block[1:], f"{path}{key}.")
    elif isinstance(node, SequenceNode) and block and block[0] == "*":
        for index, item in enumerate(node.items):
            yield from _blocks(item, block[1:], f"{path.removesuffix('.')}[{index}].")


def _joined(first: MappingEntry, second: MappingEntry) -> MappingEntry:
    """One list of the values of both."""
    nodes = (first.node, second.node)
    items = [item for node in nodes for item in (node.items if isinstance(node, SequenceNode) else (node,))]
    return MappingEntry(first.mark, SequenceNode(first.mark, tuple(items)))


_MAX_ROUNDS = 4  # a comment may move once or twice before the layout stays as it is


def formatted(text: str, file: str) -> str:
    """The text of one file in the standard layout; formatting that again changes nothing.

    Raises ConfigError for what is not YAML, and WatchpostError if the layout would change what the file says.
    """
    _, complaints = read_yaml(text, file)
    if complaints:
        raise ConfigError(complaints)
    before = text
    for _ in range(_MAX_ROUNDS):
        after = _laid_out(before, file)
        if after == before:
            break
        before = after
    else:
        raise WatchpostError(f"{file} cannot be laid out: a comment stands where none can be kept; move it")
    trees = [read_yaml(version, file)[0] for version in (text, before)]
    if len({repr(None if tree is None else plain(tree)) for tree in trees}) > 1:
        raise WatchpostError(f"{file} stays as it is: the layout would change what it says")
    return before


def _laid_out(text: str, file: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.removeprefix("\ufeff").splitlines())
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        root: Any = yaml.load(lines + "\n")
    except YAMLError as error:  # our reader takes some texts that ruamel.yaml's round trip does not
        raise WatchpostError(f"{file} cannot be laid out: {str(error).splitlines()[0]}") from error
    if root is None:
        return lines.strip("\n") + "\n"
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()
