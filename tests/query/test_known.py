"""Names of the library in queries: what they find, what they leave out, and why."""

from __future__ import annotations

import pytest

from watchpost.errors import QueryError
from watchpost.names import library
from watchpost.names.library import Entity
from watchpost.query.document import Document
from watchpost.query.explain import explain, missing
from watchpost.query.parser import parse
from watchpost.query.percolator import Percolator

FOUND = [
    ("country:ML", "Mali moves French behind its own tongues"),
    ("country:ML", "Inside Mali: who governs there?"),
    ("country:ML", "Across Mali, classrooms stay shut"),
    ("country:ML", "W Mali rozbił się samolot"),
    ("country:ML", "MALI: L'ARMÉE ANNONCE UNE ENQUÊTE"),
    ("country:ML", "mali: trois soldats tués"),
    ("country:ML", "Le Mali et le Burkina veulent une seule carte."),
    ("country:ML", "Mali, uccisi dieci soldati"),
    ("country:ML", "Mali'de seçimler ertelendi"),
    ("country:ML", "Jeshi la Mali lasonga mbele"),
    ("country:ML", "Goita promises a vote"),
    ("place:ML", "Tombouctou : la route rouvre"),
    ("place:ML", "Un camion saute près de Gao"),
    ("entity:wagner-group", "La Wagner lascia Bakhmut"),
    ("country:ML", "Two Malians and a teacher from Norway won the prize"),
    ("country:ML", "Presidente malinês visita Lisboa"),
    ("country:ML", "Vlada u Maliju odbacila je izvješće"),
    ("country:ML", "Mali je zatvorio granicu s Nigerom i Burkinom Faso"),
    ("country:ML", "Mali bekommt Hubschrauber aus Russland"),
    ("country:ML", "Солдаты ушли из Мали"),
    ("country:ML", "واشنطن تطالب رعاياها بمغادرة مالي"),
    ("country:ML", "دولت مالی پاسخی نداد"),
    ("country:ML", "馬利軍政府沒有回應。"),
    ("country:ML", "A coder left Mali as a child and writes drivers for the Mali GPU."),
    ("country:NE", "Niger closes its border"),
    ('country:"burkina faso"', "Le Burkina Faso ferme ses écoles"),
    ("country:SD", "Fighting in Sudan"),
    ("place:ML", "Bamako: le marché rouvre"),
    ("place:ML", "A market opens in Gao, in the Sahel"),
    ("place:ML", "Soldiers of Mali reach Moura"),
    ("place:ML", "The governor of Tinzaouaten resigns"),
    ("near:Gao/200km", "Rain in Bourem and Ansongo, say Malians"),
    ("near:Bamako,ML/30km", "Kalaban Koro"),
    ("entity:wagner-group", "Wagner boss mocks the generals"),
    ("entity:wagner-group", "Sejm wpisał Grupę Wagnera na listę wrogów"),
    ("entity:wagner-group", "Three lessons from the Wagner mutiny"),
    ("entity:africa-corps", "Russian officers of Africa Corps train recruits in Niger."),
    ("entity:operation-barkhane", "Barkhane quitte le Sahel."),
    ("title:country:ML", "Mali votes"),
    ("first/3:country:ML", "Mali votes"),
    ("country:ML NEAR/3 votes", "Mali votes"),
    ("ATLEAST/2 country:ML", "Mali votes, say Malians"),
]
NOT_FOUND = [
    ("country:ML", "New Mali GPU brings desktop lighting to phones. The Mali family is in many handsets."),
    ("country:ML", "The Mali-G76 has twelve cores"),
    ("country:ML", "Medal for Mali, the army dog who would not stay down"),
    ("country:ML", "Urhulumente uthi le mali ayanelanga ukulungisa iindlela."),
    ("country:ML", "Siniša Mali je ministar, a grad je mali."),
    ("country:ML", "Mali princ je knjiga koju djeca vole."),
    ("country:ML", "Mali müşavir hesapları denetledi ve raporu yazdı."),
    ("country:ML", "The singer Mali Harries plays a detective in the new series"),
    ("country:ML", "Somali troops leave; fire in Malibu; an anomaly"),
    ("country:ML", "Football: Malines bat Charleroi"),
    ("country:ML", "马里布的大火"),
    ("country:ML", "وزير: لا يوجد دعم مالي"),
    ("country:SD", "Fighting in South Sudan"),
    ("country:GN", "An election in Papua New Guinea"),
    ("place:ML", "Wagner Moura é premiado em Cannes"),
    ("place:ML", "From here to Timbuktu"),
    ("place:ML", "Omubaka alondeddwa okubeera Nampala wa gavumenti"),
    ("place:ML", "A market opens in San Francisco; San means saint"),
    ("near:Gao/200km", "A market opens in Kayes and in Bamako"),
    ("entity:wagner-group", "Bayreuth opens with Wagner, and the tenor sings like a mercenary."),
    ("entity:wagner-group", "Thomas Wagner took the soldiers' letters to Ukraine; Wagner has friends in Russia."),
    (
        "entity:wagner-group",
        "Wagner boss of Huddersfield: the coach defends his striker; the football club stays eighth.",
    ),
    (
        "entity:operation-barkhane",
        "Wind heaps the sand of Africa into crescents. Barkhane also forms on gravel.",
    ),
    ("author:country:ML", "Mali votes"),
    ("first/1:country:ML", "When Mali votes"),
]


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_what_means_it_is_found(query: str, text: str) -> None:
    document = Document.of({"title": text})
    evidence = parse(query).evaluate(document)
    assert evidence, missing(explain(parse(query), document))
    assert Percolator({"q": parse(query)}).match(document) == {"q": evidence}


