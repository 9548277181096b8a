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
from watchpost.query.language import declared, fits, of_text, recognised, tag_of
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


TEXTS = [
    (
        "en",
        "School closed after storm",
        "The government closed three schools on Thursday after a storm tore the "
        "roofs off several buildings near the river, officials said.",
    ),
    (
        "fr",
        "Trois écoles fermées après la tempête",
        "Le gouvernement a fermé trois écoles jeudi après une tempête qui a arraché les "
        "toits de plusieurs bâtiments près du fleuve, selon la mairie.",
    ),
    (
        "de",
        "Drei Schulen nach dem Sturm geschlossen",
        "Die Regierung hat am Donnerstag drei Schulen geschlossen, nachdem ein "
        "Sturm die Dächer mehrerer Gebäude am Fluss abgedeckt hatte.",
    ),
    (
        "es",
        "Tres escuelas cerradas tras la tormenta",
        "El gobierno cerró el jueves tres escuelas después de que una tormenta "
        "arrancara los techos de varios edificios cerca del río.",
    ),
    (
        "pt",
        "Três escolas fechadas depois da tempestade",
        "O governo fechou na quinta-feira três escolas depois de uma tempestade ter "
        "arrancado os telhados de vários edifícios junto ao rio.",
    ),
    (
        "it",
        "Tre scuole chiuse dopo la tempesta",
        "Il governo ha chiuso giovedì tre scuole dopo che una tempesta ha "
        "strappato i tetti di diversi edifici vicino al fiume.",
    ),
    (
        "pl",
        "Trzy szkoły zamknięte po burzy",
        "Rząd zamknął w czwartek trzy szkoły po tym, jak burza zerwała dachy z "
        "kilku budynków nad rzeką, poinformowali urzędnicy.",
    ),
    (
        "tr",
        "Fırtınadan sonra üç okul kapatıldı",
        "Hükümet, fırtınanın nehir kıyısındaki birkaç binanın çatısını "
        "uçurmasının ardından perşembe günü üç okulu kapattı.",
    ),
    (
        "ru",
        "После бури закрыты три школы",
        "Правительство закрыло в четверг три школы, после того как буря сорвала "
        "крыши с нескольких зданий у реки, сообщили чиновники.",
    ),
    (
        "uk",
        "Після бурі закрито три школи",
        "Уряд закрив у четвер три школи, після того як буря зірвала дахи з "
        "кількох будівель біля річки, повідомили чиновники.",
    ),
    (
        "ar",
        "إغلاق ثلاث مدارس بعد العاصفة",
        "أغلقت الحكومة يوم الخميس ثلاث مدارس بعد أن اقتلعت عاصفة أسقف عدة مبان "
        "بالقرب من النهر، وفق ما أعلنه مسؤولون محليون في المدينة.",
    ),
    (
        "zh",
        "风暴后三所学校关闭",
        "政府官员表示，周四一场风暴掀翻了河边几座建筑物的屋顶，政府随后关闭了三所学校。",
    ),
    (
        "hr",
        "Tri škole zatvorene nakon oluje",
        "Vlada je u četvrtak zatvorila tri škole nakon što je oluja odnijela "
        "krovove nekoliko zgrada uz rijeku, priopćili su dužnosnici.",
    ),
]
"""A headline and a text in each of 13 languages."""

UNKNOWN_TO_ELDC = [
    (
        "ha",
        "An rufe makarantu uku bayan guguwa",
        "Gwamnati ta rufe makarantu uku a ranar Alhamis bayan da guguwa ta kware rufin gine-gine da dama kusa da kogi.",
    ),
    (
        "sw",
        "Shule tatu zafungwa baada ya dhoruba",
        "Serikali ilifunga shule tatu siku ya Alhamisi baada ya dhoruba kung'oa mapaa ya majengo kadhaa karibu na mto.",
    ),
]

