"""Buttons on Slack messages: which alerts have them, whose requests count, and what the message says afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.notify.digests import context, hostile, usual
from watchpost.model import Digest
from watchpost.notify.receivers.slack import KIND, SlackOptions, validate_slack
from watchpost.notify.render.slack_buttons import ButtonState, buttons
from watchpost.notify.slack_interactions import ButtonPress, edited, is_signed, may_answer, read_press

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
ENV = {"SLACK": "https://hooks.slack.com/services/T/B/x", "SIGN": "8f742231b10e8888abcd99yyyzzz85a5", "TOKEN": "xoxb-1"}
SIGNED = {"signing_secret": {"env": "SIGN"}}
WEBHOOK = {"url": {"env": "SLACK"}}
BOT = {"token": {"env": "TOKEN"}, "channel": "#duty", "thread": "story"}


def payloads(digest: Digest, **options: Any) -> list[dict[str, Any]]:
    model = SlackOptions.model_validate(options, context={"env": ENV, "base": "."})
    made = KIND.build("desk", model, context()).render(digest)
    return [json.loads(message.renderings["blocks"]) for message in made]


def alert(sample: Digest, stories: int = 99) -> Digest:
    return replace(sample, kind="alert", stories=sample.stories[:stories])


def pressed(**changes: Any) -> bytes:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U1", "username": "anna", "name": "anna"},
        "actions": [{"type": "button", "action_id": "watchpost claim", "value": "4f2a", "block_id": "b"}],
        "response_url": "https://hooks.slack.com/actions/T/1/x",
        "message": {"text": "x", "blocks": []},
    }
    return urlencode({"payload": json.dumps(payload | changes)}).encode()


@pytest.mark.parametrize("options", [WEBHOOK, BOT], ids=["webhook", "bot"])
@pytest.mark.parametrize("sample", [usual(), hostile("<!channel> *x* :smile:")], ids=["usual", "hostile"])
def test_alerts_have_buttons_only_with_a_signing_secret(sample: Digest, options: Mapping[str, Any]) -> None:
    def rows(digest: Digest, **more: Any) -> list[str]:
        found = payloads(digest, **options, **more)
        assert all(validate_slack(one) == () for one in found)
        return [block["block_id"] for one in found for block in one["blocks"] if block["type"] == "actions"]

    shown = alert(sample)
    assert rows(shown) == rows(replace(shown, kind="digest"), **SIGNED) == []
    ids = [row.removeprefix("watchpost buttons ") for row in rows(shown, **SIGNED)]
    assert ids == [story.id for story in shown.stories][: len(ids)]
    assert len(ids) >= min(len(shown.stories), 9)


def test_many_stories_stay_within_fifty_blocks_when_each_is_handled() -> None:
    stories = tuple(replace(usual().stories[0], id=f"s{number}") for number in range(40))
    for one in payloads(replace(usual(), kind="alert", stories=stories), **WEBHOOK, **SIGNED):
        message: dict[str, Any] = one
        ids = [block["block_id"] for block in one["blocks"] if block["type"] == "actions"]
        assert ids
        for id_ in ids:
            press = ButtonPress("anna", id_.removeprefix("watchpost buttons "), "claim", "", message)
            after = edited(press, "en", ButtonState(claimed="anna"))
            assert after is not None
            message = {"text": one["text"], "blocks": after["blocks"]}
        assert len(message["blocks"]) <= 50
        assert sum(block["type"] == "context" and "state" in block.get("block_id", "") for block in message["blocks"])


# ── the signature ──


def test_the_example_of_slack_s_documentation_is_signed() -> None:
    """docs.slack.dev/authentication/verifying-requests-from-slack#validating-a-request."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
        b"foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
        b"hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
        b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    at = datetime.fromtimestamp(1531420618, UTC)
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert is_signed(ENV["SIGN"], "1531420618", signature, body, at)
    assert not is_signed(ENV["SIGN"], "1531420618", signature, body + b"&", at)
    assert not is_signed(ENV["SIGN"], "1531420619", signature, body, at)
    assert not is_signed("another", "1531420618", signature, body, at)


