"""The shipped topics are right about the short articles of topics.jsonl: many languages, many traps."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchpost.match.matcher import match
from watchpost.model import Article
from watchpost.operations.factory import read_config

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config" / "watchpost.yaml"
NOW = datetime(2025, 1, 1, tzinfo=UTC)
TOPICS = ("wagner", "mali", "barkhane")

MICRO_FLOOR = 0.95
TOPIC_FLOOR = 0.90


@dataclass(frozen=True, slots=True)
class Labelled:
    article: Article
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Score:
    right: int
    false: int
    missed: int

    @property
    def f1(self) -> float:
        return 2 * self.right / (2 * self.right + self.false + self.missed)

    def __str__(self) -> str:
        precision = self.right / max(1, self.right + self.false)
        recall = self.right / max(1, self.right + self.missed)
        return f"precision {precision:.3f}  recall {recall:.3f}  F1 {self.f1:.3f}"


def labelled() -> tuple[Labelled, ...]:
    read = []
    for line in (HERE / "topics.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        article = Article(entry["id"], "topics", entry["title"], entry["body"], NOW, lang=entry["lang"])
        read.append(Labelled(article, frozenset(entry["topics"])))
    return tuple(read)


def scores(*, declared: bool) -> tuple[dict[str, Score], tuple[str, ...]]:
    """Per topic and "micro" for all, and a line for each error. Unless `declared`, languages are unknown."""
    topics = tuple(topic for topic in read_config(CONFIG, env={}).topics if topic.name in TOPICS)
    assert {topic.name for topic in topics} == set(TOPICS)
    count: Counter[tuple[str, str]] = Counter()
    errors = []
    for one in labelled():
        article = one.article
        if not declared:
            article = Article(article.id, article.source, article.title, article.body, NOW)
        hits = {hit.topic: [found.text for found in hit.evidence] for hit in match(article, topics, NOW)}
        for name in TOPICS:
            verdict = {(True, True): "right", (True, False): "false", (False, True): "missed"}.get(
                (name in hits, name in one.topics), "absent"
            )
            count[name, verdict] += 1
            count["micro", verdict] += 1
            if verdict in {"false", "missed"}:
                text = f"{article.title}: {article.body}"
                errors.append(f"{verdict:6} {name:8} {article.id}  {text}  {hits.get(name, '')}")
    table = {
        name: Score(count[name, "right"], count[name, "false"], count[name, "missed"]) for name in (*TOPICS, "micro")
    }
    return table, tuple(errors)


def test_the_labelled_articles_are_well_formed() -> None:
    articles = labelled()
    assert len({one.article.id for one in articles}) == len(articles)
    assert all(one.topics <= set(TOPICS) for one in articles)
    assert sum(1 for one in articles if not one.topics) >= len(articles) / 3, "too few traps"


# A feed that does not say its language must not cost much: the guards by language are then silent.
@pytest.mark.parametrize("declared", [True, False], ids=["language declared", "language unknown"])
def test_the_shipped_topics_are_right(declared: bool) -> None:
    table, errors = scores(declared=declared)
    report = "\n".join((*(f"{name:8} {score}" for name, score in table.items()), *errors))
    sys.stdout.write(report + "\n")
    assert table["micro"].f1 >= MICRO_FLOOR, report
    assert all(table[name].f1 >= TOPIC_FLOOR for name in TOPICS), report
