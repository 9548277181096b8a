"""Buttons pressed in Slack, against the real endpoint: signature, action, and the edited message."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.http_server import Answer, HttpServer, hang
from tests.making import article
from tests.web.web_app import TEXT, config_of, found, pages
from watchpost.notify.render.slack_buttons import buttons
from watchpost.notify.slack_interactions import PATH
from watchpost.store.client import Store
from watchpost.store.handling import Handling, Handlings
from watchpost.store.silences import Silences
from watchpost.store.verdicts import Verdicts

SECRET = "a signing secret"
CONFIG = config_of(
    TEXT.replace(
        "receivers: {",
        "receivers: {chat: {type: slack, url: {env: SLACK}, signing_secret: {env: SIGN}, "
        "allow_private: [127.0.0.1/32]}, ",
    ).replace('0"}', '0", auth: {tokens: {t: {token: {env: TOKEN}}}}}'),
    (("SLACK", "https://hooks.slack.com/services/T/B/x"), ("SIGN", SECRET), ("TOKEN", "t" * 40)),
)


def headers(body: bytes, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    stamp = str(int(datetime.now(UTC).timestamp()) - age)
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signature}",
        "content-type": "application/x-www-form-urlencoded",
    }


def body_for(story: str, action: str, answer: str, user: str = "anna") -> bytes:
    payload = {
        "type": "block_actions",
        "user": {"id": "U1", "name": user},
        "actions": [{"action_id": f"watchpost {action}", "value": story}],
        "response_url": answer,
        "message": {"text": "Kidal", "blocks": buttons(story, "en")},
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


async def handling(store: Store, story: str) -> Handling:
    return (await Handlings(store, CONFIG.retention.hits).of([story]))[story]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("claim", "claimed by anna (Slack)"),
        ("acknowledge", "acknowledged by anna (Slack)"),
        ("mute", "muted by anna (Slack)"),
        ("not-relevant", "not relevant, says anna (Slack)"),
    ],
)
async def test_a_button_acts_and_the_message_says_so(store: Store, action: str, said: str) -> None:
    made = await found(store, article("Kidal"))
    async with HttpServer() as slack, pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        slack.on("*", Answer(200, body=b"ok"))
        body = body_for(made.story, action, slack.url("/actions/1"))
        assert (await client.post(address + PATH, content=body, headers=headers(body))).status_code == 200
        await until(lambda: bool(slack.requests))
        edited: dict[str, Any] = json.loads(slack.requests[0].body)
        assert edited["replace_original"] is True
        assert edited["blocks"][0]["elements"][0]["text"] == said
        deeds = await handling(store, made.story)
        by = {
            "claim": deeds.claimed and deeds.claimed.by,
            "acknowledge": deeds.acknowledged and deeds.acknowledged.by,
            "mute": next((one.by for one in await Silences(store).all()), None),
            "not-relevant": next((one.by for one in await Verdicts(store).of("mali")), None),
        }
        assert by == dict.fromkeys(by, None) | {action: "anna (Slack)"}


async def test_who_comes_second_sees_who_came_first(store: Store) -> None:
    made = await found(store, article("Kidal"))
    async with HttpServer() as slack, pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        slack.on("*", Answer(200, body=b"ok"))
        for count, user in enumerate(("anna", "ben"), 1):
            body = body_for(made.story, "claim", slack.url("/actions/1"), user)
            await client.post(address + PATH, content=body, headers=headers(body))
            await until(lambda count=count: len(slack.requests) == count)  # type: ignore[misc]
        assert "claimed by anna (Slack)" in slack.requests[1].body.decode()


async def test_what_slack_did_not_sign_or_long_ago_does_nothing(store: Store) -> None:
    made = await found(store, article("Kidal"))
    async with HttpServer() as slack, pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        body = body_for(made.story, "claim", slack.url("/actions/1"))
        good = headers(body)
        for wrong, content in (
            ({}, body),
            (headers(body, "another"), body),
            (headers(body, age=400), body),
            (headers(body, age=-400), body),
            (good, body + b"&x=1"),
            (good | {"x-slack-signature": good["x-slack-signature"].removeprefix("v0=")}, body),
        ):
            assert (await client.post(address + PATH, content=content, headers=wrong)).status_code == 401
        assert (await client.post(address + PATH, content=b"x" * 600_000)).status_code == 413
        assert (await client.get(address + PATH)).status_code == 405
        assert slack.requests == []
    assert await handling(store, made.story) == Handling()


async def test_the_answer_does_not_wait_for_slack_to_take_the_edited_message(store: Store) -> None:
    made = await found(store, article("Kidal"))
    async with HttpServer() as slack, pages(store, config=CONFIG) as address, httpx.AsyncClient(timeout=60) as client:
        slack.on("*", hang)
        body = body_for(made.story, "claim", slack.url("/actions/1"))
        assert (await client.post(address + PATH, content=body, headers=headers(body))).status_code == 200
        assert (await handling(store, made.story)).claimed is not None


@pytest.mark.parametrize("action", ["claim", "explode"])
async def test_an_unknown_story_or_action_changes_nothing(store: Store, action: str) -> None:
    made = await found(store, article("Kidal"))
    story = "f" * 32 if action == "claim" else made.story
    async with HttpServer() as slack, pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        slack.on("*", Answer(200, body=b"ok"))
        body = body_for(story, action, slack.url("/actions/1"))
        assert (await client.post(address + PATH, content=body, headers=headers(body))).status_code == 200
        await until(lambda: bool(slack.requests))
        kept = b"watchpost buttons" in slack.requests[0].body
        assert kept == (action == "explode"), "the buttons of a story that is no longer kept go"
    assert [key async for key in store.redis.scan_iter(match="*handling*")] == []


async def test_a_stranger_s_address_gets_no_message(store: Store) -> None:
    made = await found(store, article("Kidal"))
    config = config_of(
        TEXT.replace(
            "receivers: {", "receivers: {chat: {type: slack, url: {env: SLACK}, signing_secret: {env: SIGN}}, "
        ),
        (("SLACK", "https://hooks.slack.com/services/T/B/x"), ("SIGN", SECRET)),
    )
    async with HttpServer() as slack, pages(store, config=config) as address, httpx.AsyncClient() as client:
        body = body_for(made.story, "claim", slack.url("/actions/1"))
        assert (await client.post(address + PATH, content=body, headers=headers(body))).status_code == 200
        assert (await handling(store, made.story)).claimed is not None
        assert slack.requests == []


async def test_without_a_signing_secret_there_is_no_endpoint(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert (await client.post(address + PATH, content=b"x", headers=headers(b"x"))).status_code == 404
