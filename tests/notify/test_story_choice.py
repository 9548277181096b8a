"""What is shown of a story: headline and excerpt of one article, the words by weight, further headlines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import WHEN, article, hit
from tests.notify.test_digest_builder import digest_of
from watchpost.match.matcher import match
from watchpost.model import SEVERITIES, Article, Hit, Severity, Snippet, Topic
from watchpost.notify.render import html, plain, story_lines
from watchpost.notify.story_choice import distinct, shown_hit, title_highlights, why
from watchpost.operations.stories import view_of
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence
from watchpost.store.history import PastHit
from watchpost.store.stories import PastStory

_NUMBERS = st.integers(0, 3)


@given(st.lists(st.tuples(_NUMBERS, st.sampled_from(["mali", "wagner", "schools"]), _NUMBERS), min_size=1, max_size=9))
def test_headline_and_excerpt_are_of_one_article_and_of_the_most_severe_topic(rows: list[tuple[int, str, int]]) -> None:
    severity: dict[str, Severity] = {"mali": "normal", "wagner": "high", "schools": "low"}
    hits = [
        hit(
            f"{number}",
            article=article(f"{number}", fetched=WHEN + timedelta(minutes=minute)),
            topic=topic,
            severity=severity[topic],
            story="s",
            snippet=Snippet(f"{topic} {number}"),
        )
        for number, topic, minute in dict.fromkeys(rows)
    ]
    (story,) = digest_of(*hits).stories
    main = story_lines.main_topic(story).name
    assert severity[main] == max((severity[one.topic] for one in hits), key=SEVERITIES.index)
    assert story.snippet.text == f"{main} {story.lead.title}"
    card = view_of(PastStory("s", tuple(PastHit(f"{number}-0", one) for number, one in enumerate(hits))))
    assert (card.lead.topic, card.topics[0].topic) == (main, main)
    assert card.lead.snippet.text.split()[0] == main


def test_two_topics_of_one_article() -> None:
    """Case E-2: the excerpt shows the words of the topic under which the story is listed."""
    schools, wagner = (
        Topic("schools", "Schools", parse("school*")),
        Topic("wagner", "W", parse("Wagner"), severity="high"),
    )
    text = "Officials opened a new school in the valley. " * 8 + "Fighters of the Wagner group took two mines."
    about = Article("a", "rfi", "Two mines change hands: Wagner denies", text, WHEN)
    (story,) = digest_of(*match(about, [schools, wagner], WHEN)).stories
    assert [story.snippet.text[start:end] for start, end in story.snippet.highlights] == ["Wagner"]
    assert [story.lead.title[start:end] for start, end in story.lead.highlights] == ["Wagner"]
    text = plain.plain(digest_of(*match(about, [schools, wagner], WHEN)))
    assert "Two mines change hands: **Wagner** denies" in text
    assert '<b class="lit"' in html.page(digest_of(*match(about, [schools, wagner], WHEN))).split("</h3>")[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("Mali", "in Mali", "le Mali"), ("Mali",)),
        (("in Mali", "Mali", "In Mali", "du Mali"), ("Mali",)),
        (("в Мали", "Мали"), ("Мали",)),
        (("Operation Barkhane", "Barkhane"), ("Operation Barkhane",)),
        (("Corps", "Africa Corps", "gold"), ("Africa Corps", "gold")),
        (("gold", "Gold"), ("gold",)),
        (("Diéma", "Diema", "DIÉMA"), ("Diéma",)),
        (("Мали́", "Мали"), ("Мали",)),
        (("🔥", "⚡"), ("🔥", "⚡")),
        (("soldiers", "soldiers of fortune"), ("soldiers of fortune",)),
        (("Gao", "Niger", "Nigeria"), ("Gao", "Niger", "Nigeria")),
        (("مالي", "في مالي"), ("في مالي",)),
        ((), ()),
    ],
)
def test_a_word_that_only_repeats_another_is_not_named_again(words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert distinct(words) == expected


def test_words_in_the_title_come_before_words_below_it() -> None:
    found = (
        Evidence("title", 0, 4, "Mali", "c"),
        Evidence("body", 0, 4, "Niger", "c"),
        Evidence("body", 9, 12, "Niger", "c"),
    )
    assert why([hit("a", evidence=found[::-1], topic_title="x")]) == ("Mali", "Niger")


def test_highlights_of_a_title_do_not_overlap() -> None:
    spans = [(7, 11), (0, 6), (2, 8)]
    one = hit("a", evidence=tuple(Evidence("title", a, b, "x", "c") for a, b in spans))
    assert title_highlights([one]) == ((0, 11),)


def _report(title: str, outlet: str, minute: int) -> Hit:
    about = article(title, id=f"{title} {outlet}", outlet=outlet, fetched=WHEN + timedelta(minutes=minute))
    return hit(title, article=about, story="s")


def test_every_headline_that_is_not_shown_is_listed_or_counted() -> None:
    """Case E-1: of four events that were taken for one story, each is named."""
    titles = ("Ferry strike", "Fire kills four", "Bankruptcy", "New line")
    digest = digest_of(*(_report(title, "Courier", minute) for minute, title in enumerate(titles)))
    (story,) = digest.stories
    assert story.lead.title == titles[0]
    text = plain.plain(digest)
    assert all(title in text for title in titles)
    assert all(title in html.page(digest) for title in titles)
    reports, more = story_lines.other_headlines(story, 2)
    assert ([one.title for one in reports], more) == (["Fire kills four", "Bankruptcy"], 1)
    assert story_lines.headlines_in_words(digest, story, 2).endswith("; +1.")


def test_a_copy_under_the_same_headline_is_an_outlet_and_no_other_headline() -> None:
    (story,) = digest_of(
        _report("Fire", "Courier", 0), _report("FIRE", "Herald", 1), _report("Blaze", "Post", 2)
    ).stories
    assert [one.outlet for one in story_lines.further_reports(story)[0]] == ["Herald"]
    assert [one.outlet for one in story_lines.other_headlines(story)[0]] == ["Post"]


def test_the_shown_hit_does_not_depend_on_the_order() -> None:
    hits = [_report("a", "A", 2), _report("b", "B", 1), _report("c", "C", 3)]
    assert shown_hit(hits) == shown_hit(hits[::-1]) == hits[1]
