"""Every mistake has a column and a cure."""

from __future__ import annotations

import pytest

from watchpost.errors import QueryError
from watchpost.query.lexer import LONGEST
from watchpost.query.parser import DEEPEST, parse

OPERATE = "write what it applies to"
STAR = "write it only after the last letter of a word, like malien*"
GROUP = "put parentheses around what belongs together, like (a OR b) AND c"
COLON = "Put text with a colon in quotes"
FIELDS = "title, summary, body, author, source, lang, url, first/n"

MISTAKES: list[tuple[str, int, str, str]] = [
    ("", 1, "the query is empty", 'write a word or a "phrase"'),
    (" \n ", 1, "the query is empty", 'write a word or a "phrase"'),
    (
        "wagner group",
        8,
        "there is no operator between wagner and group",
        'quote them as a phrase, "wagner group", or put AND or OR between',
    ),
    (
        "a AND wagner grou*",
        14,
        "there is no operator between wagner and grou*",
        'quote them as a phrase, "wagner grou*", or put AND or OR between',
    ),
    ('mali "b c"', 6, 'there is no operator between mali and "b c"', "put AND, OR or NOT between"),
    ("mali (b)", 6, "there is no operator between mali and (", "put AND, OR or NOT between"),
    ("(a) title:b", 5, "there is no operator between ) and title:", "put AND, OR or NOT between"),
    ("mali and niger", 6, "and is not an operator", 'write AND, or "and" if you mean the word'),
    ("mali Or niger", 6, "Or is not an operator", 'write OR, or "Or" if you mean the word'),
    ("not", 1, "not is not an operator", 'write NOT, or "not" if you mean the word'),
    ("a AND b OR c", 9, "AND and OR are mixed without parentheses", GROUP),
    ("a OR b AND c", 8, "OR and AND are mixed without parentheses", GROUP),
    ("a OR b NOT c", 8, "OR and NOT are mixed without parentheses", GROUP),
    ("a NOT b OR c", 9, "NOT and OR are mixed without parentheses", GROUP),
    ("a AND", 3, "AND has nothing after it", OPERATE),
    ("(a OR) AND b", 4, "OR has nothing after it", OPERATE),
    ("NOT", 1, "NOT has nothing after it", OPERATE),
    ("OR a", 1, "OR has nothing before it", OPERATE),
    ("(AND a)", 2, "AND has nothing before it", OPERATE),
    ("a AND OR b", 7, "OR cannot follow AND", "leave one of them out"),
    ("a NOT AND b", 7, "AND cannot follow NOT", "leave one of them out"),
    (
        "NOT opera",
        1,
        "NOT opera alone matches nearly every article",
        "add a word that must occur, like mali NOT opera",
    ),
    (
        "a OR (NOT b AND NOT c)",
        7,
        "NOT b alone matches nearly every article",
        "add a word that must occur, like mali NOT b",
    ),
    (
        "title:(NOT b)",
        8,
        "NOT b alone matches nearly every article",
        "add a word that must occur, like mali NOT b",
    ),
    ("a AND (b OR (c", 13, "this ( is never closed", "write ) where the group ends"),
    ("a AND (", 7, "this ( is never closed", "write ) where the group ends"),
    ("a) OR b", 2, "this ) was never opened", "leave it out, or write ( where the group begins"),
    (")", 1, "this ) was never opened", "leave it out, or write ( where the group begins"),
    ("a OR ()", 6, "these parentheses are empty", "write a query inside, or remove them"),
    ('mali OR "africa', 9, "this quote is never closed", 'write " at the end of the phrase'),
    ("mali OR «africa", 9, "this quote is never closed", "write » at the end of the phrase"),
    ("“the “Mali” report", 13, 'there is no operator between "the “Mali" and report', "put AND, OR or NOT between"),
    ('“a "b" c”', 4, 'a phrase cannot hold a "', "leave it out; punctuation does not count"),
    ("titel:mali", 1, "there is no field titel:", f"did you mean title:? {COLON}"),
    (
        "a OR xyz:b",
        6,
        "there is no field xyz:",
        f"the fields are {FIELDS}. {COLON}",
    ),
    (
        "title:(a OR body:b)",
        13,
        "body: cannot stand inside title:",
        "close the parentheses of title: before it, or leave one of the two out",
    ),
    (
        "title:body:b",
        7,
        "body: cannot stand inside title:",
        "close the parentheses of title: before it, or leave one of the two out",
    ),
    (
        "title: AND b",
        1,
        "title: needs a word, a phrase or parentheses after it",
        'write title:word, title:"a phrase" or title:(a OR b)',
    ),
    ("10:30", 3, "a word cannot hold a colon", 'quote the text: "10:…"'),
    ("title :mali", 7, ": cannot stand here", "write the field's name directly before it"),
    ("a OR }", 6, "} cannot stand here", "leave it out"),
    ("a AND ma*", 7, "ma* begins too many words", "write at least 3 letters before the *"),
    ("м*", 1, "м* begins too many words", "write at least 3 letters before the *"),
    ("*mali", 1, "this * has no word before it", "write a * only at the end of a word, like malien*"),
    ("a OR wag*er", 9, "a * cannot stand inside a word", "write it only at the end, like wag*"),
    ("mali-*", 1, "the * in mali-* does not end a word", STAR),
    (
        '"groupe * mali"',
        1,
        'the * in "groupe * mali" does not end a word',
        STAR,
    ),
    (
        '"wag*er mali"',
        1,
        'the * in "wag*er mali" does not end a word',
        STAR,
    ),
    ('"mali"*', 7, "a * cannot follow a phrase", "put it inside, at the end of a word"),
    (
        "瓦格纳*",
        1,
        "a * after 瓦格纳 has no effect",
        "write 瓦格纳 alone; it is found inside longer words, too",
    ),
    ("a OR ...", 6, "... has neither letters nor digits", "write a word"),
    ('""', 1, '"" has neither letters nor digits', "write a word"),
    ("mali -opera", 6, "- is not an operator", "write NOT opera"),
    ("mali ! opera", 6, "! is not an operator", "write NOT"),
    ("+mali", 1, "+ is not an operator", "leave it out: mali"),
    ("mali && niger", 6, "& is not an operator", "write AND"),
    ("mali|niger", 5, "a word cannot hold |", "write OR between the words"),
    ("mali, niger", 5, "a word cannot hold ,", "write OR (or AND) between the words"),
    ("wagn?r", 5, "a word cannot hold ?", "write a * at the end of a word for any other letters"),
    ("url:https://a.b", 11, "// cannot stand here", 'quote an address: url:"example.org/news"'),
    (
        "(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1),
        DEEPEST + 2,
        "more than 100 parentheses or NOTs are inside one another",
        "nest fewer of them",
    ),
    (
        "a AND " + "NOT " * (DEEPEST + 1) + "b",
        7 + 4 * (DEEPEST + 1),
        "more than 100 parentheses or NOTs are inside one another",
        "nest fewer of them",
    ),
    (
        "a" * (LONGEST + 1),
        LONGEST + 1,
        "the query has 20001 characters; at most 20000 are allowed",
        "divide it into several topics",
    ),
]


@pytest.mark.parametrize(
    ("text", "column", "problem", "cure"), MISTAKES, ids=[text[:30] or "empty" for text, *_ in MISTAKES]
)
def test_mistake_has_its_column_and_cure(text: str, column: int, problem: str, cure: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.column, error.problem, error.cure) == (column, problem, cure)
    assert str(error) == f"column {column}: {problem}; {cure}"


@pytest.mark.parametrize("text", ["(" * 5000, "NOT " * 4999, "title:" * 3000, "(a AND " * 2500, '"' * 19_999])
def test_hostile_nesting_is_an_ordinary_error(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


def test_long_words_do_not_flood_the_message() -> None:
    with pytest.raises(QueryError) as caught:
        parse("a" * 5000 + " " + "b" * 5000)
    assert len(str(caught.value)) < 300
