"""The percolator: its anchors, its edits, long texts, and what it does not ask about."""

from __future__ import annotations

import time

import pytest

from tests.query.test_percolator_oracle import ENGINES
from watchpost.query.automaton import Engine
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.percolator import (
    MOST_WORDS,
    PIECE_WORDS,
    WINDOW,
    Frequency,
    Percolator,
    anchors,
    scanned_texts,
    vocabulary,
)
from watchpost.query.tree import And, Node, Occurrence, Query

SAMPLE = Frequency(
    1_000, {"mali": 50, "malien": 20, "group": 300, "wagner": 40, "richard": 90, "\x01mali": 9, "gao": 3}
)


def percolator(*queries: str, engine: Engine = "auto", frequency: Frequency | None = None) -> Percolator:
    return Percolator({text: parse(text) for text in queries}, frequency, engine)


def body(text: str) -> Document:
    return Document.of({"body": text})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Mali", [" mali "]),
        ("malien*", [" malien"]),
        ('"the Wagner Group"', [" the wagner "]),  # a word never seen is the rarest
        ('"Wagner Group"', [" wagner group "]),
        ('"group wagn*"', [" group wagn"]),
        ("mali AND wagner AND group", [" wagner "]),
        ("mali OR wagner", [" mali ", " wagner "]),
        ("mali AND (wagner OR group)", [" mali "]),
        ("group NOT mali", [" group "]),
        ("title:mali", [" \x01mali "]),
        ("lang:fr AND mali", [" \x04fr "]),
        ("body:mali", [" mali "]),
        ("first/9:mali", [" mali "]),
        ("group NEAR/5 wagner", [" wagner "]),
        ("group SAME wagner", [" wagner "]),
        ("group UNLESS wagner", [" group "]),
        ("ATLEAST/3 (mali OR gao)", [" gao ", " mali "]),
        ("SCORE/2 (group OR mali OR gao)", [" gao ", " mali "]),  # one of three may be missing: the dearest
        ("SCORE/3 (group^3 OR mali OR gao)", [" group "]),  # without it the others weigh too little
        ("SCORE/3 (mali^2 OR /group/ OR gao^2)", [" gao ", " mali "]),
        ("{Mali}", [" mali "]),
        ("瓦格纳", [" 瓦 格 纳 "]),
        ("/mal[iy]/ AND group", [" group "]),
        ("/mal[iy]/", None),
        ("/mal[iy]/ OR mali", None),
    ],
)
def test_the_anchors_are_the_rarest_words_that_must_occur(query: str, expected: list[str] | None) -> None:
    found = anchors(parse(query).root, SAMPLE.cost)
    assert (None if found is None else list(found)) == expected


def test_named_queries_are_looked_through() -> None:
    query = parse("@sahel AND group", {"sahel": "gao OR wagner"})
    assert anchors(query.root, SAMPLE.cost) == (" gao ", " wagner ")


def test_without_a_sample_long_words_pass_for_rare() -> None:
    assert anchors(parse("the AND bamako AND gao").root, Frequency().cost) == (" bamako ",)


class Unheard(Node):
    """A node that nobody thought of."""

    __slots__ = ()

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        return document.scoped(scope).find(parse("mali").root.patterns) and ()  # type: ignore[attr-defined,return-value]

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


def test_a_query_with_an_unknown_node_is_always_asked_unless_a_known_one_must_hold_too() -> None:
    unheard = Unheard()
    queries = {"alone": Query("", unheard), "beside": Query("", And((unheard, parse("gao").root)))}
    found = Percolator(queries, SAMPLE)
    assert found.candidates(body("nothing")) == ("alone",)
    assert found.candidates(body("gao")) == ("alone", "beside")


@pytest.mark.parametrize("engine", ENGINES)
def test_only_what_can_match_is_asked(engine: Engine) -> None:
    queries = ("wagner", '"wagner group"', "gao", "author:gao", "title:wagner", "malien*", "马里")
    found = percolator(*queries, engine=engine)
    document = Document.of({"title": "gao wagner", "summary": "group maliens", "body": "somalia 马。里"})
    assert set(found.candidates(document)) == {"wagner", "gao", "title:wagner", "malien*", "马里"}
    assert list(found.match(document)) == ["wagner", "gao", "title:wagner", "malien*"]


