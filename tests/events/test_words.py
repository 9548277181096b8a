"""The lists of words for kinds of events, harm and anniversaries hold no everyday word of another language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.making import article
from watchpost.events import lexicon
from watchpost.events.lexicon import Text
from watchpost.events.witnesses import witnesses
from watchpost.query.words import folded_words

LANGUAGES = ("en", "fr", "es", "pt", "it", "de", "ru", "pl", "tr", "ar", "zh", "ha", "sw")
WORDS = Path(__file__).with_name("common_words.tsv")
COMMON = {
    language: words.split()
    for language, _, words in (
        line.partition("\t") for line in WORDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )
}
MEANT = {
    "en": {"school": "school"},
    "fr": {"mort": "killed"},
    "es": {"partido": "parties"},
    "pl": {"dzieci": "children"},
    "tr": {"çocuk": "children"},
    "ar": {"طريق": "road"},
    "ha": {"yara": "children"},
    "sw": {"watoto": "children"},
}
"""The common words that mean in their language what the lists say."""

LISTS = (lexicon.kinds, lexicon.harm, lexicon.anniversaries)


def meanings(word: str, language: str) -> set[str]:
    text = Text(folded_words(word), language, lambda _: word)
    return {meaning for words in LISTS for _, meaning in words().meanings(text)}


def marked() -> Iterator[tuple[str, str]]:
    """Each word of the lists that counts in some languages only, with one of them."""
    text = resources.files("watchpost.events").joinpath("words.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    lists = [
        *tables["kinds"].values(),
        *(table["words"] for table in tables["harm"].values()),
        tables["rises"]["words"],
    ]
    for entry in " ".join(lists).split():
        word, _, languages = entry.partition(":")
        for language in filter(None, languages.split(",")):
            yield word, language


def test_the_common_words_are_of_all_languages() -> None:
    assert {language: len(set(words)) for language, words in COMMON.items()} == dict.fromkeys(LANGUAGES, 200)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_common_word_of_a_language_means_nothing_else_in_it(language: str, known: bool) -> None:
    found = {word: meanings(word, language if known else "") for word in COMMON[language]}
    meant = MEANT.get(language, {})
    assert {word: said - {meant.get(word)} for word, said in found.items() if said - {meant.get(word)}} == {}


@pytest.mark.parametrize(
    ("language", "other", "word", "meaning"),
    [
        ("fr", "en", "or", "gold"),
        ("en", "de", "die", "killed"),
        ("sw", "de", "bei", "prices"),
        ("fr", "es", "mil", "prices"),
        ("ha", "es", "nada", "appointment"),
        ("ha", "sw", "kama", "arrest"),
        ("pl", "en", "sad", "court"),
        ("fr", "it", "tue", "killed"),
        ("en", "fr", "grave", "graves"),
        ("de", "sv", "haft", "court"),
        ("tr", "fr", "sel", "flood"),
    ],
)
def test_a_word_counts_in_its_own_language(language: str, other: str, word: str, meaning: str) -> None:
    assert meaning in meanings(word, language)
    assert meanings(word, other) == meanings(word, "") == set()


@pytest.mark.parametrize(
    ("language", "word", "meaning"),
    [
        ("tr", "öldü", "killed"),
        ("tr", "Öldü", "killed"),
        ("tr", "o\u0308ldu\u0308", "killed"),
        ("fr", "maïs", "prices"),
    ],
)
def test_accents_decide_where_the_list_says_so(language: str, word: str, meaning: str) -> None:
    assert meanings(word, language) == {meaning}
    assert meanings("".join(folded_words(word)), language) == set()


def test_marks_name_languages_that_the_program_knows() -> None:
    found = list(marked())
    assert len(found) > 100
    assert {language for _, language in found} <= {*LANGUAGES}
    assert [word for word, _ in found if not re.fullmatch(r"=?\w+", word)] == []


@pytest.mark.parametrize(
    ("language", "title", "body", "kinds"),
    [
        ("en", "Mali or Niger: who decides?", "We see the plan, as well as a lot of it, or so they say.", set()),
        ("de", "Die Lage bei Kidal", "Denn die Regierung ist bei den Gesprächen.", set()),
        ("es", "Nada para Malí", "Dentro de nada, mil veces.", set()),
        ("tr", "Mali'de çok şey oldu", "Böyle olur.", set()),
        ("fr", "La ruée vers l'or au Mali", "De l'or, ou rien.", {"gold"}),
    ],
)
def test_the_words_of_a_text_are_of_its_language(language: str, title: str, body: str, kinds: set[str]) -> None:
    found = witnesses(article(title, body=body, lang=language))
    assert found.kinds == kinds
    assert found.harm == found.first_harm == frozenset()
