"""The sentences that all forms of a digest share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.notify.digests import HOSTILE, WHEN, digest, hostile, report, story, usual
from watchpost.model import SourceCounts, StoryChange, UnreadSource
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, payload, plain, sentences, story_lines, times


@pytest.mark.parametrize(
    ("language", "gaps", "expected"),
    [
        (
            "en",
            (),
            'Yesterday: 2,016 articles from 41 sources, 14 hits; all accounted for. You receive this as "desk".',
        ),
        ("fr", (), "le compte y est. Vous recevez"),
        ("en", ("hits: 5 came in, 4 went on or wait",), "NOT ALL ACCOUNTED FOR (hits: 5 came in, 4 went on or wait)"),
    ],
)
def test_the_footer_accounts_for_yesterday(language: str, gaps: tuple[str, ...], expected: str) -> None:
    sample = replace(digest(), language=language, accounts=SourceCounts(41, 2016, 14, gaps))
    assert expected in sentences.footer(sample)
    assert sentences.footer(replace(sample, accounts=None)).startswith(("You receive", "Vous recevez"))


def test_the_subject_counts_and_names_the_strongest() -> None:
    headline = "Explosion near Gao base; JNIM claims attack"
    assert sentences.subject(usual()) == f"{headline} · 5 stories, 3 shown [newsdesk]"
    alert = digest(story(), kind="alert")
    assert sentences.subject(alert) == f"{headline} · HIGH Wagner / Africa Corps [newsdesk]"
    assert sentences.heading(alert) == "HIGH · Wagner / Africa Corps"
    three = digest(story(), story(2), story(3), kind="alert")
    assert sentences.subject(three).startswith("Explosion near Gao")
    assert sentences.subject(three).endswith("HIGH Wagner / Africa Corps (+2) [newsdesk]")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_the_subject_is_one_line_of_at_most_ninety(text: str) -> None:
    for kind in ("digest", "alert"):
        subject = sentences.subject(hostile(text, kind=kind))
        assert len(subject) <= 90
        assert subject.isprintable() or "\u200d" in subject


def test_each_story_links_its_page_where_the_pages_have_an_address() -> None:
    sample, path = usual(), f"/stories/{usual().stories[0].id}"
    with_page = (html.page(sample), plain.plain(sample), payload.payload(sample), *slack.lay_out(sample)[1])
    assert all(f"https://watch.example.org{path}" in text for text in with_page)
    sample = replace(sample, public_url="")
    without = (html.page(sample), plain.plain(sample), payload.payload(sample), *slack.lay_out(sample)[1])
    assert not [text for text in without if path in text or "Whole story" in text]


def test_a_story_stands_once_under_its_most_severe_topic() -> None:
    sections = story_lines.sections(usual().stories)
    assert [(section.title, len(section.stories)) for section in sections] == [
        ("Wagner / Africa Corps", 1),
        ("Mali security", 2),
    ]
    assert story_lines.other_topics(story()) == ("Mali security",)


def test_times_are_local_and_say_the_day_when_it_is_another() -> None:
    sample = usual()
    assert sentences.dateline(sample) == "Monday, 23 November 2026, 09:00 Europe/Paris"
    assert sentences.period(sample) == "Period: Sun 22 Nov 19:00 – Mon 23 Nov 09:00"
    assert times.moment(sample, WHEN - timedelta(hours=9, minutes=30)) == "Sun 22 Nov 23:30"
    assert times.moment(sample, datetime(2025, 7, 1, 10, tzinfo=UTC)) == "1 Jul 2025 12:00"
    assert sentences.dateline(usual(timezone="Nowhere/Land")) == "Monday, 23 November 2026, 08:00 UTC"


def test_the_byline_never_guesses_a_date() -> None:
    sample = usual()
    assert story_lines.byline(sample, story()) == "RFI Afrique, French, 08:42 (18 min ago, seen 08:44). 2 sources."
    undated = story(lead=report(published=None))
    assert story_lines.byline(sample, undated) == "RFI Afrique, French, no date, seen 08:44. 2 sources."
    old = story(lead=report(published=WHEN - timedelta(days=3)))
    assert "published Fri 20 Nov 09:00 (3 days ago), seen 08:44" in story_lines.byline(sample, old)


def test_copies_of_one_outlet_are_one_source() -> None:
    one = story(reports=(report(), report("Same, retitled"), report(source="other-feed-of-rfi")))
    assert story_lines.count_sources(one) == 1
    assert story_lines.further_reports(one) == ((), 0)


def test_sources_that_fail_are_not_a_quiet_day() -> None:
    lost = tuple(UnreadSource(f"f{n}", "dns", WHEN) for n in range(41))
    assert sentences.nothing(digest()) == "Nothing matched. All 41 sources were read."
    assert sentences.nothing(digest(unread=lost[:2])) == "Nothing matched. Only 39 of 41 sources could be read."
    assert sentences.nothing(digest(unread=lost)) == "Nothing matched: none of the 41 sources could be read."
    assert sentences.not_read(digest(unread=lost)).endswith("f5, 35 more (dns since 09:00).")
    assert sentences.not_read(usual()) == (
        "Not read (2 of 41 sources): maliweb (HTTP 503 since 04:00), nrk (certificate expired, never read)."
    )


@pytest.mark.parametrize(
    ("late", "sentence"),
    [
        (timedelta(hours=3), "Sent 3 hours late: the service was not running."),
        (timedelta(days=3, hours=2, minutes=7), "Sent 3 days late: the service was not running."),
        (timedelta(seconds=40), ""),
    ],
)
def test_a_late_digest_says_so(late: timedelta, sentence: str) -> None:
    assert sentences.lateness(digest(late=late)) == sentence


def test_a_french_digest_is_french_throughout() -> None:
    sample = usual(language="fr", late=timedelta(hours=3))
    assert sentences.subject(sample) == "Explosion near Gao base; JNIM claims attack · 5 sujets, 3 affichés [newsdesk]"
    assert sentences.dateline(sample) == "lundi 23 novembre 2026, 09:00 Europe/Paris"
    text = " ".join(plain.plain(sample).split())
    for sentence in (
        "5 sujets, 3 affichés. 1 nouveau, 1 mis à jour, 1 en cours.",
        "Envoyé avec 3 heures de retard : le service était arrêté.",
        "1. NOUVEAU Explosion",
        "RFI Afrique, français, 08:42 (il y a 18 min, vu 08:44). 2 sources.",
        "Mots trouvés : « Gao », « Wagner », « ЧВК ». Aussi dans : РИА Новости (ru).",
        "Non lues (2 sur 41 sources) : maliweb (HTTP 503 depuis 04:00)",
    ):
        assert sentence in text
    assert sentences.nothing(digest(language="fr", sources_total=1)) == "Aucun résultat. 1 source a été lue."
    english = re.compile(r"\b(matched|also|seen|from|stories|story|topics?|read|shown|period|since)\b", re.IGNORECASE)
    ours = "".join(html.page(sample).split("<body")[1:]).replace("Kidal talks go on", "")
    shown = re.sub(r"<[^>]*>", " ", ours) + text + "".join(slack.lay_out(sample)[1])
    assert not english.findall(re.sub(r"https://[^\s\"<>]+", " ", shown))


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=50), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=100), "100 min ago"),
        (timedelta(hours=30), "30 hours ago"),
        (timedelta(days=9), "9 days ago"),
        (timedelta(days=100), "3 months ago"),
        (timedelta(days=1079), "3 years ago"),
    ],
)
def test_an_age_is_written_as_people_say_it(age: timedelta, expected: str) -> None:
    assert times.ago(digest(), WHEN - age) == expected


def test_an_arabic_digest_runs_from_right_to_left() -> None:
    page = html.page(usual(language="ar"))
    assert '<html lang="ar" dir="rtl">' in page
    assert re.search(r'<span class="status spaced" dir="rtl" lang="ar"[^>]*>جديد</span>', page)
    heading = sentences.heading(usual(language="ar"))
    assert heading == "\u2066Wagner / Africa Corps\u2069 و\u2066Mali security\u2069: 5 قصص، المعروض منها 3"


def test_an_update_says_what_has_changed() -> None:
    change = StoryChange(sources=3, headline="Blast in Gao", figures=(("30", "45"),))
    update = story(status="updated", change=change, outlets=7, independent=3)
    assert story_lines.status_label(digest(), update) == "UPDATE +3"
    assert story_lines.byline(digest(), update).endswith(
        '7 sources, 3 independent; the headline was "Blast in Gao"; figures corrected: 30 → 45.'
    )
    assert story_lines.status_label(digest(language="fr"), update) == "MIS À JOUR +3"
    assert story_lines.sources_in_words(digest(language="fr"), update) == "7 sources, 3 indépendantes"