OTHERS = ("en", "fr", "de-CH", "ru_RU", "AR", "zh-Hant", "ha", "sw")
"""What feeds may declare, whatever language a text is in."""


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


@pytest.mark.parametrize(("language", "title", "text"), TEXTS, ids=[language for language, _, _ in TEXTS])
def test_a_long_text_counts_more_than_what_is_declared(language: str, title: str, text: str) -> None:
    for tag in OTHERS:
        codes = Document.of({"title": title, "summary": text, "lang": tag}).languages
        assert language in codes, tag
        assert codes == of_text(tag, title, text) == of_text("", title, text) or declared(tag) == (language,)
    assert of_text(f"{language}-ML", title, text) == (language,)
    assert Document.of({"title": title, "body": text, "lang": f"{language}-ML"}).text("lang") == f"{language}-ML"


@pytest.mark.parametrize(("language", "title", "text"), TEXTS, ids=[language for language, _, _ in TEXTS])
@pytest.mark.parametrize("tag", ["pcm", "gl", "ckb", "xx", "mul"])
def test_a_language_that_may_be_taken_for_another_one_stays(language: str, title: str, text: str, tag: str) -> None:
    assert of_text(tag, title, text) == (tag,)


@pytest.mark.parametrize(("language", "title", "text"), UNKNOWN_TO_ELDC)
def test_what_is_not_certain_stays_as_declared(language: str, title: str, text: str) -> None:
    assert [of_text(tag, title, text) for tag in (language, "en", "")] == [(language,), ("en",), ()]


@pytest.mark.parametrize(("language", "title", "_text"), TEXTS, ids=[language for language, _, _ in TEXTS])
def test_a_headline_alone_contradicts_nothing(language: str, title: str, _text: str) -> None:
    tag = "fr" if language == "en" else "en"
    assert of_text(tag, title, "") == of_text(tag, "", title) == (tag,)


@pytest.mark.parametrize("declared_as", ["fr", "ha"])
def test_a_text_that_begins_with_a_quotation_stays_what_it_is_declared_to_be(declared_as: str) -> None:
    texts = {language: text for language, _, text in [*TEXTS, *UNKNOWN_TO_ELDC]}
    quoted = f"{texts['en']} " * 5
    assert of_text(declared_as, "Bamako", quoted) == ("en",)
    assert of_text(declared_as, "Bamako", f"{quoted} {texts[declared_as] * 4}") == (declared_as,)


def test_the_tag_of_a_text() -> None:
    alike = ("hr", "bs", "sr", "sh")
    given = [
        ("fr-ML", ("fr",)),
        ("en", ("fr",)),
        ("", ("fr",)),
        ("", ()),
        ("fr", ()),
        ("sr-Latn", alike),
        ("en", alike),
    ]
    assert [tag_of(tag, codes) for tag, codes in given] == ["fr-ML", "fr", "fr", "", "fr", "sr-Latn", ""]


@pytest.mark.parametrize(("language", "title", "text"), TEXTS, ids=[language for language, _, _ in TEXTS])
def test_topics_queries_and_hits_have_the_language_of_the_text(language: str, title: str, text: str) -> None:
    wrong = "fr" if language == "en" else "en"
    word = title.split()[0] if language != "zh" else "风暴"
    now = datetime(2026, 11, 27, tzinfo=UTC)
    topics = [
        Topic("own", "Own", parse(word), languages=(language,)),
        Topic("other", "Other", parse(word), languages=(wrong,)),
        Topic("lang", "Lang", parse(f"{word} AND lang:{language}")),
        Topic("not-lang", "Not", parse(f"{word} NOT lang:{wrong}")),
        Topic("wrong", "Wrong", parse(f"{word} AND lang:{wrong}")),
    ]
    found = match(article(title, body=text, lang=wrong), topics, now)
    assert {hit.topic for hit in found} == {"own", "lang", "not-lang"}
    assert {hit.article.lang for hit in found} == {"" if language == "hr" else language}


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
