"""YAML 1.2 as a tree with places, within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.config.yaml_reader import MAX_DEPTH, MappingNode, ScalarNode, plain, read_yaml


def values_of(text: str) -> Any:
    """The plain values of a text without mistakes."""
    tree, complaints = read_yaml(text, "a.yaml")
    assert complaints == ()
    assert tree is not None
    return plain(tree)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("08:00", "08:00"),
        ("22:30", "22:30"),
        ("2026-01-01", "2026-01-01"),
        ("012", 12),
        ("-7", -7),
        ("0o14", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ("1e999", "1e999"),
        ("1234567890123456789", "1234567890123456789"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    found = values_of(f"a: {written}\n")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_it_is_written() -> None:
    assert values_of("no: 1\n08:00: 2\n2026: 3\n") == {"no": 1, "08:00": 2, "2026": 3}


def test_merges_keep_what_is_written_and_the_first_of_several() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*a, *b]}\n"
    assert values_of(text)["c"] == {"x": 1, "y": 1, "z": 3}


def test_every_key_and_value_knows_its_place() -> None:
    tree, _ = read_yaml("a:\n  - {b: 1,\n     c: 2}\n", "a.yaml")
    assert isinstance(tree, MappingNode)
    entry = tree.entries["a"]
    assert str(entry.place) == "a.yaml:1:1"
    inner = entry.node.items[0]  # type: ignore[union-attr]
    assert isinstance(inner, MappingNode)
    assert str(inner.mark) == "a.yaml:2:5"
    assert [(str(e.mark), str(e.place)) for e in inner.entries.values()] == [
        ("a.yaml:2:6", "a.yaml:2:9"),
        ("a.yaml:3:6", "a.yaml:3:9"),
    ]


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ("q: one two\n", "two", 1, 8),
        ("q: 'one two'\n", "two", 1, 9),
        ("q: 'it''s two'\n", "two", 1, 11),
        ('q: "\\"one\\" two"\n', "two", 1, 13),
        ('q: "\\u0416\\x41\\U00000042 two"\n', "two", 1, 26),
        ('q: "a\\nb two"\n', "two", 1, 10),
        ("q: |\n  one\n\n   two\n", "two", 4, 4),
        ("q: |2-   # why\n   one\n  two\n", "two", 3, 3),
        ("q: >-\n  one\n  two\n", "two", 3, 3),
        ("q: one\n  two\n", "two", 2, 3),
        ("q: 'one\n\n  two'\n", "two", 3, 3),
        ("q: Вагнер ЧВК\n", "ЧВК", 1, 11),
    ],
)
def test_a_character_of_a_scalar_has_a_place(text: str, word: str, line: int, column: int) -> None:
    tree, _ = read_yaml(text, "a.yaml")
    assert isinstance(tree, MappingNode)
    node = tree.entries["q"].node
    assert isinstance(node, ScalarNode)
    mark = node.at(node.text.index(word))
    assert (mark.line, mark.column) == (line, column)


def test_the_end_of_a_scalar_has_a_place_too() -> None:
    tree, _ = read_yaml("q: one\n", "a.yaml")
    assert isinstance(tree, MappingNode)
    node = tree.entries["q"].node
    assert isinstance(node, ScalarNode)
    assert (node.at(3).line, node.at(3).column) == (1, 7)


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1), min_size=1))
def test_every_word_of_a_block_has_its_own_line(words: list[str]) -> None:
    tree, complaints = read_yaml("q: |\n" + "".join(f"    {word}\n" for word in words), "a.yaml")
    assert complaints == ()
    assert isinstance(tree, MappingNode)
    node = tree.entries["q"].node
    assert isinstance(node, ScalarNode)
    offset = 0
    for number, word in enumerate(words):
        assert (node.at(offset).line, node.at(offset).column) == (number + 2, 5)
        offset += len(word) + 1


@given(st.text(alphabet=st.sampled_from("ab01:-?[]{}&*!|>'\"%@,#\\~ \n\t\x07\ud800é"), max_size=40))
def test_no_text_makes_it_stumble(text: str) -> None:
    tree, complaints = read_yaml(text, "a.yaml")
    assert all(one.file == "a.yaml" for one in complaints)
    if tree is not None:
        plain(tree)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(opening: str) -> None:
    tree, complaints = read_yaml(opening * 5000, "a.yaml")
    assert tree is None
    assert [one.problem for one in complaints] == [f"this is nested more than {MAX_DEPTH} levels deep"]


def test_aliases_do_not_get_around_the_depth() -> None:
    rows = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 30)]
    tree, complaints = read_yaml("\n".join(rows), "a.yaml")
    assert tree is None
    assert [one.problem for one in complaints] == [f"this is nested more than {MAX_DEPTH} levels deep"]


def test_a_bomb_of_aliases_is_refused_before_it_is_built() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    tree, complaints = read_yaml("\n".join(rows), "a.yaml")
    assert tree is None
    assert [one.problem for one in complaints] == ["the aliases expand to more than 50,000 values"]
    assert complaints[0].line == 5


def test_a_bomb_of_merges_is_refused_too() -> None:
    rows = ["a: &a {" + ", ".join(f"k{n}: 1" for n in range(1000)) + "}"]
    rows += [f"b{n}: {{<<: *a}}" for n in range(200)]
    tree, complaints = read_yaml("\n".join(rows), "a.yaml")
    assert tree is None
    assert [one.problem for one in complaints] == ["the aliases expand to more than 50,000 values"]


def test_two_repeated_keys_are_two_complaints_and_the_first_counts() -> None:
    tree, complaints = read_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", "a.yaml")
    assert [(one.line, one.column) for one in complaints] == [(2, 1), (3, 11)]
    assert tree is not None
    assert plain(tree) == {"a": 1, "b": {"c": 1}}
