"""Every mistake with the operators of place, number and form has its column and its cure."""

from __future__ import annotations

import pytest

from watchpost.errors import QueryError
from watchpost.query.inflection import LANGUAGES
from watchpost.query.parser import parse
from watchpost.query.terms import LONGEST

OUTSIDE = "put the {} outside, like (a {} b) AND c"
SIDES = "{} needs words, phrases or OR on both sides, not {}"
STRAY = (
    "a weight counts only inside a SCORE",
    "write SCORE/5 (a^3 OR b^2 OR c), with weights on the parts that it joins",
)
LOOK = 'use neither look-around nor back-references; write \\( for a parenthesis, or "…" for plain text'
EDGE = "write \\b only at the beginning or end of the expression, or of one of its branches"
EITHER = "NEAR/{0} (in either order) or ONEAR/{0} (in this order)"
ENDING = 'for every ending, or "{}" if you mean the sign'
ANYWHERE = "write (…) alone: it is searched everywhere"
NO_DATES = "leave it out: a query has no dates; searches and tests have --since and --until"
SIGNS = "signs are not searched: leave it out, or write /{}/"
NO_NAMES = 'there are no named queries here; quote the name of an account: "@sahel"'
TAG = "leave it out: a tag is found by its word; a # with spaces around it begins a comment"
OTHER_FIELDS = "leave it out; the fields are title, summary, body, author, source, lang, url and first/50"
CHAIN = "there are more than 8 NEAR, ONEAR or SAME in a row"

