"""Slack's incoming webhooks, against a stand-in that answers as Slack does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.http_server import Answer, Handler, HttpServer, drop, hang
from tests.notify.digests import MENTION, context, delivery, endless, hostile, usual
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.receivers.slack import KIND, Slack, SlackOptions, validate_slack

OK = Answer(200, body=b"ok")


def receiver(url: str, waits: list[float] | None = None, **options: Any) -> Slack:
    given = {"url": {"env": "SLACK"}, "allow_private": ["127.0.0.1/32"]} | options
    model = SlackOptions.model_validate(given, context={"env": {"SLACK": url}, "base": "."})
    built = KIND.build("desk", model, context(waits))
    assert isinstance(built, Slack)
    return built


async def send(server: HttpServer, sample: Any = None, **options: Any) -> Outcome:
    chat = receiver(server.url("/services/T0/B0/canary"), **options)
    message, *_ = chat.render(sample or usual())
    return await chat.send(delivery(message))


async def test_blocks_are_sent_as_they_were_composed() -> None:
    async with HttpServer() as server:
        server.on("*", OK)
        assert await send(server) == Delivered("HTTP 200")
    (request,) = server.requests
    payload = json.loads(request.body)
    assert validate_slack(payload) == ()
    assert payload["blocks"]
    assert request.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "answer", [Answer(200, body=b"ok"), Answer(200), Answer(204), Answer(200, body=b'{"ok":true}')]
)
async def test_workflows_and_chats_that_speak_slack_succeed_in_their_own_words(answer: Answer) -> None:
    async with HttpServer() as server:
        server.on("*", answer)
        assert isinstance(await send(server), Delivered)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (Answer(200, body=b"no_text"), Refused, "client_error"),
        (Answer(200, body=b"<html>Sign in to the proxy</html>"), TryLater, "auth"),
        (Answer(200, body=b'{"ok":false,"error":"x"}'), TryLater, "server_error"),
        (Answer(302, {"Location": "https://slack.com/"}), TryLater, "auth"),
        (Answer(400, body=b"user_not_found"), Refused, "client_error"),
        (Answer(403, body=b"action_prohibited"), TryLater, "auth"),
        (Answer(404, body=b"channel_not_found"), TryLater, "client_error"),
        (Answer(404, body=b"no_service"), Refused, "gone"),
        (Answer(403, body=b"invalid_token"), Refused, "gone"),
        (Answer(410, body=b"channel_is_archived"), Refused, "gone"),
        (Answer(429, {"Retry-After": "30"}, b"rate_limited"), TryLater, "rate_limited"),
        (Answer(500, body=b"rollup_error"), TryLater, "server_error"),
        (drop, Unknown, "unknown"),
        (hang, Unknown, "timeout"),
    ],
    ids=lambda value: str(getattr(value, "status", getattr(value, "__name__", value))),
)
async def test_what_is_not_ok_is_no_success(answer: Answer | Handler, kind: type[Any], reason: str) -> None:
    async with HttpServer() as server:
        server.on("*", answer)
        got = await send(server, timeout="300ms" if answer is hang else "15s")
    assert len(server.requests) == 1
    assert isinstance(got, kind)
    assert getattr(got, "reason", "") == reason
    assert "canary" not in repr(got)
    if isinstance(got, Unknown):
        assert got.repeatable is False


async def test_refused_blocks_are_followed_by_one_plain_text() -> None:
    async with HttpServer() as server:
        server.on("*", Answer(400, body=b"invalid_blocks"), OK)
        got = await send(server, hostile(MENTION))
    assert got == Delivered("as plain text; the payload was refused (HTTP 400: invalid_blocks)")
    first, second = (json.loads(request.body) for request in server.requests)
    assert "blocks" in first
    assert "blocks" not in second
    assert validate_slack(second) == ()
    assert "&lt;!channel&gt; *x*" in second["text"]


@pytest.mark.parametrize(
    ("then", "outcome"),
    [
        (Answer(400, body=b"no_text"), Refused("client_error", "HTTP 400: invalid_blocks")),
        (Answer(503), TryLater("server_error", "HTTP 503")),
    ],
    ids=["refused", "unavailable"],
)
async def test_there_is_no_third_try(then: Answer, outcome: Outcome) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(400, body=b"invalid_blocks"), then)
        assert await send(server) == outcome
    assert len(server.requests) == 2


async def test_two_messages_are_a_second_apart() -> None:
    waits: list[float] = []
    async with HttpServer() as server:
        server.on("*", OK)
        chat = receiver(server.url("/x"), waits)
        (message,) = chat.render(usual())
        await asyncio.gather(chat.send(delivery(message)), chat.send(delivery(message)))
    assert waits == [0, pytest.approx(1.1, abs=0.1)]


def test_parts_are_numbered_and_max_stories_is_obeyed() -> None:
    chat = receiver("https://hooks.slack.com/services/x")
    assert [message.part for message in chat.render(endless(100))] == ["1", "2", "3"]
    (one,) = receiver("https://hooks.slack.com/services/x", max_stories=2).render(usual())
    assert one.part == ""
    assert "Not shown: 3 stories (" in one.renderings["blocks"]


def test_the_address_is_a_secret() -> None:
    with pytest.raises(ValidationError, match="never written in this file"):
        SlackOptions.model_validate({"url": "https://hooks.slack.com/services/T0/B0/canary"})
    assert "canary" not in repr(receiver("https://hooks.slack.com/services/canary")._secrets)
