"""The lists of feeds that a configuration names: found, read, and what is wrong with them said at its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from watchpost.errors import Complaint
from watchpost.plan.files import read_list, watched_directory
from watchpost.plan.lists import FeedList
from watchpost.plan.opml import read_opml
from watchpost.plan.positions import Mapping
from watchpost.plan.positions import Sequence as ListNode
from watchpost.plan.schema import FeedsFrom


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists in the order of `feeds_from`, and for each of its entries what all of its feeds get (`defaults`).

    `names` are the files as complaints call them. `complete` is False if one could not be read: then it is unknown
    which feeds there are.
    """

    lists: tuple[FeedList, ...]
    defaults: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    warnings: tuple[Complaint, ...]
    directories: tuple[Path, ...] = ()  # where a pattern may find more lists tomorrow

    @property
    def complete(self) -> bool:
        return not self.complaints


def read_lists(main: Path, root: Mapping, entries: Sequence[FeedsFrom]) -> Lists:
    """Reads what `entries`, the checked `feeds_from` of `root`, name. Never raises. A file counts once."""
    lists: dict[str, FeedList] = {}
    complaints: list[Complaint] = []
    warnings: list[Complaint] = []
    for index, entry in enumerate(entries):
        files, problem = read_list(main, entry.opml)
        if problem:
            complaints.append(_told(root, index, "opml", problem))
        if entry.every is not None and entry.every < timedelta(minutes=1):
            hasty = "more often than once a minute: some servers will refuse this"
            warnings.append(_told(root, index, "every", hasty, "warning"))
        for name, data in files:
            if name in lists:
                continue
            outlines, found = read_opml(data, name)
            complaints += [one for one in found if one.severity == "error"]
            warnings += [one for one in found if one.severity != "error"]
            lists[name] = FeedList(index, name, outlines, entry.prefix, entry.tags)
    defaults = tuple({"every": entry.every} if entry.every is not None else {} for entry in entries)
    directories = tuple(place for entry in entries for place in watched_directory(main, entry.opml))
    return Lists(tuple(lists.values()), defaults, tuple(lists), tuple(complaints), tuple(warnings), directories)


def _told(root: Mapping, index: int, key: str, problem: str, severity: str = "error") -> Complaint:
    """A complaint about one key of an entry, which stands in a list or is the only one."""
    node, path = root.get("feeds_from"), f"feeds_from.{key}"
    if isinstance(node, ListNode):
        node, path = node.items[index], f"feeds_from[{index}].{key}"
    place = node.entries[key].place if isinstance(node, Mapping) and key in node.entries else root.mark
    return place.complaint(path, problem, severity)
