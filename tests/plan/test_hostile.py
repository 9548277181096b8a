"""Whatever a configuration holds, it is loaded or refused: the loader does not crash, and it tells no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.kinds import ENV, RECEIVERS, SOURCES
from watchpost.errors import ConfigError
from watchpost.plan.load import load

FULL = (Path(__file__).parent / "full.yaml").read_text(encoding="utf-8")
WORDS = [match.span() for match in re.finditer(r"[^\s{}\[\],:#]+", FULL)]
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
