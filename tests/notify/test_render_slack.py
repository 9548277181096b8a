"""Digests for Slack, also checked by the models of slack_sdk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from tests.notify.digests import HOSTILE, MENTION, digest, endless, hostile, usual
from watchpost.notify.receivers import slack
from watchpost.notify.receivers.slack import lay_out, plain_payload, validate_slack
from watchpost.notify.render.limits import SLACK


def read(sample: Any) -> list[dict[str, Any]]:
    """The payloads, each found fit by our rules and by Slack's own library."""
    payloads = [json.loads(message) for message in lay_out(sample)[1]]
    for message, payload in zip(lay_out(sample)[1], payloads, strict=True):
        assert validate_slack(payload) == ()
        assert len(message.encode()) <= SLACK.size
        for block in payload["blocks"]:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()
    return payloads


def texts(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements of all rich_text blocks."""
    rich = [block for block in payload["blocks"] if block["type"] == "rich_text"]
    return [part for block in rich for section in block["elements"] for part in section["elements"]]


def test_the_message() -> None:
    (payload,) = read(usual())
    parts = texts(payload)
    headline, counts = (
        "Explosion near Gao base; JNIM claims attack",
        "Wagner / Africa Corps and Mali security: 5 stories, 3 shown",
    )
    assert payload["blocks"][0]["text"]["text"] == headline
    assert payload["blocks"][1]["elements"][0]["text"] == counts
    assert payload["text"] == f"{headline} · {counts}"
    page = f"https://watch.example.org/stories/{usual().stories[0].id}"
    assert {"type": "link", "url": page, "text": "Whole story"} in parts
    assert {
        "type": "link",
        "url": "https://www.rfi.fr/afrique/gao?id=7",
        "text": "Explosion near Gao base; JNIM claims attack",
        "style": {"bold": True},
    } in parts
    assert {"type": "text", "text": "Wagner", "style": {"bold": True}} in parts
    assert [part["text"] for part in parts if part["text"].strip() in ("NEW", "UPDATE", "CONTINUING")] == [
        "NEW  ",
        "UPDATE  ",
        "CONTINUING  ",
    ]
    (rtl,) = (part["text"] for part in parts if part["type"] == "link" and "غاو" in part["text"])
    assert (rtl[0], rtl[-1]) == ("\u2068", "\u2069")
    assert payload["unfurl_links"] is False
    text = json.dumps(payload, ensure_ascii=False)
    assert "Not read (2 of 41 sources)" in text
    assert "Not shown: 2 stories." in text


def test_a_mention_in_a_headline_is_shown_and_notifies_nobody() -> None:
    (payload,) = read(hostile(MENTION))
    assert MENTION in [part["text"] for part in texts(payload)]
    assert "<!channel>" not in payload["text"]
    assert "&lt;!channel&gt; *x* &amp; &lt;b&gt; @here :fire:" in payload["text"]
    assert payload["mrkdwn"] is False
    assert "mrkdwn" not in json.dumps(payload["blocks"])


@pytest.mark.parametrize("kind", ["digest", "alert"])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_makes_a_valid_message(text: str, kind: str) -> None:
    for payload in read(hostile(text, kind=kind)):
        raw = json.dumps(payload, ensure_ascii=False)
        assert "javascript:" not in raw
        assert not set(raw) & set("\u202a\u202b\u202c\u202d\u202e\x00")


def test_five_hundred_stories_become_three_messages_and_a_count() -> None:
    payloads = read(endless())
    assert len(payloads) == SLACK.messages
    assert all(len(payload["blocks"]) <= slack.MOST_BLOCKS for payload in payloads)
    shown = sum(part["type"] == "link" and "watch." not in part["url"] for p in payloads for part in texts(p))
    assert f"Not shown: {500 - shown} stories (" in json.dumps(payloads[-1])
    parts = [payload["blocks"][0 if number else 1] for number, payload in enumerate(payloads)]
    titles = [block.get("text", block.get("elements", [{}])[0])["text"] for block in parts]
    assert [title[-6:] for title in titles] == [" (1/3)", " (2/3)", " (3/3)"]


def test_ten_usual_stories_are_one_message_and_eleven_are_two() -> None:
    one = usual().stories[0]
    assert [len(read(digest(*[one] * count))) for count in (10, 11, 30, 36)] == [1, 2, 3, 3]
    assert "Not shown: " in lay_out(digest(*[one] * 36))[1][-1]


def test_an_alert_of_one_story_begins_with_its_headline() -> None:
    sample = replace(usual(), kind="alert", stories=usual().stories[:1], omitted=0, left_out={})
    (payload,), headline = read(sample), "Explosion near Gao base; JNIM claims attack"
    first, _, second = texts(payload)[:3]
    assert (first["type"], first["text"]) == ("link", headline)
    assert second["text"] == "HIGH · Wagner / Africa Corps, Mali security"
    assert payload["text"] == f"{headline} · HIGH · Wagner / Africa Corps"
    assert json.dumps(payload["blocks"], ensure_ascii=False).count(headline) == 1


def test_an_empty_digest_is_a_message_too() -> None:
    (payload,) = read(digest())
    assert payload["blocks"][0]["text"]["text"] == "Nothing matched. All 41 sources were read."


def test_the_fallback_is_literal_text() -> None:
    payload = json.loads(plain_payload(MENTION + "🙂" * 5_000))
    assert validate_slack(payload) == ()
    assert payload["text"].startswith("&lt;!channel&gt;")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": "<!channel>"}, "not escaped"),
        ({"mrkdwn": True}, "mrkdwn"),
        ({"channel": "#x"}, "unknown key"),
        ({"blocks": [{"type": "divider"}] * 46}, "46 blocks"),
        ({"text": "ж" * 6_000}, "bytes"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}}]}, "shape of section"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x"}}]}, "plain_text"),
        ({"blocks": [slack._rich([{"type": "text", "text": ""}])]}, "element"),
        ({"blocks": [slack._rich([{"type": "link", "url": "javascript:1", "text": "x"}])]}, "link"),
        ({"blocks": [{"type": "context", "elements": []}]}, "shape of context"),
    ],
)
def test_the_check_finds_what_slack_would_refuse(change: dict[str, Any], problem: str) -> None:
    payload = json.loads(lay_out(usual())[1][0]) | change
    assert any(problem in found for found in validate_slack(payload))
