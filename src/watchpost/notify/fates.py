"""Pure: what becomes of each hit when a window closes: named in a message, a copy, left out, or silenced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from watchpost.model import Contents, Delivery, Digest, Fate, Hit, WindowFates
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.render.sanitize import clean
from watchpost.notify.render.story_lines import named_articles
from watchpost.notify.story_choice import current


def fates_of(
    digest: Digest | None,
    deliveries: Sequence[Delivery],
    hits: Sequence[Hit],
    *,
    known: Sequence[Hit] = (),
    alone: Sequence[Hit] = (),
    muted: Sequence[tuple[Hit, str]] = (),
    records: Mapping[str, NotificationRecord],
    over: Mapping[str, int] | None = None,
) -> tuple[WindowFates, dict[str, str]]:
    """The fates, and which contents hold each story.

    `hits` are those of the digest. `known` are only continuing, so that nothing is sent of them: they are copies of
    what the group's `records` say was sent. `alone` are left out because no other voice came. `muted` hits have the id
    of their silence. `over` counts by topic the hits beyond a limit, which the digest reports. What no delivery holds
    is left out: all its readers have unsubscribed.
    """
    slices = _slices(digest, deliveries)
    order = list(slices)
    ids = [digest.id if len(slices) == 1 else f"{digest.id}.{n}" for n, _ in enumerate(slices, 1)] if digest else []
    sums: list[Counter[tuple[str, Fate]]] = [Counter() for _ in slices]
    ended, known_of = Counter[tuple[str, Fate]](), Counter[tuple[str, str]]()
    each: list[tuple[str, Fate, str]] = []
    holding: dict[str, str] = {}
    for story, members in _by_story(hits).items():
        at = next((n for n, named in enumerate(order) if any(hit.article.id in named for hit in members)), None)
        if at is not None:
            holding[story] = ids[at]
        for hit, fate in _of_story(members, order[at] if at is not None else frozenset()):
            (sums[-1 if at is None else at] if slices else ended)[hit.topic, fate] += 1
            each.append((hit.id, fate, ids[-1 if at is None else at] if slices else ""))
    for topic, count in (over or {}).items():
        (sums[-1] if slices else ended)[topic, "left_out"] += count
    for hit in known:
        record = records.get(hit.story)
        where = record.contents if record is not None else ""
        known_of[hit.topic, where] += 1
        each.append((hit.id, "copies", where))
    for hit in alone:
        ended[hit.topic, "left_out"] += 1
        each.append((hit.id, "left_out", ""))
    for hit, silence in muted:
        ended[hit.topic, "silenced"] += 1
        each.append((hit.id, "silenced", silence))
    contents = tuple(
        Contents(id_, tuple(delivery.id for delivery in group), counts)
        for id_, group, counts in zip(ids, slices.values(), sums, strict=True)
    )
    return WindowFates(contents, ended, known_of, tuple(each)), holding


def with_contents(deliveries: Sequence[Delivery], fates: WindowFates) -> tuple[Delivery, ...]:
    """The deliveries, each with its contents; which articles they name is no longer needed."""
    of = {delivery: one.id for one in fates.contents for delivery in one.deliveries}
    return tuple(
        replace(each, contents=of.get(each.id, ""), message=replace(each.message, named=None)) for each in deliveries
    )


def _slices(digest: Digest | None, deliveries: Sequence[Delivery]) -> dict[frozenset[str], list[Delivery]]:
    """The deliveries by the articles that they name: one mail to many readers is one slice, parts are several."""
    slices: dict[frozenset[str], list[Delivery]] = {}
    for delivery in deliveries if digest is not None else ():
        named = delivery.message.named
        if named is None and digest is not None:
            named = named_articles(digest.stories[: len(digest.stories) - delivery.message.omitted])
        slices.setdefault(frozenset(named or ()), []).append(delivery)
    return slices


def _of_story(hits: Sequence[Hit], named: frozenset[str]) -> list[tuple[Hit, Fate]]:
    headlines = {_headline(hit) for hit in hits if hit.article.id in named}
    latest = {id(hit) for hit in current(hits)}

    def fate(hit: Hit) -> Fate:
        if hit.article.id in named:
            return "named"
        if headlines and (_headline(hit) in headlines or id(hit) not in latest):
            return "copies"
        return "left_out"

    return [(hit, fate(hit)) for hit in hits]


def _headline(hit: Hit) -> str:
    return clean(hit.article.title, 300).casefold()


def _by_story(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    stories: dict[str, list[Hit]] = {}
    for hit in hits:
        stories.setdefault(hit.story, []).append(hit)
    return stories
