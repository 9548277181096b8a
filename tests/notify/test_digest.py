"""Hits become one edition: each story once, in an order that can be explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.making import WHEN, article, hit
from watchpost.model import Digest, Every, Group, Hit, Immediate, Unread
from watchpost.notify.digest import compose
from watchpost.notify.schedule import Window
from watchpost.query.tree import Evidence

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=1), NOW)
HOURLY = Group("team|every 3600 s", "team", Every(timedelta(hours=1), "UTC"))


def edition(*hits: Hit, group: Group = HOURLY, turn: str = "1", **more: Any) -> Digest:
    return compose(group, WINDOW, hits, turn=turn, now=NOW, timezone="UTC", language="en", install="i", **more)


def test_a_story_that_matches_two_topics_appears_once_and_names_both() -> None:
    digest = edition(hit("a", topic="mali"), hit("a", topic="wagner", severity="high"))
    (story,) = digest.stories
    assert [match.name for match in story.topics] == ["wagner", "mali"], "the more severe topic comes first"
    assert story.severity == "high"
    assert digest.articles == 1


def test_stories_come_by_severity_then_by_score_then_by_who_was_first() -> None:
    in_title = hit("title", severity="normal")
    in_body = hit("body", severity="normal", evidence=(Evidence("body", 0, 4, "body", "body"),))
    late = hit("late", article=article("late", fetched=WHEN + timedelta(minutes=5)))
    digest = edition(late, in_body, hit("low", severity="low"), in_title, hit("high", severity="high"))
    assert [story.lead.title for story in digest.stories] == ["high", "title", "late", "body", "low"]


def test_why_shows_the_articles_own_words_most_frequent_first() -> None:
    words = ["Mali", "Африканский корпус", "mali", "MALI"]
    spans = tuple(Evidence("body", n, n + 1, word, "c") for n, word in enumerate(words))
    (story,) = edition(hit("a", evidence=spans)).stories
    assert story.topics[0].why == ("Mali", "Африканский корпус")


def test_the_lead_is_the_report_seen_first() -> None:
    first = article("first", fetched=WHEN, fingerprints=("url:1",))
    copy = article("copy", fetched=WHEN + timedelta(minutes=1), fingerprints=("url:1",))
    (story,) = edition(hit(article=copy, story="s"), hit(article=first, story="s")).stories
    assert story.lead.title == "first"
    assert len(story.reports) == 2


def test_the_id_follows_from_installation_group_turn_and_hits() -> None:
    assert edition(hit("a")).id == edition(hit("a")).id
    assert edition(hit("a")).id != edition(hit("a"), turn="2").id
    assert edition(hit("a")).id != edition(hit("b")).id, (
        "a turn that is played again with other hits is not the one sent"
    )


def test_an_immediate_group_gives_an_alert() -> None:
    group = Group("duty|at once", "duty", Immediate(timedelta(0)))
    assert edition(hit("a"), group=group).kind == "alert"
    assert edition(hit("a")).kind == "digest"


def test_what_could_not_be_read_stands_in_the_edition() -> None:
    digest = edition(unread=[Unread("maliweb", "HTTP 503", None)], sources_total=41)
    assert digest.unread[0].source == "maliweb"
    assert digest.stories == ()
