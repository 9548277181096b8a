"""What holds for any query and any text."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchpost.errors import QueryError
from watchpost.query.explain import Explanation, explain, failing
from watchpost.query.parser import parse
from watchpost.query.text import SEARCHED, Document
from watchpost.query.tree import And, Field, Node, Not, Or, Phrase, Prefix, Query, Term
from watchpost.query.words import Word, fold, words

FIELD_NAMES = ("title", "summary", "body", "author", "source", "lang", "url")
WORDS = [
    "mali",
    "Mali's",
    "Goïta",
    "вагнер",
    "мой",
    "马里",
    "马里乌波尔",
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

leaves: st.SearchStrategy[Node] = st.one_of(
    st.sampled_from(WORDS).map(Term),
    st.sampled_from(PREFIXES).map(Prefix),
    st.lists(st.sampled_from([*WORDS, "AND", "or", "mali*"]), min_size=1, max_size=3).map(" ".join).map(Phrase),
)


def joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(parts.map(And), parts.map(Or), inner.map(Not))


plain_trees = st.recursive(leaves, joined, max_leaves=6)
fields = st.builds(Field, st.sampled_from(FIELD_NAMES), plain_trees)
trees = st.recursive(leaves | fields, joined, max_leaves=8).map(
    lambda node: node if node.positive else And((Term("mali"), node))
)
# Text from the corners of Unicode, mixed with the words that queries ask for.
corners = st.sampled_from("\u00ad\u200b\u0640\u0301\u0308\u0306\u3099ﾞ'’-·ßİıй马里マﾏ가ीＷ \n\u00a0.,½²ﷺ\u1100\u1161")
texts = st.lists(st.one_of(st.sampled_from(WORDS), corners, st.characters(), st.just(" "))).map("".join)
documents = st.fixed_dictionaries(dict.fromkeys(SEARCHED, texts)).map(Document.of)
signs = st.sampled_from(['"', "(", ")", "*", ":", "{", "}", "/", "~", "^", "@", "“", "«", " ", "-", "|", "（"])
pieces = st.sampled_from(["AND ", "OR ", "NOT ", "NEAR/3 ", "mali ", "title:", '"a b" ', "(", ") ", "mal* ", "马里 "])
queries = st.lists(st.one_of(pieces, signs, st.text(max_size=3))).map("".join)


@given(trees)
def test_a_printed_tree_is_read_as_the_same_tree(tree: Node) -> None:
    assert parse(str(tree)).root == tree


@settings(max_examples=400)
@given(queries)
@example("\ud800")
@example("a AND \u0640")
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        place, cure = error.column, error.cure
    else:
        assert query.root.positive
        assert parse(str(query)).root == query.root
        return
    assert 1 <= place <= len(text) + 1
    assert cure


@settings(max_examples=300)
@given(trees, documents)
def test_evidence_is_a_piece_of_the_original_in_reading_order(tree: Node, document: Document) -> None:
    found = Query(str(tree), tree).evaluate(document)
    if found is None:
        return
    assert found, "a match without evidence"
    places = [(FIELD_NAMES.index(item.field), item.start, item.end) for item in found]
    assert places == sorted(set(places))
    for item in found:
        assert item.text == document.fields[item.field][item.start : item.end]
        assert item.text == item.text.strip()


@settings(max_examples=300)
@given(trees, documents)
def test_explanation_and_evaluation_agree(tree: Node, document: Document) -> None:
    query = Query(str(tree), tree)
    found = query.evaluate(document)
    told = explain(query, document)
    assert told.matches == (found is not None)
    assert told.evidence == (found or ())
    agree(told)
    if not told.matches:
        assert not failing(told).matches


def agree(told: Explanation) -> None:
    """Every clause follows from its children."""
    verdicts = [child.matches for child in told.children]
    if told.operator:
        expected = {"AND": all(verdicts), "OR": any(verdicts), "NOT": not verdicts[0]}[told.operator]
        assert told.matches == expected
    for child in told.children:
        agree(child)


@settings(max_examples=300)
@given(texts, st.sampled_from(WORDS), texts)
def test_a_word_between_spaces_is_found(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    found = parse(word).evaluate(Document.of({"body": text})) or ()
    assert (len(before) + 1, len(before) + 1 + len(word)) in [(item.start, item.end) for item in found]


@settings(max_examples=300)
@given(texts)
def test_words_do_not_overlap_and_hold_what_they_say(text: str) -> None:
    end = 0
    for word in words(text):
        assert end <= word.start < word.end <= len(text)
        assert word.folded == fold(text[word.start : word.end]) != ""
        end = word.end


@given(texts)
def test_words_at_the_seam_of_a_run_are_the_same_as_alone(text: str) -> None:
    alone = words(text)
    beside = words(f"x. {text} .y")[1:-1]
    assert beside == [Word(word.folded, word.start + 3, word.end + 3) for word in alone]


@settings(max_examples=300)
@given(texts)
def test_folding_is_stable_and_blind_to_composition(text: str) -> None:
    for word in words(text):
        original = text[word.start : word.end]
        assert fold(word.folded) == word.folded
        assert fold(unicodedata.normalize("NFD", original)) == word.folded
