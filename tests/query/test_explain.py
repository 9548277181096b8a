"""Why not: the smallest failing clause, with its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.query.document import Document
from watchpost.query.explain import explain, failing, other_forms
from watchpost.query.parser import parse

ARTICLE = Document.of(
    {
        "title": "Wagner leaves MALI",
        "body": "Wagner left. " + "x " * 40 + "mercenaries stay. Richard Wagner\n\nKidal.\n\nGao",
    }
)
NAMES = {"war": "wagner AND opera", "far": "kidal SAME gao"}

FAILING: list[tuple[str, str, str]] = [
    ("mercenaries NEAR/15 left", "mercenaries NEAR/15 left", "NEAR/15: nearest pair 40 words"),
    ("wagner NEAR/15 opera", "opera", ""),
    ("wagner NEAR/15 (opera OR bayreuth)", "opera OR bayreuth", ""),
    ("title:wagner NEAR/15 mercenaries", "title:wagner NEAR/15 mercenaries", "NEAR/15: never in one field"),
    ("gao ONEAR/5 kidal", "gao ONEAR/5 kidal", "ONEAR/5: never in this order in one field"),
    ("left ONEAR/5 stay", "left ONEAR/5 stay", "ONEAR/5: nearest pair 41 words"),
    ("left SAME gao", "left SAME gao", "SAME: nearest pair 2 paragraphs apart"),
    ("kidal SAME gao", "kidal SAME gao", "SAME: nearest pair 1 paragraph apart"),
    ("ATLEAST/5 wagner", "ATLEAST/5 wagner", "ATLEAST/5: found 3"),
    ("ATLEAST/5 opera", "opera", ""),
    ("SCORE/5 (wagner^3 OR opera^9 OR gao)", "SCORE/5 (wagner^3 OR opera^9 OR gao)", "SCORE/5: reached 4"),
    ('richard UNLESS "richard wagner"', 'richard UNLESS "richard wagner"', "UNLESS: 0 of 1 mentions left"),
    ('opera UNLESS "richard wagner"', "opera", ""),
    ("{Mali}", "{Mali}", "written MALI"),
    ("title:{Wagner} AND body:{Kidal} AND body:{GAO}", "body:{GAO}", "written Gao"),
    ("title:kidal", "title:kidal", "only in body"),
    ("gao AND @war", "opera", ""),
    ("@far", "kidal SAME gao", "SAME: nearest pair 1 paragraph apart"),
    ("gao AND ATLEAST/5 wagner AND (left NEAR/3 gao)", "ATLEAST/5 wagner", "ATLEAST/5: found 3"),
    ("gao NOT (left SAME stay)", "NOT (left SAME stay)", ""),
]


@pytest.mark.parametrize(("query", "clause", "detail"), FAILING, ids=[query for query, *_ in FAILING])
def test_the_smallest_failing_clause_has_its_number(query: str, clause: str, detail: str) -> None:
    told = explain(parse(query, NAMES), ARTICLE)
    assert not told.matches
    assert (failing(told).text, failing(told).detail) == (clause, detail)


def test_a_match_tells_its_numbers_too() -> None:
    told = explain(parse("(mercenaries NEAR/3 richard) AND ATLEAST/2 wagner AND SCORE/1.5 (gao^1.5 OR opera)"), ARTICLE)
    assert told.matches
    assert [child.detail for child in told.children] == [
        "NEAR/3: nearest pair 1 word",
        "ATLEAST/2: found 3",
        "SCORE/1.5: reached 1.5",
    ]
    assert [child.text for child in told.children[2].children] == ["gao^1.5", "opera"]
    assert [child.text for child in told.children[0].children] == ["mercenaries", "richard"]


def test_first_words_tell_how_late_the_first_mention_is() -> None:
    told = failing(explain(parse("first/20:mercenaries"), ARTICLE))
    assert (told.text, told.detail) == ("first/20:mercenaries", "first at word 43")


OTHER_FORMS = [
    ("윤석열", "윤석열이 말했다", "윤석열: written 윤석열이; 윤석열~ko finds it"),
    ("נתניהו", "לנתניהו אין תגובה", "נתניהו: written לנתניהו; נתניהו~he finds it"),
    ("القاهرة", "انفجار بالقاهرة", "القاهرة: written بالقاهرة; القاهرة~ar finds it"),
    ("ትግራይ", "ጦርነት በትግራይ", "ትግራይ: written በትግራይ; ትግራይ~am finds it"),
    ("თბილისი", "აქცია თბილისში", "თბილისი: written თბილისში; თბილისი~ka finds it"),
    ("ঢাকা", "ঢাকায় বিক্ষোভ", "ঢাকা: written ঢাকায়; ঢাকা~bn finds it"),
    ("வெள்ளம் OR சென்னை", "சென்னையில் கனமழை", "சென்னை: written சென்னையில்; சென்னை~ta finds it"),
    ("Ankara", "Ankarada patlama", "Ankara: written Ankarada; Ankara* finds it"),
    ('"Wagner group"', "two Wagner groups", '"Wagner group": written Wagner groups; "Wagner group"~en finds it'),
    ("title:(kidal OR gao)", "The Gaoan road", "title:gao: written Gaoan; gao* finds it"),
    ("opera NOT gaoan", "The Gaoan road", ""),
    ("gao*", "Bamako", ""),
    ("{Gao}", "Gaos", ""),
]


@pytest.mark.parametrize(("query", "title", "told"), OTHER_FORMS, ids=[query for query, *_ in OTHER_FORMS])
def test_a_word_in_another_form_is_named_with_what_finds_it(query: str, title: str, told: str) -> None:
    assert "; ".join(other_forms(explain(parse(query), Document.of({"title": title, "body": ""})))) == told


@given(
    st.text("abcdefiмалиоскваמאليفنور말리ემაისწს", min_size=1, max_size=8), st.text("аиоеvms이의에מולيةში", max_size=4)
)
def test_what_is_said_to_find_a_word_finds_it(word: str, end: str) -> None:
    document = Document.of({"body": f"x {word}{end} x"})
    for line in other_forms(explain(parse(word), document)):
        cure = line.partition("; ")[2].removesuffix(" finds it")
        assert parse(cure).evaluate(document) is not None