@pytest.mark.parametrize(
    ("offset", "good"), [(0, True), (-300, True), (300, True), (-301, False), (301, False), (-86_400, False)]
)
def test_a_request_counts_for_five_minutes(offset: int, good: bool) -> None:
    stamp = str(int(NOW.timestamp()) + offset)
    signature = "v0=" + hmac.new(b"s", f"v0:{stamp}:x".encode(), hashlib.sha256).hexdigest()
    assert is_signed("s", stamp, signature, b"x", NOW) is good


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1e9", "9" * 13, "9" * 12, "\uff11\uff15", "1531420618.0"])
def test_what_is_no_time_is_refused(stamp: str) -> None:
    assert not is_signed("s", stamp, "v0=" + "0" * 64, b"x", NOW)


# ── the request ──


def test_a_press_says_who_what_and_where() -> None:
    press = read_press(pressed())
    assert press == ButtonPress(
        "anna (Slack)", "4f2a", "claim", "https://hooks.slack.com/actions/T/1/x", {"text": "x", "blocks": []}
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"payload=x",
        b"payload=[]",
        b"payload=null",
        b"payload=%ff",
        b"payload=" + b"[" * 20_000,
        pressed(type="view_submission"),
        pressed(actions=[]),
        pressed(actions=[{"action_id": "other app", "value": "x"}]),
        pressed(actions=[{"action_id": "watchpost claim"}]),
        pressed(actions=[{"action_id": "watchpost claim", "value": "x" * 201}]),
        pressed(user=None),
        pressed(user={}),
        pressed(message=[1]),
        pressed(actions=7),
    ],
    ids=range(16),
)
def test_any_other_request_is_no_press(body: bytes) -> None:
    assert read_press(body) is None


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://hooks.slack.com/actions/T/1/x", True),
        ("https://hooks.slack.com:443/actions/T/1/x", True),
        ("https://hooks.slack.com:8443/x", False),
        ("http://hooks.slack.com/x", False),
        ("https://hooks.slack.com.evil.example/x", False),
        ("https://evil.example/hooks.slack.com", False),
        ("https://hooks.slack.com@evil.example/x", False),
        ("https://user@hooks.slack.com/x", False),
        ("https://slack.com/x", False),
        ("http://127.0.0.1:8000/x", True),
        ("http://127.0.0.2:8000/x", False),
        ("http://localhost:8000/x", False),
        ("http://[::1]/x", False),
        ("file:///etc/passwd", False),
        ("https://hooks.slack.com:x/", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_the_edited_message_goes_to_slack_alone(url: str, good: bool) -> None:
    assert may_answer(url, [ip_network("127.0.0.1/32")]) is good
    if "127" in url:
        assert not may_answer(url, [])


# ── the message afterwards ──


@pytest.mark.parametrize("language", ["en", "fr", "ru", "ar"])
def test_each_button_becomes_the_one_that_undoes_it(language: str) -> None:
    def ids(state: ButtonState) -> list[str]:
        (*_, row) = buttons("s", language, state)
        return [element["action_id"].removeprefix("watchpost ") for element in row["elements"]]

    assert ids(ButtonState()) == ["acknowledge", "claim", "mute", "not-relevant"]
    done = ButtonState("anna", "ben", "cleo", "dan", False)
    assert ids(done) == ["reopen", "release", "unmute", "no-verdict"]
    said = buttons("s", language, done)[0]["elements"][0]["text"]
    assert all(name in said for name in ("anna", "ben", "cleo", "dan"))


def test_only_the_lines_of_this_story_change() -> None:
    (message,) = payloads(alert(usual(), 3), **WEBHOOK, **SIGNED)
    story = usual().stories[1].id
    press = ButtonPress("anna", story, "claim", "", message)
    after = edited(press, "en", ButtonState(claimed="anna <!channel> *x*"))
    assert after is not None
    assert validate_slack(message | {"blocks": after["blocks"]}) == ()
    added = [block for block in after["blocks"] if block not in message["blocks"]]
    assert {block.get("block_id") for block in added} == {f"watchpost state {story}", f"watchpost buttons {story}"}
    again = edited(replace(press, message={"text": "x", "blocks": after["blocks"]}), "en", ButtonState())
    assert again is not None
    assert again["blocks"] == message["blocks"], "undone, it looks as before"
    gone = edited(press, "en", None)
    assert gone is not None
    assert f"watchpost buttons {story}" not in json.dumps(gone)


@pytest.mark.parametrize("message", [{}, {"blocks": 7}, {"blocks": [7, {"block_id": 9}]}, {"blocks": []}], ids=range(4))
def test_a_message_without_our_buttons_is_left_as_it_is(message: dict[str, Any]) -> None:
    assert edited(ButtonPress("anna", "s", "claim", "", message), "en", ButtonState()) is None
