"""What an article says about its event."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import article
from watchpost.events.embedding import quantized
from watchpost.events.witnesses import MOST_NAMES, Witnesses, alike, consonants, embedded_text, witnesses
from watchpost.query.words import fold

THURSDAY = datetime(2026, 5, 14, 9, tzinfo=UTC)


def said(title: str, body: str = "", lang: str = "en") -> Witnesses:
    return witnesses(article(title, body=body, lang=lang, published=THURSDAY))


def test_an_attack() -> None:
    found = said("Gunmen kill twelve near Kidal", "Twelve died on Tuesday when a market near Kidal was attacked.")
    assert [(town.name, town.country, town.early) for town in found.towns] == [("Kidal", "ML", True)]
    assert found.countries == ("ML",)
    assert ("killed", 12) in found.first_harm
    assert {"attack", "market"} <= found.kinds
    assert found.days == {date(2026, 5, 12).toordinal()}


@pytest.mark.parametrize(
    ("names", "same"),
    [
        (("Orvanta", "Орванта", "أورفانتا"), True),
        (("Dinangourou", "Динангуру", "دينانغورو"), True),
        (("Ménaka", "Менака", "ميناكا"), True),
        (("Ansongo", "Timbuktu"), False),
    ],
)
def test_names_are_the_same_in_all_alphabets(names: tuple[str, ...], same: bool) -> None:
    assert (len({consonants(fold(name)) for name in names}) == 1) is same


def test_arabic_words_are_found_behind_their_prefixes() -> None:
    assert {"attack", "market"} <= said("الهجوم والسوق", "مقتل تسعة", "ar").kinds


def test_a_word_for_a_day_is_the_last_day_of_that_name() -> None:
    assert said("Vendredi", "Le bus a brûlé vendredi.", "fr").days == {date(2026, 5, 8).toordinal()}
    assert said("Thursday", "The bus burnt on Thursday.").days == {THURSDAY.date().toordinal()}


def test_numbers_and_days_are_read_in_the_language_of_the_text() -> None:
    body = "Onze militaires ont péri mardi près d'Ansongo, où leur convoi a sauté sur des mines, selon l'armée."
    found = said("Mali : onze militaires tués", body, "en")
    assert found.language == "fr"
    assert ("killed", 11) in found.first_harm
    assert found.days == {date(2026, 5, 12).toordinal()}


@given(st.text(max_size=300), st.text(max_size=600), st.sampled_from(["", "en", "ar", "zh", "ha", "xx", "not a tag"]))
def test_any_text_says_something_in_bounds(title: str, body: str, lang: str) -> None:
    found = said(title, body, lang)
    assert len(found.names) <= MOST_NAMES
    assert all(len(country) == 2 for country in found.countries)


@pytest.mark.parametrize(
    "body", ["", "word " * 100_000, "ߒߞߏ " * 20_000, "𐤀𐤁" * 50_000, "12 " * 50_000, "Gao " * 50_000]
)
def test_only_the_beginning_of_a_text_is_read(body: str) -> None:
    found = said("A title", body)
    assert found == said("A title", body[:3_000])
    assert len(embedded_text(article("A title", body=body))) <= 1_000


def test_vectors_are_compared_by_their_angle() -> None:
    one, other = quantized([0.1, 0.2, -0.05]), quantized([0.2, 0.4, -0.1])
    assert alike(one, other) == pytest.approx(1.0, abs=0.01)
    assert alike(one, quantized([-0.1, -0.2, 0.05])) == pytest.approx(-1.0, abs=0.01)
    assert alike(one, b"") == 0.0
    assert quantized([0.0, 0.0]) == b""
    assert alike(b"\0\0", b"\1\1") == 0.0
