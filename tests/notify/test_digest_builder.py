"""Hits become one digest: each story once, in an order that can be explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.making import WHEN, article, hit
from watchpost.model import Digest, Group, Hit, UnreadSource
from watchpost.notify.digest_builder import Installation, build_digest, records_after, score
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.schedule import Window
from watchpost.query.tree import Evidence
from watchpost.schedules import Every, Immediate

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=1), NOW)
HOURLY = Group("team|every 3600 s", "team", Every(timedelta(hours=1), "UTC"))


def digest_of(*hits: Hit, group: Group = HOURLY, weights: dict[str, float] | None = None, **options: Any) -> Digest:
    defaults: dict[str, Any] = {"turn": "1", "now": NOW, "records": {}}
    return build_digest(group, WINDOW, hits, Installation(weights=weights or {}), **(defaults | options))


def test_a_story_that_matches_two_topics_appears_once_and_names_both() -> None:
    digest = digest_of(hit("a", topic="mali"), hit("a", topic="wagner", severity="high"))
    (story,) = digest.stories
    assert [match.name for match in story.topics] == ["wagner", "mali"], "the more severe topic comes first"
    assert story.severity == "high"
    assert digest.articles == 1


def test_stories_come_by_severity_then_by_score_then_by_who_was_first() -> None:
    in_title = hit("title", severity="normal")
    in_body = hit("body", severity="normal", evidence=(Evidence("body", 0, 4, "body", "body"),))
    late = hit("late", article=article("late", fetched=WHEN + timedelta(minutes=5)))
    digest = digest_of(late, in_body, hit("low", severity="low"), in_title, hit("high", severity="high"))
    assert [story.lead.title for story in digest.stories] == ["high", "title", "late", "body", "low"]


def test_why_shows_the_articles_own_words_most_frequent_first() -> None:
    words = ["Mali", "Африканский корпус", "mali", "MALI"]
    spans = tuple(Evidence("body", n, n + 1, word, "c") for n, word in enumerate(words))
    (story,) = digest_of(hit("a", evidence=spans)).stories
    assert story.topics[0].why == ("Mali", "Африканский корпус")


def test_the_lead_is_the_report_seen_first() -> None:
    first = article("first", fetched=WHEN, fingerprints=("url:1",))
    copy = article("copy", fetched=WHEN + timedelta(minutes=1), fingerprints=("url:1",))
    (story,) = digest_of(hit(article=copy, story="s"), hit(article=first, story="s")).stories
    assert story.lead.title == "first"
    assert len(story.reports) == 2


def test_only_the_last_version_of_an_article_is_in_the_digest() -> None:
    first = article("Nine die", outlet="Courier")
    later = article("Ten die", outlet="Courier", revises=first.id, fetched=WHEN + timedelta(minutes=3))
    last = article("Eleven die", outlet="Courier", revises=first.id, fetched=WHEN + timedelta(minutes=5))
    (story,) = digest_of(*(hit(article=one, story="s") for one in (last, first, later))).stories
    assert [report.title for report in story.reports] == ["Eleven die"]
    assert story.status == "new"
    (story,) = digest_of(hit(article=first, story="s", topic="wagner"), hit(article=last, story="s")).stories
    assert [match.name for match in story.topics] == ["wagner", "mali"], "a topic of an earlier version stays"


def test_the_id_follows_from_installation_group_turn_and_hits() -> None:
    assert digest_of(hit("a")).id == digest_of(hit("a")).id
    assert digest_of(hit("a")).id != digest_of(hit("a"), turn="2").id
    assert digest_of(hit("a")).id != digest_of(hit("b")).id, (
        "a turn that is played again with other hits is not the one sent"
    )


def test_an_immediate_group_gives_an_alert() -> None:
    group = Group("duty|at once", "duty", Immediate(timedelta(0)))
    assert digest_of(hit("a"), group=group).kind == "alert"
    assert digest_of(hit("a")).kind == "digest"


def test_what_could_not_be_read_is_in_the_digest() -> None:
    digest = digest_of(unread=[UnreadSource("maliweb", "HTTP 503", None)], sources_total=41)
    assert digest.unread[0].source == "maliweb"
    assert digest.stories == ()


# ── what was sent before ──


def report(title: str, outlet: str, *, voice: str = "", topic: str = "mali", figures: tuple[str, ...] = ()) -> Hit:
    about = article(title, id=f"{title} {outlet}", outlet=outlet)
    return hit(title, article=about, topic=topic, story="s", voice=voice, figures=figures)


FIRST = (report("Nine lorries burn", "Courier", voice="AFP", figures=("9", "30")),)
KNOWN = {"s": NotificationRecord().after(FIRST)}


def test_papers_that_print_one_agencys_text_are_one_voice() -> None:
    (story,) = digest_of(
        *FIRST, report("Fuel", "Copyist", voice="AFP"), report("Pumps", "Paper", voice="Paper")
    ).stories
    assert (story.status, story.outlets, story.independent) == ("new", 3, 2)


def test_a_further_copy_of_one_voice_only_continues() -> None:
    (story,) = digest_of(report("Fuel", "Copyist", voice="AFP"), records=KNOWN).stories
    assert (story.status, story.outlets, story.independent) == ("continuing", 2, 1)


def test_another_voice_is_an_update() -> None:
    (story,) = digest_of(report("Pumps", "Paper"), report("Fuel", "Copyist", voice="AFP"), records=KNOWN).stories
    assert (story.status, story.change.sources, story.outlets) == ("updated", 1, 3)


def test_an_outlet_that_changes_its_headline_or_corrects_figures_is_an_update() -> None:
    again = report("Ten lorries burn", "Courier", voice="AFP", figures=("10", "30"))
    (story,) = digest_of(again, records=KNOWN).stories
    assert (story.status, story.change.headline) == ("updated", "Nine lorries burn")
    assert story.change.figures == (("9", "10"),)


def test_figures_that_are_only_added_or_cut_are_no_correction() -> None:
    for figures in (("9",), ("9", "30", "700")):
        (story,) = digest_of(
            report("Nine lorries burn", "Courier", voice="AFP", figures=figures), records=KNOWN
        ).stories
        assert story.status == "continuing"


def test_what_a_digest_sends_is_recorded() -> None:
    hits = (*FIRST, report("Pumps", "Paper"))
    known = records_after(digest_of(*hits), 0, hits, {})
    assert known["s"].voices == ("AFP", "Paper")
    assert known["s"].outlets["Courier"] == ("Nine lorries burn", ("9", "30"))
    assert digest_of(*hits, records=known).stories[0].status == "continuing"
    assert known["s"].at == NOW, "and since when"
    assert records_after(digest_of(), 0, hits, KNOWN) == {}, "what was not sent is not recorded"


# ── the score ──


def test_the_score_shows_its_arithmetic() -> None:
    old = article("old", published=NOW - timedelta(hours=36), fetched=NOW, source="rfi")
    (story,) = digest_of(hit(article=old), weights={"rfi": 1.2}).stories
    assert story.reckoning == "0.31 = log(1 + 1) · 1.2 · 0.35 · 1.07"
    assert story.score == 0.3145


def test_a_weightier_source_comes_first_and_minutes_do_not_shuffle() -> None:
    light, heavy = hit("light"), hit("heavy", article=article("heavy", source="rfi"))
    assert [one.lead.title for one in digest_of(light, heavy, weights={"rfi": 2.0}).stories] == ["heavy", "light"]
    fresher = hit("fresher", article=article("fresher", published=WHEN + timedelta(minutes=10), fetched=NOW))
    assert [one.lead.title for one in digest_of(fresher, light).stories] == ["light", "fresher"]


def test_what_is_very_old_still_counts_a_little() -> None:
    value, reckoning = score(3, 1.0, timedelta(days=400), [hit("a")])
    assert value > 0
    assert "0.10" in reckoning


def test_why_shows_names_before_common_words() -> None:
    words = ("soldiers", "soldiers", "Russian", "gold", "Wagner", "فاغنر")
    found = tuple(Evidence("body", n, n + 1, word, word) for n, word in enumerate(words))
    one = hit("Gold", topic="wagner", topic_title="Wagner group / Africa Corps", evidence=found)
    (story,) = digest_of(one).stories
    assert story.topics[0].why == ("Wagner", "Russian", "فاغنر", "soldiers", "gold")
