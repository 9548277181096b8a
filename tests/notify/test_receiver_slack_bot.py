"""Slack with a bot's token: threads that survive restarts, updates, and what Slack's codes mean."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.http_server import Answer, Handler, HttpServer, drop
from tests.notify.digests import context, delivery, digest, story, usual
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.receivers.slack import KIND, SlackBot, SlackOptions

POST, UPDATE = "/api/chat.postMessage", "/api/chat.update"


def answer(**fields: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(fields).encode())


OK = answer(ok=True, channel="C123", ts="1700000.0001")


def bot(server: HttpServer, **options: Any) -> SlackBot:
    given = {
        "token": {"env": "TOKEN"},
        "channel": "#duty",
        "thread": "story",
        "api_url": server.url("/api"),
        "allow_private": ["127.0.0.1/32"],
    }
    environment = {"env": {"TOKEN": "xoxb-canary", "URL": "https://hooks.slack.com/x"}, "base": "."}
    model = SlackOptions.model_validate(given | options, context=environment)
    built = KIND.build("duty", model, context())
    assert isinstance(built, SlackBot)
    return built


async def send(server: HttpServer, remembered: str = "", sample: Any = None) -> Outcome:
    chat = bot(server)
    message, *_ = chat.render(sample or digest(story(), kind="alert"))
    return await chat.send(replace(delivery(message), remembered=remembered))


async def test_the_first_alert_of_a_story_is_remembered() -> None:
    async with HttpServer() as server:
        server.on(POST, OK)
        got = await send(server)
    assert got == Delivered("HTTP 200", remember="C123 1700000.0001")
    (request,) = server.requests
    body = json.loads(request.body)
    assert request.headers["authorization"] == "Bearer xoxb-canary"
    assert (body["channel"], "thread_ts" in body, body["mrkdwn"]) == ("#duty", False, False)
    assert body["blocks"]


async def test_the_next_goes_into_its_thread_and_the_first_is_brought_up_to_date() -> None:
    async with HttpServer() as server:
        server.on(POST, answer(ok=True, channel="C123", ts="1700009.0001"))
        server.on(UPDATE, OK)
        got = await send(server, "C123 1700000.0001")
    assert got == Delivered("HTTP 200, in its thread"), "what is remembered stays"
    reply, update = (json.loads(request.body) for request in server.requests)
    assert reply["thread_ts"] == "1700000.0001"
    assert (update["channel"], update["ts"]) == ("C123", "1700000.0001")
    assert update["blocks"] == reply["blocks"]


async def test_a_first_message_that_cannot_be_updated_costs_nothing() -> None:
    async with HttpServer() as server:
        server.on(POST, OK)
        server.on(UPDATE, answer(ok=False, error="message_not_found"))
        assert await send(server, "C1 2.3") == Delivered("HTTP 200, in its thread; the first message stays as it was")


async def test_a_lost_thread_starts_a_new_one() -> None:
    async with HttpServer() as server:
        server.on(POST, answer(ok=False, error="thread_not_found"), OK)
        got = await send(server, "C123 1600000.0001")
    assert got == Delivered("HTTP 200", remember="C123 1700000.0001")
    assert ["thread_ts" in json.loads(request.body) for request in server.requests] == [True, False]


async def test_an_answer_without_a_ts_is_a_success_that_nobody_remembers() -> None:
    async with HttpServer() as server:
        server.on(POST, answer(ok=True, channel="<!>", ts="x y"))
        assert await send(server) == Delivered("HTTP 200")


async def test_refused_blocks_are_followed_by_one_plain_text_in_the_same_thread() -> None:
    async with HttpServer() as server:
        server.on(POST, answer(ok=False, error="invalid_blocks"), OK)
        server.on(UPDATE, OK)
        got = await send(server, "C123 1700000.0001")
    assert isinstance(got, Delivered)
    assert "as plain text; the blocks were refused (invalid_blocks)" in got.detail
    first, second, _ = (json.loads(request.body) for request in server.requests)
    assert "blocks" not in second
    assert first["thread_ts"] == second["thread_ts"]
    async with HttpServer() as server:
        server.on(POST, answer(ok=False, error="invalid_blocks"))
        assert await send(server) == Refused("client_error", "invalid_blocks")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(ok=False, error="token_revoked"), Refused("gone", "token_revoked")),
        (answer(ok=False, error="is_archived"), Refused("gone", "is_archived")),
        (answer(ok=False, error="channel_not_found"), TryLater("auth", "channel_not_found", timedelta(hours=1))),
        (answer(ok=False, error="not_in_channel"), TryLater("auth", "not_in_channel", timedelta(hours=1))),
        (answer(ok=False, error="fatal_error"), TryLater("server_error", "fatal_error")),
        (answer(ok=False, error="ratelimited"), TryLater("rate_limited", "ratelimited")),
        (answer(ok="yes"), TryLater("auth", "HTTP 200, but not an answer from Slack", timedelta(hours=1))),
        (Answer(200, body=b"<html>"), TryLater("auth", "HTTP 200, but not an answer from Slack", timedelta(hours=1))),
        (Answer(200, body=b"[]"), TryLater("auth", "HTTP 200, but not an answer from Slack", timedelta(hours=1))),
        (Answer(429, {"Retry-After": "7"}), TryLater("rate_limited", "HTTP 429", timedelta(seconds=7))),
        (drop, Unknown("unknown", "", repeatable=False)),
    ],
    ids=lambda value: str(getattr(value, "body", getattr(value, "__name__", value)))[:40],
)
async def test_what_slack_s_codes_mean(reply: Answer | Handler, expected: Outcome) -> None:
    async with HttpServer() as server:
        server.on(POST, reply)
        got = await send(server)
    assert type(got) is type(expected)
    if not isinstance(expected, Unknown):
        assert got == expected
    assert "canary" not in repr(got)
    assert len(server.requests) == 1


async def test_an_alert_is_a_message_per_story_and_a_digest_is_not() -> None:
    async with HttpServer() as server:
        alert = usual(kind="alert")
        messages = bot(server).render(alert)
        assert [(one.part, one.thread) for one in messages] == [
            (str(number), story.id) for number, story in enumerate(alert.stories, 1)
        ]
        assert [one.thread for one in bot(server).render(usual())] == [""]
        assert [one.thread for one in bot(server, thread="none").render(alert)] == [""]
        two = bot(server, max_stories=2).render(alert)
        assert len(two) == 2
        assert "Not shown: 3 stories (" in two[0].renderings["blocks"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": {"env": "URL"}}, "give either the url"),
        ({"token": None}, "give either the url"),
        ({"channel": ""}, "channel"),
        ({"token": None, "url": {"env": "URL"}}, "those need a token"),
        ({"token": "xoxb-literal"}, "never written in this file"),
    ],
)
async def test_a_webhook_or_a_bot(options: dict[str, Any], problem: str) -> None:
    async with HttpServer() as server:
        with pytest.raises(ValidationError, match=problem):
            bot(server, **options)
