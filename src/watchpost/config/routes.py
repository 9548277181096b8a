"""Routes and topics: what their blocks become, which names nothing has, and which of them make no sense."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from watchpost.config.config import ConfigBlocks
from watchpost.config.errors import Block, suggest
from watchpost.config.schema import EntityOptions, RouteOptions, TopicOptions
from watchpost.config.yaml_reader import MappingEntry, MappingNode, Mark, Node, ScalarNode, SequenceNode, shown
from watchpost.errors import Complaint, QueryError
from watchpost.model import Escalation, Route, Topic
from watchpost.names.library import Entity
from watchpost.query.document import Document
from watchpost.query.lexer import first_comment
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence, Query
from watchpost.schedules import Cron, Daily, Every, Immediate, Schedule


def route_of(options: RouteOptions, timezone: str) -> Route:
    """The route as a value; times of day are local to `timezone`."""
    schedule: Schedule
    digest, voices = options.digest, int(options.when.voices.removeprefix(">="))
    if digest is None:
        schedule = Immediate(options.group_wait, options.group_interval, options.repeat_interval, voices)
    elif digest.every is not None:
        schedule = Every(digest.every, timezone, digest.empty, voices)
    elif digest.cron is not None:
        schedule = Cron(digest.cron, timezone, digest.empty, voices)
    else:
        schedule = Daily(digest.at or (), digest.days, timezone, digest.empty, voices)
    when, escalate = options.when, options.escalate
    return Route(
        to=tuple(dict.fromkeys(options.to)),
        schedule=schedule,
        topics=tuple(dict.fromkeys(when.topics)),
        severities=tuple(dict.fromkeys(when.severity)),
        sources=tuple(dict.fromkeys(when.sources)),
        countries=tuple(dict.fromkeys(when.country)),
        go_on=options.go_on,
        escalation=None if escalate is None else Escalation(escalate.to, escalate.after, escalate.unless),
    )


def dangling(
    routes: Sequence[Block],
    root: MappingNode,
    receivers: Collection[str],
    topics: Collection[str],
    sources: Collection[str],
) -> Iterator[Complaint]:
    """Names that nothing has: in routes, and in `ops`, quiet hours and silences of the main file, `root`.

    Looks at the file itself, so that no other mistake hides one.
    """
    yield from _missing(root, "ops", "", "receiver", {*receivers, ""})
    for path, block in _listed(root, "quiet_hours"):
        yield from _missing(block, "receivers", path, "receiver", receivers)
    for path, block in _listed(root, "silences"):
        match = block.get("match")
        if isinstance(match, MappingNode):
            yield from _missing(match, "topic", f"{path}.match", "topic", topics)
            yield from _missing(match, "source", f"{path}.match", "source", sources)
    for route in routes:
        if not isinstance(route.node, MappingNode):
            continue
        yield from _missing(route.node, "to", route.path, "receiver", receivers)
        escalate = route.node.get("escalate")
        if isinstance(escalate, MappingNode):
            yield from _missing(escalate, "to", f"{route.path}.escalate", "receiver", receivers)
        when = route.node.get("when")
        if isinstance(when, MappingNode):
            yield from _missing(when, "topics", f"{route.path}.when", "topic", topics)
            yield from _missing(when, "sources", f"{route.path}.when", "source", sources)


def moving(routes: Sequence[Block], root: MappingNode, names: Collection[str]) -> Iterator[Complaint]:
    """Warnings: routes and silences with one of these `names`, which another feed gets when the list changes."""
    places = [(f"{path}.match", "source", block.get("match")) for path, block in _listed(root, "silences")]
    places += [
        (f"{route.path}.when", "sources", route.node.get("when"))
        for route in routes
        if isinstance(route.node, MappingNode)
    ]
    for path, key, node in places:
        if isinstance(node, MappingNode):
            for place, item in _names(node, key, path):
                if isinstance(item, ScalarNode) and item.text in names:
                    problem = (
                        f"'{shown(item.text)}' is one of several feeds of its host in a list: its name depends on "
                        "their order; write these feeds with names of their own, like name: address"
                    )
                    yield _warning(item.mark, place, problem)


def _listed(root: MappingNode, section: str) -> list[tuple[str, MappingNode]]:
    node = root.get(section)
    items = enumerate(node.items) if isinstance(node, SequenceNode) else ()
    return [(f"{section}[{index}]", item) for index, item in items if isinstance(item, MappingNode)]


def _missing(node: MappingNode, key: str, path: str, what: str, known: Collection[str]) -> Iterator[Complaint]:
    """Names under `key` that are not `known`, each at its place."""
    for place, item in _names(node, key, path):
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.text not in known:
            yield item.mark.complaint(place, f"there is no {what} '{shown(item.text)}'{suggest(item.text, known)}")


def _names(node: MappingNode, key: str, path: str) -> Sequence[tuple[str, Node]]:
    """The names under `key`, one or a list of them, each with its path."""
    value = node.get(key)
    whole = f"{path}.{key}" if path else key
    if isinstance(value, SequenceNode):
        return [(f"{whole}[{index}]", item) for index, item in enumerate(value.items)]
    return () if value is None else [(whole, value)]


def doubts(
    routes: Sequence[tuple[Block, Route]],
    topics: Sequence[tuple[Block, Topic]],
    receivers: Sequence[Block],
) -> Iterator[Complaint]:
    """Warnings: routes that no hit can reach, or that keep hits from a digest; topics and receivers without a route."""
    reached: list[tuple[Block, Route]] = []
    for block, route in routes:
        earlier = next((b for b, r in reached if not r.go_on and _covers(r, route)), None)
        if earlier is None:
            reached.append((block, route))
            continue
        problem = f"no hit gets here: {earlier.path} ({earlier.mark}) takes them all; add continue: true there"
        yield _warning(block.mark, block.path, problem)
    yield from _kept_from_digests(reached, [topic for _, topic in topics])
    for block, topic in topics:
        if not any(_takes(route, topic) for _, route in reached):
            yield _warning(block.mark, block.path, "no route takes the hits of this topic; add one")
    used = {name for _, route in reached for name in route.to}
    used |= {route.escalation.to for _, route in reached if route.escalation is not None}
    for block in receivers:
        if block.name not in used:
            yield _warning(block.mark, block.path, "no route leads to this receiver; add one")


def _kept_from_digests(reached: Sequence[tuple[Block, Route]], topics: Sequence[Topic]) -> Iterator[Complaint]:
    """Warnings: routes whose alerts are missing from a later digest to one of their receivers.

    `continue: false`, written out, says that this is meant.
    """
    for index, (block, route) in enumerate(reached):
        is_said = isinstance(block.node, MappingNode) and block.node.get("continue") is not None
        if is_said or not isinstance(route.schedule, Immediate):
            continue
        for later, digest in reached[index + 1 :]:
            readers = [name for name in digest.to if name in route.to]
            if readers and not isinstance(digest.schedule, Immediate) and _meet(route, digest, topics):
                problem = (
                    f"what {readers[0]} gets here at once is missing from its digest, {later.path} ({later.mark});"
                    " add continue: true here, or continue: false if that is meant"
                )
                yield _warning(block.mark, block.path, problem)
                break


def _meet(one: Route, other: Route, topics: Sequence[Topic]) -> bool:
    """True if some hit of these topics fits both routes."""
    if one.sources and other.sources and not set(one.sources) & set(other.sources):
        return False
    return any(_takes(one, topic) and _takes(other, topic) for topic in topics)


def _takes(route: Route, topic: Topic) -> bool:
    """True if the route takes hits of the topic, at least from some sources."""
    return (not route.topics or topic.name in route.topics) and (
        not route.severities or topic.severity in route.severities
    )


def _covers(wide: Route, narrow: Route) -> bool:
    """True if every hit that `narrow` takes is taken by `wide` too, whose stories wait for no more voices."""
    if wide.schedule.voices > narrow.schedule.voices:
        return False
    return all(
        not outer or (bool(inner) and set(inner) <= set(outer))
        for outer, inner in (
            (wide.topics, narrow.topics),
            (wide.severities, narrow.severities),
            (wide.sources, narrow.sources),
            (wide.countries, narrow.countries),
        )
    )


def _warning(mark: Mark, path: str, problem: str) -> Complaint:
    return mark.complaint(path, problem, "warning")


class QueryNames(NamedTuple):
    """What queries may name: the text of each `@name`, and each `entity:name` of the configuration."""

    texts: Mapping[str, str]
    entities: Mapping[str, Entity]


def entity_of(options: EntityOptions) -> Entity:
    """The entity as a value."""
    return Entity(options.kind, "", options.names, options.aliases, options.forms, options.near, options.unless)


def query_texts(queries: Iterable[Block], topics: Iterable[Block]) -> dict[str, str]:
    """The text of each `@name`: the named queries, and the queries of the topics."""
    texts = {}
    for block in (*queries, *topics):
        node = block.node.get("query") if isinstance(block.node, MappingNode) else block.node
        if isinstance(node, ScalarNode):
            texts[block.name] = node.text
    return texts


def check_query(block: Block, names: QueryNames) -> tuple[Complaint, ...]:
    """Complaints about a named query."""
    if not isinstance(block.node, ScalarNode):
        return (block.mark.complaint(block.path, "this is not a query; write it as one text"),)
    complaints: list[Complaint] = []
    _compile(block, "query", block.node.text, names, complaints)
    return tuple(complaints)


def compile_topic(block: Block, options: TopicOptions, names: QueryNames) -> tuple[Topic | None, tuple[Complaint, ...]]:
    """The topic, or None if its queries cannot be read; and complaints about its queries and examples.

    `names` has what they may name.
    """
    complaints: list[Complaint] = []
    query = _compile(block, "query", options.query, names, complaints)
    exclude = None if options.exclude is None else _compile(block, "exclude", options.exclude, names, complaints)
    if query is None or complaints:
        return None, tuple(complaints)
    topic = Topic(
        name=block.name,
        title=options.title or block.name,
        query=query,
        exclude=exclude,
        severity=options.severity,
        languages=options.languages,
        window=options.window,
        examples=tuple(
            (entry.node.text, key == "match")
            for key in ("match", "no_match")
            for _, entry in _examples(block, key)
            if isinstance(entry.node, ScalarNode)
        ),
    )
    return topic, tuple(_failing_examples(block, topic))


def topics_of(written: Mapping[str, Any]) -> tuple[Topic, ...]:
    """The topics of a configuration as `diff.effective` writes it, like that of a service that runs elsewhere.

    Raises QueryError if this version cannot read one of its queries.
    """
    blocks: dict[str, dict[str, Any]] = written.get("topics", {})
    entities = {
        name: entity_of(EntityOptions.model_validate(block)) for name, block in written.get("entities", {}).items()
    }
    names = {**written.get("queries", {}), **{name: block["query"] for name, block in blocks.items()}}
    return tuple(
        Topic(
            name=name,
            title=block.get("title", name),
            query=parse(block["query"], names, entities),
            exclude=parse(block["exclude"], names, entities) if "exclude" in block else None,
            severity=block.get("severity", "normal"),
            languages=tuple(block.get("languages", ())),
        )
        for name, block in blocks.items()
    )


def parsed(text: str, written: ConfigBlocks, unless: Mapping[str, tuple[str, ...]] | None = None) -> Query:
    """A query that may use what the configuration names: `@name` and `entity:NAME`. Raises QueryError.

    `unless` has names that entities get besides, in their `unless`.
    """
    names = {**written.queries, **{name: topic.query for name, topic in written.topics.items()}}
    entities = {name: entity_of(options) for name, options in written.entities.items()}
    for name, more in (unless or {}).items():
        entities[name] = entities[name]._replace(unless=(*entities[name].unless, *more))
    return parse(text, names, entities)


def _compile(block: Block, key: str, text: str, names: QueryNames, complaints: list[Complaint]) -> Query | None:
    node, path = block.node, block.path
    if isinstance(node, MappingNode):
        node, path = node.entries[key].node, f"{path}.{key}"
    comment = first_comment(text)
    if comment is not None and isinstance(node, ScalarNode) and _is_folded(node):
        problem = "this comment would end the query, because this text has no lines; write it with | instead"
        complaints.append(node.at(comment).complaint(path, problem))
        return None
    try:
        return parse(text, names.texts, names.entities)
    except QueryError as error:
        place = node.at(error.column - 1) if isinstance(node, ScalarNode) else block.mark
        cure = f"; {error.cure}" if error.cure else ""
        complaints.append(place.complaint(path, error.problem + cure))
        return None


def _is_folded(node: ScalarNode) -> bool:
    """Whether a text of several lines in the file is of one line when it is read."""
    return node.written[:1] == ">" and "\n" not in node.text.strip()


def _failing_examples(block: Block, topic: Topic) -> Iterator[Complaint]:
    for key in ("match", "no_match"):
        for path, entry in _examples(block, key):
            if not isinstance(entry.node, ScalarNode):
                continue
            document = Document.of({"body": entry.node.text})
            evidence = topic.query.evaluate(document)
            excluded = None if topic.exclude is None else topic.exclude.evaluate(document)
            if key == "match" and evidence is None:
                yield entry.place.complaint(path, "this text should match, but does not; change the query or the text")
            elif key == "match" and excluded is not None:
                yield entry.place.complaint(path, f"this text should match, but exclude matches it{_why(excluded)}")
            elif key == "no_match" and evidence is not None and excluded is None:
                yield entry.place.complaint(path, f"this text should not match, but does{_why(evidence)}")


def _why(evidence: tuple[Evidence, ...]) -> str:
    clause = evidence[0].clause if evidence else ""
    return f": {clause}" if clause else ""


def _examples(block: Block, key: str) -> Iterator[tuple[str, MappingEntry]]:
    examples = block.node.get("examples") if isinstance(block.node, MappingNode) else None
    node: Node | None = examples.get(key) if isinstance(examples, MappingNode) else None
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield f"{block.path}.examples.{key}[{index}]", MappingEntry(item.mark, item)
    elif node is not None:
        yield f"{block.path}.examples.{key}", MappingEntry(node.mark, node)
