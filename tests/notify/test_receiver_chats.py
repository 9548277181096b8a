"""Discord, Teams, Mattermost, ntfy and Apprise against a server that answers as they do, or misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.http_server import Answer, Handler, HttpServer, drop, hang
from tests.notify.digests import MENTION, context, delivery, endless, hostile, usual
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.receiver import Receiver
from watchpost.notify.receivers import kinds
from watchpost.notify.receivers.discord import validate_discord
from watchpost.notify.receivers.mattermost import validate_mattermost
from watchpost.notify.receivers.ntfy import validate_ntfy
from watchpost.notify.receivers.teams import validate_teams

FINE = {
    "discord": Answer(200, body=b'{"id":"1"}'),
    "mattermost": Answer(200, body=b"ok"),
    "teams": Answer(202),
    "ntfy": Answer(200, body=b'{"id":"x","event":"message"}'),
}
CHECKS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "discord": validate_discord,
    "mattermost": validate_mattermost,
    "teams": validate_teams,
    "ntfy": validate_ntfy,
}


def receiver(kind: str, url: str, **options: Any) -> Receiver:
    given = {"url": {"env": "URL"}, "allow_private": ["127.0.0.1/32"]} | options
    if kind == "apprise":
        del given["allow_private"]
    env = {"URL": url, "TOKEN": "tk_canary"}
    model = kinds()[kind].options.model_validate(given, context={"env": env, "base": "."})
    built: Receiver = kinds()[kind].build("desk", model, context())
    return built


async def send(kind: str, server: HttpServer, sample: Any = None, path: str = "/canary", **options: Any) -> Outcome:
    chat = receiver(kind, server.url(path), **options)
    message, *_ = chat.render(sample or usual())
    return await chat.send(delivery(message))


@pytest.mark.parametrize("kind", FINE)
async def test_a_message_is_sent_as_it_was_composed(kind: str) -> None:
    async with HttpServer() as server:
        server.on("*", FINE[kind])
        assert isinstance(await send(kind, server), Delivered)
    (request,) = server.requests
    assert CHECKS[kind](json.loads(request.body)) == ()
    assert request.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("kind", FINE)
@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer(302, {"Location": "https://elsewhere.example/"}), TryLater, "auth"),
        (Answer(403), TryLater, "auth"),
        (Answer(405), TryLater, "client_error"),
        (Answer(407), TryLater, "auth"),
        (Answer(511), TryLater, "auth"),
        (Answer(200, body=b"<!DOCTYPE html><title>Sign in</title>"), TryLater, "auth"),
        (Answer(401), TryLater, "auth"),
        (Answer(404, body=b"{}"), TryLater, "client_error"),
        (Answer(410), Refused, "gone"),
        (Answer(429, {"Retry-After": "30"}), TryLater, "rate_limited"),
        (Answer(503), TryLater, "server_error"),
        (drop, Unknown, "unknown"),
        (hang, Unknown, "timeout"),
    ],
    ids=lambda value: str(getattr(value, "status", getattr(value, "__name__", value))),
)
async def test_what_an_answer_means(kind: str, answer: Answer | Handler, outcome: type[Any], reason: str) -> None:
    async with HttpServer() as server:
        server.on("*", answer)
        got = await send(kind, server, timeout="300ms" if answer is hang else "15s")
    assert len(server.requests) == 1
    assert isinstance(got, outcome)
    assert getattr(got, "reason", "") == reason
    assert "canary" not in repr(got)


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("discord", Answer(404, body=b'{"code":10015}'), Refused("gone", "HTTP 404: the webhook was deleted")),
        ("discord", Answer(401, body=b'{"code":50027}'), Refused("gone", "HTTP 401: the webhook was deleted")),
        (
            "discord",
            Answer(429, body=b'{"retry_after":0.3}'),
            TryLater("rate_limited", "HTTP 429", timedelta(seconds=1)),
        ),
        ("discord", Answer(429, body=b'{"retry_after":1e9}'), TryLater("rate_limited", "HTTP 429", timedelta(hours=1))),
        ("discord", Answer(429, body=b"[]"), TryLater("rate_limited", "HTTP 429: []")),
        (
            "discord",
            Answer(429, body=b'{"retry_after":NaN}'),
            TryLater("rate_limited", 'HTTP 429: {"retry_after":NaN}'),
        ),
        (
            "mattermost",
            Answer(200, body=b"<html>"),
            TryLater("auth", "HTTP 200, but not ok: <html>", timedelta(hours=1)),
        ),
        ("mattermost", Answer(204), Delivered("HTTP 204")),
        ("mattermost", Answer(200, body=b'{"success":true}'), Delivered("HTTP 200")),
        ("mattermost", Answer(200, body=b'{"ok": true, "ts": "1"}'), Delivered("HTTP 200")),
        (
            "mattermost",
            Answer(200, body=b'{"success":false}'),
            TryLater("server_error", 'HTTP 200, but not ok: {"success":false}'),
        ),
        (
            "mattermost",
            Answer(200, body=b'{"ok":false,"error_code":429,"parameters":{"retry_after":7}}'),
            TryLater(
                "rate_limited",
                'HTTP 429: {"ok":false,"error_code":429,"parameters":{"retry_after":7}}',
                timedelta(seconds=7),
            ),
        ),
        (
            "mattermost",
            Answer(200, body=b'{"ok":false,"error_code":403}'),
            TryLater("auth", 'HTTP 403: {"ok":false,"error_code":403}', timedelta(hours=1)),
        ),
        (
            "teams",
            Answer(200, body=b'{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'),
            TryLater("server_error", "HTTP 200, but an error: WorkflowTriggerIsNotEnabled"),
        ),
        (
            "teams",
            Answer(
                200,
                body=b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            ),
            TryLater("rate_limited", "HTTP 200, but delivery failed"),
        ),
    ],
)
async def test_what_each_chat_knows_better_than_the_status(kind: str, answer: Answer, expected: Outcome) -> None:
    async with HttpServer() as server:
        server.on("*", answer)
        assert await send(kind, server) == expected


@pytest.mark.parametrize("kind", ["discord", "mattermost", "teams"])
async def test_a_refused_payload_is_followed_by_one_plain_text(kind: str) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(400, body=b"bad"), FINE[kind])
        got = await send(kind, server, hostile(MENTION))
    assert got == Delivered("as plain text; the payload was refused (HTTP 400: bad)")
    first, second = (json.loads(request.body) for request in server.requests)
    assert CHECKS[kind](second) == ()
    assert first != second


@pytest.mark.parametrize(
    ("then", "expected"),
    [(Answer(400), Refused("client_error", "HTTP 413")), (Answer(503), TryLater("server_error", "HTTP 503"))],
)
async def test_there_is_no_third_try(then: Answer, expected: Outcome) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(413), then)
        got = await send("teams", server)
    assert type(got) is type(expected)
    assert len(server.requests) == 2


async def test_discord_answers_once_the_message_is_in_the_channel() -> None:
    async with HttpServer() as server:
        server.on("/canary", FINE["discord"])
        await send("discord", server)
        await send("discord", server, path="/canary?thread_id=7")
    assert [request.target for request in server.requests] == ["/canary?wait=true", "/canary?thread_id=7&wait=true"]


async def test_ntfy_publishes_at_the_server_s_root_with_the_token() -> None:
    async with HttpServer() as server:
        server.on("/push/", FINE["ntfy"])
        assert isinstance(await send("ntfy", server, path="/push/duty-desk", token={"env": "TOKEN"}), Delivered)
    (request,) = server.requests
    assert json.loads(request.body)["topic"] == "duty-desk"
    assert request.headers["authorization"] == "Bearer tk_canary"


@pytest.mark.parametrize("url", ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a b", "https://ntfy.sh/a?x=1"])
def test_an_ntfy_address_names_its_topic(url: str) -> None:
    with pytest.raises(ValidationError, match=r"the URL ends in the topic's name|the URL must be"):
        receiver("ntfy", url)


def test_a_notification_by_a_template_is_cut_to_what_ntfy_takes() -> None:
    own = {
        "subject": "{{ counts.stories }}\nstories",
        "text": "{% for s in stories %}{{ s.title }} {{ s.snippet|highlighted }} {% endfor %}",
    }
    (message,) = receiver("ntfy", "https://ntfy.sh/duty", template=own).render(endless(90))
    payload = json.loads(message.renderings["json"])
    assert validate_ntfy(payload) == ()
    assert payload["title"] == "90 stories"
    assert payload["message"].startswith("Story 0: ")


@pytest.mark.parametrize("kind", ["discord", "mattermost", "teams"])
def test_an_address_is_a_secret_and_parts_are_numbered(kind: str) -> None:
    with pytest.raises(ValidationError, match="never written in this file"):
        kinds()[kind].options.model_validate({"url": "https://chat.example/hook"})
    messages = receiver(kind, "https://chat.example/hook", max_stories=90).render(endless(100))
    assert [message.part for message in messages] == ["1", "2", "3"]
    (one,) = receiver(kind, "https://chat.example/hook", max_stories=2).render(usual())
    assert "Not shown: 3 stories" in one.renderings["json"]


# ── Apprise ──


async def apprise(answer: Answer | Handler, sample: Any = None, **options: Any) -> tuple[Outcome, HttpServer]:
    async with HttpServer() as server:
        server.on("*", answer)
        service = receiver("apprise", server.url("/canary?redirect=yes&retry=3").replace("http", "json"), **options)
        (message,) = service.render(sample or usual())
        return await service.send(delivery(message)), server


async def test_apprise_sends_a_short_text() -> None:
    outcome, server = await apprise(Answer(200), endless(40), max_length=500)
    assert outcome == Delivered("Apprise reports success")
    (request,) = server.requests
    payload = json.loads(request.body)
    assert len(payload["message"]) <= 500
    assert "Not shown" in payload["message"]
    assert payload["title"].startswith("Story 0")


@pytest.mark.parametrize("status", [302, 400, 410, 429, 500])
async def test_apprise_never_follows_and_a_no_is_worth_another_attempt(status: int) -> None:
    outcome, server = await apprise(Answer(status, {"Location": "/elsewhere", "Retry-After": "7"}))
    assert outcome == TryLater("unknown", "Apprise reports a failure, without a reason")
    assert len(server.requests) == 1


async def test_apprise_that_hangs_ends_at_the_timeout() -> None:
    async with HttpServer() as server:
        server.on("*", hang)
        service = receiver("apprise", server.url("/x").replace("http", "json"), timeout="2s")
        (message,) = service.render(usual())
        outcomes = [await service.send(delivery(message))]
    assert isinstance(outcomes[0], TryLater | Unknown)


async def test_services_of_apprise_that_hang_take_no_thread_from_other_work() -> None:
    async with HttpServer() as server:
        server.on("/x", *[hang] * 40)
        address = server.url("/x").replace("http", "json")
        services = [receiver("apprise", address, timeout="60s") for _ in range(40)]
        (message,) = services[0].render(usual())
        sending = [asyncio.ensure_future(service.send(delivery(message))) for service in services]
        async with asyncio.timeout(60):
            while len(server.requests) < len(services):
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(lambda: "composed") == "composed"
        assert not any(task.done() for task in sending)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


def test_an_address_that_apprise_does_not_know_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ValidationError, match="Apprise does not know this kind of address"):
        receiver("apprise", "nonsense://canary")
