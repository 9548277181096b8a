"""Whatever a configuration holds, it is loaded or refused: the loader does not crash, and it tells no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.kinds import ENV, RECEIVERS, SOURCES
from watchpost.config.loader import load
from watchpost.errors import ConfigError
from watchpost.operations.factory import receiver_options, source_options

FULL = (Path(__file__).parent / "full.yaml").read_text(encoding="utf-8")
WORDS = [match.span() for match in re.finditer(r"[^\s{}\[\],:#]+", FULL)]
LINES = FULL.splitlines()
KEYS = sorted({*re.findall(r"[a-z_]+(?=:)", FULL), "at", "every", "env", "file", "<<", "x", "é"})
VALUES = [
    *("", "null", "[]", "{}", "5", "-1", "1.5", "true", '"x"', "[1, {a: b}]", "{env: X}", "{a: {b: c}}", "{{ x }}"),
    *("é", "99999999999999999999d", "1e400", "(", '"', "../..", "*x", "&x", "!t", "|", "a/b", "[[x], [[y]]]"),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_a_word_exchanged_for_anything(tmp_path: Path, changes: list[tuple[tuple[int, int], str]]) -> None:
    text = FULL
    for (start, end), value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    file = tmp_path / "watchpost.yaml"
    file.write_text(text, encoding="utf-8")
    (tmp_path / "token").write_text("s3cr3t")
    said = None
    try:
        load(file, sources=SOURCES, receivers=RECEIVERS, env=ENV)
    except ConfigError as error:
        said = str(error)
    assert said != ""
    assert not re.search("s3cr3t|hunter2", said or "")


TREES = st.recursive(
    st.sampled_from(VALUES) | st.text(max_size=20).map(repr),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
def test_any_tree_of_known_words(tmp_path: Path, sections: dict[str, str]) -> None:
    text = "version: 1\n" + "".join(f"{key}: {value}\n" for key, value in sections.items())
    assert said(tmp_path, text.encode("utf-8", "surrogatepass")) != ""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, len(FULL)), st.integers(0, 60))
def test_any_bytes_in_any_place(tmp_path: Path, junk: bytes, at: int, gone: int) -> None:
    raw = FULL.encode()
    assert said(tmp_path, raw[:at] + junk + raw[at + gone :]) != ""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(range(len(LINES))), st.sampled_from(range(len(LINES)))), max_size=4))
def test_lines_in_wrong_places(tmp_path: Path, moves: list[tuple[int, int]]) -> None:
    lines = list(LINES)
    for old, new in moves:
        lines.insert(new, lines.pop(old))
    assert said(tmp_path, "\n".join(lines).encode()) != ""


def said(directory: Path, raw: bytes) -> str | None:
    """What the loader says of a file, with our own kinds and with those of the service; None if it is content."""
    file = directory / "watchpost.yaml"
    file.write_bytes(raw)
    (directory / "token").write_text("s3cr3t")
    found: list[ConfigError] = []
    for sources, receivers in ((SOURCES, RECEIVERS), (source_options(), receiver_options())):
        try:
            load(file, sources=sources, receivers=receivers, env=ENV)
        except ConfigError as error:
            found.append(error)
    answers = [str(error) for error in found]
    assert all(error.complaints for error in found)
    assert all(one.file and one.problem for error in found for one in error.complaints)
    assert not re.search("s3cr3t|hunter2", " ".join(answers))
    return answers[0] if answers else None


@pytest.mark.parametrize(
    "section",
    ["recievers: {term: {type: console}}", "receivers: [term]", "receivers: {{ RECEIVERS }}", "receivers: !x {}"],
)
def test_a_section_that_cannot_be_read_makes_no_ghosts_of_its_names(tmp_path: Path, section: str) -> None:
    file = tmp_path / "watchpost.yaml"
    file.write_text(f"version: 1\n{section}\nroutes: [{{to: term, mode: immediate}}]\n")
    with pytest.raises(ConfigError) as caught:
        load(file, sources=SOURCES, receivers=RECEIVERS, env=ENV)
    assert [one.line for one in caught.value.complaints] == [2]
