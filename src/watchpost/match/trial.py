"""Pure: tries a change of topics on articles: which of them match now, and which no longer match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from watchpost.match.matcher import MOST_EVIDENCE, Topics, document, first_places
from watchpost.model import Article, Topic
from watchpost.query.explain import explain, missing


@dataclass(frozen=True, slots=True)
class ChangedHit:
    """An article that matches only before or only after the change. `why`: the words that match, or what is missing."""

    article: Article
    why: str


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect on one topic: how many articles matched before and match now, and which ones changed."""

    topic: str
    before: int
    now: int
    gained: tuple[ChangedHit, ...]
    lost: tuple[ChangedHit, ...]


def effects(
    old: Sequence[Topic],
    new: Sequence[Topic],
    articles: Iterable[Article],
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Effect, ...]:
    """For each topic of `new` and then of `old`: the effect of `new` instead of `old` on these articles.

    `progress` gets the number of finished articles now and then.
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
        text = document(article)
        before, hits = past.evidence(text), future.evidence(text)
        for name in names:
            counts[name][0] += name in before
            counts[name][1] += name in hits
        for name in hits.keys() - before.keys():
            words = dict.fromkeys(" ".join(item.text.split()) for item in first_places(hits[name], MOST_EVIDENCE))
            gained[name].append(ChangedHit(article, ", ".join(words)))
        for name in before.keys() - hits.keys():
            lost[name].append(ChangedHit(article, why_not(after.get(name), article)))
    return tuple(
        Effect(name, counts[name][0], counts[name][1], tuple(gained[name]), tuple(lost[name])) for name in names
    )


def why_not(topic: Topic | None, article: Article) -> str:
    """Why the topic does not match the article, in a line. None: the topic was removed."""
    if topic is None:
        return "the topic was removed"
    text = document(article)
    if topic.query.evaluate(text) is None:
        return f"missing: {missing(explain(topic.query, text))}"
    excluded = topic.exclude.evaluate(text) if topic.exclude is not None else None
    if excluded is not None:
        return f"excluded by: {', '.join(dict.fromkeys(item.text for item in excluded))}"
    return f"its language is {text.languages[0]}, the topic's are {', '.join(topic.languages)}"