MISTAKES: list[tuple[str, int, str, str]] = [
    # operators of other tools, and ours in lower case
    ("a near/5 b", 3, "near/5 is not an operator", 'write NEAR/5, or "near/5" if you mean the word'),
    ("a NEAR5 b", 3, "NEAR5 is not an operator", 'write NEAR/5, or "NEAR5" if you mean the word'),
    ("a NEAR/5F b", 3, "NEAR/5F is not an operator", 'write ONEAR/5, or "NEAR/5F" if you mean the word'),
    ("a adj3 b", 3, "adj3 is not an operator", f'write {EITHER.format(2)}, or "adj3" if you mean the word'),
    ("a W/3 b", 3, "W/3 is not an operator", f'write {EITHER.format(3)}, or "W/3" if you mean the word'),
    ("a PRE/3 b", 3, "PRE/3 is not an operator", 'write ONEAR/3, or "PRE/3" if you mean the word'),
    ("a W/P b", 3, "W/P is not an operator", 'write SAME (in one paragraph), or "W/P" if you mean the word'),
    ("a same b", 3, "same is not an operator", 'write SAME, or "same" if you mean the word'),
    ("a N5 b", 3, "N5 is not an operator", 'write NEAR/5, or "N5" if you mean the word'),
    ("a W5 b", 3, "W5 is not an operator", 'write ONEAR/5, or "W5" if you mean the word'),
    ('NEAR("a b", "c", 15)', 1, "NEAR stands between its two sides", 'write "a b" NEAR/15 "c"'),
    ("(a OR b)~7", 9, "a ~ after parentheses does not mean nearness here", "write a NEAR/7 b"),
    # signs and fields of other tools
    ("mercenar! AND a", 9, "! does not shorten a word here", f"write mercenar* {ENDING.format('mercenar!')}"),
    ("engineer$3", 9, "$ does not shorten a word here", f"write engineer* {ENDING.format('engineer$3')}"),
    ("wom#n", 4, "a word cannot hold #", "write a * at the end of a word for any other letters"),
    ("hd=mali", 1, "hd= does not name a field here", "write title:mali"),
    ("la=en", 1, "la= does not name a field here", "write lang:en"),
    ("TS=(a OR b)", 1, "ts= does not name a field here", "write (…) alone: it is searched everywhere"),
    ("wagner[ti]", 8, "[ti] does not name a field here", "write title:wagner"),
    ("wagner[tiab]", 8, "[tiab] does not name a field here", "write wagner alone: it is searched everywhere"),
    ("wagner.tw.", 8, ".tw. does not name a field here", "write wagner alone: it is searched everywhere"),
    ("wagner.ab,ti.", 8, ".ab. does not name a field here", "write summary:wagner"),
    ("mali/F50/", 5, "/F does not name the first words here", "write first/50:mali"),
    ("headline(a OR b)", 1, "headline(…) does not name a field here", "write title:(…)"),
    ("ALLCAPS(AIDS)", 1, "ALLCAPS(…) does not name a field here", "write {AIDS}: braces ask for the exact spelling"),
    ("TITLE-ABS-KEY(a)", 1, "TITLE-ABS-KEY(…) does not name a field here", ANYWHERE),
    ("SU(a)", 1, "SU(…) does not name a field here", ANYWHERE),
    ("SRCTITLE(a)", 1, "SRCTITLE(…) does not name a field here", "write source:(…)"),
    ("nonesuch(a)", 1, "nonesuch(…) does not name a field here", "write (…) alone, or put AND, OR or NOT before it"),
    ("mali/ti", 6, "/ti does not name a field here", "write title:mali"),
    ("mali/ti,ab", 6, "/ti does not name a field here", "write title:mali"),
    ("a AND pd>20200101", 7, "pd does not name a field here", NO_DATES),
    ("date=2020", 1, "date does not name a field here", NO_DATES),
    ("a AND after:2024", 7, "there is no field after:", NO_DATES),
    (
        "a wc>500",
        3,
        "wc= does not name a field here",
        OTHER_FIELDS,
    ),
    ("+mali +wagner", 1, "+ is not an operator", "write mali AND wagner"),
    ("site:rfi.fr", 1, "there is no field site:", "did you mean url:? Put text with a colon in quotes"),
    ("lang:french", 6, "french is not the code of a language", "write lang:fr"),
    ("lang:(fr OR fr-FR)", 13, "fr-FR is not the code of a language", "write lang:fr"),
    ("lang:klingonish", 6, "klingonish is not the code of a language", "write a code of two or three letters: lang:fr"),
    # signs that would be dropped in silence
    ("C++", 2, "a word cannot hold +", SIGNS.format(r"C\+\+")),
    ("50%", 3, "a word cannot hold %", SIGNS.format("50%")),
    ("mali🇲🇱", 5, "a word cannot hold 🇲", SIGNS.format("mali🇲🇱")),
    ("#sahel", 1, "a word cannot hold #", TAG),
    ("<<<a>>> b", 1, "a word cannot hold <", "leave it out; a # with spaces around it begins a comment"),
    ("atleast3 b", 1, "atleast3 is not an operator", 'write ATLEAST/3, or "atleast3" if you mean the word'),
    ("a ANDNOT b", 3, "ANDNOT is not an operator", 'write NOT, or "ANDNOT" if you mean the word'),
    ('"a b"~5', 6, "a ~ with a number does not mean nearness here", "write a NEAR/5 b"),
    # numbers
    ("a NEAR/x b", 3, "NEAR/x needs a number of at most four digits", "write NEAR/5"),
    ("a NEAR/1001 b", 3, "NEAR/1001 is out of range", "write a number from 0 to 1000"),
    ("ATLEAST/0 a", 1, "ATLEAST/0 is out of range", "write a number from 1 to 1000"),
    ("ATLEAST/2.5 a", 1, "ATLEAST/2.5 is not an operator", 'write ATLEAST/2.5, or "ATLEAST/2.5" if you mean the word'),
    ("ATLEAST a", 1, "ATLEAST needs a number", 'write ATLEAST/3 (…), or "ATLEAST" if you mean the word'),
    ("first/0:a", 1, "first/0: is not a number of words", "write first/50: with a number from 1 to 10000"),
    ("first:a", 1, "first: is not a number of words", "write first/50: with a number from 1 to 10000"),
    # operands
    ("a NEAR/5", 3, "NEAR/5 has nothing after it", "write what it applies to"),
    ("UNLESS a", 1, "UNLESS has nothing before it", "write what it applies to"),
    ("a AND (SAME b)", 8, "SAME has nothing before it", "write what it applies to"),
    ("ATLEAST/3", 1, "ATLEAST/3 has nothing after it", "write what it applies to"),
    ("ATLEAST/3 AND a", 11, "AND cannot follow ATLEAST/3", "leave one of them out"),
    (
        "a NEAR/5 NOT b",
        10,
        "NOT cannot follow NEAR/5",
        "to drop mentions write a UNLESS (a NEAR/5 b), to drop articles a AND NOT b",
    ),
    ("a NEAR/5 (b AND c)", 3, SIDES.format("NEAR/5", "AND"), OUTSIDE.format("AND", "NEAR/5")),
    ("(a OR (b NOT c)) SAME d", 18, SIDES.format("SAME", "AND"), OUTSIDE.format("AND", "SAME")),
    ("a UNLESS (NOT b)", 3, SIDES.format("UNLESS", "NOT"), OUTSIDE.format("NOT", "UNLESS")),
    (
        "ATLEAST/3 a NEAR/5 b",
        13,
        SIDES.format("NEAR/5", "ATLEAST/3"),
        "count the whole: ATLEAST/3 (a NEAR/5 b)",
    ),
    (
        "ATLEAST/3 (a AND b)",
        1,
        "ATLEAST/3 counts words, phrases or OR, not AND",
        "put the AND outside, like ATLEAST/3 (a OR b) AND c",
    ),
    ("a UNLESS b UNLESS c", 12, "an UNLESS cannot follow another", "join what follows by OR: a UNLESS (b OR c)"),
    (
        " NEAR ".join("abcdefghij"),
        59,
        CHAIN,
        "write fewer, and join the groups by AND",
    ),
    ("a (b)^2", 3, "there is no operator between a and (", "put AND, OR or NOT between"),
    # weights and scores
    ("a OR b^2", 7, *STRAY),
    ("SCORE/2 ((a^2 AND b) OR c)", 12, *STRAY),
    ("a NEAR/5 b^2", 3, SIDES.format("NEAR/5", "a weight"), OUTSIDE.format("a weight", "NEAR/5")),
    ("SCORE/2 (a^x OR b)", 11, "^x is not a weight", "write a number above 0, like ^2 or ^0.5"),
    ("SCORE/2 (a^0 OR b)", 11, "^0 is not a weight", "write a number above 0, like ^2 or ^0.5"),
    ("SCORE/2 (a ^2 OR b)", 12, "this ^ has no term before it", "write the weight directly after its term: pmc^2"),
    ("SCORE/2 a", 1, "SCORE/2 needs parentheses after it", "write SCORE/2 (a^3 OR b^2 OR c)"),
    ("SCORE/2 (a AND b)", 1, "SCORE/2 needs several parts, joined by OR", "write SCORE/2 (a^3 OR b^2 OR c)"),
    ("SCORE/2 (a)", 1, "SCORE/2 needs several parts, joined by OR", "write SCORE/2 (a^3 OR b^2 OR c)"),
    ("SCORE/0 (a OR b)", 1, "SCORE/0 is always true", "write a number above 0"),
    (
        "SCORE/5 (a^2 OR b^1.5)",
        1,
        "SCORE/5 can never be true: its parts add up to 3.5",
        "write a smaller number or larger weights",
    ),
    (
        "SCORE/1 (a OR (NOT b))",
        16,
        "NOT b alone matches nearly every article",
        "add a word that must occur, like mali NOT b",
    ),
    # exact spellings, languages
    ("a OR {Mali", 6, "this { is never closed", "write } where the exact spelling ends"),
    ("{}", 1, "{} has neither letters nor digits", "write a word"),
    ("{Mali*}", 1, "{Mali*} cannot hold a *", "leave it out; an exact spelling has no endings"),
    (
        "вагнер~xx",
        7,
        "~xx is not a known language",
        f"the languages are {', '.join(LANGUAGES)}",
    ),
    ("wagner~fre", 7, "~fre is not a known language", "did you mean ~fr"),
    ("wagner~ru", 1, "wagner is not written in Russian letters", "leave out ~ru"),
    ("вагнер*~ru", 8, "a ~ cannot follow a *", "leave one out; the * already means every ending"),
    ("a OR ~ru", 6, "this ~ has no word before it", "write it directly after a word: вагнер~ru"),
    # regular expressions
    ("a OR /mali", 6, "this / is never closed", "write / where the regular expression ends"),
    (
        "a OR /ma(li/",
        7,
        "this is not a regular expression: missing )",
        LOOK,
    ),
    (
        "/x(?<=a)b/",
        3,
        "this is not a regular expression: invalid perl operator",
        LOOK,
    ),
    (
        r"/mali\1/",
        6,
        "this is not a regular expression: invalid escape sequence",
        LOOK,
    ),
    (
        "/[z-a]/",
        3,
        "this is not a regular expression: invalid character class range",
        LOOK,
    ),
    (
        "/a{1001}/",
        3,
        "this is not a regular expression: invalid repetition size",
        LOOK,
    ),
    ("/a*/", 2, "the expression also matches the empty text", "write at least one character that must occur"),
    (r"/\b|mali/", 2, "the expression also matches the empty text", "write at least one character that must occur"),
    (
        r"/a\bb/",
        3,
        r"\b is not possible here",
        EDGE,
    ),
    (
        r"/(\ba)/",
        3,
        r"\b is not possible here",
        EDGE,
    ),
    (r"/a\B/", 3, r"\B is not possible here", "leave it out"),
    (r"/[\S]a/", 3, "\\S cannot stand inside [ ]", "write the characters that may occur"),
    (r"/\pL{500}x/", 2, "the expression is too large", "write smaller numbers in its {}"),
    (r"/\pL{20}x/", 2, "the expression is too large", "write smaller numbers in its {}"),
    (
        f"/{'a' * (LONGEST + 1)}/",
        LONGEST + 2,
        "the expression has 501 characters; at most 500 are allowed",
        "divide it into several, joined by OR",
    ),
    # names
    ("@", 1, "this @ has no name after it", "write the name of a query directly after it"),
    ("a OR @sahel", 6, "there is no query @sahel", NO_NAMES),
]


@pytest.mark.parametrize(("text", "column", "problem", "cure"), MISTAKES, ids=[text[:30] for text, *_ in MISTAKES])
def test_mistake_has_its_column_and_cure(text: str, column: int, problem: str, cure: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.column, error.problem, error.cure) == (column, problem, cure)
