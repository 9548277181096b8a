"""What an edition says besides its stories: trends, silences, floods, corrections, the next one. In both languages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.notify.editions import WHEN, digest, hostile, report, story, usual
from watchpost.model import Digest, HeadlineChange, SourceCounts
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, payload, plain, sentences
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.sentences import not_shown, remarks, spikes, trend_line
from watchpost.trend import Trend

LOUD = Trend((2, 2, 1, 3, 5, 2, 1, 1, 1, 1, 2, 2, 3, 12), 12, 4.0, True)
CALM = Trend((1,) * 14, 1, 1.0, False)
YOUNG = Trend((0,) * 13 + (3,), 3, None, False)


def full(**fields: object) -> Digest:
    """An edition with everything to remark."""
    values = {
        "trends": {"wagner": LOUD, "mali": CALM},
        "silenced": 3,
        "flooded": (("Wagner", 9700),),
        "following": WHEN + timedelta(hours=9),
        "accounts": SourceCounts(41, 2016, 14, ("hits: 5 came in, 4 went on or wait",)),
    }
    corrected = story(
        4, status="updated", change=HeadlineChange(figures=(("30", "45"),)), lead=report("45 dead in Gao")
    )
    base = usual(**(values | fields))
    return replace(base, stories=(*base.stories, corrected))


def test_everything_is_said_in_english() -> None:
    assert remarks(full()) == (
        "Flood on Wagner: 9700 further hits were counted and not listed.",
        "Corrections: RFI Afrique: Figures corrected: 30 → 45 (45 dead in Gao).",
        "Silenced: 3 hits.",
        "Next edition: 18:00.",
    )
    assert trend_line(full(), "wagner") == "▃▃▂▃▄▃▂▂▂▂▃▃▃█  12 now, usually 4: SPIKE 3.0×"
    assert trend_line(full(), "mali") == "▃▃▃▃▃▃▃▃▃▃▃▃▃▃  1 now, usually 1"
    assert trend_line(full(trends={"mali": YOUNG}), "mali") == "▁▁▁▁▁▁▁▁▁▁▁▁▁▇  3 now"
    assert trend_line(full(), "other") == ""
    assert spikes(full()) == "Much more than usual: Wagner / Africa Corps 12 (usually 4)."


def test_everything_is_said_in_french() -> None:
    edition = full(language="fr")
    assert remarks(edition) == (
        "Afflux sur Wagner : 9700 autres résultats comptés, non affichés.",
        "Corrections : RFI Afrique: Chiffres corrigés : 30 → 45 (45 dead in Gao).",
        "Mis en sourdine : 3 résultats.",
        "Prochaine édition : 18:00.",
    )
    assert trend_line(edition, "wagner") == "▃▃▂▃▄▃▂▂▂▂▃▃▃█  12 cette fois, 4 d'ordinaire : PIC 3,0×"
    assert spikes(edition) == "Bien plus que d'ordinaire : Wagner / Africa Corps 12 (4 d'ordinaire)."


def test_a_plain_day_has_nothing_to_remark() -> None:
    assert remarks(digest(story())) == ()
    assert spikes(full(trends={"wagner": CALM})) == ""


@pytest.mark.parametrize("form", ["plain", "html", "slack"])
def test_every_edition_says_it(form: str) -> None:
    forms = {"plain": plain.plain(full()), "html": html.page(full()), "slack": "".join(slack.lay_out(full())[1])}
    text = " ".join(forms[form].split())
    bars = f'alt="{" ".join(map(str, LOUD.days))}"' if form == "html" else "▃▃▂▃▄▃▂▂▂▂▃▃▃█"
    for told in (*remarks(full()), spikes(full()), bars, "SPIKE 3.0×", sentences.accounts(full())):
        assert told in text, told


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
    edition = digest(story(1), story(2), story(3, topics=mali), story(4, topics=mali))
    assert not_shown(limit_stories(edition, 1)) == "Not shown: 3 stories (1 high, 2 normal)."
    assert not_shown(limit_stories(limit_stories(edition, 2), 1)) == "Not shown: 3 stories (1 high, 2 normal)."


def test_hostile_words_are_harmless_here_too() -> None:
    name = "one\r\nBcc: victim@example.org\x1b[31m\u202e"
    (said,) = remarks(hostile(name, flooded=((name, 2),)))
    assert said.isprintable()


def test_an_alert_of_a_flood_alone_is_no_quiet_day() -> None:
    notice = digest(kind="alert", flooded=(("Wagner", 60), ("Mali", 2)))
    for said in (sentences.subject(notice), sentences.heading(notice), plain.plain(notice), html.page(notice)):
        assert "Nothing matched" not in said
    assert sentences.subject(notice) == "[newsdesk] Flood: 62 hits beyond the limit, counted and not listed."
    assert "Flood on Wagner: 60 further hits were counted and not listed." in " ".join(plain.plain(notice).split())
    french = replace(notice, language="fr")
    assert sentences.heading(french) == "Afflux : 62 résultats au-delà de la limite, comptés, non affichés."


def test_what_goes_on_is_one_line() -> None:
    page = html.page(digest(story(status="continuing")))
    assert "(2 sources)" in page
    assert "RFI Afrique" not in page
