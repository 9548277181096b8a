"""What a query means, and how it is printed again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from watchpost.query.lexer import LONGEST
from watchpost.query.operators import AtLeast, Near, Same, Score, Unless, Weighted
from watchpost.query.parser import DEEPEST, parse
from watchpost.query.terms import Exact, Phrase, Prefix, Regex, Term
from watchpost.query.tree import And, Field, Node, Not, Or

A, B, C, D = Term("a"), Term("b"), Term("c"), Term("d")

TREES: list[tuple[str, Node, str]] = [
    ("mali", Term("mali"), "mali"),
    ("  mali\n", Term("mali"), "mali"),
    ("Goïta", Term("Goïta"), "Goïta"),
    ("malien*", Prefix("malien"), "malien*"),
    ('"Africa  Corps"', Phrase("Africa Corps"), '"Africa Corps"'),
    ('"groupe wagn*"', Phrase("groupe wagn*"), '"groupe wagn*"'),
    ("“Africa Corps”", Phrase("Africa Corps"), '"Africa Corps"'),
    ("„Africa Corps“", Phrase("Africa Corps"), '"Africa Corps"'),
    ("« Africa Corps »", Phrase("Africa Corps"), '"Africa Corps"'),
    ('"or"', Phrase("or"), '"or"'),
    ('"NEAR/5"', Phrase("NEAR/5"), '"NEAR/5"'),
    ("a AND b", And((A, B)), "a AND b"),
    ("a AND b AND c", And((A, B, C)), "a AND b AND c"),
    ("a OR b OR c", Or((A, B, C)), "a OR b OR c"),
    ("a NOT b", And((A, Not(B))), "a AND NOT b"),
    ("a AND NOT b", And((A, Not(B))), "a AND NOT b"),
    ("NOT a AND b", And((Not(A), B)), "NOT a AND b"),
    ("a NOT b AND c", And((A, Not(B), C)), "a AND NOT b AND c"),
    ("a NOT b NOT c", And((A, Not(B), Not(C))), "a AND NOT b AND NOT c"),
    ("a NOT (b OR c)", And((A, Not(Or((B, C))))), "a AND NOT (b OR c)"),
    ("a AND NOT NOT b", And((A, Not(Not(B)))), "a AND NOT NOT b"),
    ("(a)", A, "a"),
    ("((a OR b))", Or((A, B)), "a OR b"),
    ("(a OR b)AND(c OR d)", And((Or((A, B)), Or((C, D)))), "(a OR b) AND (c OR d)"),
    ("a AND (b AND c)", And((A, And((B, C)))), "a AND (b AND c)"),
    ("(a AND b) OR c", Or((And((A, B)), C)), "(a AND b) OR c"),
    ("a AND (b OR NOT c)", And((A, Or((B, Not(C))))), "a AND (b OR NOT c)"),
    ("title:mali", Field("title", Term("mali")), "title:mali"),
    ("Title: mali", Field("title", Term("mali")), "title:mali"),
    ("title:malien*", Field("title", Prefix("malien")), "title:malien*"),
    ('body:"a b"', Field("body", Phrase("a b")), 'body:"a b"'),
    ("title:(a OR b)", Field("title", Or((A, B))), "title:(a OR b)"),
    ("title:(a NOT b)", Field("title", And((A, Not(B)))), "title:(a AND NOT b)"),
    ("a AND title:(NOT b)", And((A, Field("title", Not(B)))), "a AND title:(NOT b)"),
    ("a NOT lang:hr", And((A, Not(Field("lang", Term("hr"))))), "a AND NOT lang:hr"),
    ("title:a OR body:b", Or((Field("title", A), Field("body", B))), "title:a OR body:b"),
    (
        "summary:a AND author:b AND source:c AND url:d",
        And((Field("summary", A), Field("author", B), Field("source", C), Field("url", D))),
        "summary:a AND author:b AND source:c AND url:d",
    ),
    ("（马里 OR title：马里）", Or((Term("马里"), Field("title", Term("马里")))), "马里 OR title:马里"),
    ("l’opération", Term("l’opération"), "l’opération"),
    ("Franco-Malian", Term("Franco-Malian"), "Franco-Malian"),
    ("24/7", Term("24/7"), "24/7"),
    ("AT&T OR sahel", Or((Term("AT&T"), Term("sahel"))), "AT&T OR sahel"),
    ("url:example.org/mali", Field("url", Term("example.org/mali")), "url:example.org/mali"),
    ("near OR same", Or((Term("near"), Term("same"))), "near OR same"),
    # precedence: field, UNLESS, NEAR, NOT, then AND or OR
    ("a NEAR/5 b", Near(A, B, 5), "a NEAR/5 b"),
    ("a NEAR b", Near(A, B, 4), "a NEAR/4 b"),
    ("a ONEAR/05 b", Near(A, B, 5, True), "a ONEAR/5 b"),
    ("a NEAR/1 b SAME c", Same(Near(A, B, 1), C), "a NEAR/1 b SAME c"),
    ("a NEAR/1 (b SAME c)", Near(A, Same(B, C), 1), "a NEAR/1 (b SAME c)"),
    ("a AND b NEAR/1 c", And((A, Near(B, C, 1))), "a AND b NEAR/1 c"),
    ("a OR b NEAR/1 c", Or((A, Near(B, C, 1))), "a OR b NEAR/1 c"),
    ("a NOT b NEAR/1 c", And((A, Not(Near(B, C, 1)))), "a AND NOT (b NEAR/1 c)"),
    ("a UNLESS b NEAR/1 c UNLESS d", Near(Unless(A, B), Unless(C, D), 1), "a UNLESS b NEAR/1 c UNLESS d"),
    ("a UNLESS (b NEAR/1 c)", Unless(A, Near(B, C, 1)), "a UNLESS (b NEAR/1 c)"),
    ("(a UNLESS b) UNLESS c", Unless(Unless(A, B), C), "(a UNLESS b) UNLESS c"),
    ("title:a UNLESS b", Unless(Field("title", A), B), "title:a UNLESS b"),
    ("title:(a UNLESS b)", Field("title", Unless(A, B)), "title:(a UNLESS b)"),
    ("title:a NEAR/1 b", Near(Field("title", A), B, 1), "title:a NEAR/1 b"),
    ("ATLEAST/3 a AND b", And((AtLeast(3, A), B)), "ATLEAST/3 a AND b"),
    ("ATLEAST/3 title:a", AtLeast(3, Field("title", A)), "ATLEAST/3 title:a"),
    ("title:ATLEAST/3 (a OR b)", Field("title", AtLeast(3, Or((A, B)))), "title:ATLEAST/3 (a OR b)"),
    ("First/050:(a)", Field("first/50", A), "first/50:a"),
    (
        "SCORE/2.50 (a^2.0 OR (b AND c)^0.5 OR title:d)",
        Score(Decimal("2.5"), (Weighted(A, Decimal(2)), Weighted(And((B, C)), Decimal("0.5")), Field("title", D))),
        "SCORE/2.5 (a^2 OR (b AND c)^0.5 OR title:d)",
    ),
    ("SCORE OR a", Or((Term("SCORE"), A)), "SCORE OR a"),
    ("{Mali  Nord}", Exact("Mali Nord"), "{Mali Nord}"),
    (r"/a\/b/ OR c", Or((Regex(r"a\/b"), C)), r"/a\/b/ OR c"),
    ("вагнер~ru OR “a b”~fr", Or((Term("вагнер", "ru"), Phrase("a b", "fr"))), 'вагнер~ru OR "a b"~fr'),
    ("вагнер*", Prefix("вагнер"), "вагнер*"),
    ("말리*", Prefix("말리"), "말리*"),
    ('"Mali-G*"', Phrase("Mali-G*"), '"Mali-G*"'),
]


@pytest.mark.parametrize(("text", "tree", "printed"), TREES, ids=[text for text, _, _ in TREES])
def test_tree_and_printed_form(text: str, tree: Node, printed: str) -> None:
    query = parse(text)
    assert query.root == tree
    assert str(query) == printed
    assert query.text == text
    assert parse(printed).root == tree


def test_deepest_and_longest_are_allowed() -> None:
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST).root == A
    assert parse("a AND " + "NOT " * DEEPEST + "b").root != A
    longest = "mali OR " * (LONGEST // 8 - 1) + "barkhane"
    assert len(longest) == LONGEST
    assert str(parse(longest)) == longest


def test_kinds_of_leaf_are_not_equal() -> None:
    assert len({Term("mali"), Prefix("mali"), Phrase("mali")}) == 3
    assert parse("Mali").root != parse("mali").root
