"""Reads the files of a configuration: the main one, those that it includes, and the lists of feeds that it names.

Nothing here raises for what a file holds: what is wrong is a complaint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from watchpost.config.errors import Block, suggest, unknown_key
from watchpost.config.format import rename_keys
from watchpost.config.opml import MAX_BYTES as MAX_LIST_BYTES
from watchpost.config.opml import NAME, NAME_RULE, FeedList, host_stem, read_opml
from watchpost.config.schema import SECTIONS, SOURCE_SECTIONS, MainFile, SourceKind
from watchpost.config.yaml_reader import MappingNode, Mark, Node, ScalarNode, SequenceNode, is_null, read_yaml, shown
from watchpost.errors import Complaint

MAX_BYTES = 1024 * 1024

_WILDCARDS = "*?["


@dataclass(slots=True)
class Sections:
    """The blocks of each section in file order, and complaints about their names.

    `unsure`: a section is misspelt or has the wrong shape, so that it is unknown which names exist. `moving`: the names
    of listed feeds that share a host, so that they depend on the order of the list.
    """

    feeds: list[Block] = field(default_factory=list)
    pages: list[Block] = field(default_factory=list)
    mailboxes: list[Block] = field(default_factory=list)
    folders: list[Block] = field(default_factory=list)
    queries: list[Block] = field(default_factory=list)
    entities: list[Block] = field(default_factory=list)
    topics: list[Block] = field(default_factory=list)
    receivers: list[Block] = field(default_factory=list)
    routes: list[Block] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    unsure: bool = False
    moving: frozenset[str] = frozenset()

    def sources(self, kind: SourceKind) -> list[Block]:
        """The blocks of a kind of source."""
        blocks: list[Block] = getattr(self, SOURCE_SECTIONS[kind][0])
        return blocks


@dataclass(frozen=True, slots=True)
class Files:
    """The main file, and the sections of it and of all files that it includes; `names` are theirs, as in complaints.

    `complete`: all could be read; else it is unknown which names exist. `directories`: where a pattern may match more
    files later. `warnings` are about deprecated keys, and patterns that match nothing.
    """

    main: MappingNode
    sections: Sections
    names: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    complete: bool
    directories: tuple[Path, ...]
    warnings: tuple[Complaint, ...]


def read_files(path: Path) -> Files:
    """Reads `path` and its includes."""
    main, found = _read_tree(path)
    complaints, complete = list(found), main is not None
    root = main or MappingNode(Mark(str(path)), {})
    directories: dict[Path, None] = {}
    trees: dict[str, MappingNode] = {str(path): root}
    names = [str(path)]
    unmatched: list[Complaint] = []
    for pattern in _patterns(root):
        paths, problem = _matches(path, pattern.text)
        directories |= dict.fromkeys(_watched_directory(path, pattern.text))
        if problem:
            complaints.append(pattern.mark.complaint("include", problem))
        elif not paths:
            nothing = f"no file matches this pattern{_neighbour(path, pattern.text)}"
            unmatched.append(pattern.mark.complaint("include", nothing, "warning"))
        for included in paths:
            name = str(included)
            if name in names or included.resolve() == path.resolve():
                continue  # two patterns match it, or it is the main file itself
            names.append(name)
            tree, found = _read_tree(included)
            complaints.extend(found)
            if tree is None:
                complete = False
            else:
                trees[name] = tree
    deprecated = [complaint for tree in trees.values() for complaint in rename_keys(tree)]
    complaints += [complaint for complaint in deprecated if complaint.severity == "error"]
    warnings = (*unmatched, *(complaint for complaint in deprecated if complaint.severity != "error"))
    sections = _collect(list(trees.values()))
    return Files(root, sections, tuple(names), tuple(complaints), complete, tuple(directories), warnings)


def _patterns(root: MappingNode) -> Iterator[ScalarNode]:
    node = root.get("include")
    nodes: tuple[Node, ...] = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    return (each for each in nodes if isinstance(each, ScalarNode) and isinstance(each.value, str))


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _WILDCARDS)


def _watched_directory(main: Path, pattern: str) -> tuple[Path, ...]:
    """The directory in which more files may match `pattern` later; none for the name of one file."""
    fixed = list(takewhile(lambda part: not _is_pattern(part), Path(pattern).parts))
    return () if len(fixed) == len(Path(pattern).parts) else (main.parent.joinpath(*fixed),)


def _matches(main: Path, pattern: str) -> tuple[list[Path], str]:
    given = Path(pattern)
    base, relative = (Path(given.anchor), given.relative_to(given.anchor)) if given.anchor else (main.parent, given)
    try:
        paths = sorted(base.glob(str(relative)))
    except (ValueError, NotImplementedError, OSError):
        return [], "this is not a pattern of file names; write it like topics/*.yaml"
    if not _is_pattern(pattern):
        return (paths, "") if paths else ([], "there is no such file")
    # Editors leave hidden twins beside the files they edit.
    return [path for path in paths if path.is_file() and (not path.name.startswith(".") or given.name[0] == ".")], ""


def _neighbour(main: Path, pattern: str) -> str:
    """A hint at a file that the pattern would match but for its ending or the case of its letters; "" for none."""
    wider, endings = Path(pattern), (".yaml", ".yml")
    if wider.suffix.lower() not in endings:
        return ""
    paths, _ = _matches(main, str(wider.with_suffix(".[yY]*")))
    near = next((each for each in paths if each.suffix.lower() in endings), None)
    return f"; {near.name} ends in {near.suffix}" if near is not None else ""


def _read_tree(path: Path) -> tuple[MappingNode | None, tuple[Complaint, ...]]:
    """The root mapping of one file; a file without content is an empty mapping."""
    whole = Mark(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, (whole.complaint("", "no such file"),)
    except IsADirectoryError:
        return None, (whole.complaint("", "this is a directory; name a YAML file"),)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        return None, (whole.complaint("", f"cannot be read: {reason}"),)
    if len(raw) > MAX_BYTES:
        return None, (whole.complaint("", "larger than 1 MiB; split it with include"),)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].split(b"\n")
        column = len(before[-1].decode("utf-8", "replace")) + 1
        return None, (Mark(str(path), len(before), column).complaint("", "not UTF-8; save the file as UTF-8"),)
    tree, complaints = read_yaml(text, str(path))
    if isinstance(tree, MappingNode):
        return tree, complaints
    if complaints:
        return None, complaints
    if tree is None or is_null(tree):
        return MappingNode(whole, {}), ()
    return None, (tree.mark.complaint("", "this is not a mapping; write lines like `version: 1`"),)


def _collect(roots: Sequence[MappingNode]) -> Sections:
    """The blocks of the main file, then of each included one. A name may be used once, whatever the file."""
    sections = Sections()
    keys = (key for root in roots for key in root.entries if key not in MainFile.model_fields)
    sections.unsure = any(suggest(key, SECTIONS) for key in keys)
    for root in roots[1:]:
        sections.complaints.extend(_foreign_keys(root))
    sources: dict[str, Block] = {}
    queries: dict[str, Block] = {}  # queries and topics share their names: @name means one thing
    entities: dict[str, Block] = {}
    receivers: dict[str, Block] = {}
    listed: list[tuple[int, Node]] = []
    for root in roots:
        node = root.get("feeds")
        if isinstance(node, SequenceNode):
            listed.extend(enumerate(node.items))
        else:
            sections.feeds += _named("feeds", root, sources, sections)
        sections.pages += _named("pages", root, sources, sections)
        sections.mailboxes += _named("mailboxes", root, sources, sections)
        sections.folders += _named("folders", root, sources, sections)
        sections.queries += _named("queries", root, queries, sections)
        sections.entities += _named("entities", root, entities, sections)
        sections.topics += _named("topics", root, queries, sections)
        sections.receivers += _named("receivers", root, receivers, sections)
        sections.routes += _routes(root, sections.complaints)
    by_host: dict[str, list[str]] = {}
    for index, item in listed:
        stem = _stem(item)
        block = Block(_derived_name(stem, sources), f"feeds[{index}]", item.mark, item)
        sources[block.name] = block
        sections.feeds.append(block)
        by_host.setdefault(stem, []).append(block.name)
    sections.moving = frozenset(name for names in by_host.values() if len(names) > 1 for name in names)
    return sections


def _foreign_keys(root: MappingNode) -> Iterator[Complaint]:
    """Complaints about keys that may not stand in an included file."""
    for key, entry in root.entries.items():
        if key in SECTIONS:
            continue
        if key not in MainFile.model_fields:
            yield entry.mark.complaint(shown(key), unknown_key(key, SECTIONS))
        elif key != "version":
            yield entry.mark.complaint(key, "this key belongs in the main file; move it there")
        elif not isinstance(entry.node, ScalarNode) or entry.node.value != 1:
            yield entry.place.complaint(key, "must be 1")


def _named(section: str, root: MappingNode, known: dict[str, Block], sections: Sections) -> list[Block]:
    """The blocks of one section of one file whose names are new; they are added to `known`, which all files share."""
    node, complaints = root.get(section), sections.complaints
    if node is None:
        return []
    if not isinstance(node, MappingNode):
        sections.unsure = True
        problem = "this is not a mapping; write a name for each, a colon, and what it is"
        complaints.append(root.entries[section].place.complaint(section, problem))
        return []
    blocks = []
    for name, entry in node.entries.items():
        block = Block(name, f"{section}.{shown(name)}", entry.mark, entry.node)
        if not NAME.fullmatch(name):
            complaints.append(entry.mark.complaint(block.path, NAME_RULE))
        elif name in known:
            complaints.append(entry.mark.defined_twice(name, block.path, known[name].mark))
            continue
        known[name] = block
        blocks.append(block)
    return blocks


def _routes(root: MappingNode, complaints: list[Complaint]) -> list[Block]:
    node = root.get("routes")
    if node is None:
        return []
    if not isinstance(node, SequenceNode):
        place = root.entries["routes"].place
        complaints.append(place.complaint("routes", "this is not a list; begin each route with '- '"))
        return []
    return [Block("", f"routes[{index}]", item.mark, item) for index, item in enumerate(node.items)]


def _stem(item: Node) -> str:
    url = item.get("url") if isinstance(item, MappingNode) else item
    return host_stem(url.text if isinstance(url, ScalarNode) else "")


def _derived_name(stem: str, taken: Collection[str]) -> str:
    """A name for a feed without one: `https://www.rfi.fr/…` is `rfi-fr`, the next from there `rfi-fr-2`."""
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


@dataclass(frozen=True, slots=True)
class Lists:
    """The files that `feeds_from` names. With complaints it is unknown which feeds there are."""

    files: tuple[FeedList, ...]
    complaints: tuple[Complaint, ...]
    warnings: tuple[Complaint, ...]
    directories: tuple[Path, ...] = ()


def read_lists(main: Path, root: MappingNode) -> Lists:
    """Reads the lists of feeds that `root`, the main file, names. A file counts once."""
    files: dict[str, FeedList] = {}
    complaints: list[Complaint] = []
    warnings: list[Complaint] = []
    directories: dict[Path, None] = {}
    for index, path, entry in list_entries(root):
        opml = entry.get("opml")
        if not isinstance(opml, ScalarNode) or not isinstance(opml.value, str) or not opml.value:
            continue  # the model of the main file complains
        directories |= dict.fromkeys(_watched_directory(main, opml.value))
        contents, problem = _read_list(main, opml.value)
        if problem:
            complaints.append(opml.mark.complaint(f"{path}.opml", problem))
        for name, data in contents:
            if name not in files:
                outlines, found = read_opml(data, name)
                complaints += [each for each in found if each.severity == "error"]
                warnings += [each for each in found if each.severity != "error"]
                files[name] = FeedList(index, name, outlines)
    return Lists(tuple(files.values()), tuple(complaints), tuple(warnings), tuple(directories))


def list_entries(root: MappingNode) -> Iterator[tuple[int, str, MappingNode]]:
    """The entries of `feeds_from`, a list or a single one: each with its number and its path."""
    node = root.get("feeds_from")
    if isinstance(node, MappingNode):
        yield 0, "feeds_from", node
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            if isinstance(item, MappingNode):
                yield index, f"feeds_from[{index}]", item


def _read_list(main: Path, pattern: str) -> tuple[list[tuple[str, bytes]], str]:
    """Name and content of the files that `pattern` names, and what is wrong. Content ends above opml.MAX_BYTES."""
    paths, problem = _matches(main, pattern)
    contents = []
    for path in paths:
        try:
            with path.open("rb") as file:
                contents.append((str(path), file.read(MAX_LIST_BYTES + 1)))
        except OSError as error:
            return [], f"{path} cannot be read: {error.strerror}"
    return contents, problem or ("" if contents else "no file matches this pattern")
