"""Every query in the manual of the query language is run, and does what the manual says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchpost.errors import QueryError
from watchpost.query.document import FIELDS, Document
from watchpost.query.inflection import LANGUAGES
from watchpost.query.parser import parse

MANUAL = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```query(?: @(\S+))?\n(.*?)^```$", MANUAL, re.MULTILINE | re.DOTALL)
NAMES = {name: text for name, text in BLOCKS if name}


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = MANUAL.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("| "))]


@pytest.mark.parametrize("text", [text for _, text in BLOCKS])
def test_every_block_is_a_query_and_printed_as_the_same(text: str) -> None:
    query = parse(text, NAMES)
    assert parse(str(query), NAMES).root == query.root


@pytest.mark.parametrize("row", [*rows("Words and phrases"), *rows("Examples")], ids=lambda row: row[0])
def test_every_row_finds_what_it_says(row: list[str]) -> None:
    code, found, missed = row
    query = parse(code.strip("`"))
    assert query.evaluate(Document.of({"body": found})) is not None
    assert query.evaluate(Document.of({"body": missed})) is None


@pytest.mark.parametrize("row", list(rows("Errors")), ids=lambda row: row[0])
def test_every_error_reads_as_told(row: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(row[0].strip("`"))
    assert str(caught.value) == row[1]


def test_all_fields_and_languages_are_told() -> None:
    assert set(FIELDS) == set(re.findall(r"(\w+):", MANUAL.split("### Fields\n\n`")[1].split("`")[0]))
    assert {code for cells in rows("Forms") for code in re.findall("~([a-z]+)", cells[0])} == set(LANGUAGES)
    assert len(BLOCKS) >= 10
