"""The operator's YAML becomes a Plan, or every complaint about it at once.

Which kinds of source and receiver there are, the caller says: plan imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from watchpost.errors import Complaint, ConfigError
from watchpost.model import Route, Topic
from watchpost.plan.complaints import Block, choice, translate
from watchpost.plan.door import access_of
from watchpost.plan.fields import Options
from watchpost.plan.files import read_files
from watchpost.plan.fingerprint import fingerprint
from watchpost.plan.hush import quiet_of, silence_of
from watchpost.plan.listing import Lists, read_lists
from watchpost.plan.lists import few, gather
from watchpost.plan.plan import Limits, Part, Plan, Retention, Written
from watchpost.plan.positions import Mapping as Tree
from watchpost.plan.positions import Scalar, is_null, plain
from watchpost.plan.routes import dangling, doubts, route_of
from watchpost.plan.schema import SECTIONS, Frame, RouteOptions, TopicOptions
from watchpost.plan.sections import Sections, collect
from watchpost.plan.topics import check_query, compile_topic, query_texts

Progress = Callable[[int, int], None]
Model = TypeVar("Model", bound=Options)


def load(
    path: Path,
    *,
    sources: Mapping[str, type[Options]],
    receivers: Mapping[str, type[Options]],
    env: Mapping[str, str],
    progress: Progress = lambda done, total: None,
) -> Plan:
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
    written = Written(
        frame,
        {block.name: block.node.text for block in sections.queries if isinstance(block.node, Scalar)},
        reader.topic_options,
        tuple(options for _, options in routes),
        read,
    )
    if not parts:
        warnings.append(files.main.mark.complaint("", "no feeds and no folders: nothing is watched", "warning"))
    return _plan(
        frame,
        parts,
        told,
        tuple(topic for _, topic in topics),
        tuple(route for _, route in routed),
        written,
        tuple(sorted(dict.fromkeys(warnings), key=order)),
    )


def _plan(
    frame: Frame,
    sources: tuple[Part, ...],
    receivers: tuple[Part, ...],
    topics: tuple[Topic, ...],
    routes: tuple[Route, ...],
    written: Written,
    warnings: tuple[Complaint, ...],
) -> Plan:
    return Plan(
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

    def frame(self, root: Tree) -> Frame | None:
        """Everything but the five sections. A key without a value is as good as absent."""
        values = {
            key: plain(entry.node)
            for key, entry in root.entries.items()
            if key not in SECTIONS and not (key in Frame.model_fields and is_null(entry.node))
        }
        return self._options(Block("", "", root.mark, root), Frame, values)

    def sources(self, sections: Sections, root: Tree, kinds: Mapping[str, type[Options]]) -> Iterator[Part]:
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

    def _feed_defaults(self, root: Tree, model: type[Options], aloud: bool = True) -> Block | None:
        above = root.get("defaults")
        entry = above.entries.get("feed") if isinstance(above, Tree) else None
        if entry is None or not isinstance(entry.node, Tree):
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
            if place is not None and isinstance(place.node, Tree) and "every" in place.node.entries:
                mark = place.node.entries["every"].place
                problem = "more often than once a minute: some servers will refuse this"
                self.warnings.append(mark.complaint(f"{place.path}.every", problem, "warning"))
                return

    def listed(self, lists: Lists, parts: Sequence[Part], root: Tree, model: type[Options]) -> Iterator[Part]:
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
                block = Block(feed.name, f"'{outline.title}'", outline.mark, Scalar(outline.mark, outline.url))
                wrong = (
                    replace(one, problem=f"{one.problem}: left out", severity="warning")
                    for one in translate(error, block, model)
                )
                doubts.extend(wrong)
                continue
            changes = {key: getattr(own, key) for key in own.model_fields_set}
            yield Part(feed.name, "feed", templates[feed.entry].model_copy(update=changes))
        self.warnings.extend(few(doubts))

    def receivers(self, sections: Sections, kinds: Mapping[str, type[Options]]) -> Iterator[Part]:
        for block in sections.receivers:
            if not isinstance(block.node, Tree):
                self._complain(block, "a mapping is needed, with at least a type")
                continue
            kind = block.node.get("type")
            if kind is None:
                self._complain(block, f"the key 'type' is missing: one of {', '.join(sorted(kinds))}")
            elif not isinstance(kind, Scalar) or kind.text not in kinds:
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
        if isinstance(block.node, Tree):
            values: dict[str, Any] = plain(block.node)
            return values
        if isinstance(block.node, Scalar) and not is_null(block.node):
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
            self.complaints.extend(translate(error, block, model, inherited, partial))
            return None

    def _complain(self, block: Block, problem: str) -> None:
        self.complaints.append(block.place.complaint(block.path, problem))
