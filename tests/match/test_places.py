"""The places that an article names, and where they are handed on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.making import WHEN, article
from watchpost.match.event_country import clues, event_countries, named, placed
from watchpost.match.matcher import match
from watchpost.match.places import MOST, mentions, named_places, usual_name
from watchpost.model import NamedPlace, Topic
from watchpost.names import library
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.words import is_unspaced

CASES = [
    ("Суд в Москве, встреча в Париже и Вашингтоне.", [("Moscow", "RU"), ("Paris", "FR"), ("Washington", "US")]),
    ("Взрыв в Ниамее, столице Нигера; из Киева.", [("Niamey", "NE"), ("Kyiv", "UA")]),
    ("W Moskwie i w Kijowie, mówi minister, było spokojnie.", [("Moscow", "RU"), ("Kyiv", "UA")]),
    ("وصل الوفد لباماكو", [("Bamako", "ML")]),
    ("وباء كورونا ينتشر", []),
    ("Самое важное: совета не будет.", []),
    ("The film stars Denzel Washington; he spoke in Washington.", [("Washington", "US")]),
    ("A market opens in Bamako; Bamako is dry.", [("Bamako", "ML")]),
    ("Le marché de Gao rouvre, dit-on à Bamako.", [("Gao", "ML"), ("Bamako", "ML")]),
    ("Niger says that a school in Niamey is shut.", [("Niamey", "NE")]),
    ("Бамако: рынок открыт", [("Bamako", "ML")]),
    ("باماكو: السوق مفتوح", [("Bamako", "ML")]),
    ("From bamako to somewhere: A text with capitals.", []),
    ("Gao Wei won the race, and San means saint.", []),
    ("Wagner Moura plays a policeman.", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "places"), CASES)
def test_places_of_a_text(text: str, places: list[tuple[str, str]]) -> None:
    found = named_places(mentions(Document.of({"body": text})))
    assert sorted((one.name, one.country) for one in found) == sorted(places)


def test_a_shared_name_counts_where_the_article_is_about_the_country() -> None:
    document = Document.of({"title": "Moura", "body": "Moura. Mali."})
    assert named_places(mentions(document)) == ()
    assert named_places(mentions(document, frozenset({"ML"}))) == (NamedPlace("Moura", "ML"),)


def test_a_hit_has_the_places_of_its_article() -> None:
    topic = Topic("mali", "Mali", parse("country:ML OR place:ML"))
    (hit,) = match(article("Rain in Gao and Kidal", body="Mali waits."), [topic], WHEN)
    assert hit.places == (NamedPlace("Gao", "ML", event=True), NamedPlace("Kidal", "ML", event=True))


HAPPENED = [
    ("Market burns in Timbuktu", "Traders have lost all.", [("Timbuktu", "ML")]),
    ("Explosion fait cinq morts à Niamey", "Un camion venu d'Algérie a explosé au Niger.", [("Niamey", "NE")]),
    ("Взрыв в Уагадугу", "В столице Буркина-Фасо прогремел взрыв, сообщает Париж.", [("Ouagadougou", "BF")]),
    ("Floods in Chad", "Houses fell in the south of Chad.", [("Chad", "TD")]),
    ("Le gouvernement centrafricain ferme un marché", "Pluie à Bangui.", [("Bangui", "CF")]),
    ("", "", []),
]


@pytest.mark.parametrize(("title", "body", "places"), HAPPENED)
def test_where_an_event_happened(title: str, body: str, places: list[tuple[str, str]]) -> None:
    found = placed(Document.of({"title": title, "body": body}))
    assert [(one.name, one.country) for one in found if one.event] == places


COUNTRIES = [
    ("ru", "Переговоры в Нигере, Буркине-Фасо и Германии", {"NE", "BF", "DE"}),
    ("ru", "Засада в ЦАР", {"CF"}),
    ("pl", "Rozmowy w Rosji i na Ukrainie, mówi rząd", {"RU", "UA"}),
    ("ar", "اتفاق للجزائر والنيجر", {"DZ", "NE"}),
    ("en", "UAE firm leaves", {"AE"}),
    ("en", "CAR BOMB KILLS TWO", set()),
    ("en", "a car bomb kills Two", set()),
]


@pytest.mark.parametrize(("lang", "text", "codes"), COUNTRIES)
def test_countries_are_named_in_any_case_and_by_their_initials(lang: str, text: str, codes: set[str]) -> None:
    found = mentions(Document.of({"title": text, "lang": lang}))
    assert {one.place.country for one in found} == codes


def test_who_decides_and_who_acts_are_told_from_where_it_happens() -> None:
    text = "BRUSSELS (Wire) – The European Union said so. Mali's army waits, and so do the people of Gao."
    document = Document.of({"title": "EU sanctions a firm", "body": text})
    found = clues(document, mentions(document, frozenset({"ML"})))
    assert {(one.country, one.kind, one.dateline) for one in found} == {
        ("BE", "government", False),
        ("BE", "capital", True),
        ("ML", "people", False),
        ("ML", "town", False),
    }


DECIDED = [
    (
        "EU bans Malian flour",
        "BRUSSELS, May 4 (Wire) - The European Union said on Monday that it bans flour from Mali.",
        "BE",
    ),
    ("Bundestag streitet über Mali", "Berlin – Der Bundestag hat über den Einsatz in Mali beraten.", "DE"),
    ("Explosion à Niamey, Paris condamne", "Une explosion a fait deux morts à Niamey, au Niger. Paris condamne.", "NE"),
    ("Пожар в Сегу: Москва соболезнует", "В Сегу, в центре Мали, сгорел рынок. Москва выразила соболезнования.", "ML"),
    (
        "Mercenarios rusos atacan Kidal",
        "Mercenarios rusos y el ejército atacaron el martes Kidal, en el norte de Malí.",
        "ML",
    ),
]


@pytest.mark.parametrize(("title", "body", "code"), DECIDED)
def test_a_government_decides_at_home_and_one_that_speaks_is_no_place(title: str, body: str, code: str) -> None:
    found = placed(Document.of({"title": title, "body": body}), frozenset({"ML"}))
    assert {one.country for one in found if one.event} == {code}


REPORTS = [
    line.split("\t")
    for line in Path(__file__).with_name("event_places.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_countries_of_short_reports_in_eight_languages() -> None:
    counted: Counter[str] = Counter()
    for lang, countries, title, body in REPORTS:
        document = Document.of({"title": title, "body": body, "lang": lang})
        wanted, found = {*countries.split(",")}, {*event_countries(document, named(document, frozenset({"ML"})))}
        counted.update(right=len(wanted & found), found=len(found), wanted=len(wanted))
    assert counted["right"] >= 0.85 * counted["found"]
    assert counted["right"] >= 0.85 * counted["wanted"]


@pytest.mark.parametrize(
    ("lang", "title", "body", "town", "code"),
    [
        ("es", "Rabat recibe a los ministros", "El ministro marroquí los recibió.", "Rabat", "MA"),
        ("de", "Lomé: Streik", "Die togoische Regierung verhandelt.", "Lomé", "TG"),
        ("de", "Wien: Prozess beginnt", "Der Angeklagte schweigt.", "Vienna", "AT"),
        ("pl", "Madryt: proces", "W Madrycie zaczął się proces.", "Madrid", "ES"),
    ],
)
def test_people_of_a_country_support_its_towns(lang: str, title: str, body: str, town: str, code: str) -> None:
    found = named(Document.of({"title": title, "body": body, "lang": lang}))
    assert {(usual_name(one.place), one.place.country) for one in found} == {(town, code)}


@pytest.mark.parametrize(
    ("text", "is_named"),
    [("EU bans flour", True), ("Eu vi o Mali. Eu disse que sim.", False), ("La Ue decide oggi", True)],
)
def test_the_initials_of_the_union_are_no_everyday_word(text: str, is_named: bool) -> None:
    document = Document.of({"title": text})
    assert ("BE" in {one.country for one in clues(document, named(document))}) is is_named


def test_there_are_not_too_many() -> None:
    names = "Paris Berlin Madrid Lisbon Vienna Prague Warsaw Budapest Bucharest Athens Helsinki Stockholm Oslo Dublin"
    more = "Brussels Amsterdam Copenhagen Zagreb Belgrade Sofia Tirana Skopje Sarajevo Bratislava Ljubljana Moscow Kyiv"
    assert len(named_places(mentions(Document.of({"body": f"{names} {more}"})))) <= MOST


PEOPLE = [
    (code, word) for code, text in library.known()["people"].items() for word in text.split() if not is_unspaced(word)
]


@pytest.mark.parametrize(("code", "word"), PEOPLE, ids=lambda value: value)
def test_each_word_for_people_is_a_clue_however_long_it_is(code: str, word: str) -> None:
    written = f"{word[:-1]}{word[-2]}" if word.endswith("*") else word
    document = Document.of({"body": f"It says that {written} rain falls."})
    assert (code, "people") in {(clue.country, clue.kind) for clue in clues(document, ())}
