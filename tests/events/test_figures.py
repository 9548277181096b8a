"""Numbers in texts, spelled out or in digits, and what they count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.events import lexicon
from watchpost.events.figures import LARGEST, MOST, figures
from watchpost.events.lexicon import Text
from watchpost.query.words import folded_words

SAID = [
    ("en", "twenty-four dead and nine wounded", [(24, "killed"), (9, "wounded")]),
    ("en", "three hundred and five villagers were killed", [(305, "killed")]),
    ("en", "It cost 27 500 francs in 2024", [(27_500, "")]),
    ("fr", "quatorze morts, vingt-trois camions", [(14, "killed"), (23, "")]),
    ("fr", "quatre-vingt-dix-sept morts", [(97, "killed")]),
    ("fr", "soixante et onze otages", [(71, "taken")]),
    ("fr", "une cinquantaine d'assaillants abattus", [(50, "killed")]),
    ("de", "vierundzwanzig Tote", [(24, "killed")]),
    ("de", "Einunddreißig Menschen wurden getötet", [(31, "killed")]),
    ("es", "treinta y dos heridos", [(32, "wounded")]),
    ("es", "veintitrés muertos", [(23, "killed")]),
    ("pt", "vinte e dois mortos", [(22, "killed")]),
    ("it", "trentuno morti", [(31, "killed")]),
    ("it", "ventotto feriti", [(28, "wounded")]),
    ("ru", "погибли тридцать девять человек", [(39, "killed")]),
    ("ru", "о гибели двадцати трёх бойцов", [(23, "killed")]),
    ("pl", "zginęło trzydziestu dwóch żołnierzy", [(32, "killed")]),
    ("tr", "yirmi üç asker gözaltına alındı", [(23, "arrested")]),
    ("ar", "مقتل سبعة عشر إرهابيا", [(17, "killed")]),
    ("ar", "مقتل أربعة وثلاثين شخصا", [(34, "killed")]),
    ("zh", "三十九人死亡", [(39, "killed")]),
    ("zh", "三百五十人遇难", [(350, "killed")]),
    ("ha", "mutane talatin da biyu sun mutu", [(32, "killed")]),
    ("ha", "sojoji dubu takwas", [(8_000, "")]),
    ("sw", "watu thelathini na wawili waliuawa", [(32, "killed")]),
    ("en", "death toll in the raid on Sirimana rises to fourteen", [(14, "killed")]),
    ("en", "fourteen three more", [(14, ""), (3, "")]),
    ("fr", "le bilan des morts de l'attaque de Sirimana passe à dix-sept", [(17, "killed")]),
    ("es", "el número de muertos en el ataque a Sirimana sube a 22", [(22, "killed")]),
    ("ru", "число погибших при нападении на деревню выросло до 14", [(14, "killed")]),
    ("xx", "quatorze morts", []),
    ("en", "one man in 1998", []),
    ("en", "", []),
]


@pytest.mark.parametrize(("language", "text", "found"), SAID)
def test_numbers_and_what_they_count(language: str, text: str, found: list[tuple[int, str]]) -> None:
    assert [(one.value, one.role) for one in figures(Text(folded_words(text), language))] == found


@pytest.mark.parametrize("language", ["en", "fr", "es", "pt", "it", "de", "ru", "pl", "tr", "ar", "ha", "sw"])
def test_every_number_word_is_read(language: str) -> None:
    numerals = lexicon.numerals(language)
    assert numerals is not None
    for word, value in numerals.values.items():
        if value > 1:
            assert [one.value for one in figures(Text([word], language))] == [value], word
    assert {*range(1, 11), 20, 30, 40, 50, 60, 100, 1000} <= {*numerals.values.values()}


@given(st.text(max_size=400), st.sampled_from(["en", "fr", "ar", "zh", "ru", ""]))
def test_any_text_has_figures_in_bounds(text: str, language: str) -> None:
    found = figures(Text(folded_words(text), language))
    assert len(found) <= MOST
    assert all(1 < one.value <= LARGEST for one in found)


def test_a_long_row_of_number_words_ends() -> None:
    found = figures(Text(["hundred", "thousand", "nine"] * 5_000, "en"))
    assert len(found) <= MOST