@pytest.mark.parametrize("engine", ENGINES)
def test_words_that_line_ends_broke(engine: Engine) -> None:
    queries = ('"alpha beta"', '"beta gamma"', '"gamma de"', '"al pha"', '"the alpha"', "alpha", "gamma")
    found = percolator(*queries, engine=engine)
    document = body("the al-\npha be-\nta gam-\nma de-\nlta")
    assert list(found.match(document)) == list(queries)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_lost_where_a_long_text_is_cut(engine: Engine) -> None:
    found = percolator("北京军区司令员说", '"wagner group"', '"group wagn*"', "barkhane", engine=engine)
    filler = ["word"] * (PIECE_WORDS + 30)
    for place in range(PIECE_WORDS - 12, PIECE_WORDS + 3, 2):
        words = [*filler[:place], "北京军区司令员说", "wagner", "group", "wagner", "barkhane"]
        document = body(" ".join([*words, *filler]))
        assert len(scanned_texts(document, ())) > 1
        assert len(found.match(document)) == 4, place
        (evidence,) = found.match(document)["barkhane"]
        assert document.fields["body"][evidence.start : evidence.end] == "barkhane"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_text_of_nothing_but_names_takes_no_long_time(engine: Engine) -> None:
    found = percolator(*(f"mali AND word{number}" for number in range(50)), "wagner", "gao*", engine=engine)
    document = body("wagner gao mali " * 70_000)
    begun = time.process_time()
    assert list(found.match(document)) == ["wagner", "gao*"]
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("engine", ENGINES)
def test_an_edit_counts_at_once(engine: Engine) -> None:
    found = percolator("mali", "gao", engine=engine)
    found.replace("mali", parse("lang:fr NOT niger"))
    document = Document.of({"lang": "fr", "body": "wagner mali gao"})
    assert {name: evidence[0].text for name, evidence in found.match(document).items()} == {
        "mali": "fr",
        "gao": "gao",
    }
    found.remove("gao")
    found.replace("new", parse("title:niger OR /gao/"))
    assert list(found.match(document)) == ["mali", "new"]
    with pytest.raises(KeyError):
        found.remove("gao")


def test_one_edit_among_ten_thousand_is_live_in_fifty_milliseconds() -> None:
    queries = {f"query {number}": parse(f'word{number} OR "two words{number}"') for number in range(10_000)}
    found = Percolator(queries)
    taken = []
    for number in range(0, 200, 10):
        begun = time.process_time()
        found.replace(f"query {number}", parse(f"edited{number} AND mali"))
        matches = found.match(body(f"mali edited{number}"))
        taken.append(time.process_time() - begun)
        assert list(matches) == [f"query {number}"]
    assert sorted(taken)[len(taken) // 2] <= 0.05


def test_without_queries_nothing_is_found() -> None:
    empty = Percolator({})
    assert empty.match(body("mali")) == {}
    empty.replace("mali", parse("mali"))
    empty.remove("mali")
    assert empty.match(body("mali")) == {}


def test_brute_force_asks_all() -> None:
    found = Percolator({"a": parse("mali"), "b": parse("gao")}, engine="brute")
    found.replace("a", parse("niger"))
    assert found.candidates(body("gao")) == ("a", "b")
    assert list(found.match(body("gao"))) == ["b"]


def test_a_sample_counts_articles_and_knows_fields() -> None:
    sample = Frequency()
    sample.add(vocabulary(Document.of({"title": "Mali", "body": "mali mali gao", "lang": "fr"})))
    sample.add(vocabulary(body("gao")))
    assert sample.articles == 2
    assert sample.cost(" \x04fr ") > sample.cost(" \x04en ")
    assert sample.cost(" gao ") > sample.cost(" mali ") > sample.cost(" gao mali ") > sample.cost(" unheard ")


def test_a_sample_forgets() -> None:
    sample = Frequency(WINDOW - 1, {"old": WINDOW - 1, "once": 1})
    sample.add({"new", "old"})
    assert sample.articles == WINDOW // 2
    assert sample.cost(" old ") > 1 > sample.cost(" once ") == pytest.approx(sample.cost(" news "))
    full = Frequency(10, {f"word{number}": 1 for number in range(MOST_WORDS)})
    full.add({"mali", "word1"})
    assert full.cost(" word1 ") > full.cost(" word2 ") == pytest.approx(full.cost(" wordX "))
