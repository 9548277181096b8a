"""The sentences that all editions share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.notify.editions import HOSTILE, WHEN, digest, hostile, report, story, usual
from watchpost.model import SEVERITIES, HeadlineChange, SourceCounts, UnreadSource
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, plain, sentences, story_lines, times
from watchpost.notify.render.i18n import LANGUAGES, phrases_for


@pytest.mark.parametrize(
    ("language", "gaps", "expected"),
    [
        ("en", (), "Yesterday: 41 sources, 2016 articles read, 14 found: all accounted for. You get this"),
        ("fr", (), "le compte y est. Vous recevez"),
        ("en", ("hits: 5 came in, 4 went on or wait",), "NOT ALL ACCOUNTED FOR (hits: 5 came in, 4 went on or wait)"),
    ],
)
def test_the_colophon_gives_account_of_yesterday(language: str, gaps: tuple[str, ...], expected: str) -> None:
    told = replace(digest(), language=language, accounts=SourceCounts(41, 2016, 14, gaps))
    assert expected in sentences.footer(told)
    assert sentences.footer(replace(told, accounts=None)).startswith(("You get", "Vous recevez"))


def test_the_subject_counts_and_names_the_strongest() -> None:
    assert sentences.subject(usual()) == "[newsdesk] 3 stories: Explosion near Gao base; JNIM claims attack (+2)"
    alert = digest(story(), kind="alert")
    assert sentences.subject(alert).startswith("[newsdesk] HIGH Wagner / Africa Corps: Explosion near Gao")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_the_subject_is_one_line_of_at_most_ninety(text: str) -> None:
    for kind in ("digest", "alert"):
        subject = sentences.subject(hostile(text, kind=kind))
        assert len(subject) <= 90
        assert subject.isprintable() or "\u200d" in subject


def test_a_story_stands_once_under_its_most_severe_topic() -> None:
    sections = story_lines.sections(usual().stories)
    assert [(section.title, len(section.stories)) for section in sections] == [
        ("Wagner / Africa Corps", 1),
        ("Mali security", 2),
    ]
    assert story_lines.other_topics(story()) == ("Mali security",)


def test_times_are_local_and_say_the_day_when_it_is_another() -> None:
    edition = usual()
    assert sentences.dateline(edition) == "Monday 23 November 2026, 09:00 Europe/Paris"
    assert sentences.period(edition) == "Window: Sun 22 Nov 19:00 - Mon 23 Nov 09:00"
    assert times.moment(edition, WHEN - timedelta(hours=9, minutes=30)) == "Sun 22 Nov 23:30"
    assert times.moment(edition, datetime(2025, 7, 1, 10, tzinfo=UTC)) == "1 Jul 2025 12:00"
    assert sentences.dateline(usual(timezone="Nowhere/Land")) == "Monday 23 November 2026, 08:00 UTC"


def test_the_byline_never_guesses_a_date() -> None:
    edition = usual()
    assert story_lines.byline(edition, story()) == "RFI Afrique, French, 08:42 (18 min ago, seen 08:44). 2 sources."
    undated = story(lead=report(published=None))
    assert story_lines.byline(edition, undated) == "RFI Afrique, French, no date, seen 08:44. 2 sources."
    old = story(lead=report(published=WHEN - timedelta(days=3)))
    assert "published Fri 20 Nov 09:00 (3 d ago), seen 08:44" in story_lines.byline(edition, old)


def test_copies_of_one_outlet_are_one_source() -> None:
    one = story(reports=(report(), report("Same, retitled"), report(source="other-feed-of-rfi")))
    assert story_lines.count_sources(one) == 1
    assert story_lines.further_reports(one) == ((), 0)


def test_a_silent_failure_is_not_a_quiet_day() -> None:
    lost = tuple(UnreadSource(f"f{n}", "dns", WHEN) for n in range(41))
    assert sentences.nothing(digest()) == "Nothing matched. 41 sources read."
    assert sentences.nothing(digest(unread=lost[:2])) == "Nothing matched in what could be read: 39 of 41 sources."
    assert sentences.nothing(digest(unread=lost)) == "Nothing could be read: 41 of 41 sources failed."
    assert sentences.not_read(digest(unread=lost)).endswith("f5, 35 more (dns since 09:00)")
    assert sentences.not_read(usual()) == (
        "Not read: 2 of 41 sources: maliweb (HTTP 503 since 04:00), nrk (certificate expired, never read yet)"
    )


@pytest.mark.parametrize(
    ("late", "sentence"),
    [
        (timedelta(hours=3), "Closed 3 h late: the service was down."),
        (timedelta(days=3, hours=2, minutes=7), "Closed 3 d 2 h late: the service was down."),
        (timedelta(seconds=40), ""),
    ],
)
def test_downtime_is_said(late: timedelta, sentence: str) -> None:
    assert sentences.lateness(digest(late=late)) == sentence


def test_french_is_spoken_throughout() -> None:
    edition = usual(language="fr", late=timedelta(hours=3))
    assert sentences.subject(edition) == "[newsdesk] 3 sujets: Explosion near Gao base; JNIM claims attack (+2)"
    assert sentences.dateline(edition) == "lundi 23 novembre 2026, 09:00 Europe/Paris"
    text = plain.plain(edition)
    for sentence in (
        "3 sujets d'après 61 articles : 1 nouveau, 1 mis à jour, 1 en cours.",
        "Clôturé avec 3 h de retard : le service était arrêté.",
        "1. NOUVEAU  Explosion",
        "RFI Afrique, français, 08:42 (il y a 18 min, vu 08:44). 2 sources.",
        'Motif : "Gao", "Wagner", "ЧВК". Aussi : РИА Новости (ru).',
        "Non lu : 2 sur 41 sources : maliweb (HTTP 503 depuis 04:00)",
    ):
        assert sentence in text
    assert sentences.nothing(digest(language="fr", sources_total=1)) == "Rien à signaler. Sources lues : 1 source."
    english = re.compile(r"\b(why|also|seen|from|stories|story|topics?|read|shown|window|since)\b", re.IGNORECASE)
    ours = "".join(html.page(edition).split("<body")[1:]).replace("Kidal talks go on", "")
    assert not english.findall(re.sub(r"<[^>]*>", " ", ours) + text + "".join(slack.lay_out(edition)[1]))


def test_every_language_knows_every_status_and_severity() -> None:
    for name in LANGUAGES:
        spoken = phrases_for(f"{name}-XX")
        assert spoken.language == name
        assert spoken.status.keys() == spoken.counted.keys() == {"new", "updated", "continuing"}
        assert set(spoken.severity) == set(SEVERITIES)
    assert phrases_for("tlh") is phrases_for("en")
    assert spoken.count(0, spoken.source) == "0 source"  # the last one is French


def test_an_update_says_what_has_changed() -> None:
    change = HeadlineChange(sources=3, headline="Blast in Gao", figures=(("30", "45"),))
    told = story(status="updated", change=change, outlets=7, independent=3)
    assert story_lines.status_label(digest(), told) == "UPDATE +3"
    assert story_lines.byline(digest(), told).endswith(
        "7 sources, 3 independent. Headline changed. Figures corrected: 30 → 45."
    )
    assert story_lines.status_label(digest(language="fr"), told) == "MIS À JOUR +3"
    assert story_lines.sources_in_words(digest(language="fr"), told) == "7 sources, 3 indépendantes"
