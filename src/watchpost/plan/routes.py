"""Routes, quiet hours, silences: what they name, what routes become, and which of them make no sense."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from watchpost.errors import Complaint
from watchpost.model import Cron, Daily, Every, Immediate, Route, Schedule, Topic
from watchpost.plan.complaints import Block, shown, suggest
from watchpost.plan.positions import Mapping, Mark, Node, Scalar
from watchpost.plan.positions import Sequence as ListNode
from watchpost.plan.schema import RouteOptions


def route_of(options: RouteOptions, timezone: str) -> Route:
    """The route as a value; its times of day are of `timezone`."""
    schedule: Schedule
    digest = options.digest
    if digest is None:
        schedule = Immediate(options.group_wait, options.group_interval, options.repeat_interval)
    elif digest.every is not None:
        schedule = Every(digest.every, timezone, digest.empty)
    elif (rule := digest.cron) is not None:
        schedule = Cron(
            rule.text, rule.minutes, rule.hours, rule.days, rule.months, rule.weekdays, timezone, digest.empty
        )
    else:
        schedule = Daily(digest.at or (), digest.days, timezone, digest.empty)
    when = options.when
    return Route(
        to=tuple(dict.fromkeys(options.to)),
        schedule=schedule,
        topics=tuple(dict.fromkeys(when.topics + when.topic)),
        severities=tuple(dict.fromkeys(when.severity)),
        sources=tuple(dict.fromkeys(when.sources + when.feeds)),
        go_on=options.go_on,
    )


def dangling(
    routes: Sequence[Block],
    root: Mapping,
    receivers: Collection[str],
    topics: Collection[str],
    sources: Collection[str],
) -> Iterator[Complaint]:
    """Names that nothing bears: in routes, and in `ops`, quiet hours and silences of the main file, `root`.

    Looks at the file itself, so that no other mistake hides one.
    """
    yield from missing(root, "ops", "", "receiver", {*receivers, ""})
    yield from _nameless(root, receivers, topics, sources)
    for block in routes:
        if not isinstance(block.node, Mapping):
            continue
        yield from missing(block.node, "to", block.path, "receiver", receivers)
        when = block.node.get("when")
        if isinstance(when, Mapping):
            path = f"{block.path}.when"
            for key in ("topics", "topic"):
                yield from missing(when, key, path, "topic", topics)
            for key in ("sources", "feeds"):
                yield from missing(when, key, path, "feed or folder", sources)


def _nameless(
    root: Mapping, receivers: Collection[str], topics: Collection[str], sources: Collection[str]
) -> Iterator[Complaint]:
    for path, node in _listed(root, "quiet_hours"):
        yield from missing(node, "receivers", path, "receiver", receivers)
    for path, node in _listed(root, "silences"):
        match = node.get("match")
        if isinstance(match, Mapping):
            yield from missing(match, "topic", f"{path}.match", "topic", topics)
            for key in ("feed", "source"):
                yield from missing(match, key, f"{path}.match", "feed or folder", sources)


def _listed(root: Mapping, section: str) -> list[tuple[str, Mapping]]:
    node = root.get(section)
    items = enumerate(node.items) if isinstance(node, ListNode) else ()
    return [(f"{section}[{index}]", item) for index, item in items if isinstance(item, Mapping)]


def missing(node: Mapping, key: str, path: str, what: str, known: Collection[str]) -> Iterator[Complaint]:
    """Names under `key` that are not `known`, each where it stands."""
    value = node.get(key)
    whole = f"{path}.{key}" if path else key
    parts: Sequence[tuple[str, Node]] = ()
    if isinstance(value, ListNode):
        parts = [(f"{whole}[{index}]", item) for index, item in enumerate(value.items)]
    elif value is not None:
        parts = [(whole, value)]
    for where, item in parts:
        if isinstance(item, Scalar) and isinstance(item.value, str) and item.text not in known:
            problem = f"no {what} '{shown(item.text)}'{suggest(item.text, known)}"
            yield item.mark.complaint(where, problem)


def doubts(
    routes: Sequence[tuple[Block, Route]],
    topics: Sequence[tuple[Block, Topic]],
    receivers: Sequence[Block],
) -> Iterator[Complaint]:
    """Warnings: routes that no hit can reach, and topics and receivers that no reachable route uses."""
    reached: list[tuple[Block, Route]] = []
    for block, route in routes:
        before = next((b for b, r in reached if not r.go_on and _covers(r, route)), None)
        if before is None:
            reached.append((block, route))
            continue
        problem = f"never reached: {before.path} ({before.mark}) takes all of it; give that one continue: true"
        yield _warning(block.mark, block.path, problem)
    for block, topic in topics:
        if not any(
            (not route.topics or topic.name in route.topics)
            and (not route.severities or topic.severity in route.severities)
            for _, route in reached
        ):
            yield _warning(block.mark, block.path, "no route takes this topic: its hits go nowhere")
    used = {name for _, route in reached for name in route.to}
    for block in receivers:
        if block.name not in used:
            yield _warning(block.mark, block.path, "no route leads to this receiver")


def _covers(wide: Route, narrow: Route) -> bool:
    """True if every hit that `narrow` takes is taken by `wide` too."""
    return all(
        not outer or (bool(inner) and set(inner) <= set(outer))
        for outer, inner in (
            (wide.topics, narrow.topics),
            (wide.severities, narrow.severities),
            (wide.sources, narrow.sources),
        )
    )


def _warning(mark: Mark, path: str, problem: str) -> Complaint:
    return mark.complaint(path, problem, "warning")
