"""What the matcher counts: news, copies, and stories that are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.making import article, hit
from watchpost import telemetry as tm
from watchpost.match.tally import Tally
from watchpost.signature import Verdict
from watchpost.wire.articles import Match, Matched, Parking
from watchpost.wire.stream import Entry

COUNTED = (tm.articles_matched, tm.hits, tm.hits_copies, tm.stories_open, tm.hits_unrouted)


@pytest.fixture(autouse=True)
def _from_nothing() -> Iterator[None]:
    for metric in COUNTED:
        metric.clear()
    yield
    for metric in COUNTED:
        metric.clear()


def value(name: str, **labels: str) -> float:
    return tm.REGISTRY.get_sample_value(f"watchpost_{name}", labels) or 0.0


def met(tally: Tally, title: str, news: bool, story: str, opens: bool) -> None:
    about = article(title)
    match = Match(Entry(b"1-1", {}), about, (Parking(hit(title), ("team|now",)),))
    tally.count(match, Matched((news,), Verdict(story, "voice", opens)))


def test_news_opens_a_story_a_further_report_joins_it_and_a_copy_is_no_news() -> None:
    tally = Tally()
    met(tally, "first", True, "s1", True)
    met(tally, "second", True, "s1", False)
    met(tally, "second again", False, "s1", False)
    met(tally, "other", True, "s2", True)
    assert value("hits_total", topic="mali", severity="normal") == 3
    assert value("hits_deduplicated_total", kind="story") == 1
    assert value("hits_deduplicated_total", kind="exact") == 1
    assert value("stories_open", topic="mali") == 2
    assert value("matcher_documents_total", result="hit") == 4


def test_a_story_that_no_report_joins_for_the_window_is_open_no_more() -> None:
    tally = Tally()
    met(tally, "first", True, "s1", True)
    met(tally, "other", True, "s2", True)
    tally._stories["mali"]["s1"] -= 80 * 3600
    tally.settle()
    assert value("stories_open", topic="mali") == 1


def test_what_another_matcher_dealt_with_is_counted_as_gone_and_nothing_else() -> None:
    Tally().count(Match(Entry(b"1-1", {}), article("x"), (Parking(hit("x"), ()),)), None)
    assert value("matcher_documents_total", result="gone") == 1
    assert value("hits_total", topic="mali", severity="normal") == 0
