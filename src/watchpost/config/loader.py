"""Loads the configuration: reads the files, validates their blocks, and builds a `Config`.

The caller names the kinds of source and receiver; this package imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from watchpost import durations
from watchpost.config.config import Config, ConfigBlocks, HttpAccess, ReceiverConfig, SourceConfig, fingerprint
from watchpost.config.errors import Block, choice, complaints_of
from watchpost.config.fields import Options, SecretRemarks
from watchpost.config.files import Files, Lists, Sections, list_entries, read_files, read_lists
from watchpost.config.hosts import busy_hosts
from watchpost.config.opml import few, gather
from watchpost.config.routes import (
    QueryNames,
    check_query,
    compile_topic,
    dangling,
    doubts,
    entity_of,
    moving,
    query_texts,
    route_of,
)
from watchpost.config.schema import (
    SECTIONS,
    SOURCE_SECTIONS,
    EntityOptions,
    MainFile,
    ReceiverDefaults,
    RouteOptions,
    TopicOptions,
    quiet_hours,
    silence,
)
from watchpost.config.yaml_reader import (
    MappingEntry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    is_null,
    plain,
    shown,
)
from watchpost.errors import Complaint, ConfigError
from watchpost.model import Topic

Progress = Callable[[int, int], None]
Model = TypeVar("Model", bound=Options)

_HASTY = timedelta(minutes=1)


def load(
    path: Path,
    *,
    sources: Mapping[str, type[Options]],
    receivers: Mapping[str, type[Options]],
    env: Mapping[str, str],
    progress: Progress = lambda done, total: None,
    secrets_needed: bool = True,
) -> Config:
    """The configuration of the file at `path`, the files that it includes, and the lists of feeds that it names.

    `sources` (the kinds of SOURCE_SECTIONS) and `receivers` map the name of a kind to the model of its options; secrets
    are looked up in `env`. Relative paths start at the directory of `path`. Opens no socket. `progress` gets the number
    of checked feeds, and of all feeds, now and then. Raises ConfigError with every mistake of all files, in file order.

    Unless `secrets_needed`, a secret that is not there is a warning, and an error only where it is revealed.
    """
    files = read_files(path)
    lists = read_lists(path, files.main)
    opened: set[Path] = set()
    blocks = _Validator(files, lists, {"env": env, "base": path.parent, "opened": opened, "absent": not secrets_needed})
    blocks.validate(sources, receivers, progress)

    names = dict.fromkeys((*files.names, *(feed_list.file for feed_list in lists.files)))
    read = tuple(dict.fromkeys((*map(Path, names), *files.directories, *lists.directories, *sorted(opened))))
    places = {name: index for index, name in enumerate(names)}

    def place(complaint: Complaint) -> tuple[int, int, int]:
        return places[complaint.file], complaint.line, complaint.column

    complaints = [*files.sections.complaints, *blocks.complaints, *lists.complaints]
    if files.complaints or complaints or blocks.main is None:
        known = {place(complaint) for complaint in files.complaints}  # what follows from them is not worth a line
        complaints = [*files.complaints, *(complaint for complaint in complaints if place(complaint) not in known)]
        raise ConfigError(tuple(sorted(dict.fromkeys(complaints), key=place)), read)
    return _build(blocks, blocks.main, read, lambda warnings: tuple(sorted(dict.fromkeys(warnings), key=place)))


class _Validator:
    """Checks each block against the model of its options, and collects complaints and warnings.

    Everything that could be checked is in the attributes, also if something else is wrong.
    """

    def __init__(self, files: Files, lists: Lists, context: dict[str, Any]) -> None:
        self.complaints: list[Complaint] = []
        self.warnings: list[Complaint] = []
        self.absent_secrets: list[Complaint] = []
        self.main: MainFile | None = None
        self.sources: list[SourceConfig] = []
        self.receivers: list[ReceiverConfig] = []
        self.entities: dict[str, EntityOptions] = {}
        self.topics: list[tuple[Block, Topic, TopicOptions]] = []
        self.routes: list[tuple[Block, RouteOptions]] = []
        self.files, self.lists = files, lists
        self._context = context

    def validate(
        self, sources: Mapping[str, type[Options]], receivers: Mapping[str, type[Options]], progress: Progress
    ) -> None:
        """Check all blocks, and then the names in routes, quiet hours and silences."""
        files, sections, root = self.files, self.files.sections, self.files.main
        if files.complete or root.entries:
            self.main = self._main_file(root)
        feed_defaults = self._feed_defaults(root, sources["feed"])
        self.sources += self._sources(sections, feed_defaults, sources)
        if self.main is not None:
            self.sources += list(self._listed(self.main, feed_defaults, sources["feed"], progress))
        self.receivers += self._receivers(sections, root, receivers)
        self.topics += self._topics(sections)
        self.routes += self._routes(sections)
        if not files.complete or self.lists.complaints or sections.unsure:
            return  # a name may well be in what could not be read
        if self.main is not None or root.get("feeds_from") is None:
            origins = {block.name for kind in SOURCE_SECTIONS for block in sections.sources(kind)}
            origins |= {source.name for source in self.sources}
            known = [{block.name for block in blocks} for blocks in (sections.receivers, sections.topics)]
            self.complaints.extend(dangling(sections.routes, root, known[0], known[1], origins))

    def _main_file(self, root: MappingNode) -> MainFile | None:
        """Everything but the sections. A key without a value counts as absent."""
        values = {
            key: plain(entry.node)
            for key, entry in root.entries.items()
            if key not in SECTIONS and not (key in MainFile.model_fields and is_null(entry.node))
        }
        for _, path, entry in list_entries(root):
            self._warn_if_hasty(path, entry)
        return self._options(Block("", "", root.mark, root), MainFile, values)

    def _feed_defaults(self, root: MappingNode, model: type[Options]) -> dict[str, Any]:
        """The values of `defaults.feed`, as they are written."""
        block = _default_block(root, "feed")
        if block is None:
            return {}
        self._options(block, model, plain(block.node), partial=True)
        self._warn_if_hasty(block.path, block.node)
        values: dict[str, Any] = plain(block.node)
        return values

    def _sources(
        self, sections: Sections, feed_defaults: Mapping[str, Any], kinds: Mapping[str, type[Options]]
    ) -> Iterator[SourceConfig]:
        """The sources of the sections."""
        for kind, (_, key) in SOURCE_SECTIONS.items():
            inherited = feed_defaults if kind == "feed" else {}
            for block in sections.sources(kind):
                own = self._with_shorthand(block, key)
                if own is None:
                    continue
                options = self._options(block, kinds[kind], {**inherited, **own}, inherited.keys() - own.keys())
                if options is None:
                    continue
                yield SourceConfig(block.name, kind, options)
                if kind in ("feed", "page"):
                    self._warn_if_hasty(block.path, block.node)

    def _listed(
        self, main: MainFile, feed_defaults: Mapping[str, Any], model: type[Options], progress: Progress
    ) -> Iterator[SourceConfig]:
        """The feeds of lists. A mistake in one is a warning: a list often comes from somebody else."""
        templates = []
        for entry in main.feeds_from:  # what all feeds of a list share is checked once
            every = {} if entry.every is None else {"every": entry.every}
            try:
                values = {**feed_defaults, "url": "http://example.org/", **every}
                templates.append(model.model_validate(values, context=self._context))
            except ValidationError:
                return  # the defaults are wrong, and a complaint says so
        addresses = {
            url: source.name for source in self.sources if isinstance(url := getattr(source.options, "url", None), str)
        }
        entries = [(feed_list, main.feeds_from[feed_list.entry]) for feed_list in self.lists.files]
        feed_lists = [replace(feed_list, prefix=entry.prefix, tags=entry.tags) for feed_list, entry in entries]
        feeds, twins = gather(feed_lists, addresses, {source.name for source in self.sources})
        warnings = [*self.lists.warnings, *twins]
        for number, feed in enumerate(feeds):
            if number % 100 == 0:
                progress(number, len(feeds))
            outline = feed.outline
            values = {"url": outline.url, "tags": outline.tags, "lang": outline.lang}
            try:
                own = model.model_validate({key: value for key, value in values.items() if value})
            except ValidationError as error:
                block = Block(feed.name, f"'{outline.title}'", outline.mark, ScalarNode(outline.mark, outline.url))
                warnings += [
                    replace(complaint, problem=f"left out: {complaint.problem}", severity="warning")
                    for complaint in complaints_of(error, block, model)
                ]
                continue
            changes = {key: getattr(own, key) for key in own.model_fields_set}
            yield SourceConfig(feed.name, "feed", templates[feed.entry].model_copy(update=changes))
        self.warnings.extend(few(warnings))

    def _receivers(
        self, sections: Sections, root: MappingNode, kinds: Mapping[str, type[Options]]
    ) -> Iterator[ReceiverConfig]:
        """The receivers, with those of the defaults that their kinds have."""
        defaults = _default_block(root, "receiver")
        inherited = {} if defaults is None else {k: v for k, v in plain(defaults.node).items() if v is not None}
        for block in sections.receivers:
            if not isinstance(block.node, MappingNode):
                self._complain(block, "this is not a mapping; write at least {type: …}")
                continue
            kind = block.node.get("type")
            if kind is None:
                self._complain(block, f"the key 'type' is missing; write one of {', '.join(sorted(kinds))}")
            elif not isinstance(kind, ScalarNode) or kind.text not in kinds:
                mark = block.node.entries["type"].place
                self.complaints.append(mark.complaint(f"{block.path}.type", choice(kind, sorted(kinds))))
            else:
                model = kinds[kind.text]
                own = {key: value for key, value in plain(block.node).items() if key != "type"}
                keys = ReceiverDefaults.model_fields.keys() & model.model_fields.keys() & inherited.keys() - own.keys()
                options = self._options(block, model, {key: inherited[key] for key in keys} | own, keys)
                if options is not None:
                    yield ReceiverConfig(block.name, kind.text, options)

    def _topics(self, sections: Sections) -> Iterator[tuple[Block, Topic, TopicOptions]]:
        """The topics with their queries compiled; named queries are checked, too."""
        for block in sections.entities:
            written = self._options(block, EntityOptions, plain(block.node)) if self._is_mapping(block) else None
            if written is not None:
                self.entities[block.name] = written
        entities = {name: entity_of(written) for name, written in self.entities.items()}
        names = QueryNames(query_texts(sections.queries, sections.topics), entities)
        for block in sections.queries:
            self.complaints.extend(check_query(block, names))
        for block in sections.topics:
            values = self._with_shorthand(block, "query")
            options = None if values is None else self._options(block, TopicOptions, values)
            if options is not None:
                topic, complaints = compile_topic(block, options, names)
                self.complaints.extend(complaints)
                if topic is not None:
                    yield block, topic, options

    def _is_mapping(self, block: Block) -> bool:
        if not isinstance(block.node, MappingNode):
            self._complain(block, "this is not a mapping; write at least {names: [a name]}")
        return isinstance(block.node, MappingNode)

    def _routes(self, sections: Sections) -> Iterator[tuple[Block, RouteOptions]]:
        """The routes, in file order."""
        for block in sections.routes:
            options = self._options(block, RouteOptions, plain(block.node))
            if options is not None:
                yield block, options

    def _with_shorthand(self, block: Block, key: str) -> dict[str, Any] | None:
        """The block's values; a bare text is the value of `key`, if there is one."""
        if isinstance(block.node, MappingNode):
            values: dict[str, Any] = plain(block.node)
            return values
        if key and isinstance(block.node, ScalarNode) and not is_null(block.node):
            return {key: block.node.value}
        self._complain(block, f"write a {key}, or a mapping" if key else "this is not a mapping; write {host: …}")
        return None

    def _options(
        self,
        block: Block,
        model: type[Model],
        values: Any,
        inherited: Collection[str] = (),
        partial: bool = False,
    ) -> Model | None:
        remarks = SecretRemarks()
        try:
            return model.model_validate(values, context=self._context | {"remarks": remarks})
        except ValidationError as error:
            self.complaints.extend(complaints_of(error, block, model, inherited, partial))
            return None
        finally:
            self.absent_secrets.extend(self._remarks(block, remarks.absent))
            self.warnings.extend(self._remarks(block, remarks.cleaned))

    def _remarks(self, block: Block, remarks: Mapping[tuple[str, str], str]) -> Iterator[Complaint]:
        """A warning at each place of the block that names a secret with a remark."""
        places = _secret_places(MappingEntry(block.mark, block.node), block.path) if remarks else ()
        for place, path, secret in places:
            if secret in remarks:
                yield place.complaint(path, remarks[secret], "warning")

    def _complain(self, block: Block, problem: str) -> None:
        self.complaints.append(block.place.complaint(block.path, problem))

    def _warn_if_hasty(self, path: str, node: Node) -> None:
        """Warns of an `every` below a minute, where it is written."""
        every = node.get("every") if isinstance(node, MappingNode) else None
        if isinstance(every, ScalarNode) and _is_below(every.text, _HASTY):
            problem = "more often than once a minute: some servers will refuse this"
            self.warnings.append(every.mark.complaint(f"{path}.every", problem, "warning"))


