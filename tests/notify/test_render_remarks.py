"""What a digest says besides its stories: trends, silences, hits over a limit, corrections, the next digest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.notify.digests import WHEN, digest, hostile, report, story, usual
from watchpost.model import NOT_YET, Digest, SourceCounts, StoryChange, UnreadSource
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, payload, plain, rich_text, sentences
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.sentences import not_shown, remarks, spikes, trend_line
from watchpost.store.server.embedded import ROOM_BYTES
from watchpost.trend import Trend

LOUD = Trend((2, 2, 1, 3, 5, 2, 1, 1, 1, 1, 2, 2, 3, 12), 12, 4.0, True)
CALM = Trend((1,) * 14, 1, 1.0, False)
YOUNG = Trend((0,) * 13 + (3,), 3, None, False)


def full(**fields: object) -> Digest:
    """A digest with everything to remark."""
    values = {
        "trends": {"wagner": LOUD, "mali": CALM},
        "silenced": 3,
        "flooded": (("Wagner", 9700),),
        "following": WHEN + timedelta(hours=9),
        "accounts": SourceCounts(41, 2016, 14, ("hits: 5 came in, 4 went on or wait",)),
    }
    corrected = story(4, status="updated", change=StoryChange(figures=(("30", "45"),)), lead=report("45 dead in Gao"))
    base = usual(**(values | fields))
    return replace(base, stories=(*base.stories, corrected))


def test_the_remarks_in_english() -> None:
    assert remarks(full()) == (
        "Wagner: 9,700 more hits over the hourly limit, counted but not listed.",
        'Corrections: RFI Afrique, "45 dead in Gao" (figures corrected: 30 → 45).',
        "Silenced: 3 hits.",
        "Next digest: 18:00.",
    )
    assert trend_line(full(), "wagner") == "▃▃▂▃▄▃▂▂▂▂▃▃▃█  12 hits, usually 4: SPIKE 3.0×"
    assert trend_line(full(), "mali") == "▃▃▃▃▃▃▃▃▃▃▃▃▃▃  1 hit, usually 1"
    assert trend_line(full(trends={"mali": YOUNG}), "mali") == "▁▁▁▁▁▁▁▁▁▁▁▁▁▇  3 hits"
    assert trend_line(full(), "other") == ""
    assert spikes(full()) == "Much more than usual: Wagner / Africa Corps 12 (usually 4)."


def test_the_remarks_in_french() -> None:
    sample = full(language="fr")
    assert [" ".join(remark.split()) for remark in remarks(sample)] == [
        "Wagner : 9 700 autres résultats au-delà de la limite horaire, comptés mais non affichés.",
        "Corrections : RFI Afrique, « 45 dead in Gao » (chiffres corrigés : 30 → 45).",
        "Mis en sourdine : 3 résultats.",
        "Prochain envoi : 18:00.",
    ]
    trend = " ".join(trend_line(sample, "wagner").split())
    assert trend == "▃▃▂▃▄▃▂▂▂▂▃▃▃█ 12 résultats, d’ordinaire 4 : PIC ×3,0"
    assert " ".join(spikes(sample).split()) == "Bien plus que d’ordinaire : Wagner / Africa Corps 12 (d’ordinaire 4)."


def test_a_plain_day_has_nothing_to_remark() -> None:
    assert remarks(digest(story())) == ()
    assert spikes(full(trends={"wagner": CALM})) == ""


@pytest.mark.parametrize("form", ["plain", "html", "slack"])
def test_every_form_has_them(form: str) -> None:
    forms = {"plain": plain.plain(full()), "html": html.page(full()), "slack": "".join(slack.lay_out(full())[1])}
    text = " ".join(forms[form].split())
    bars = f'alt="{" ".join(map(str, LOUD.days))}"' if form == "html" else "▃▃▂▃▄▃▂▂▂▂▃▃▃█"
    for sentence in (*remarks(full()), spikes(full()), bars, "SPIKE 3.0×", sentences.accounts(full())):
        assert (json.dumps(sentence, ensure_ascii=False)[1:-1] if form == "slack" else sentence) in text


def test_webhooks_get_the_numbers() -> None:
    data = json.loads(payload.payload(full()))["data"]
    assert data["trends"][0] == {"topic": "wagner", "days": list(LOUD.days), "count": 12, "usual": 4.0, "spike": True}
    assert data["next"] == "2026-11-23T17:00:00Z"
    assert data["flooded"] == [{"topic": "Wagner", "count": 9700}]
    assert data["counts"]["silenced"] == 3
    gaps = ["hits: 5 came in, 4 went on or wait"]
    assert data["accounts"] == {"sources": 41, "articles": 2016, "hits": 14, "gaps": gaps}


def test_what_is_left_out_is_counted_by_severity() -> None:
    mali = story(2).topics[:1]
    sample = digest(story(1), story(2), story(3, topics=mali), story(4, topics=mali))
    assert not_shown(limit_stories(sample, 1)) == "Not shown: 3 stories (1 high, 2 normal)."
    assert not_shown(limit_stories(limit_stories(sample, 2), 1)) == "Not shown: 3 stories (1 high, 2 normal)."


def test_hostile_words_are_harmless_here_too() -> None:
    name = "one\r\nBcc: victim@example.org\x1b[31m\u202e"
    (remark,) = remarks(hostile(name, flooded=((name, 2),)))
    assert remark.isprintable()


def test_hits_over_the_limit_alone_are_no_quiet_day() -> None:
    notice = digest(kind="alert", flooded=(("Wagner", 60), ("Mali", 2)))
    for text in (sentences.subject(notice), sentences.heading(notice), plain.plain(notice), html.page(notice)):
        assert "Nothing matched" not in text
    assert sentences.subject(notice) == "62 hits over the hourly limit, counted but not listed. [newsdesk]"
    assert "Wagner: 60 more hits over the hourly limit, counted but not listed." in " ".join(
        plain.plain(notice).split()
    )
    french = replace(notice, language="fr")
    assert sentences.heading(french) == "62 résultats au-delà de la limite horaire, comptés mais non affichés."


def test_what_goes_on_is_one_line() -> None:
    page = html.page(digest(story(status="continuing")))
    assert "(2 sources)" in page
    assert "RFI Afrique" not in page


# ── what is left out, and what was not read ──


def test_what_is_left_out_is_in_the_subject_and_the_first_lines() -> None:
    many = digest(*(story(number) for number in range(1161)))
    shown = limit_stories(many, 72)
    counts = "1,161 stories, 72 shown; 1,089 high among those left out"
    assert sentences.counted(shown) == counts
    assert counts in sentences.subject(shown)
    assert counts in sentences.heading(shown)
    assert sentences.summary(shown).startswith(f"{counts}. ")
    assert counts in " ".join(plain.plain(shown).split("==")[0].split())
    assert counts in rich_text.opening(shown, 1, 1)[0]
    assert sentences.counted(many) == "1,161 stories"
    few = limit_stories(digest(story(1), story(2)), 1)
    assert sentences.counted(few) == "2 stories, 1 shown; 1 high among those left out"


@pytest.mark.parametrize("language", ["en", "fr", "ru", "ar"])
def test_what_is_left_out_is_counted_in_every_language(language: str) -> None:
    shown = limit_stories(digest(*(story(number) for number in range(9)), language=language), 2)
    assert len(sentences.subject(shown)) <= 90
    assert sentences.counted(shown).count("7") == 1


def test_nothing_matched_is_only_said_of_what_was_read() -> None:
    """Case E-3: a digest while reading is paused says so, and why."""
    never, early = digest(paused="disk"), digest(paused="disk", last_read=WHEN - timedelta(hours=20))
    expected = "Nothing was read: the disk of the service is nearly full; it needs at least 256 MiB free."
    assert sentences.nothing(never) == sentences.nothing(early) == expected
    before = digest(paused="store", last_read=WHEN - timedelta(hours=1))
    assert sentences.nothing(before).startswith("Nothing has been read since 08:00: the store")
    assert sentences.subject(never).startswith("Nothing was read: the disk of the service is nearly full")
    with_stories = digest(story(1), paused="backlog", last_read=WHEN - timedelta(hours=1))
    assert sentences.remarks(with_stories)[0].startswith("Nothing has been read since 08:00: too many articles")
    assert "256 MiB" in sentences.nothing(never)
    assert ROOM_BYTES == 256 * 1024**2, "the sentence and the manual name this number"


def test_a_source_that_was_not_visited_yet_was_not_read() -> None:
    new = digest(unread=(UnreadSource("rfi", NOT_YET, None),), sources_total=1)
    assert sentences.nothing(new) == "Nothing matched: the only source could not be read."
    assert sentences.not_read(new) == "Not read (1 of 1 source): rfi (not visited yet)."
