"""The language of a text that does not say it, and what `languages:` and `lang:` make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import process_time

import pytest

from tests.making import article
from tests.shared import shared
from watchpost.match.matcher import match
from watchpost.model import Topic
from watchpost.query.document import Document
from watchpost.query.language import declared, fits, recognised
from watchpost.query.parser import parse

HEADLINES = [
    ("en", "The government closes three schools after a storm"),
    ("fr", "Le gouvernement ferme trois écoles après la tempête"),
    ("de", "Die Regierung schließt nach dem Sturm drei Schulen"),
    ("es", "El gobierno cierra tres escuelas después de la tormenta"),
    ("pt", "O governo fecha três escolas depois da tempestade"),
    ("it", "Il governo chiude tre scuole dopo la tempesta"),
    ("pl", "Rząd zamyka trzy szkoły po burzy"),
    ("tr", "Hükümet fırtınadan sonra üç okulu kapattı"),
    ("hr", "Vlada je nakon oluje zatvorila tri škole"),
    ("ru", "Правительство закрыло три школы после бури"),
    ("uk", "Уряд закрив три школи після бурі"),
    ("ar", "الحكومة تغلق ثلاث مدارس بعد العاصفة"),
    ("zh", "政府在风暴后关闭三所学校"),
]


@pytest.mark.parametrize(("language", "headline"), HEADLINES)
def test_a_headline_has_its_language(language: str, headline: str) -> None:
    assert language in recognised(headline)
    assert Document.of({"title": headline}).languages == recognised(headline)


@pytest.mark.parametrize("text", ["", "Mali", "24/7", "\ud800", "Tinariwen: Amatssou"])
def test_nothing_is_said_of_a_text_without_words(text: str) -> None:
    assert recognised(text) == ()


def test_what_is_declared_counts() -> None:
    document = Document.of({"title": HEADLINES[0][1], "lang": "fr-ML"})
    assert document.languages == ("fr",)
    assert [declared(tag) for tag in ("", "und", "zh-Hant", "pt_BR", "EN")] == [(), (), ("zh",), ("pt",), ("en",)]


def test_lang_is_asked_of_the_text() -> None:
    for code, headline in HEADLINES:
        document = Document.of({"title": headline})
        assert parse(f"lang:{code}").evaluate(document) is not None
        assert parse(f"{headline.split()[0]} NOT lang:{code}").evaluate(document) is None
    assert parse("lang:sr").evaluate(Document.of({"title": dict(HEADLINES)["hr"]})) is not None


@pytest.mark.parametrize(("lang", "title", "hits"), [("", 0, True), ("", 1, False), ("fr", 0, False), ("en", 1, True)])
def test_languages_of_a_topic(lang: str, title: int, hits: bool) -> None:
    topic = Topic("storm", "Storm", parse("storm OR tempête"), languages=("en",))
    now = datetime(2026, 11, 27, tzinfo=UTC)
    found = match(article(HEADLINES[title][1], lang=lang, body=""), [topic], now)
    assert bool(found) is hits


def test_languages_that_are_alike_fit_each_other() -> None:
    assert fits((), ("fr",))
    assert fits(recognised(dict(HEADLINES)["hr"]), ("sr",))
    assert not fits(("fr",), ("en", "de"))


def test_real_headlines() -> None:
    wanted = {"en", "fr", "de", "es", "pt", "it", "pl", "tr", "hr", "ru", "uk", "ar", "zh"}
    rows = [json.loads(line) for line in (shared("corpus/real/articles.jsonl")).read_text().splitlines()]
    headlines = [(row["lang"].split("-")[0], row["title"]) for row in rows if row["title"]]
    asked = [(lang, title, recognised(title)) for lang, title in headlines if lang in wanted]
    said = [(lang, title, codes) for lang, title, codes in asked if codes]
    assert len(said) >= 0.75 * len(asked)
    assert sum(lang in codes for lang, _, codes in said) >= 0.97 * len(said)


def test_a_headline_takes_no_time() -> None:
    for _, headline in HEADLINES:
        recognised(headline)
    begun = process_time()
    for _ in range(100):
        for _, headline in HEADLINES:
            recognised(headline)
    assert (process_time() - begun) / (100 * len(HEADLINES)) < 500e-6  # 25 µs where nothing else runs
