"""What holds for any query and any text."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.query.making import NAMES, WORDS, documents, queries, texts, trees
from watchpost.errors import QueryError
from watchpost.query.document import FIELDS, Document, KeySet
from watchpost.query.explain import Explanation, explain, failing
from watchpost.query.parser import parse
from watchpost.query.tree import Node, Query
from watchpost.query.words import Word, WordSpans, fold, folded_words, spans, words


@settings(max_examples=200, deadline=5_000)
@given(trees)
def test_a_printed_tree_is_read_as_the_same_tree(tree: Node) -> None:
    assert parse(str(tree), NAMES).root == tree


@settings(max_examples=300, deadline=5_000)
@given(queries)
@example("\ud800")
@example("a AND \u0640")
@example("/\ud800/")
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    try:
        query = parse(text, NAMES)
    except QueryError as error:
        place, cure = error.column, error.cure
    else:
        assert query.root.positive
        assert parse(str(query), NAMES).root == query.root
        return
    assert 1 <= place <= len(text) + 1
    assert cure


@settings(max_examples=150, deadline=5_000)
@given(trees, documents)
def test_what_is_true_holds_one_of_its_keys(tree: Node, document: Document) -> None:
    keys = tree.keys
    if keys is not None and tree.find(document) is not None:
        assert document.scoped("").present(KeySet(keys))


@settings(max_examples=150, deadline=5_000)
@given(trees, documents)
def test_evidence_is_a_piece_of_the_original_in_reading_order(tree: Node, document: Document) -> None:
    found = Query(str(tree), tree).evaluate(document)
    if found is None:
        return
    assert found, "a match without evidence"
    places = [(FIELDS.index(item.field), item.start, item.end) for item in found]
    assert places == sorted(set(places))
    for item in found:
        assert item.text == document.fields[item.field][item.start : item.end]
        assert item.text == item.text.strip()


@settings(max_examples=150, deadline=5_000)
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
    """Every clause follows from its children, or at least demands them."""
    verdicts = [child.matches for child in told.children]
    operator = told.operator.partition("/")[0]
    if operator in ("AND", "OR", "NOT") or operator.startswith("@"):
        expected = {"OR": any(verdicts), "NOT": not verdicts[0]}.get(operator, all(verdicts))
        assert told.matches == expected
    elif operator in ("NEAR", "ONEAR", "SAME"):
        assert all(verdicts) or not told.matches
    elif operator in ("UNLESS", "ATLEAST"):
        assert verdicts[0] or not told.matches
    for child in told.children:
        agree(child)


@settings(max_examples=150, deadline=5_000)
@given(texts, st.sampled_from(WORDS), texts)
def test_a_word_between_spaces_is_found(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    found = parse(f'"{word}"').evaluate(Document.of({"body": text})) or ()
    assert (len(before) + 1, len(before) + 1 + len(word)) in [(item.start, item.end) for item in found]


@settings(max_examples=150, deadline=5_000)
@given(texts)
def test_words_do_not_overlap_and_hold_what_they_say(text: str) -> None:
    end = 0
    for word in words(text):
        assert end <= word.start < word.end <= len(text)
        assert word.folded == fold(text[word.start : word.end]) != ""
        end = word.end


@settings(deadline=5_000)
@given(texts)
def test_words_at_the_seam_of_a_run_are_the_same_as_alone(text: str) -> None:
    alone = words(text)
    beside = words(f"x. {text} .y")[1:-1]
    assert beside == [Word(word.folded, word.start + 3, word.end + 3) for word in alone]


@settings(max_examples=150, deadline=5_000)
@given(texts)
def test_folding_is_stable_and_blind_to_composition(text: str) -> None:
    for word in words(text):
        original = text[word.start : word.end]
        assert fold(word.folded) == word.folded
        assert fold(unicodedata.normalize("NFD", original)) == word.folded


@settings(max_examples=300)
@given(texts)
def test_places_are_the_same_one_by_one_and_all_at_once(text: str) -> None:
    places = WordSpans(text)
    assert [places[number] for number in range(len(places))] == spans(text) == places.all()
    assert folded_words(text) == [fold(text[start:end]) for start, end in spans(text)]
