"""What the matcher counts: news, copies by kind, reports that join a story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.making import article, hit
from watchpost import log as tm
from watchpost.match import worker
from watchpost.model import Verdict
from watchpost.store.matching import Copy, Match, Matched, RoutedHit
from watchpost.store.streams import StreamEntry

COUNTED = (tm.articles_matched, tm.hits, tm.hits_copies, tm.hits_unrouted)


@pytest.fixture(autouse=True)
def _from_nothing() -> Iterator[None]:
    for metric in COUNTED:
        metric.clear()
    yield
    for metric in COUNTED:
        metric.clear()


def value(name: str, **labels: str) -> float:
    return tm.REGISTRY.get_sample_value(f"watchpost_{name}", labels) or 0.0


def met(title: str, story: str, *, copy: Copy = "", opens: bool = True) -> None:
    about = article(title)
    match = Match(StreamEntry(b"1-1", {}), about, (RoutedHit(hit(title), ("team|now",)),))
    worker.count(match, Matched((copy,), Verdict(story, "voice", opens)))


def test_news_opens_a_story_a_further_report_joins_it_and_a_copy_is_no_news() -> None:
    met("first", "s1")
    met("second", "s1", opens=False)
    met("other", "s2")
    for kind in ("exact", "url", "near", "near"):
        met("again", "s1", copy=kind, opens=False)
    assert value("hits_total", topic="mali", severity="normal") == 3
    kinds = {kind: value("hits_deduplicated_total", kind=kind) for kind in ("exact", "url", "near", "story")}
    assert kinds == {"exact": 1, "url": 1, "near": 2, "story": 1}
    assert value("matcher_documents_total", result="hit") == 7


def test_what_another_matcher_dealt_with_is_counted_as_gone_and_nothing_else() -> None:
    worker.count(Match(StreamEntry(b"1-1", {}), article("x"), (RoutedHit(hit("x"), ()),)), None)
    assert value("matcher_documents_total", result="gone") == 1
    assert value("hits_total", topic="mali", severity="normal") == 0
