"""What holds for any query and any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.query.making import NAMES, WORDS, documents, queries, texts, trees
from watchpost.errors import QueryError
from watchpost.query.document import FIELDS, Document, KeySet
from watchpost.query.explain import Explanation, explain, failing
from watchpost.query.parser import parse
from watchpost.query.tree import Node, Query
from watchpost.query.words import FoldedText, Word, WordSpans, fold, folded_words, spans, words


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
    places = WordSpans(text, FoldedText(text))
    assert [places[number] for number in range(len(places))] == spans(text) == places.all()
    assert folded_words(text) == [fold(text[start:end]) for start, end in spans(text)]


LETTERS = (
    "aZz09éÈüßœæÆñł«»’“”…–½² \t\nабвАБЙйёЁіїґүαβΣςάέ"
    + "ابيىکپ٣"
    + "가ㅏﬁ①ﷺ中ノア"
    + "\u0301\u00ad\u0640\u200d\ufe0f\ufffe\ue000\0😀"
)


@settings(max_examples=1000)
@given(st.text(st.sampled_from(LETTERS) | st.characters(), max_size=60), st.sampled_from([1, 30]))
def test_a_text_folded_by_pages_has_the_words_that_its_words_fold_to_one_by_one(text: str, times: int) -> None:
    text = " ".join([text] * times)
    folded = FoldedText(text)
    assert folded.joined.split() == [fold(text[start:end]) for start, end in spans(text)]
    assert WordSpans(text, folded).all() == spans(text)


@pytest.mark.parametrize(
    ("text", "aligned"),
    [
        ("Élysée: l’opération «Barkhane» à Gao…", True),
        ("«Вагнер» ушёл из Мали, 14 погибших", True),
        ("Straße, Œuvre und Æther", True),
        ("مالي: فاغنر في باماكو", True),
        ("plain ASCII", True),
        ("Mali 🇲🇱 and 😀", True),
        ("W\u0430gner in one alphabet", False),
        ("hyphen\u00adated", False),
        ("e\u0301t, decomposed", False),
        ("瓦格纳在马里", False),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 300))), False),
        (" ".join(chr(code) for code in range(0x1200, 0x1200 + 300)), False),
    ],
)
def test_texts_whose_characters_fold_by_themselves_are_folded_in_place(text: str, *, aligned: bool) -> None:
    text = " ".join([text] * 20)
    folded = FoldedText(text)
    assert folded.aligned == aligned
    assert folded.joined.split() == [fold(text[start:end]) for start, end in spans(text)]


def test_more_scripts_than_there_are_pages_are_folded_all_the_same() -> None:
    scripts = [
        range(0x410, 0x44F),
        range(0x3B1, 0x3C9),
        range(0x561, 0x586),
        range(0x10D0, 0x10F0),
        range(0x5D0, 0x5EA),
    ]
    scripts += [range(0x1E00, 0x1EF0), range(0x13A0, 0x13F0), range(0x1200, 0x1290), range(0xC0, 0x17F)]
    for _ in range(2):
        for script in scripts:
            text = " ".join(map(chr, script))
            assert FoldedText(text).joined.split() == [fold(text[start:end]) for start, end in spans(text)]
