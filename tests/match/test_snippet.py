"""The snippet shows the densest place, whole sentences if it can, with highlights that fit."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from tests.making import article
from watchpost.match.matcher import LENGTH, snippet
from watchpost.model import Snippet
from watchpost.query.tree import Evidence


def spans(text: str, word: str, field: str = "body") -> tuple[Evidence, ...]:
    return tuple(Evidence(field, m.start(), m.end(), m[0], word) for m in re.finditer(word, text))


def marked(piece: Snippet) -> list[str]:
    return [piece.text[a:b] for a, b in piece.highlights]


FILLER = "Nothing of interest happens in this long sentence about the weather in the north. " * 6


def test_the_densest_place_wins_and_begins_with_its_sentence() -> None:
    body = f"Mali again. {FILLER}Talks between Wagner and Mali went on; Mali said nothing. {FILLER}"
    piece = snippet(article(body=body), spans(body, "Mali") + spans(body, "Wagner"))
    assert piece.text.startswith("…Talks between Wagner and Mali went on; Mali said nothing.")
    assert marked(piece) == ["Wagner", "Mali", "Mali"]


def test_a_short_text_is_shown_whole() -> None:
    body = "Le  Mali\ndit non."
    piece = snippet(article(body=body), spans(body, "Mali"))
    assert piece == Snippet("Le Mali dit non.", ((3, 7),))


def test_evidence_in_the_title_alone_shows_the_title() -> None:
    piece = snippet(article("Wagner in Mali", body="A text."), spans("Wagner in Mali", "Mali", "title"))
    assert piece == Snippet("Wagner in Mali", ((10, 14),))


def test_no_evidence_shows_the_beginning() -> None:
    assert snippet(article(body=FILLER), ()).text.startswith("Nothing of interest")


@given(st.text(alphabet="ab \n.é漢ف", min_size=0, max_size=900), st.data())
def test_highlights_always_lie_in_the_text_and_show_the_words(text: str, data: st.DataObject) -> None:
    words = [m.span() for m in re.finditer(r"[^\s.]{1,20}", text)]
    chosen = data.draw(st.lists(st.sampled_from(words), max_size=8, unique=True)) if words else []
    evidence = tuple(Evidence("body", a, b, text[a:b], "c") for a, b in sorted(chosen))
    piece = snippet(article(body=text), evidence)
    assert len(piece.text) <= 2 * LENGTH + 2
    forms = {item.text for item in evidence}
    assert all(piece.text[a:b] in forms for a, b in piece.highlights)
    if evidence:
        assert piece.highlights


def test_many_places_and_many_sentences_are_compared_in_little_time() -> None:
    body = "Mali wagner bamako. " * 4_000 + "x y. " * 160_000
    begun = time.process_time()
    piece = snippet(article(body=body), spans(body, "Mali") + spans(body, "wagner"))
    assert marked(piece)[:2] == ["Mali", "wagner"]
    assert time.process_time() - begun < 2


def test_a_run_of_full_stops_takes_no_time() -> None:
    body = "The talks in Mali go on, said the minister" + "." * 400_000 + "x and more words follow."
    begun = time.process_time()
    assert marked(snippet(article(body=body), spans(body, "Mali"))) == ["Mali"]
    assert time.process_time() - begun < 1