@pytest.mark.parametrize(("query", "text"), NOT_FOUND)
def test_what_means_something_else_is_not(query: str, text: str) -> None:
    assert parse(query).evaluate(Document.of({"title" if "author" not in query else "author": text})) is None


def test_the_evidence_has_the_reason() -> None:
    (votes, _) = parse("country:ML").evaluate(Document.of({"body": "Mali meets Burkina Faso. In Mali."})) or ()
    assert votes.clause == 'country:ML: ^Mali, beside "Burkina Faso"'
    document = Document.of({"title": "New Mali GPU"})
    assert missing(explain(parse("country:ML"), document)) == 'country:ML (country:ML: Mali: part of "Mali GPU")'
    assert explain(parse("country:ML OR place:ML"), document).children[0].children == ()


def test_a_query_is_printed_as_it_is_written() -> None:
    text = 'country:ML OR place:ML OR near:"Gao, ML"/200km OR entity:wagner-group'
    assert str(parse(text)) == text
    assert parse(text).root == parse(text).root


def test_entities_of_the_operator() -> None:
    entities = {
        "sahel-route": Entity("organisation", names=("Route du Sahel",), aliases=("Route",), near=("camion*",)),
        "kowalski": Entity(
            "person", names=("Jan Kowalski",), aliases=("Kowalski",), forms=("pl", "cs"), unless=("Kowalski Act",)
        ),
    }
    for text, name, is_found in [
        ("La Route du Sahel recrute", "sahel-route", True),
        ("La Route et ses camions", "sahel-route", True),
        ("La Route est longue", "sahel-route", False),
        ("Rozmowa z Janem Kowalskim", "kowalski", True),
        ("Jan Kowalski; potem Kowalskiego", "kowalski", True),
        ("Głos Kowalskiego", "kowalski", False),
        ("the kowalski act", "kowalski", False),
    ]:
        found = parse(f"entity:{name}", entities=entities).evaluate(Document.of({"body": text}))
        assert (found is not None) is is_found, text


@pytest.mark.parametrize(
    ("query", "column", "problem", "cure"),
    [
        ("country:XX", 9, "there is no country XX", None),
        ("country:Maly", 9, "there is no country Maly", "did you mean"),
        ("a OR place:", 6, "place: needs a name after it", 'write place:ML, or "place" if you mean the word'),
        ("near:Gao", 6, "near:Gao has no distance", "write near:Gao/200km, with at most 2000 km"),
        ("near:Gaoo/20km", 6, "the library has no place Gaoo", None),
        ("entity:wagner", 8, "there is no entity wagner", "did you mean entity:wagner-group"),
        ("alias:wagner", 1, "alias: is for the library alone", None),
        ("NOT country:ML", 1, "NOT country:ML alone matches nearly every article", None),
    ],
)
def test_mistakes(query: str, column: int, problem: str, cure: str | None) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert (caught.value.column, caught.value.problem) == (column, problem)
    assert cure is None or (caught.value.cure or "").startswith(cure)


@pytest.mark.parametrize("code", ["ML", "NE", "FR", "RU", "TD", "US", "CN", "GE", "SD"])
def test_every_country_has_names_and_places(code: str) -> None:
    assert parse(f"country:{code}").root.positive
    assert parse(f"place:{code}").root.positive


def test_the_data_are_small_and_whole() -> None:
    assert len(library.countries()) > 240
    assert len(library.places()) > 5_000
    assert all(-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180 for place in library.places())
    gao = next(place for place in library.places() if place.names[0] == "Gao" and place.country == "ML")
    bamako = next(place for place in library.places() if place.names[0] == "Bamako")
    assert 900 < gao.distance(bamako) < 1_000
    assert gao.distance(gao) == 0
    for name in library.entities():
        assert parse(f"entity:{name}").root.positive
