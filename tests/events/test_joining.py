"""Which event a report belongs to: what joins, what must stay apart, and how well on labelled articles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, permutations

import pytest
from benchmarks.events import GROUPS, corpus, counts, figures, joined, own

from tests.making import article
from tests.shared import shared
from watchpost.events.decision import WITHOUT_EMBEDDING, contradiction
from watchpost.events.joining import LIMITS_WITHOUT_EMBEDDING, WINDOW, Events, Joined, Report
from watchpost.events.witnesses import Witnesses, witnesses

TUESDAY = datetime(2026, 11, 3, 18, tzinfo=UTC)

CONVOY = [
    (
        "en",
        "Supply convoy hits mines near Ansongo, eleven soldiers dead",
        "Eleven Malian soldiers died on Tuesday when their convoy ran onto mines near Ansongo, the army said.",
    ),
    (
        "fr",
        "Mali : onze militaires tués par des mines près d'Ansongo",
        "Onze militaires ont péri mardi près d'Ansongo, où leur convoi a sauté sur des mines, selon l'armée.",
    ),
    (
        "ru",
        "Мали: одиннадцать военных погибли на минах под Ансонго",
        "Одиннадцать военных погибли во вторник под Ансонго, где конвой подорвался на минах, сообщила армия.",
    ),
]


OUTLETS = count(1)


def said(lang: str, title: str, body: str, at: datetime = TUESDAY, outlet: str = "") -> Witnesses:
    """What an article says; without a name its outlet is another one each time."""
    outlet = outlet or f"outlet {next(OUTLETS)}"
    return witnesses(article(title, body=body, lang=lang, published=at, fetched=at, outlet=outlet))


def add(events: Events, story: str, one: Witnesses) -> Joined:
    result = events.decide(story, one)
    events.add(Report(story, result.event, one, result.certain))
    return result


FERRY = [
    (
        "es",
        "Malí: al menos siete muertos al volcar un ferri frente a Mopti",
        "Al menos siete personas murieron el lunes al volcar un ferri en el río Níger, cerca de Mopti.",
    ),
    (
        "ar",
        "مالي: سبعة قتلى على الأقل في غرق عبّارة قرب موبتي",
        "لقي سبعة أشخاص حتفهم مساء الاثنين عندما انقلبت عبّارة في نهر النيجر قرب موبتي.",
    ),
    (
        "pl",
        "Mali: siedem osób zginęło w katastrofie promu pod Mopti",
        "Co najmniej siedem osób zginęło w poniedziałek, gdy prom przewrócił się na rzece Niger pod Mopti.",
    ),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_accident_without_a_known_outlet_is_one_event_in_three_languages(order: Sequence[int]) -> None:
    events = Events()
    made = [
        witnesses(article(title, body=body, lang=lang, published=TUESDAY, fetched=TUESDAY, outlet=""))
        for lang, title, body in FERRY
    ]
    found = [add(events, f"s{number}", made[number]) for number in order]
    assert {one.event for one in found} == {found[0].story}


def test_a_toll_that_an_outlet_revises_is_of_the_same_event_and_another_raid_is_not() -> None:
    first = said("en", "Eleven villagers killed near Bankass", "Gunmen killed them on Monday.", outlet="Courier")
    later = TUESDAY + timedelta(hours=9)
    body = "Gunmen killed fourteen villagers near Bankass, and not eleven, officials said on Tuesday."
    rises = said("en", "Death toll near Bankass rises to fourteen", body, later, outlet="Courier")
    elsewhere = said(
        "en", "Death toll near Ansongo rises to fourteen", body.replace("Bankass", "Ansongo"), later, outlet="Courier"
    )
    again = said("en", "Fourteen villagers killed near Bankass", "Gunmen came on Tuesday.", later, outlet="Courier")
    assert contradiction(first, rises) is None
    assert [one.kind for other in (elsewhere, again) if (one := contradiction(first, other))] == ["outlet", "outlet"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_one_attack_in_three_languages_is_one_event_in_any_order(order: Sequence[int]) -> None:
    events = Events()
    found = [add(events, f"s{number}", said(*CONVOY[number])) for number in order]
    assert {one.event for one in found} == {found[0].story}
    assert [str(reason) for reason in found[1].reasons][:2] == ["same place Ansongo", "11 killed in both"]


def test_the_same_kind_of_attack_far_away_is_another_event() -> None:
    events = Events()
    add(events, "s1", said(*CONVOY[0]))
    title, body = (text.replace("Ansongo", "Timbuktu") for text in CONVOY[0][1:])
    other = said("en", title, body)
    against = contradiction(said(*CONVOY[0]), other)
    assert against is not None
    assert str(against).startswith("places")
    assert add(events, "s2", other).event == "s2"


@pytest.mark.parametrize(
    ("lang", "title"),
    [
        ("en", "A year after, Ansongo remembers its eleven dead"),
        ("en", "Ansongo marks anniversary of mine deaths"),
        ("fr", "Un an après, Ansongo se souvient de ses onze morts"),
        ("fr", "Ansongo commémore les onze militaires tués par des mines"),
        ("de", "Ein Jahr nach dem Anschlag gedenkt Ansongo der elf Toten"),
        ("es", "Un año después, Ansongo recuerda a sus once muertos"),
        ("pt", "Um ano depois, Ansongo lembra os onze mortos"),
        ("it", "Un anno dopo, Ansongo ricorda gli undici morti"),
        ("tr", "Bir yıl sonra Ansongo on bir ölüyü anıyor"),
        ("pl", "Rok po ataku Ansongo wspomina jedenastu zabitych"),
        ("ru", "Год спустя Ансонго вспоминает одиннадцать погибших"),
        ("ar", "بعد عام، أنسونغو تحيي ذكرى أحد عشر قتيلا"),
        ("zh", "安松戈纪念遇难的十一名军人"),
    ],
)
def test_an_anniversary_is_another_event_than_what_it_is_held_for(lang: str, title: str) -> None:
    ceremony, attack = said(lang, title, CONVOY[0][2]), said(*CONVOY[0])
    for found in (contradiction(ceremony, attack), contradiction(attack, ceremony)):
        assert str(found) == "only one is about an anniversary"
    again = said("en", "Ceremony held in Ansongo", "It is a year after eleven soldiers died on mines near Ansongo.")
    assert contradiction(ceremony, again) is None, "it says so in its lead"


def test_one_outlet_tells_its_own_reports_of_one_language_apart() -> None:
    events = Events()
    teaser = "Talks in Mali go on, and a convoy is on its way to Ansongo. Read on with a subscription."
    add(events, "s1", said("en", "Eleven dead near Ansongo", teaser, outlet="Courier"))
    assert add(events, "s2", said("en", "Harvest fair opens near Ansongo", teaser, outlet="Courier")).event == "s2"
    one, translated = said(*CONVOY[0], outlet="Courier"), said(*CONVOY[1], outlet="Courier")
    assert str(contradiction(one, said(*CONVOY[0], outlet="Courier"))) == "both from Courier"
    assert contradiction(one, translated) is None, "it may report one event in several languages"


OF_ONE_EVENING = [
    (
        "Communiqué du ministère de la Justice sur la grâce de quarante détenus",
        "Bamako, 3 novembre. Selon un rapport remis mardi, quarante détenus de la prison de Bamako ont été graciés.",
    ),
    (
        "Communiqué du ministère de l'Énergie sur le délestage",
        "Bamako, 3 novembre. Selon un rapport remis mardi, les coupures de courant dureront jusqu'à la fin du mois.",
    ),
    (
        "Bamako : les boulangers demandent une baisse du prix de la farine",
        "À Bamako, les boulangers ont dit mardi que la farine leur coûte trop. Un rapport du syndicat le montre.",
    ),
]


def test_reports_of_one_evening_from_one_capital_are_other_events() -> None:
    events = Events()
    found = [add(events, title, said("fr", title, body)) for title, body in OF_ONE_EVENING]
    assert len({one.event for one in found}) == 3


@pytest.mark.parametrize(
    ("kind", "where", "apart"),
    [("Cholera", "Bamako", True), ("Cholera", "Mopti", False), ("Attack", "Bamako", False)],
)
def test_kinds_that_differ_and_only_a_capital_in_common_are_other_events(kind: str, where: str, apart: bool) -> None:
    one = said("en", f"Gunmen attack a road near {where}", "The attack left 214 people stranded.")
    other = said("en", f"{kind} near {where}", "It reached 214 people.")
    assert one.numbers & other.numbers
    assert (contradiction(one, other) is not None) is apart


def test_reports_of_other_days_are_other_events() -> None:
    one, later = said(*CONVOY[0]), said(*CONVOY[0], TUESDAY + timedelta(days=2))
    other = said("en", CONVOY[0][1], CONVOY[0][2].replace("Tuesday", "Thursday"), TUESDAY + timedelta(days=2))
    assert contradiction(one, later) is None
    assert str(contradiction(one, other)) == "days 2 apart"


def test_after_the_window_nothing_joins() -> None:
    events = Events()
    add(events, "s1", said(*CONVOY[0]))
    late = said(*CONVOY[1], TUESDAY + WINDOW + timedelta(hours=1))
    assert events.decide("s2", late).event == "s2"
    events.expire(TUESDAY + WINDOW + timedelta(hours=1))
    assert not events.reports


def test_a_story_keeps_its_event_and_can_be_moved() -> None:
    events = Events()
    add(events, "s1", said(*CONVOY[0]))
    two = said(*CONVOY[1])
    assert add(events, "s2", two).event == "s1"
    assert events.decide("s2", two).event == "s1"
    events.add(Report("s2", "s2", two))
    assert events.decide("s2", two).event == "s2"
    events.remove("s2")
    events.remove("s2")
    assert [*events.reports] == ["s1"]


def test_bulletins_of_one_kind_and_country_under_one_disclaimer_are_events_of_their_own() -> None:
    text = "{} was heard in Mali. Reproduction in whole or in part needs written permission; opinions are the authors'."
    one, other = (said("en", "Bulletin on the weather in Mali", text.format(word)) for word in ("Thunder", "A storm"))
    assert str(contradiction(one, other)) == "no town, name or figure in common"
    assert (
        contradiction(*(said("en", "Bulletin on the weather in Ansongo", text.format(word)) for word in "ab")) is None
    )


@pytest.mark.parametrize("body", ["", "Mali", "2 3 4 5", "ߒߞߏ " * 40])
def test_texts_that_say_nothing_join_nothing(body: str) -> None:
    events = Events()
    assert add(events, "s1", said("en", "Mali", body)).event == "s1"
    assert add(events, "s2", said("en", "Mali", body)).event == "s2"


def test_independent_reports_in_another_hand() -> None:
    """Without an embedding, with the shipped weights; benchmarks/events.py tests on other halves."""
    found = labelled_pairs("own")
    precision, recall, _ = figures(found)
    assert precision >= 0.95
    assert recall >= 0.6


def test_a_week_in_many_languages() -> None:
    shared("corpus/week/articles.jsonl")
    precision, recall, f1 = figures(labelled_pairs("week"))
    assert precision >= 0.95
    assert f1 >= 0.85, recall


def labelled_pairs(name: str) -> dict[str, float]:
    labelled = list(own() if name == "own" else corpus(shared("corpus/week")))
    saying = {one.article.id: witnesses(one.article, one.about) for one in labelled}
    result = joined(labelled, saying, WITHOUT_EMBEDDING, LIMITS_WITHOUT_EMBEDDING)
    cells = counts(labelled, [result, result])
    group = GROUPS[1] if name == "own" else GROUPS[0]
    return dict(cells[name, group])
