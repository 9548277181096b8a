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
        ('"Text 2"', '"Te"xt" 2"', "Convoy 2", 'Te"xt" 2'),
        ('"Text 2"', r'"a \ud83d\ude00 \"b\" \q" /* so */', "Convoy 2", r'a 😀 "b" \q'),
        ('"Text 2"', "'it\\'s \"so\"'", "Convoy 2", 'it\'s "so"'),
        ('"content_text": "Text 2"', 'content_text: "Text 2"', "Convoy 2", "Text 2"),
        ('"id": "2"', "id: 2", "Convoy 2", "Text 2"),
        ('"content_text": "Text 2"', '"content_text" "Text 2"', "Convoy 2", ""),
        ('"Text 2"', '"Text 2", "x": None, "y": undefined, "z": .5', "Convoy 2", "Text 2"),
        ('"id": "2"', '// note\n"id": "2"', "Convoy 2", "Text 2"),
        ('"Text 2"', '<a href="https://e.org">Text 2</a>"', "Convoy 2", ""),
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


ITEM = '{"id": "2", "title": "Convoy 2", "content_text": "Text 2"}'
LINE = '{"id": "1", "title": "One", "body": "Text"}'


@pytest.mark.parametrize(
    "broken",
    [
        ITEM.replace('"', "'"),
        "{id: '2', title: 'Convoy 2', content_text: 'Text 2'}",
        ITEM[:-1],
        ITEM + "}",
        "// one\n" + ITEM,
        "# one\n" + ITEM,
        "<!-- one -->" + ITEM,
        "/* one */" + ITEM + ";",
        '{"id" = "2", "title" = "Convoy 2", "content_text" = "Text 2"}',
        '{"id": "2", "title": "Convoy 2", "content_text": "Text 2", "x": ' + "[" * 60 + "]" * 60 + "}",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_may_be_nearly_json(broken: str, place: int) -> None:
    items = [json.dumps(item) for item in ITEMS[:2]]
    items.insert(place, broken)
    text = '{"version": "https://jsonfeed.org/version/1.1", "items": [' + ", ".join(items) + "]}"
    found = {article.title: article.body for article in read(text).articles}
    assert {"Convoy 0", "Convoy 1"} <= found.keys()
    assert place == 2 or found["Convoy 2"] == "Text 2"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("callback(", ");"),
        (")]}',\n", ""),
        ("<br />\n<b>Warning</b>: x in /a.php<br />\n", ""),
        ("var feed = ", ";"),
        ("/* cached */", ""),
        ("\xa0\n", "\n<!-- cached -->"),
    ],
)
def test_a_feed_may_be_within_something_else(before: str, after: str) -> None:
    assert [article.title for article in read(before + SOUND + after).articles] == [f"Convoy {n}" for n in range(5)]


@pytest.mark.parametrize("version", ["", '"version": 1, ', '"version": "1.1", '])
def test_a_feed_may_not_say_that_it_is_one(version: str) -> None:
    text = "{" + version + '"items": ' + json.dumps(ITEMS) + "}"
    assert [article.title for article in read(text).articles] == [f"Convoy {n}" for n in range(5)]


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace('"', "'"),
        "{id: '1', title: 'One', body: 'Text'}",
        LINE + ",",
        "[" + LINE + ",",
        LINE + "]",
        LINE + ";",
        "data: " + LINE,
        "\x1e" + LINE,
        LINE[:-1] + ", 'x': None, 'y': True}",
        LINE[:-1] + ', "published": 1673726700}',
        LINE[:-1] + ', "author": ["A", {"name": "B"}], "source": {"name": "D"}, "lang": ["fr"]}',
        LINE.replace('"Text"', '["Text"]'),
    ],
)
def test_a_line_may_be_nearly_json(line: str) -> None:
    reading = read_document("a.jsonl", b'{"title": "A"}\n%s\n{"title": "B"}\n' % line.encode(), NOW)
    assert [(article.title, article.body) for article in reading.articles] == [("A", ""), ("One", "Text"), ("B", "")]
    assert reading.failures == ()


def test_two_records_in_one_line_and_half_a_record_are_bad_lines() -> None:
    lines = (LINE[:20] + LINE, LINE + LINE, LINE[:-1], '{"title": 5}')
    reading = read_document("a.jsonl", "\n".join(lines).encode() + b"\n", NOW)
    assert reading.articles == ()
    assert [failure.reason for failure in reading.failures] == ["bad_line"] * 4


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
