"""Queries of other search tools in our language: the syntax of the vendors' manuals, and any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchpost.errors import QueryError
from watchpost.query.conversion.converter import convert
from watchpost.query.conversion.dialects import DIALECTS
from watchpost.query.document import Document
from watchpost.query.parser import parse

# The page of the vendor that describes the syntax.
CONNECTORS = "help.lexisnexis.com, Terms & Connectors Quick Reference"
ORDER = "help.lexisnexis.com, How multiple search connectors are evaluated"
COMMANDS = "lexisnexis.com, Developing a Search with LexisNexis: precision commands"
SEGMENTS = "lexisnexis.com, Document Section Searching"
OPERATORS = "factiva.com, Developer's Kit, Search Statement Operators"
EXAMPLES = "factiva.com, Developer's Kit, Search Statement Examples"
TIPS = "proquest.libguides.com/factiva/tips"
FIELDS = "developer.dowjones.com, Advanced Search, field-qualified searches"
REFINE = "support.google.com/websearch, Refine web searches"
APPLIANCE = "Google Search Appliance, Search Protocol Reference"

LEAD = "the lead is the first 50 words of title, summary and body here"
NO_SUCH = "watchpost searches no such thing; left out"
NO_FIELD = "watchpost has no such field; left out"

TABLE: list[tuple[str, str, str, str, tuple[str, ...]]] = [
    ("nexis", CONNECTORS, "cat and dog", "cat AND dog", ()),
    ("nexis", CONNECTORS, "ship or boat", "ship OR boat", ()),
    ("nexis", CONNECTORS, "budget & deficit", "budget AND deficit", ()),
    ("nexis", CONNECTORS, "capital and not punishment", "capital NOT punishment", ()),
    ("nexis", CONNECTORS, "capital butnot punishment", "capital NOT punishment", ()),
    ("nexis", CONNECTORS, "child!", "child*", ()),
    ("nexis", CONNECTORS, "int???et", r"/\bint\w\w\wet\b/", ()),
    ("nexis", CONNECTORS, "li*orice", r"/\bli\w*orice\b/", ()),
    ("nexis", CONNECTORS, "ma!", r"/\bma\w*\b/", ()),
    ("nexis", CONNECTORS, "fiduciary near/1 duty near/10 breach", "(fiduciary NEAR/1 duty) NEAR/10 breach", ()),
    ("nexis", CONNECTORS, "cats onear/3 dogs", "cats ONEAR/3 dogs", ()),
    ("nexis", CONNECTORS, "cats /3 dogs", "cats NEAR/3 dogs", ()),
    ("nexis", CONNECTORS, "cats w/p dogs", "cats SAME dogs", ()),
    (
        "nexis",
        CONNECTORS,
        "cats w/s dogs",
        "cats SAME dogs",
        ("w/s: both must be in one paragraph here, not in one sentence",),
    ),
    (
        "nexis",
        CONNECTORS,
        "cats w/seg dogs",
        "cats AND dogs",
        ("w/seg: both may be in different parts of the article here",),
    ),
    ("nexis", ORDER, "doctor w/5 malpractice", "doctor NEAR/5 malpractice", ()),
    ("nexis", ORDER, "southwest pre/2 air or airline", "southwest ONEAR/2 (air OR airline)", ()),
    ("nexis", ORDER, "rico NOT W/5 puerto", "rico UNLESS (rico NEAR/5 puerto)", ()),
    ("nexis", ORDER, "a1 w/9 b1 w/2 c1", "a1 NEAR/9 (b1 NEAR/2 c1)", ()),
    (
        "nexis",
        ORDER,
        "bankrupt! w/25 discharg! and student or college or education! w/5 loan",
        "(bankrupt* NEAR/25 discharg*) AND ((student OR college OR education*) NEAR/5 loan)",
        (),
    ),
    ("nexis", ORDER, "(gold and mine) w/5 mali", "(gold NEAR/5 mali) AND (mine NEAR/5 mali)", ()),
    ("nexis", COMMANDS, "ATLEAST5(wagner)", "ATLEAST/5 wagner", ()),
    ("nexis", COMMANDS, "ALLCAPS(aids)", "{AIDS}", ()),
    ("nexis", COMMANDS, "CAPS(mali)", "^mali", ()),
    (
        "nexis",
        COMMANDS,
        "SINGULAR(job) and mali",
        "job AND mali",
        ("singular: every form is searched as it is written, in any case",),
    ),
    ("nexis", SEGMENTS, "HEADLINE(mali or niger)", "title:(mali OR niger)", ()),
    ("nexis", SEGMENTS, "HLEAD(wagner group)", 'first/50:"wagner group"', (f"hlead: {LEAD}",)),
    ("nexis", SEGMENTS, "BYLINE(smith) and gold", "author:smith AND gold", ()),
    ("nexis", SEGMENTS, "mali and date > 2020-01-01", "mali", (f"date > 2020-01-01: {NO_SUCH}",)),
    (
        "nexis",
        SEGMENTS,
        "mali and date(geq (1/1/2020) and leq (2/2/2021))",
        "mali",
        (f"date(geq (1/1/2020) and leq (2/2/2021)): {NO_SUCH}",),
    ),
    ("nexis", SEGMENTS, "mali and company(total)", "mali", (f"company(total): {NO_FIELD}",)),
    ("factiva", OPERATORS, "World Cup adj5 rugby", '"World Cup" ONEAR/4 rugby', ()),
    ("factiva", OPERATORS, "President w/2 Bush", "President ONEAR/1 Bush", ()),
    ("factiva", OPERATORS, "carrefour near5 retail sales", 'carrefour NEAR/4 "retail sales"', ()),
    ("factiva", OPERATORS, "boeing 747/N30/british airways", '"boeing 747" NEAR/29 "british airways"', ()),
    ("factiva", OPERATORS, "toyota/F50/", "first/50:toyota", ()),
    ("factiva", OPERATORS, "vodafone same telecommunications", "vodafone SAME telecommunications", ()),
    ("factiva", EXAMPLES, "bill clinton or gore and george bush", '"bill clinton" OR (gore AND "george bush")', ()),
    ("factiva", EXAMPLES, '"peas and carrots"', '"peas and carrots"', ()),
    ("factiva", TIPS, "communicat* and (cell* or phone)", "communicat* AND (cell* OR phone)", ()),
    ("factiva", TIPS, "wireless NOT cellular", "wireless NOT cellular", ()),
    ("factiva", TIPS, "online banking AND (retail or consumer)", '"online banking" AND (retail OR consumer)', ()),
    (
        "factiva",
        TIPS,
        "atleast10 Olympics and atleast10 Winter Games",
        'ATLEAST/10 Olympics AND ATLEAST/10 "Winter Games"',
        (),
    ),
    ("factiva", TIPS, "engineer$3", r"/\bengineer\w{0,3}\b/", ()),
    ("factiva", TIPS, "wom?n", r"/\bwom\wn\b/", ()),
    ("factiva", FIELDS, "hd=europe", "title:europe", ()),
    ("factiva", FIELDS, "hlp=(mali or niger)", "first/50:(mali OR niger)", (f"hlp: {LEAD}",)),
    ("factiva", FIELDS, "mali and la=french", "mali AND lang:fr", ()),
    ("factiva", FIELDS, "gold and wc>1000", "gold", (f"wc>1000: {NO_SUCH}",)),
    (
        "factiva",
        FIELDS,
        "gold and re=mali",
        "gold",
        ("re=mali: watchpost has no such field; country:ML and place:ML find countries; left out",),
    ),
    (
        "factiva",
        FIELDS,
        "gold and date from 01/01/2020 to 02/02/2021",
        "gold",
        (f"date from 01/01/2020 to 02/02/2021: {NO_SUCH}",),
    ),
    ("google", REFINE, "jaguar speed -car", "jaguar AND speed AND NOT car", ()),
    ("google", REFINE, '"imagine all the people"', '"imagine all the people"', ()),
    ("google", REFINE, "mali site:bbc.co.uk", 'mali AND url:"bbc.co.uk"', ()),
    ("google", REFINE, "marathon OR race | run", "marathon OR race OR run", ()),
    ("google", REFINE, "camera 2019..2021", "camera", (f"2019..2021: {NO_SUCH}",)),
    ("google", REFINE, "#throwbackthursday", "throwbackthursday", ()),
    ("google", REFINE, "wagner AROUND(5) mali", "wagner NEAR/5 mali", ()),
    (
        "google",
        REFINE,
        '"largest * in the world"',
        'largest ONEAR/3 "in the world"',
        ("largest * in the world: a * between words is at most 3 words here",),
    ),
    (
        "google",
        REFINE,
        "EOS manual OR guide filetype:pdf",
        "EOS AND (manual OR guide)",
        (f"filetype:pdf: {NO_SUCH}",),
    ),
    ("google", REFINE, "gold after:2020-01-01", "gold", (f"after:2020-01-01: {NO_SUCH}",)),
    ("google", APPLIANCE, "intitle:google search", "title:google AND search", ()),
    ("google", APPLIANCE, "allintitle: google search", "title:(google AND search)", ()),
    ("google", APPLIANCE, "-inurl:sport mali", "NOT url:sport AND mali", ()),
    (
        "google",
        APPLIANCE,
        "mali or niger",
        "mali AND niger",
        ("or: a word that Google leaves out; write OR if you mean it",),
    ),
]


@pytest.mark.parametrize(
    ("tool", "source", "text", "query", "lost"), TABLE, ids=[f"{tool}-{text}" for tool, _, text, *_ in TABLE]
)
def test_a_query_of_a_vendors_manual(tool: str, source: str, text: str, query: str, lost: tuple[str, ...]) -> None:
    assert source
    assert convert(text, tool) == (query, lost)


def test_case_of_operators_and_curly_quotes_do_not_matter() -> None:
    for tool in ("nexis", "factiva"):
        assert convert("“Africa Corps” AND Mali", tool) == convert('"Africa Corps" and Mali', tool)


@pytest.mark.parametrize(
    ("tool", "text", "column", "problem"),
    [
        ("nexis", "(mali or niger", 1, "this ( is never closed"),
        ("nexis", "mali)", 5, "this ) was never opened"),
        ("factiva", 'hd="mali', 4, "this quote is never closed"),
        ("factiva", "mali and", 9, "and has nothing after it"),
        ("factiva", "and mali", 1, "and has nothing before it"),
        ("google", "", 1, "the query is empty"),
        ("google", "filetype:pdf", 1, "nothing of this query can be said here"),
        ("google", "-opera", 1, "it would be NOT opera, but NOT opera alone matches nearly every article"),
        ("nexis", "(" * 500 + "a" + ")" * 500, 41, "more than 40 groups are inside one another"),
        ("nexis", "a" * 20_001, 20_001, "the query has 20001 characters; at most 20000 are allowed"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(tool: str, text: str, column: int, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        convert(text, tool)
    assert (caught.value.column, caught.value.problem) == (column, problem)
    assert caught.value.cure


_OPERATORS = "and or not AND OR NOT w/5 pre/3 w/p w/s near5 adj same /N5/ /F20/ AROUND(3) - | + ( ) [ ] * &"
_OTHERS = "mali wagner gold! bank* wom?n eng$3 atleast3 ATLEAST3( HLEAD( hd= la= la=fr re=x intitle: allintitle:"
_STRANGE = "site:a.b date>2020 c++马里 'x' {} ^ \""
PIECES = st.sampled_from(f"{_OPERATORS} {_OTHERS} {_STRANGE}".split())


@settings(max_examples=600, deadline=5_000)
@given(st.lists(PIECES | st.text(max_size=6), max_size=14), st.sampled_from(sorted(DIALECTS)), st.booleans())
def test_any_text_becomes_a_query_of_ours_or_an_error(pieces: list[str], tool: str, spaced: bool) -> None:
    text = (" " if spaced else "").join(pieces)
    try:
        converted = convert(text, tool)
    except QueryError as error:
        column, cure = error.column, error.cure
    else:
        parse(converted.query)
        assert all(converted.lost)
        return
    assert 1 <= column <= len(text) + 1
    assert cure


WORDS = st.sampled_from(["mali", "wagner", "gold", "niger"])
BOOLEAN = st.recursive(
    WORDS,
    lambda part: st.builds(lambda a, op, b: f"({a} {op} {b})", part, st.sampled_from(["and", "or"]), part),
    max_leaves=8,
)


@settings(max_examples=200, deadline=5_000)
@given(BOOLEAN, st.lists(WORDS, max_size=4))
def test_and_and_or_keep_their_meaning(text: str, words: list[str]) -> None:
    present = {word: word in words for word in ("mali", "wagner", "gold", "niger")}
    expected = bool(eval(text, {}, present))  # a formula of these four names
    for tool, query in (("nexis", text), ("factiva", text), ("google", text.replace("and", "AND").replace("or", "OR"))):
        found = parse(convert(query, tool).query).evaluate(Document.of({"body": " ".join(words)}))
        assert (found is not None) == expected
