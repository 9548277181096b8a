"""JSON Feeds and JSON Lines that are nearly JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from watchpost.documents.parse import Reading, read_document, read_feed_document
from watchpost.errors import FetchError

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ITEMS = [
    {"id": str(n), "title": f"Convoy {n}", "content_text": f"Text {n}", "authors": [{"name": "A"}, {"name": "B"}]}
    for n in range(5)
]
FEED = {"version": "https://jsonfeed.org/version/1.1", "title": "Desk", "language": "fr", "items": ITEMS}
SOUND = json.dumps(FEED, indent=1)


def read(text: str) -> Reading:
    return read_feed_document(text.encode(), now=NOW, source="desk")


@pytest.mark.parametrize(
    ("old", "new", "title", "body"),
    [
        ("Text 2", "Text\n2", "Convoy 2", "Text\n2"),
        ("Text 2", "Text\t2", "Convoy 2", "Text 2"),
        ("Text 2", r"Text \x 2", "Convoy 2", r"Text \x 2"),
        ("Text 2", r"C:\Mali", "Convoy 2", r"C:\Mali"),
        ('"Text 2",', '"Text 2",,', "Convoy 2", "Text 2"),
        ('"Text 2",', '"Text 2"', "Convoy 2", "Text 2"),
        ('"Text 2",', '"Text 2" "x",', "Convoy 2", "Text 2"),
        ('"Text 2"', '"Text 2', "Convoy 2", ""),
        ('"Text 2"', '"Te"xt" 2"', "Convoy 2", "Te"),
        ('"Text 2"', "Text 2", "Convoy 2", ""),
        ('"Text 2"', "NaN2", "Convoy 2", ""),
        ('"id": "2",', '"id": "2"', "Convoy 2", "Text 2"),
    ],
)
def test_a_defect_in_one_item_leaves_every_other(old: str, new: str, title: str, body: str) -> None:
    reading = read(SOUND.replace(old, new))
    found = [(article.title, article.body) for article in reading.articles]
    assert found[:2] + found[3:] == [(f"Convoy {n}", f"Text {n}") for n in (0, 1, 3, 4)]
    assert found[2][0] == title
    assert not body or found[2][1] == body
    assert {article.outlet for article in reading.articles} == {"Desk"}


def test_the_last_item_and_the_only_one_may_be_broken() -> None:
    titles = [article.title for article in read(SOUND.replace('"Text 4"', '"Te"xt"')).articles]
    assert titles == [f"Convoy {n}" for n in range(5)]


def test_an_item_that_is_lost_is_counted() -> None:
    reading = read(SOUND.replace('"id": "2",', "").replace('"content_text": "Text 2"', '"text": Text'))
    assert [article.title for article in reading.articles] == [f"Convoy {n}" for n in (0, 1, 3, 4)]
    assert reading.note == "1 entry could not be read"


def test_a_feed_that_was_cut_off_gives_its_whole_items() -> None:
    cut = SOUND[: SOUND.index("Text 3")]
    assert [article.title for article in read(cut).articles][:3] == ["Convoy 0", "Convoy 1", "Convoy 2"]


@pytest.mark.parametrize("text", ["{not json", '{"items": [', '{"version": "x", "items": [{"a": }]}'])
def test_what_holds_no_items_is_still_refused(text: str) -> None:
    with pytest.raises(FetchError):
        read(text)


def test_lines_are_forgiven_what_has_one_meaning_only() -> None:
    lines = b'{"title": "A", "body": "one\ttwo"}\n{"title": "C:\\Mali",}\n{"title": broken}\n{"title": "D"}\n'
    reading = read_document("a.jsonl", lines, NOW)
    assert [article.title for article in reading.articles] == ["A", r"C:\Mali", "D"]
    assert [failure.item for failure in reading.failures] == ["a.jsonl, line 3"]
