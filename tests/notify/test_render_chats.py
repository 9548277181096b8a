"""Digests for Discord, Teams, Mattermost, ntfy and Apprise: within their limits, literal, and each story counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.notify.digests import BIDI, HOSTILE, MENTION, digest, endless, hostile, usual
from watchpost.model import Digest
from watchpost.notify.receivers import discord, mattermost, ntfy, teams
from watchpost.notify.render import plain
from watchpost.notify.render.limits import APPRISE, DISCORD, Limits
from watchpost.notify.render.packing import brief

Read = Callable[[Digest], list[dict[str, Any]]]


def reader(
    messages: Callable[[Digest], tuple[Digest, tuple[str, ...]]], validate: Callable[[Any], tuple[str, ...]]
) -> Read:
    def read(sample: Digest) -> list[dict[str, Any]]:
        payloads = [json.loads(message) for message in messages(sample)[1]]
        for payload in payloads:
            assert validate(payload) == ()
        return payloads

    return read


CHATS = {
    "discord": reader(discord.lay_out, discord.validate_discord),
    "mattermost": reader(mattermost.lay_out, mattermost.validate_mattermost),
    "teams": reader(teams.lay_out, teams.validate_teams),
    "ntfy": reader(lambda sample: (sample, (ntfy.message(sample, "duty")[0],)), ntfy.validate_ntfy),
}
PLAIN = {
    "discord": (discord.plain_payload, discord.validate_discord),
    "mattermost": (mattermost.plain_payload, mattermost.validate_mattermost),
    "teams": (teams.plain_payload, teams.validate_teams),
}


def visible(payloads: list[dict[str, Any]]) -> str:
    """All texts, without escapes and invisible characters."""
    text = json.dumps(payloads, ensure_ascii=False)
    return re.sub(r"\\\\|\u2060", "", text)


@pytest.mark.parametrize("chat", CHATS)
def test_the_usual_digest_is_one_message_with_everything(chat: str) -> None:
    payloads = CHATS[chat](usual())
    assert len(payloads) == 1
    text = visible(payloads)
    for part in (
        "Wagner / Africa Corps and Mali security: 5 stories, 3 shown",
        "Explosion near Gao base",
        "RFI Afrique",
    ):
        assert part in text
    assert "Not shown: 2 stories." in text
    assert "Not read (2 of 41 sources)" in text
    assert "https://www.rfi.fr/afrique/gao?id=7" in text
    assert "انفجار قرب" in text


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("kind", ["digest", "alert"])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_makes_a_valid_message(chat: str, text: str, kind: str) -> None:
    for payload in CHATS[chat](hostile(text, kind=kind)):
        raw = json.dumps(payload, ensure_ascii=False)
        assert "javascript:" not in raw
        assert not set(raw) & set(BIDI.replace("\u2068", "").replace("\u2069", "") + "\x00")


@pytest.mark.parametrize("chat", CHATS)
def test_of_five_hundred_stories_every_one_is_shown_or_counted(chat: str) -> None:
    payloads = CHATS[chat](endless())
    text = visible(payloads)
    shown = len(set(re.findall(r"Story (\d+): ж", text)))
    assert 3 <= shown < 500
    assert f"Not shown: {500 - shown} stories (" in text
    assert len(payloads) <= 3


@pytest.mark.parametrize("chat", CHATS)
def test_an_empty_digest_is_a_message_too(chat: str) -> None:
    assert "Nothing matched. All 41 sources were read." in visible(CHATS[chat](digest()))


@pytest.mark.parametrize("chat", PLAIN)
@pytest.mark.parametrize(
    "text", [*HOSTILE[:-1], "🙂" * 9_000, MENTION + "\n" * 50 + "x" * 20_000], ids=range(len(HOSTILE) + 1)
)
def test_the_fallback_is_a_valid_literal_message(chat: str, text: str) -> None:
    make, validate = PLAIN[chat]
    assert validate(json.loads(make(plain.plain(hostile(text))))) == ()


def test_discord_counts_utf16_units_and_notifies_nobody() -> None:
    faces = endless(30, install="x")
    for payload in CHATS["discord"](faces):
        assert payload["allowed_mentions"] == {"parse": []}
        units = sum(
            DISCORD.measure(e.get("title", "")) + DISCORD.measure(e.get("description", "")) for e in payload["embeds"]
        )
        assert units <= 6000
    (payload,) = CHATS["discord"](hostile("🙂" * 600))
    assert DISCORD.measure(payload["embeds"][0]["title"]) <= 256
    (payload,) = CHATS["discord"](hostile(MENTION, kind="alert"))
    assert "@here" not in json.dumps(payload)


def test_the_text_of_a_card_is_literal() -> None:
    (payload,) = CHATS["teams"](hostile("{{{{DATE(2026-11-23T08:00:00Z,SHORT)}} " + MENTION))
    raw = json.dumps(payload, ensure_ascii=False)
    assert "{{" not in raw
    assert MENTION in raw
    assert '"TextBlock"' not in raw


def test_a_notification_rings_as_loud_as_its_most_severe_story() -> None:
    (payload,) = CHATS["ntfy"](usual())
    assert payload["priority"] == 4
    assert payload["tags"] == ["wagner", "mali"]
    assert payload["click"] == "https://www.rfi.fr/afrique/gao?id=7"
    (quiet,) = CHATS["ntfy"](digest())
    assert quiet["priority"] == 2


@pytest.mark.parametrize("size", [100, 140, 1000])
def test_a_brief_text_is_never_longer_than_allowed(size: int) -> None:
    limits = Limits("points", size, 1, 12, quote=APPRISE.quote, url=APPRISE.url)
    for sample in (usual(), endless(40), digest(), *map(hostile, HOSTILE)):
        message = brief(sample, limits, 60)
        assert 0 < len(message.text) <= size
        assert 0 < len(message.title) <= 60
        assert "@here" not in message.text + message.title


@pytest.mark.parametrize(
    ("validate", "change", "problem"),
    [
        (discord.validate_discord, {"allowed_mentions": {"parse": ["everyone"]}}, "mentions"),
        (discord.validate_discord, {"content": ""}, "content"),
        (discord.validate_discord, {"content": "🙂" * 1001}, "content"),
        (discord.validate_discord, {"tts": True}, "unknown key"),
        (discord.validate_discord, {"embeds": [{"title": "x"}] * 11}, "11 embeds"),
        (discord.validate_discord, {"embeds": [{"title": "x" * 257}]}, "title"),
        (discord.validate_discord, {"embeds": [{"description": "x" * 4000}] * 2}, "8000 units"),
        (discord.validate_discord, {"embeds": [{"title": "x", "url": "javascript:1"}]}, "link"),
        (discord.validate_discord, {"embeds": [{}]}, "keys"),
        (mattermost.validate_mattermost, {"text": "x" * 16_384}, "too long"),
        (mattermost.validate_mattermost, {"text": "see @channel"}, "mentions"),
        (mattermost.validate_mattermost, {"channel": "town-square"}, "unknown key"),
        (teams.validate_teams, {"summary": "x" * 28_000}, "bytes"),
        (teams.validate_teams, {"attachments": []}, "one card"),
        (ntfy.validate_ntfy, {"title": "x" * 1025}, "title"),
        (ntfy.validate_ntfy, {"message": "ж" * 2049}, "message"),
        (ntfy.validate_ntfy, {"tags": ["x" * 501]}, "tags"),
        (ntfy.validate_ntfy, {"priority": 9}, "priority"),
        (ntfy.validate_ntfy, {"attach": "https://e.x"}, "unknown key"),
    ],
)
def test_the_checks_find_what_would_be_refused(
    validate: Callable[[Any], tuple[str, ...]], change: dict[str, Any], problem: str
) -> None:
    chat = validate.__name__.removeprefix("validate_")
    (payload,) = CHATS[chat](usual())
    assert any(problem in found for found in validate(payload | change))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "TextBlock", "text": "**x**"},
        {"type": "RichTextBlock", "inlines": []},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "{{DATE(1)}}"}]},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "x", "selectAction": {"url": "data:x"}}]},
    ],
)
def test_a_card_with_a_wrong_block_is_found(block: dict[str, Any]) -> None:
    (payload,) = CHATS["teams"](usual())
    payload["attachments"][0]["content"]["body"].append(block)
    assert teams.validate_teams(payload)
