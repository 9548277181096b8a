"""Pure: configuration files laid out in one way, and keys of earlier versions renamed. Comments and meaning stay.

The layout is ruamel.yaml's: two spaces, lists indented under their key, quotes as they were written.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from watchpost.config.yaml_reader import MappingNode, plain, read_yaml
from watchpost.errors import Complaint, ConfigError, WatchpostError

# keys of earlier versions. They go on working for two minor versions, with a warning that names the new one.
#
# There is none yet: version 1 of the format is the first. A key that is renamed gets a line in RENAMED; the loader and
# `watchpost config migrate` do the rest.


VERSION = 1
"""The format that this version writes, and the only one that it reads."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A key that has another name now. `block` is where it stands, `*` for any name: ("receivers", "*")."""

    block: tuple[str, ...]
    old: str
    new: str
    until: str  # the version of watchpost that no longer knows the old name


RENAMED: tuple[Renamed, ...] = ()


def renewed(root: MappingNode, table: Sequence[Renamed] = RENAMED) -> tuple[MappingNode, tuple[Complaint, ...]]:
    """The tree with today's keys, and a warning for each that was written the old way.

    Where both names stand nothing is changed: the old one is then an unknown key.
    """
    warnings: list[Complaint] = []
    for one in table:
        root = _renew(root, one, one.block, "", warnings)
    return root, tuple(warnings)


def _renew(
    tree: MappingNode, one: Renamed, block: tuple[str, ...], path: str, warnings: list[Complaint]
) -> MappingNode:
    if block:
        entries = dict(tree.entries)
        for key in tree.entries if block[0] == "*" else [block[0]]:
            entry = entries.get(key)
            if entry is not None and isinstance(entry.node, MappingNode):
                inner = f"{path}.{key}" if path else key
                entries[key] = replace(entry, node=_renew(entry.node, one, block[1:], inner, warnings))
        return MappingNode(tree.mark, entries)
    if one.old not in tree.entries or one.new in tree.entries:
        return tree
    mark = tree.entries[one.old].mark
    problem = f"this key is called '{one.new}' now; until {one.until} both work, `watchpost config migrate` rewrites it"
    warnings.append(mark.complaint(f"{path}.{one.old}" if path else one.old, problem, "warning"))
    return MappingNode(tree.mark, {one.new if key == one.old else key: entry for key, entry in tree.entries.items()})


_SETTLED_AFTER = 4  # a comment may move once or twice before the layout stays as it is


def formatted(text: str, file: str) -> str:
    """The text of one file in the house's layout; formatting that again changes nothing.

    Raises ConfigError for what is not YAML, and WatchpostError if the layout cannot be had without a change of
    what the file says.
    """
    _, complaints = read_yaml(text, file)
    if complaints:
        raise ConfigError(complaints)
    before = text
    for _ in range(_SETTLED_AFTER):
        after = _laid_out(before, file)
        if after == before:
            break
        before = after
    else:
        raise WatchpostError(f"{file}: no layout that stays: a comment stands where none can be kept; move it")
    _same_meaning(text, before, file)
    return before


def migrated(text: str, file: str, table: Sequence[Renamed] = RENAMED) -> tuple[str, tuple[str, ...]]:
    """The text with today's keys, and what was renamed ("limits.queue → limits.queue_max"). Else it stays as it is.

    Raises ConfigError for what is not YAML.
    """
    _, complaints = read_yaml(text, file)
    if complaints:
        raise ConfigError(complaints)
    root = _round_trip().load(text)
    done: list[str] = []
    for one in table:
        _rename(root, one, one.block, "", done)
    return (_dumped(root) if done else text), tuple(done)


def _rename(tree: Any, one: Renamed, block: tuple[str, ...], path: str, done: list[str]) -> None:
    if not isinstance(tree, CommentedMap):
        return
    if block:
        for key in list(tree) if block[0] == "*" else [block[0]]:
            if key in tree:
                _rename(tree[key], one, block[1:], f"{path}{key}.", done)
    elif one.old in tree and one.new not in tree:
        place, comment = list(tree).index(one.old), tree.ca.items.pop(one.old, None)
        tree.insert(place, one.new, tree.pop(one.old))
        if comment is not None:
            tree.ca.items[one.new] = comment
        done.append(f"{path}{one.old} → {path}{one.new}")


def _laid_out(text: str, file: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.removeprefix("\ufeff").splitlines())
    try:
        root = _round_trip().load(lines + "\n")
    except YAMLError as error:  # what our reader takes and a round trip does not
        raise WatchpostError(f"{file}: cannot be laid out: {str(error).splitlines()[0]}") from error
    return _dumped(root) if root is not None else lines.strip("\n") + "\n"


def _same_meaning(before: str, after: str, file: str) -> None:
    trees = [read_yaml(text, file)[0] for text in (before, after)]
    meanings = [None if tree is None else plain(tree) for tree in trees]
    if meanings[0] != meanings[1]:
        raise WatchpostError(f"{file}: the layout would change what the file says: it is left as it is")


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(root: Any) -> str:
    out = io.StringIO()
    _round_trip().dump(root, out)
    return out.getvalue()
