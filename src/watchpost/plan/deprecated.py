"""Still: keys of earlier versions. They go on working for two minor versions, with a warning that names the new one.

There is none yet: version 1 of the format is the first. A key that is renamed gets a line in RENAMED; the loader and
`watchpost config migrate` do the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watchpost.errors import Complaint
from watchpost.plan.positions import Mapping

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


def renewed(root: Mapping, table: Sequence[Renamed] = RENAMED) -> tuple[Mapping, tuple[Complaint, ...]]:
    """The tree with today's keys, and a warning for each that was written the old way.

    Where both names stand nothing is changed: the old one is then an unknown key.
    """
    warnings: list[Complaint] = []
    for one in table:
        root = _renew(root, one, one.block, "", warnings)
    return root, tuple(warnings)


def _renew(tree: Mapping, one: Renamed, block: tuple[str, ...], path: str, warnings: list[Complaint]) -> Mapping:
    if block:
        entries = dict(tree.entries)
        for key in tree.entries if block[0] == "*" else [block[0]]:
            entry = entries.get(key)
            if entry is not None and isinstance(entry.node, Mapping):
                inner = f"{path}.{key}" if path else key
                entries[key] = replace(entry, node=_renew(entry.node, one, block[1:], inner, warnings))
        return Mapping(tree.mark, entries)
    if one.old not in tree.entries or one.new in tree.entries:
        return tree
    mark = tree.entries[one.old].mark
    problem = f"this key is called '{one.new}' now; until {one.until} both work, `watchpost config migrate` rewrites it"
    warnings.append(mark.complaint(f"{path}.{one.old}" if path else one.old, problem, "warning"))
    return Mapping(tree.mark, {one.new if key == one.old else key: entry for key, entry in tree.entries.items()})