def _is_below(text: str, span: timedelta) -> bool:
    try:
        return durations.parse(text) < span
    except ValueError:
        return False  # the model complains


def _secret_places(entry: MappingEntry, path: str) -> Iterator[tuple[Mark, str, tuple[str, str]]]:
    """Each `{env: NAME}` and `{file: PATH}` in `entry`: its place, its path, and how it is written."""
    if isinstance(entry.node, SequenceNode):
        for index, item in enumerate(entry.node.items):
            yield from _secret_places(MappingEntry(item.mark, item), f"{path}[{index}]")
    if not isinstance(entry.node, MappingNode):
        return
    for key, inner in entry.node.entries.items():
        if len(entry.node.entries) == 1 and key in ("env", "file") and isinstance(inner.node, ScalarNode):
            yield entry.place, path, (key, inner.node.text)
        yield from _secret_places(inner, f"{path}.{shown(key)}" if path else shown(key))


def _links_without_address(
    main: MainFile, blocks: Iterable[Block], receivers: Iterable[ReceiverConfig]
) -> Iterator[Complaint]:
    """A warning for each receiver of mail whose links would have no address."""
    linking = {part.name for part in receivers if getattr(part.options, "actions", None) is not None}
    for block in blocks:
        if block.name in linking and not main.public_url:
            problem = "mails have no links that act: they need a public_url"
            yield block.place.complaint(f"{block.path}.actions", problem, "warning")


