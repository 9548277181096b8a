"""Headlines about the shipped topics, and those that only share a word with them, by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchpost.query.document import Document
from watchpost.query.parser import parse

QUERIES = {
    "mali": parse("country:ML OR place:ML"),
    "wagner": parse("entity:wagner-group OR entity:africa-corps"),
    "barkhane": parse("entity:operation-barkhane"),
}
CASES = [
    # Without capitals, or with one that a sentence may have: what is beside the name.
    ("Малі розірвала дипвідносини з Україною", "mali"),
    ("Уряд Малі вислав посла", "mali"),
    ("У столиці Малі знову вибухи", "mali"),
    ("Хунта заявила: Малі не пробачить", "mali"),
    ("Малі підприємства отримають гранти від уряду", ""),
    ("Малі діти співали гімн президенту", ""),
    ("Уряд підтримає малі громади", ""),
    ("Пожежа в селі Малі Копані", ""),
    ("مالي: مقتل العشرات في هجوم على معسكر في ديورا", "mali"),
    ("مالي تقطع علاقاتها مع أوكرانيا", "mali"),
    ("وزير خارجية مالي يزور موسكو", "mali"),
    ("دعم مالي للجيش اللبناني", ""),
    ("هجوم على نظام مالي عالمي", ""),
    ("دولت نظامی مالی روابط با اوکراین را قطع کرد", "mali"),
    ("حاکمان نظامی مالی سفیر را اخراج کردند", "mali"),
    ("حمایت مالی از تروریسم", ""),
    ("کمک مالی دولت به ارتش", ""),
    ("马里过渡政府宣布推迟选举", "mali"),
    ("马里总统访问俄罗斯", "mali"),
    ("驻马里维和部队撤离", "mali"),
    ("马里兰州州长访华", ""),
    # A smaller town, where something violent happens.
    ("Gunmen abduct three Indian workers at cement plant in Kayes", "mali"),
    ("Kayes : deux ressortissants chinois enlevés sur un chantier routier", "mali"),
    ("Islamisten greifen Armeelager in Kati an", "mali"),
    ("Attaque jihadiste contre la garnison de Kati", "mali"),
    ("Kati kidnapped her own dog", ""),
    ("Kati Wolf singt in Wien", ""),
    # A text in capitals, in a language in which the name is a word.
    ("DEI MALI IL MINORE: IL PD VOTA LA RIFORMA", ""),
    ("MALI, ATTACCO A UN CONVOGLIO", "mali"),
    ("TUTTI I MALI DEL CALCIO", ""),
    ("MALI DI STAGIONE: CONSIGLI", ""),
    # The empire of that name.
    ("L'empire du Mali, de Soundiata à Kanga Moussa : l'épopée racontée aux enfants", ""),
    ("How the Mali Empire traded gold", ""),
    ("Mansa Musa ruled the Malian Empire", ""),
    ("El Imperio de Malí y el oro", ""),
    ("Le Mali sort de l'empire du franc CFA", "mali"),
    # A given name.
    ("Kylie Wagner, Mali Harries lead cast of Welsh thriller", ""),
    ("Mali Wagner wins spelling bee", ""),
    # The bare name, a theatre, and what is said of a group.
    ("Wagner'in Suriye'deki petrol sahaları kime kalacak?", "wagner"),
    ("فاغنر تؤكد خسائرها في تينزاواتين شمال مالي", "wagner mali"),
    ("Wagner confirms losses in Syria", "wagner"),
    ("Putin says Wagner does not exist", "wagner"),
    ("Wagner existe-t-il encore en Libye ?", "wagner"),
    ("Wagner confirms role in Berlin Ring", ""),
    # Cases of a place, and the channel of the fighters.
    ("Под Тинзауатеном погиб админ «Грей Зоны», вместе с ним бойцы ЧВК", "wagner mali"),
    ("Бой у Тинзауатена", "mali"),
    ("Grey Zone admin killed, says Telegram channel of PMC", "wagner"),
    ("Grey zone tactics worry Taiwan", ""),
    # The soldiers of the operation, their ranks and convoys.
    ("Les « Barkhanes » rentrent au pays : émotion au 2e RIMa", "barkhane"),
    ("Barkhane, et après ? Le chef d'état-major devant les sénateurs", "barkhane"),
    ("French convoy blocked by protesters on way to Gao", "barkhane mali"),
    ("Un sergent de Barkhane témoigne", "barkhane"),
    ("Convoi français bloqué à Kaya, au Burkina", "barkhane"),
    ("Le convoi de Barkhane traverse Téra", "barkhane"),
    ("French convoy of vintage cars reaches Lyon", ""),
    # Other owners of the name: chips, dogs, a town in Guinea.
    ("Tensor phone drops Mali for an Adreno", ""),
    ("Mali the terrier finds her way home", ""),
    ("Incendie au marché de Mali, en Guinée", ""),
    ("Letztes Flugzeug aus Gao gelandet", "mali"),
    ("Le dernier convoi quitte Kidal pour revenir de Gao", "mali"),
    ("Tras Barkhane, París busca su lugar", "barkhane"),
    ("Un vétéran raconte la fin de Barkhane", "barkhane"),
    ("Après la barkhane, une autre dune", ""),
    ("Dîner sans Barkhane, le restaurant a fermé", ""),
    # People whose names are those of towns, and words of a language.
    ("Bamba Dieng scores twice for Marseille", ""),
    ("Rainford Kalaba donne l'avantage au TP Mazembe", ""),
    ("Attack on Bamba, in northern Mali", "mali"),
    ("Elizaveta Prigozhina opens a gallery", ""),
    ("Jamhuri ya Afrika ya Kati yaomba msaada wa kijeshi wa Mali", "mali"),
    ("Viongozi wa Sahel wakutana Mashariki ya Kati", ""),
]


@pytest.mark.parametrize(("headline", "topics"), CASES, ids=[headline for headline, _ in CASES])
def test_a_headline_is_about_what_its_reader_says(headline: str, topics: str) -> None:
    text = Document.of({"title": headline})
    assert {name for name, query in QUERIES.items() if query.evaluate(text) is not None} == set(topics.split())


MORE = [
    tuple(line.rstrip("\n").split("\t"))
    for line in Path(__file__).with_name("headlines.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("# ")
]


@pytest.mark.parametrize(("topics", "headline"), MORE, ids=[headline for _, headline in MORE])
def test_a_form_of_a_name_is_found_in_every_language_of_its_news(topics: str, headline: str) -> None:
    text = Document.of({"title": headline})
    found = {name for name, query in QUERIES.items() if query.evaluate(text) is not None}
    assert found == set(topics.replace("-", "").split())


PEOPLE = [
    ("country:NE", "Nigerien officers are detained", "Nigerian officers are detained"),
    ("country:NG", "Nigerian officers are detained", "Nigerien officers are detained"),
    ("country:SD", "Sudanese refugees arrive", "South Sudanese refugees arrive"),
    ("country:SS", "South Sudanese refugees arrive", "Sudanese refugees arrive"),
    ("country:GN", "The Guinean junta votes", "The Equatorial Guinean minister votes"),
    ("country:TD", "Un général tchadien arrêté", "Un général togolais arrêté"),
    ("country:TD", "Des Tchadiennes manifestent", "Le tchat des auditeurs"),
    ("country:DZ", "الجيش الجزائري", "الجيش المغربي"),
    ("country:UA", "Українські війська", "Російські війська"),
    ("country:PL", "Die polnische Regierung", "Nail polish for the summer"),
]


@pytest.mark.parametrize(("query", "found", "other"), PEOPLE, ids=[f"{query} {found}" for query, found, _ in PEOPLE])
def test_people_and_adjectives_mean_their_country(query: str, found: str, other: str) -> None:
    assert parse(query).evaluate(Document.of({"title": found})) is not None
    assert parse(query).evaluate(Document.of({"title": other})) is None
