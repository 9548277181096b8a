"""The places that an article names, and where they are handed on."""

from __future__ import annotations

import pytest

from tests.making import WHEN, article
from watchpost.match.event_country import clues, placed
from watchpost.match.matcher import match
from watchpost.match.places import MOST, mentions, named_places
from watchpost.model import NamedPlace, Topic
from watchpost.names import library
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.words import is_unspaced

CASES = [
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
