"""The cure of an error in a query is itself right: who does what it says gets a query, or the next error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.errors import QueryError
from watchpost.query.parser import parse

MENDED = [
    # nearness in other tools
    ("wagner NEAR(5) mali", "wagner NEAR/5 mali", "NEAR/5"),
    ("wagner AROUND(7) mali", "wagner NEAR/7 mali", "NEAR/7"),
    ("wagner ONEAR(3) mali", "wagner ONEAR/3 mali", "ONEAR/3"),
    ("wagner near mali", "wagner NEAR/4 mali", "NEAR/4"),
    ("wagner AROUND mali", "wagner NEAR/5 mali", "NEAR/5"),
    ("wagner NEXT mali", "wagner ONEAR/0 mali", "ONEAR/0"),
    ("wagner BEFORE mali", "wagner ONEAR/4 mali", "ONEAR/4"),
    ("wagner SAME/3 mali", "wagner SAME mali", "SAME"),
    ("wagner /3 mali", "wagner NEAR/3 mali", "NEAR/3"),
    ("wagner /s mali", "wagner SAME mali", "SAME"),
    ("wagner /p mali", "wagner SAME mali", "SAME"),
    ("wagner /3 mali OR gao /s kidal", "wagner NEAR/3 mali OR gao SAME kidal", "NEAR/3"),
    ("wagner +3 mali", "wagner ONEAR/3 mali", "ONEAR/3"),
    ("wagner +s mali", "wagner SAME mali", "SAME"),
    # operators in the words of other languages
    ("mali ET wagner", "mali AND wagner", "AND"),
    ("mali OU wagner", "mali OR wagner", "OR"),
    ("mali UND wagner", "mali AND wagner", "AND"),
    ("mali ODER wagner", "mali OR wagner", "OR"),
    ("mali SAUF opéra", "mali NOT opéra", "NOT"),
    ("мали И вагнер", "мали AND вагнер", "AND"),
    ("мали ИЛИ вагнер", "мали OR вагнер", "OR"),
    ("mali LUB wagner", "mali OR wagner", "OR"),
    ("mali EXCEPT opera", "mali NOT opera", "NOT"),
    # where something stands
    ("TI mali", "title:mali", "title:mali"),
    ("first/50 mali", "first/50:mali", "first/50:mali"),
    ("near:Gao/100 km", "near:Gao/100km", "near:Gao/100km"),
    ("place:Bamako", "near:Bamako/50km", "near:Bamako/50km"),
    ('place:"San Francisco"', "place:US", "place:US"),
    ("country:Malli", "country:ML", "ML, Mali"),
    ('country:"burkina"', "country:BF", "BF, Burkina Faso"),
    ("entity:Wagner-Group", "entity:wagner-group", "entity:wagner-group"),
    # signs
    ("'wagner group'", '"wagner group"', '"wagner group"'),
    ("w*gner", r"/w\w*gner/", r"/w\w*gner/"),
    ('+"wagner group" -opera', '"wagner group" NOT opera', '"wagner group"'),
    ("[wagner]", "wagner", "wagner"),
    ("mali==", "mali", "mali"),
    ("/mali/i", "/mali/", "leave the i out"),
    ("&quot;wagner&quot;", '"wagner"', '"wagner"'),
    ("wagner&nbsp;group", '"wagner group"', '"wagner group"'),
    # scripts with signs of their own, or without spaces
    ("马里，瓦格纳", "马里 OR 瓦格纳", "OR"),
    ("マリ、ワグネル", "マリ OR ワグネル", "OR"),
    ("مالي، فاغنر", "مالي OR فاغنر", "OR"),
    ("马里AND瓦格纳", "马里 AND 瓦格纳", "space"),
    ("말리OR바그너", "말리 OR 바그너", "space"),
]


@pytest.mark.parametrize(("broken", "mended", "told"), MENDED, ids=[broken for broken, *_ in MENDED])
def test_a_slip_is_told_what_to_write(broken: str, mended: str, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(broken)
    assert told in caught.value.cure
    parse(mended)


SLIPS = """
AND OR NOT UNLESS NEAR/5 ONEAR SAME near/5 w/5 N5 adj3 pre/2 within ATLEAST/2 atleast3 ATLEAST and or not ( ) () - + !
mercenar! engineer$3 wagn?r *agner wa* wagner~xx wagner~ mali^2 ^ ^mali {Mali} { } / /[/ title: titel:mali intitle:mali
site:rfi.fr lang:french lang:fr-FR hd=mali wagner[ti] mali/F50/ "wagner " C++ 50% 😀 #wagner @sahel mali,wagner
mali|wagner && || mali wagner 'mali' date:2024 SCORE/5 TI SU headline(mali) wc>500
"""
PIECES = [*SLIPS.split(), *(word for broken, *_ in MENDED for word in broken.split())]
_SAID = re.compile(r'write (?P<said>.+?)(?:, or ".*" if you mean the (?:word|sign)| for every ending, or .*| \(in .*)?')
_OPERATOR = re.compile(r"AND|OR|NOT|UNLESS|SAME|O?NEAR/[0-9]+|ATLEAST/[0-9]+")
_PROSE = re.compile(
    r"[a-z]+ (?:a|an|the|what|only|at|in|it|OR|AND|numbers?|words?|where|directly|code|its|is|every|smaller)\b"
    r"|(?:a|an|what|only|at least|it|. (?:where|at)|the|its|OR \(|(?:AND|OR) between|first/50: with)"
)


def problem(text: str) -> QueryError | None:
    """The error of a query."""
    try:
        parse(text)
    except QueryError as error:
        return error
    return None


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join))
def test_what_a_cure_says_to_write_is_no_error_itself(text: str) -> None:
    error = problem(text)
    if error is None:
        return
    assert error.cure.strip(": ") == error.cure != ""
    assert not re.search(r"(?<!first)/n\b|FIELD", error.cure)
    match = _SAID.fullmatch(error.cure)
    if match is None or _PROSE.match(match["said"]) or "…" in match["said"]:
        return
    said = match["said"]
    if _OPERATOR.fullmatch(said):
        said = f"mali {said} wagner" if said[:3] not in ("NOT", "ATL") else f"gao AND {said} mali"
    elif said.startswith(("NOT ", "AND ", "OR ")):
        said = f"gao {said}"
    again = problem(said)  # one thing after the other may be wrong, but not the same one again
    assert again is None or again.cure != error.cure, said
