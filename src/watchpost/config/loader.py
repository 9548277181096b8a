"""The operator's YAML becomes a Plan, or every complaint about it at once.

Which kinds of source and receiver there are, the caller says: plan imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from watchpost.config.config import Config, ConfigBlocks, Limits, Part, Retention, fingerprint
from watchpost.config.errors import Block, choice, complaints_of, shown, suggest
from watchpost.config.fields import Options
from watchpost.config.format import renewed
from watchpost.config.opml import MAX_BYTES as LIST_BYTES
from watchpost.config.opml import NAME, NAME_RULE, FeedList, few, gather, host_stem, read_opml
from watchpost.config.routes import check_query, compile_topic, dangling, doubts, query_texts, route_of
from watchpost.config.schema import (
    SECTIONS,
    FeedsFrom,
    Frame,
    RouteOptions,
    TopicOptions,
    access_of,
    quiet_of,
    silence_of,
)
from watchpost.config.yaml_reader import MappingNode, Mark, Node, ScalarNode, SequenceNode, is_null, plain, read_yaml
from watchpost.errors import Complaint, ConfigError
from watchpost.model import Route, Topic

# The named blocks of all files together: feeds, folders, queries, topics, receivers; and the routes.


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


def collect(main: MappingNode, included: Sequence[MappingNode]) -> Sections:
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
        if isinstance(node, SequenceNode):
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


def _foreign_keys(root: MappingNode) -> list[Complaint]:
    found = []
    for key, entry in root.entries.items():
        if key in SECTIONS:
            continue
        if key not in Frame.model_fields:
            found.append(entry.mark.complaint(shown(key), f"unknown key{suggest(key, SECTIONS)}"))
        elif key != "version":
            found.append(entry.mark.complaint(key, "belongs in the main file, not in an included one"))
        elif not isinstance(entry.node, ScalarNode) or entry.node.value != 1:
            found.append(entry.place.complaint(key, "must be 1"))
    return found


def _named(section: str, root: MappingNode, known: dict[str, Block], sections: Sections) -> list[Block]:
    """The blocks of one section of one file whose names are new; `known` (shared by all files) learns them."""
    node, complaints = root.get(section), sections.complaints
    if node is None:
        return []
    if not isinstance(node, MappingNode):
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


def _routes(root: MappingNode, complaints: list[Complaint]) -> list[Block]:
    node = root.get("routes")
    if node is None:
        return []
    if not isinstance(node, SequenceNode):
        place = root.entries["routes"].place
        complaints.append(place.complaint("routes", "a list is needed: each route begins with '- '"))
        return []
    return [Block("", f"routes[{index}]", item.mark, item) for index, item in enumerate(node.items)]


def _derived_name(item: Node, taken: Collection[str]) -> str:
    """A name for a feed without one: `https://www.rfi.fr/…` is `rfi-fr`, the next from there `rfi-fr-2`."""
    url = item.get("url") if isinstance(item, MappingNode) else item
    stem = host_stem(url.text if isinstance(url, ScalarNode) else "")
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


# The door to the disk: the configuration file, the files that it includes, and the lists of feeds that it names.


MAX_BYTES = 1024 * 1024

_WILD = "*?["


@dataclass(frozen=True, slots=True)
class Files:
    """The main file and what it includes, in order; `names` are all files as complaints call them.

    `complete` is False if one of them could not be read: then it is unknown which names exist. `directories` are those
    in which a pattern may find more files tomorrow; `warnings` are about keys of earlier versions.
    """

    main: MappingNode
    included: tuple[MappingNode, ...]
    names: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    complete: bool
    directories: tuple[Path, ...] = ()
    warnings: tuple[Complaint, ...] = ()


def read_files(path: Path) -> Files:
    """Reads `path` and its includes. Never raises: what is wrong with a file is a complaint."""
    main, complaints = _read(path)
    found = list(complaints)
    complete = main is not None
    root, warnings = renewed(main or MappingNode(Mark(str(path)), {}))
    doubts = list(warnings)
    directories: dict[Path, None] = {}
    included: dict[Path, MappingNode] = {}
    names = [str(path)]
    for pattern in _patterns(root):
        paths, problem = _matches(path, str(pattern.value))
        directories |= dict.fromkeys(watched_directory(path, str(pattern.value)))
        if problem:
            found.append(pattern.mark.complaint("include", problem))
        for one in paths:
            if str(one) in names or one.resolve() == path.resolve():
                continue  # matched by two patterns, or the main file itself
            names.append(str(one))
            tree, complaints = _read(one)
            found.extend(complaints)
            if tree is None:
                complete = False
            else:
                included[one], warnings = renewed(tree)
                doubts.extend(warnings)
    trees = tuple(included.values())
    return Files(root, trees, tuple(names), tuple(found), complete, tuple(directories), tuple(doubts))


def watched_directory(main: Path, pattern: str) -> tuple[Path, ...]:
    """The directory in which another file may come to match `pattern`; none for the name of one file."""
    plain = list(takewhile(lambda part: not any(character in part for character in _WILD), Path(pattern).parts))
    return () if len(plain) == len(Path(pattern).parts) else (main.parent.joinpath(*plain),)


def read_list(main: Path, pattern: str) -> tuple[tuple[tuple[str, bytes], ...], str]:
    """Name and content of the files that `pattern` names, and what is wrong: "no such file", "cannot be read: …".

    A relative pattern counts from the directory of `main`. Content ends after opml.MAX_BYTES + 1 bytes.
    """
    paths, problem = _matches(main, pattern)
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append((str(path), file.read(LIST_BYTES + 1)))
        except OSError as error:
            return (), f"{path} cannot be read: {error.strerror}"
    return tuple(found), problem or ("" if found else "no file matches")


def _patterns(root: MappingNode) -> Iterator[ScalarNode]:
    node = root.get("include")
    nodes: tuple[Node, ...] = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    return (one for one in nodes if isinstance(one, ScalarNode) and isinstance(one.value, str))


def _matches(main: Path, pattern: str) -> tuple[list[Path], str]:
    given = Path(pattern)
    base, relative = (Path(given.anchor), given.relative_to(given.anchor)) if given.anchor else (main.parent, given)
    try:
        paths = sorted(base.glob(str(relative)))
    except (ValueError, NotImplementedError, OSError):
        return [], "not a pattern for files"
    if not any(character in pattern for character in _WILD):
        return (paths, "") if paths else ([], "no such file")
    # Editors leave hidden twins beside the files they edit.
    return [path for path in paths if path.is_file() and (not path.name.startswith(".") or given.name[0] == ".")], ""


def _read(path: Path) -> tuple[MappingNode | None, tuple[Complaint, ...]]:
    """The root mapping of one file. A file without content is an empty mapping."""
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
    if tree is None or (isinstance(tree, ScalarNode) and tree.value is None):
        return MappingNode(Mark(str(path)), {}), ()
    return None, (tree.mark.complaint("", "a configuration is a mapping: lines like `version: 1`"),)


# The lists of feeds that a configuration names: found, read, and what is wrong with them said at its place.


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


def read_lists(main: Path, root: MappingNode, entries: Sequence[FeedsFrom]) -> Lists:
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


def _told(root: MappingNode, index: int, key: str, problem: str, severity: str = "error") -> Complaint:
    """A complaint about one key of an entry, which stands in a list or is the only one."""
    node, path = root.get("feeds_from"), f"feeds_from.{key}"
    if isinstance(node, SequenceNode):
        node, path = node.items[index], f"feeds_from[{index}].{key}"
    place = node.entries[key].place if isinstance(node, MappingNode) and key in node.entries else root.mark
    return place.complaint(path, problem, severity)


Progress = Callable[[int, int], None]
Model = TypeVar("Model", bound=Options)


def load(
    path: Path,
    *,
    sources: Mapping[str, type[Options]],
    receivers: Mapping[str, type[Options]],
    env: Mapping[str, str],
    progress: Progress = lambda done, total: None,
) -> Config:
    """Reads the configuration file at `path`, what it includes, and the lists of feeds that it names.

    `sources` ("feed", "folder") and `receivers` map the name of a kind to its options; `env` is
    where secrets are looked up. Relative paths start at the directory of `path`. Opens no socket. `progress` is told
    now and then how many feeds of how many have been checked.
    Raises ConfigError with every mistake of all files, in file order.
    """
    files = read_files(path)
    sections = collect(files.main, files.included)
    opened: set[Path] = set()
    context = {"env": env, "base": path.parent, "opened": opened}
    reader = _Reader(context, list(sections.complaints), progress)
    frame = reader.frame(files.main) if files.complete or files.main.entries else None
    parts = tuple(reader.sources(sections, files.main, sources))
    lists = read_lists(path, files.main, () if frame is None else frame.feeds_from)
    reader.complaints.extend(lists.complaints)
    parts += tuple(reader.listed(lists, parts, files.main, sources["feed"]))
    told, topics = tuple(reader.receivers(sections, receivers)), tuple(reader.topics(sections))
    routes = tuple(reader.routes(sections))
    listed = lists.complete and (frame is not None or files.main.get("feeds_from") is None)
    if files.complete and listed and not sections.unsure:  # otherwise the name may well stand in what was not read
        names = [{block.name for block in blocks} for blocks in (sections.receivers, sections.topics)]
        origins = {block.name for block in (*sections.feeds, *sections.folders)} | {part.name for part in parts}
        reader.complaints.extend(dangling(sections.routes, files.main, names[0], names[1], origins))

    places = {name: index for index, name in enumerate(dict.fromkeys((*files.names, *lists.names)))}
    read = tuple(dict.fromkeys((*map(Path, places), *files.directories, *lists.directories, *sorted(opened))))

    def order(complaint: Complaint) -> tuple[int, int, int]:
        return places[complaint.file], complaint.line, complaint.column

    if files.complaints or reader.complaints or frame is None:
        told_of = {(one.file, one.line, one.column) for one in files.complaints}
        rest = [one for one in reader.complaints if (one.file, one.line, one.column) not in told_of]
        raise ConfigError(tuple(sorted(dict.fromkeys([*files.complaints, *rest]), key=order)), read)
    routed = tuple((block, route_of(options, frame.timezone)) for block, options in routes)
    told_of_topics = [one for one in sections.receivers if one.name != frame.ops]
    warnings = [*files.warnings, *reader.warnings, *doubts(routed, topics, told_of_topics)]
    written = ConfigBlocks(
        frame,
        {block.name: block.node.text for block in sections.queries if isinstance(block.node, ScalarNode)},
        reader.topic_options,
        tuple(options for _, options in routes),
        read,
    )
    if not parts:
        warnings.append(files.main.mark.complaint("", "no feeds and no folders: nothing is watched", "warning"))
    return _config(
        frame,
        parts,
        told,
        tuple(topic for _, topic in topics),
        tuple(route for _, route in routed),
        written,
        tuple(sorted(dict.fromkeys(warnings), key=order)),
    )


def _config(
    frame: Frame,
    sources: tuple[Part, ...],
    receivers: tuple[Part, ...],
    topics: tuple[Topic, ...],
    routes: tuple[Route, ...],
    written: ConfigBlocks,
    warnings: tuple[Complaint, ...],
) -> Config:
    return Config(
        timezone=frame.timezone,
        language=frame.language,
        public_url=frame.public_url,
        install=urlsplit(frame.public_url).hostname or "watchpost",
        sources=sources,
        topics=topics,
        receivers=receivers,
        routes=routes,
        limits=Limits(**frame.limits.model_dump()),
        retention=Retention(**frame.retention.model_dump()),
        listen=frame.http.listen,
        redis_prefix=f"{{{frame.redis.prefix.rstrip(':')}}}:",  # the braces keep all keys on one cluster slot
        log_format=frame.log.format,
        log_level=frame.log.level,
        fingerprint=fingerprint(frame, sources, receivers, topics, routes),
        written=written,
        warnings=warnings,
        ops=frame.ops,
        watch=frame.reload.watch,
        quiet_hours=tuple(quiet_of(options, frame.timezone) for options in frame.quiet_hours),
        silences=tuple(silence_of(options, frame.timezone) for options in frame.silences),
        access=access_of(frame.http, frame.public_url),
        heartbeat=frame.heartbeat,
    )


class _Reader:
    """Checks blocks against their models and remembers everything that is wrong with them."""

    def __init__(self, context: dict[str, Any], complaints: list[Complaint], progress: Progress) -> None:
        self.complaints = complaints
        self._progress = progress
        self.warnings: list[Complaint] = []
        self.topic_options: dict[str, Options] = {}
        self._context = context

    def frame(self, root: MappingNode) -> Frame | None:
        """Everything but the five sections. A key without a value is as good as absent."""
        values = {
            key: plain(entry.node)
            for key, entry in root.entries.items()
            if key not in SECTIONS and not (key in Frame.model_fields and is_null(entry.node))
        }
        return self._options(Block("", "", root.mark, root), Frame, values)

    def sources(self, sections: Sections, root: MappingNode, kinds: Mapping[str, type[Options]]) -> Iterator[Part]:
        defaults = self._feed_defaults(root, kinds["feed"])
        inherited = plain(defaults.node) if defaults is not None else {}
        for kind, key, blocks in (("feed", "url", sections.feeds), ("folder", "path", sections.folders)):
            for block in blocks:
                if kind == "folder":
                    inherited, defaults = {}, None
                own = self._shorthand(block, key)
                if own is None:
                    continue
                left = inherited.keys() - own.keys()
                options = self._options(block, kinds[kind], inherited | own, left)
                if options is None:
                    continue
                yield Part(block.name, kind, options)
                if kind == "feed":
                    self._warn_if_hasty(block, defaults, options)

    def _feed_defaults(self, root: MappingNode, model: type[Options], aloud: bool = True) -> Block | None:
        above = root.get("defaults")
        entry = above.entries.get("feed") if isinstance(above, MappingNode) else None
        if entry is None or not isinstance(entry.node, MappingNode):
            return None  # absent, or wrong and said by frame
        block = Block("", "defaults.feed", entry.mark, entry.node)
        if aloud:
            self._options(block, model, plain(block.node), partial=True)
        return block

    def _warn_if_hasty(self, block: Block, defaults: Block | None, options: Options) -> None:
        every = getattr(options, "every", None)
        if not isinstance(every, timedelta) or every >= timedelta(minutes=1):
            return
        for place in (block, defaults):
            if place is not None and isinstance(place.node, MappingNode) and "every" in place.node.entries:
                mark = place.node.entries["every"].place
                problem = "more often than once a minute: some servers will refuse this"
                self.warnings.append(mark.complaint(f"{place.path}.every", problem, "warning"))
                return

    def listed(self, lists: Lists, parts: Sequence[Part], root: MappingNode, model: type[Options]) -> Iterator[Part]:
        """The feeds of lists as parts. What is wrong with one is a warning: a list is often somebody else's work."""
        defaults = self._feed_defaults(root, model, aloud=False)
        inherited = plain(defaults.node) if defaults is not None else {}
        try:
            templates = [
                model.model_validate(inherited | {"url": "http://example.org/"} | own, context=self._context)
                for own in lists.defaults
            ]
        except ValidationError:
            return  # the defaults are wrong, which has been said
        addresses = {url: part.name for part in parts if isinstance(url := getattr(part.options, "url", None), str)}
        feeds, notices = gather(lists.lists, addresses, {part.name for part in parts})
        doubts = [*lists.warnings, *notices]
        for number, feed in enumerate(feeds):
            if number % 100 == 0:
                self._progress(number, len(feeds))
            outline = feed.outline
            values = {"url": outline.url, "tags": outline.tags, "lang": outline.lang}
            try:  # what all feeds of a list share was checked once, in its template
                own = model.model_validate({key: value for key, value in values.items() if value})
            except ValidationError as error:
                block = Block(feed.name, f"'{outline.title}'", outline.mark, ScalarNode(outline.mark, outline.url))
                wrong = (
                    replace(one, problem=f"{one.problem}: left out", severity="warning")
                    for one in complaints_of(error, block, model)
                )
                doubts.extend(wrong)
                continue
            changes = {key: getattr(own, key) for key in own.model_fields_set}
            yield Part(feed.name, "feed", templates[feed.entry].model_copy(update=changes))
        self.warnings.extend(few(doubts))

    def receivers(self, sections: Sections, kinds: Mapping[str, type[Options]]) -> Iterator[Part]:
        for block in sections.receivers:
            if not isinstance(block.node, MappingNode):
                self._complain(block, "a mapping is needed, with at least a type")
                continue
            kind = block.node.get("type")
            if kind is None:
                self._complain(block, f"the key 'type' is missing: one of {', '.join(sorted(kinds))}")
            elif not isinstance(kind, ScalarNode) or kind.text not in kinds:
                mark = block.node.entries["type"].place
                self.complaints.append(mark.complaint(f"{block.path}.type", choice(kind, sorted(kinds))))
            else:
                values = {key: value for key, value in plain(block.node).items() if key != "type"}
                options = self._options(block, kinds[kind.text], values)
                if options is not None:
                    yield Part(block.name, kind.text, options)

    def topics(self, sections: Sections) -> Iterator[tuple[Block, Topic]]:
        names = query_texts(sections.queries, sections.topics)
        for block in sections.queries:
            self.complaints.extend(check_query(block, names))
        for block in sections.topics:
            values = self._shorthand(block, "query")
            options = None if values is None else self._options(block, TopicOptions, values)
            if options is not None:
                topic, complaints = compile_topic(block, options, names)
                self.complaints.extend(complaints)
                if topic is not None:
                    self.topic_options[block.name] = options
                    yield block, topic

    def routes(self, sections: Sections) -> Iterator[tuple[Block, RouteOptions]]:
        for block in sections.routes:
            options = self._options(block, RouteOptions, plain(block.node))
            if options is not None:
                yield block, options

    def _shorthand(self, block: Block, key: str) -> dict[str, Any] | None:
        """The block's keys; a bare text is what stands under `key`."""
        if isinstance(block.node, MappingNode):
            values: dict[str, Any] = plain(block.node)
            return values
        if isinstance(block.node, ScalarNode) and not is_null(block.node):
            return {key: block.node.value}
        self._complain(block, f"a {key} or a mapping is needed")
        return None

    def _options(
        self,
        block: Block,
        model: type[Model],
        values: Any,
        inherited: Collection[str] = (),
        partial: bool = False,
    ) -> Model | None:
        try:
            return model.model_validate(values, context=self._context)
        except ValidationError as error:
            self.complaints.extend(complaints_of(error, block, model, inherited, partial))
            return None

    def _complain(self, block: Block, problem: str) -> None:
        self.complaints.append(block.place.complaint(block.path, problem))
