"""Random queries and texts, from plain words to the corners of Unicode."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from watchpost.query.document import FIELDS, SEARCHED, Document
from watchpost.query.operators import AtLeast, Near, Same, Score, Unless, Weighted
from watchpost.query.parser import parse
from watchpost.query.terms import Exact, Phrase, Prefix, Regex, Term
from watchpost.query.tree import And, Field, Named, Node, Not, Or

WORDS = [
    "mali",
    "Mali's",
    "Goïta",
    "вагнер",
    "мой",
    "马里",
    "马里乌波尔",
    "マリ",
    "말리",
    "माली",
    "مالي",
    "l’opération",
    "Franco-Malian",
    "straße",
    "İstanbul",
    "24/7",
    "AT&T",
]
PREFIXES = ["mali", "вагне", "말리", "Franco-Ma", "stra"]
REGEXES = [r"mal\w+", r"\bмой\b|goïta\b", "马.", "[^x]ali", r"24\/7", "(?-i)M(al)i", r"\d+"]
INFLECTED = [("вагнер", "ru"), ("мой", "uk"), ("مالي", "ar"), ("말리", "ko"), ("Franco-Malian", "fr"), ("mali", "de")]
NAMES = {
    "sahel": "mali OR (вагнер UNLESS мой) OR 马里",
    "place": "mali NEAR/3 goïta",
    "guard": "NOT @place AND ATLEAST/2 24",
    "headline": "title:mali",
}

words = st.sampled_from(WORDS)
leaves: st.SearchStrategy[Node] = st.one_of(
    words.map(Term),
    words.map(Term),
    st.sampled_from(["^mali", "=Goïta", "^=мой", "^马里", "^Franco-Malian"]).map(Term),
    st.sampled_from(["mali ^goïta", "=goïta mali*", "^вагне* =мой"]).map(Phrase),
    st.sampled_from(INFLECTED).map(lambda pair: Term(*pair)),
    st.sampled_from(PREFIXES).map(Prefix),
    st.lists(st.sampled_from([*WORDS, "AND", "or", "mali*"]), min_size=1, max_size=3).map(" ".join).map(Phrase),
    st.sampled_from(INFLECTED).map(lambda pair: Phrase(f"{pair[0]} mali", pair[1])),
    st.lists(words, min_size=1, max_size=2).map(" ".join).map(Exact),
    st.sampled_from(REGEXES).map(Regex),
)


def named(*names: str) -> st.SearchStrategy[Node]:
    return st.sampled_from(names).map(
        lambda name: Named(name, parse(f"mali AND @{name}", NAMES).root.children[1].children[0])
    )


def several(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.lists(inner, min_size=2, max_size=4).map(tuple)


def placed(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        several(inner).map(Or),
        st.builds(Near, inner, inner, st.integers(0, 12), st.booleans()),
        st.builds(Same, inner, inner),
        st.builds(Unless, inner, inner),
    )


def scored(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    weights = st.sampled_from(["0.5", "1", "2", "3.25", "10"]).map(lambda text: Decimal(text).normalize())
    parts = several(inner | st.builds(Weighted, inner, weights))
    thresholds = st.sampled_from(["0.5", "1", "1.5", "2"]).map(lambda text: Decimal(text).normalize())
    return st.builds(Score, thresholds, parts).filter(lambda score: score.reachable >= score.threshold)


def trees_of(atoms: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    places = st.recursive(atoms, placed, max_leaves=5)
    return st.recursive(
        places | st.builds(AtLeast, st.integers(1, 4), places),
        lambda inner: st.one_of(several(inner).map(And), several(inner).map(Or), inner.map(Not), scored(inner)),
        max_leaves=6,
    )


def no_longer(tree: Node) -> bool:
    """Whether the NEARs in it are no more than may stand in one another."""
    return str(tree).count("NEAR") + str(tree).count("SAME") <= 8


scopes = st.sampled_from([*(name for name in FIELDS if name != "lang"), "first/2", "first/7"])
languages = st.builds(Field, st.just("lang"), st.builds(Term, st.sampled_from(["fr", "ru", "zh", "kab"])))
fields = st.builds(Field, scopes, trees_of(leaves | named("sahel", "place")))
atoms = leaves | named("sahel", "place", "headline") | st.builds(Field, scopes, leaves) | languages
anything = (
    trees_of(atoms) | fields | st.tuples(trees_of(atoms), fields).map(And) | st.tuples(fields, named("guard")).map(And)
)
trees = anything.filter(no_longer).map(lambda node: node if node.positive else And((Term("mali"), node)))

# Text from the corners of Unicode, mixed with the words that queries ask for.
corners = st.sampled_from(
    "\u00ad\u200b\u0640\u0301\u0308\u0306\u3099ﾞ'’-·ßİıй马里マﾏ가ीＷ \n\u00a0.,½²ﷺ\u1100\u1161аеоВ&;"
)
seams = st.sampled_from(["-\n", "\n\n", "\n", "&eacute;", "&#1084;", "&amp;", "&nbsp;", "&#8203;", "&#xD800;", "\r\n"])
texts = st.lists(
    st.one_of(words, words.map(lambda word: f" {word} "), corners, seams, st.characters(), st.just(" "))
).map("".join)
documents = st.fixed_dictionaries(dict.fromkeys(SEARCHED, texts)).map(Document.of)

signs = st.sampled_from(
    ['"', "(", ")", "*", ":", "{", "}", "/", "~", "^", "@", "“", "«", " ", "-", "|", "（", "\\", "["]
)
OPERATORS = ["AND ", "OR ", "NOT ", "NEAR/3 ", "ONEAR ", "SAME ", "UNLESS ", "ATLEAST/2 ", "SCORE/1 (", "^2 "]
OPERANDS = [
    "mali ",
    "title:",
    '"a b" ',
    "(",
    ") ",
    "mal* ",
    "马里 ",
    "first/9:",
    "{Mali} ",
    "/mal./ ",
    "вагнер~ru ",
    "@sahel ",
]
pieces = st.sampled_from([*OPERATORS, *OPERANDS])
queries = st.lists(st.one_of(pieces, signs, st.text(max_size=3))).map("".join)
