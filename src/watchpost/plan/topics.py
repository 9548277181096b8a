"""Named queries, and a topic's block as a Topic: its queries compiled, its own examples run."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator

from watchpost.errors import Complaint, QueryError
from watchpost.model import Topic
from watchpost.plan.complaints import Block
from watchpost.plan.positions import Entry, Mapping, Node, Scalar, Sequence
from watchpost.plan.schema import TopicOptions
from watchpost.query.parser import parse
from watchpost.query.text import Document
from watchpost.query.tree import Evidence, Query


def query_texts(queries: Iterable[Block], topics: Iterable[Block]) -> dict[str, str]:
    """What `@name` may stand for in a query: each named query, and each topic's query."""
    texts = {}
    for block in (*queries, *topics):
        node = block.node.get("query") if isinstance(block.node, Mapping) else block.node
        if isinstance(node, Scalar):
            texts[block.name] = node.text
    return texts


def check_query(block: Block, names: typing.Mapping[str, str]) -> tuple[Complaint, ...]:
    """Why a named query cannot be read."""
    if not isinstance(block.node, Scalar):
        return (block.mark.complaint(block.path, "a query is needed: one text"),)
    complaints: list[Complaint] = []
    _compile(block, "query", block.node.text, names, complaints)
    return tuple(complaints)


def compile_topic(
    block: Block, options: TopicOptions, names: typing.Mapping[str, str]
) -> tuple[Topic | None, tuple[Complaint, ...]]:
    """The topic, or None and why its queries cannot be read. A failing example is a complaint too.

    `names` are the texts that `@name` stands for.
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
            if isinstance(entry.node, Scalar)
        ),
    )
    return topic, tuple(_failing_examples(block, topic))


def topics_of(shown: typing.Mapping[str, typing.Any]) -> tuple[Topic, ...]:
    """The topics of a configuration that was written out in full (effective.py): of one that runs elsewhere.

    Raises QueryError if one of them was written by a version whose queries this one cannot read.
    """
    blocks: dict[str, dict[str, typing.Any]] = shown.get("topics", {})
    names = {**shown.get("queries", {}), **{name: block["query"] for name, block in blocks.items()}}
    return tuple(
        Topic(
            name=name,
            title=block.get("title", name),
            query=parse(block["query"], names),
            exclude=parse(block["exclude"], names) if "exclude" in block else None,
            severity=block.get("severity", "normal"),
            languages=tuple(block.get("languages", ())),
        )
        for name, block in blocks.items()
    )


def _compile(
    block: Block, key: str, text: str, names: typing.Mapping[str, str], complaints: list[Complaint]
) -> Query | None:
    try:
        return parse(text, names)
    except QueryError as error:
        node, path = block.node, block.path
        if isinstance(node, Mapping):
            node, path = node.entries[key].node, f"{path}.{key}"
        place = node.at(error.column - 1) if isinstance(node, Scalar) else block.mark
        cure = f"; {error.cure}" if error.cure else ""
        complaints.append(place.complaint(path, error.problem + cure))
        return None


def _failing_examples(block: Block, topic: Topic) -> Iterator[Complaint]:
    for key in ("match", "no_match"):
        for path, entry in _examples(block, key):
            if not isinstance(entry.node, Scalar):
                continue
            document = Document.of({"body": entry.node.text})
            evidence = topic.query.evaluate(document)
            excluded = None if topic.exclude is None else topic.exclude.evaluate(document)
            if key == "match" and evidence is None:
                yield entry.place.complaint(path, "this text should match, but the query finds nothing")
            elif key == "match" and excluded is not None:
                yield entry.place.complaint(path, f"this text should match, but exclude takes it{_why(excluded)}")
            elif key == "no_match" and evidence is not None and excluded is None:
                yield entry.place.complaint(path, f"this text should not match, but it does{_why(evidence)}")


def _why(evidence: tuple[Evidence, ...]) -> str:
    clause = evidence[0].clause if evidence else ""
    return f": {clause}" if clause else ""


def _examples(block: Block, key: str) -> Iterator[tuple[str, Entry]]:
    examples = block.node.get("examples") if isinstance(block.node, Mapping) else None
    node: Node | None = examples.get(key) if isinstance(examples, Mapping) else None
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield f"{block.path}.examples.{key}[{index}]", Entry(item.mark, item)
    elif node is not None:
        yield f"{block.path}.examples.{key}", Entry(node.mark, node)
