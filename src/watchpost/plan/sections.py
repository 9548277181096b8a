"""The named blocks of all files together: feeds, folders, queries, topics, receivers; and the routes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from watchpost.errors import Complaint
from watchpost.plan.complaints import Block, shown, suggest
from watchpost.plan.lists import NAME, NAME_RULE, host_stem
from watchpost.plan.positions import Mapping, Node, Scalar
from watchpost.plan.positions import Sequence as ListNode
from watchpost.plan.schema import SECTIONS, Frame


@dataclass(slots=True)
class Sections:
    """The blocks of every section in file order, and what is wrong with their names.

    `unsure` says that a section is misspelt or has the wrong shape: then nobody knows which names exist.
    """

    feeds: list[Block] = field(default_factory=list)
    folders: list[Block] = field(default_factory=list)
    queries: list[Block] = field(default_factory=list)
    topics: list[Block] = field(default_factory=list)
    receivers: list[Block] = field(default_factory=list)
    routes: list[Block] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    unsure: bool = False


def collect(main: Mapping, included: Sequence[Mapping]) -> Sections:
    """The blocks of the main file, then of each included one. A name may be used once, whatever the file."""
    sections = Sections()
    roots = (main, *included)
    keys = (key for root in roots for key in root.entries if key not in Frame.model_fields)
    sections.unsure = any(suggest(key, SECTIONS) for key in keys)
    for root in included:
        sections.complaints.extend(_foreign_keys(root))
    sources: dict[str, Block] = {}
    listed: list[tuple[int, Node]] = []
    for root in roots:
        node = root.get("feeds")
        if isinstance(node, ListNode):
            listed.extend(enumerate(node.items))
        else:
            sections.feeds += _named("feeds", root, sources, sections)
        sections.folders += _named("folders", root, sources, sections)
    for index, item in listed:
        block = Block(_derived_name(item, sources), f"feeds[{index}]", item.mark, item)
        sources[block.name] = block
        sections.feeds.append(block)
    queries: dict[str, Block] = {}  # queries and topics share their names: @name means one thing
    receivers: dict[str, Block] = {}
    for root in roots:
        sections.queries += _named("queries", root, queries, sections)
        sections.topics += _named("topics", root, queries, sections)
        sections.receivers += _named("receivers", root, receivers, sections)
        sections.routes += _routes(root, sections.complaints)
    return sections


def _foreign_keys(root: Mapping) -> list[Complaint]:
    found = []
    for key, entry in root.entries.items():
        if key in SECTIONS:
            continue
        if key not in Frame.model_fields:
            found.append(entry.mark.complaint(shown(key), f"unknown key{suggest(key, SECTIONS)}"))
        elif key != "version":
            found.append(entry.mark.complaint(key, "belongs in the main file, not in an included one"))
        elif not isinstance(entry.node, Scalar) or entry.node.value != 1:
            found.append(entry.place.complaint(key, "must be 1"))
    return found


def _named(section: str, root: Mapping, known: dict[str, Block], sections: Sections) -> list[Block]:
    """The blocks of one section of one file whose names are new; `known` (shared by all files) learns them."""
    node, complaints = root.get(section), sections.complaints
    if node is None:
        return []
    if not isinstance(node, Mapping):
        place = root.entries[section].place
        sections.unsure = True
        complaints.append(place.complaint(section, "a mapping is needed: a name for each, then what it is"))
        return []
    blocks = []
    for name, entry in node.entries.items():
        block = Block(name, f"{section}.{shown(name)}", entry.mark, entry.node)
        if not NAME.fullmatch(name):
            complaints.append(entry.mark.complaint(block.path, NAME_RULE))
        elif name in known:
            first = known[name].mark
            complaints.append(entry.mark.complaint(block.path, f"the name '{name}' is taken: see {first}"))
            continue
        known[name] = block
        blocks.append(block)
    return blocks


def _routes(root: Mapping, complaints: list[Complaint]) -> list[Block]:
    node = root.get("routes")
    if node is None:
        return []
    if not isinstance(node, ListNode):
        place = root.entries["routes"].place
        complaints.append(place.complaint("routes", "a list is needed: each route begins with '- '"))
        return []
    return [Block("", f"routes[{index}]", item.mark, item) for index, item in enumerate(node.items)]


def _derived_name(item: Node, taken: Collection[str]) -> str:
    """A name for a feed without one: `https://www.rfi.fr/…` is `rfi-fr`, the next from there `rfi-fr-2`."""
    url = item.get("url") if isinstance(item, Mapping) else item
    stem = host_stem(url.text if isinstance(url, Scalar) else "")
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name
