"""Pure: what a change of topics would do, tried on articles: which would be found now, and which no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.match.matcher import Topics, document
from watchpost.model import Article, Topic
from watchpost.query.explain import explain, missing


@dataclass(frozen=True, slots=True)
class ChangedHit:
    """An article that a change of its topic lets in or leaves out. `why`: the words that match, or what is missing."""

    article: Article
    why: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to one topic: how many articles it matched before and matches now, and which moved."""

    topic: str
    before: int
    now: int
    gained: tuple[ChangedHit, ...]
    lost: tuple[ChangedHit, ...]


def effects(
    old: Sequence[Topic],
    new: Sequence[Topic],
    articles: Iterable[Article],
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Effect, ...]:
    """For each topic of either side, in the order of `new`: what `new` instead of `old` does to these articles.

    `progress` is told now and then how many articles are done.
    """
    names = list(dict.fromkeys(topic.name for topic in (*new, *old)))
    after = {topic.name: topic for topic in new}
    counts = {name: [0, 0] for name in names}
    gained: dict[str, list[ChangedHit]] = {name: [] for name in names}
    lost: dict[str, list[ChangedHit]] = {name: [] for name in names}
    past, future = Topics(old), Topics(new)
    for number, article in enumerate(articles):
        if number % 50 == 0:
            progress(number)
        was = {hit.topic for hit in past.match(article, now)}
        found = {hit.topic: hit for hit in future.match(article, now)}
        for name in names:
            counts[name][0] += name in was
            counts[name][1] += name in found
        for name in found.keys() - was:
            words = dict.fromkeys(" ".join(item.text.split()) for item in found[name].evidence)
            gained[name].append(ChangedHit(article, ", ".join(words)))
        for name in was - found.keys():
            lost[name].append(ChangedHit(article, why_not(after.get(name), article)))
    return tuple(
        Effect(name, counts[name][0], counts[name][1], tuple(gained[name]), tuple(lost[name])) for name in names
    )


def why_not(topic: Topic | None, article: Article) -> str:
    """Why the topic does not match the article, in a line. None: the topic is gone."""
    if topic is None:
        return "the topic is gone"
    text = document(article)
    if topic.query.evaluate(text) is None:
        return f"missing: {missing(explain(topic.query, text))}"
    excluded = topic.exclude.evaluate(text) if topic.exclude is not None else None
    if excluded is not None:
        return f"left out by exclude: {', '.join(dict.fromkeys(item.text for item in excluded))}"
    return f"its language is {article.lang}, the topic's are {', '.join(topic.languages)}"