def _default_block(root: MappingNode, key: str) -> Block | None:
    """`defaults.feed` or `defaults.receiver`; None if it is absent, or no mapping, of which the model complains."""
    above = root.get("defaults")
    entry = above.entries.get(key) if isinstance(above, MappingNode) else None
    if entry is None or not isinstance(entry.node, MappingNode):
        return None
    return Block("", f"defaults.{key}", entry.mark, entry.node)


def _build(
    blocks: _Validator,
    main: MainFile,
    read: tuple[Path, ...],
    in_order: Callable[[Iterable[Complaint]], tuple[Complaint, ...]],
) -> Config:
    files, sections = blocks.files, blocks.files.sections
    sources, receivers = tuple(blocks.sources), tuple(blocks.receivers)
    topics = tuple(topic for _, topic, _ in blocks.topics)
    routes = [(block, route_of(options, main.timezone)) for block, options in blocks.routes]
    warnings = [*files.warnings, *blocks.warnings]
    used = [block for block in sections.receivers if block.name != main.ops]
    warnings += doubts(routes, [(block, topic) for block, topic, _ in blocks.topics], used)
    warnings += moving(sections.routes, files.main, sections.moving)
    if not sources:
        warnings.append(files.main.mark.complaint("", "nothing is watched: add feeds or other sources", "warning"))
    warnings += _links_without_address(main, sections.receivers, receivers)
    places = {block.name: block.place for block in sections.feeds}
    for busy in busy_hosts(sources, main.limits.host_gap, main.hosts):
        mark = places.get(busy.feeds[0], files.main.mark)
        warnings.append(mark.complaint("", f"{busy.problem}; {busy.cure}", "warning"))
    public_host = urlsplit(main.public_url).hostname or ""
    host_names = tuple(dict.fromkeys(name.lower() for name in (public_host, *main.http.names) if name))
    return Config(
        timezone=main.timezone,
        language=main.language,
        public_url=main.public_url,
        install=public_host or "watchpost",
        sources=sources,
        topics=topics,
        receivers=receivers,
        routes=tuple(route for _, route in routes),
        limits=main.limits,
        retention=main.retention,
        listen=main.http.listen,
        redis_prefix=f"{{{main.redis.prefix.rstrip(':')}}}:",  # the braces keep all keys in one cluster slot
        log_format=main.log.format,
        log_level=main.log.level,
        fingerprint=fingerprint(main, sources, receivers, topics, [route for _, route in routes], blocks.entities),
        written=ConfigBlocks(
            main,
            {block.name: block.node.text for block in sections.queries if isinstance(block.node, ScalarNode)},
            {block.name: options for block, _, options in blocks.topics},
            tuple(options for _, options in blocks.routes),
            read,
            blocks.entities,
        ),
        warnings=in_order(warnings),
        absent_secrets=in_order(blocks.absent_secrets),
        ops=main.ops,
        watch=main.reload.watch,
        quiet_hours=tuple(quiet_hours(options, main.timezone) for options in main.quiet_hours),
        silences=tuple(silence(options, main.timezone) for options in main.silences),
        access=HttpAccess(main.http.auth, host_names, main.http.metrics, main.http.probes or ""),
        heartbeat=main.heartbeat,
        hosts=main.hosts,
        archive_keep=main.archive.keep,
        events=main.events,
    )
