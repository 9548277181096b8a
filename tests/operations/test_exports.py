"""Exports: CSV that every spreadsheet reads and none computes, and NDJSON with the same values."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.making import WHEN, article, hit
from watchpost.model import NamedPlace
from watchpost.operations.exports import HIT_COLUMNS, STORY_COLUMNS, head_of, hit_record, line_of, story_record
from watchpost.operations.stories import view_of
from watchpost.store.handling import Deed, Handling, Note
from watchpost.store.history import PastHit
from watchpost.store.stories import PastStory

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            '=HYPERLINK("http://x")',
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r\n=1",
            'a"b,c\nd',
            "\u202e=1",
            "＝1",
            "x;=1+1",
            'x; "=1"',
            "a;;@b",
        ]
    ),
)


def story_of(title: str, note: str) -> dict[str, Any]:
    """A record of a story of two reports."""
    hits = [
        hit(title, article=article(title, outlet=title, url="https://x.example/1"), places=(NamedPlace("Gao", "ML"),)),
        hit("two", article=article("two", url="javascript:x")),
    ]
    story = PastStory("5" * 32, tuple(PastHit(f"{number}-0", one) for number, one in enumerate(hits)))
    handling = Handling(Deed("anna", WHEN), Deed(title, WHEN), (Deed("ben", WHEN),), (Note("n", "anna", WHEN, note),))
    return story_record(view_of(story), handling, "https://watch.example.org")


@given(_HOSTILE, _HOSTILE)
def test_each_record_is_one_row_and_no_cell_is_a_formula(title: str, note: str) -> None:
    records = ((story_of(title, note), STORY_COLUMNS), (hit_record(hit(title)), HIT_COLUMNS))
    for record, columns in records:
        assert tuple(record) == columns
        text = head_of(columns, "csv") + line_of(record, columns, "csv")
        head, row = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
        assert (tuple(head), len(row)) == (columns, len(columns))
        assert text.startswith("\ufeff")
        for cell in row:
            assert not cell.lstrip().startswith(_FORMULA), cell
            assert "\n" not in cell
            assert "\u202e" not in cell


@given(_HOSTILE, _HOSTILE, st.sampled_from([";", '; "', ";'", ";  "]))
def test_no_cell_is_a_formula_where_semicolons_separate_the_columns(title: str, note: str, end: str) -> None:
    line = line_of(story_of(f"x{end}{title}", f"y{end}{note}"), STORY_COLUMNS, "csv")
    for cell in (*line.split(";"), *next(csv.reader([line], delimiter=";"))):
        assert not cell.lstrip(' "').startswith(_FORMULA), cell


def test_a_text_behind_a_semicolon_stays_readable() -> None:
    def shown(title: str) -> str:
        line = line_of(hit_record(hit(title)), HIT_COLUMNS, "csv")
        return str(dict(zip(HIT_COLUMNS, next(csv.reader([line])), strict=True))["headline"])

    assert shown("x;=1+1") == "x;'=1+1"
    assert shown("＝1+1") == "'＝1+1"
    assert shown("Gao: 5 dead; 3-year-old among them") == "Gao: 5 dead; 3-year-old among them"


@given(_HOSTILE)
def test_ndjson_has_every_value_on_one_line(title: str) -> None:
    record = story_of(title, "note")
    line = line_of(record, STORY_COLUMNS, "ndjson")
    assert line.count("\n") == 1
    assert json.loads(line) == record
    assert "\u202e" not in line
    assert head_of(STORY_COLUMNS, "ndjson") == ""


def test_what_a_record_says() -> None:
    record = story_of("Kidal", "look")
    assert record["page"] == f"https://watch.example.org/stories/{'5' * 32}"
    assert (record["report_count"], record["places"], record["claimed_by"]) == (2, ["Gao"], "anna")
    assert record["reports"][1] == {"outlet": "rfi", "headline": "two", "url": None, "published": None} | {
        "outlet": record["reports"][1]["outlet"],
        "published": record["reports"][1]["published"],
    }
    assert record["notes"] == ["anna: look"]
