"""Webhooks against a real server: signatures, the table of answers, deadlines, guarded addresses, secrets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook as Verifier

from tests.bombs import Peak, bomb
from tests.http_server import Answer, Handler, HttpServer, drop, hang
from tests.notify.digests import WHEN, context, delivery, usual
from watchpost.config.fields import Secret
from watchpost.model import Delivered, Outcome, Refused, TryLater, Unknown
from watchpost.notify.http import HttpAnswer, retry_after
from watchpost.notify.receivers.webhook import KIND, Webhook, WebhookOptions, message_id, signature_headers

ENV = {
    "NEW": "whsec_" + "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3",
    "OLD": "whsec_" + "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk",
    "SHORT": "whsec_YWJj",
    "NOT_BASE64": "whsec_" + "not base64 at all, but long enough",
    "TOKEN": "Bearer canary-in-a-header",
    "URL": "https://hooks.example.org/canary-in-a-url",
    "BREAK": "a\r\nX-Evil: 1",
}
LOOPBACK = ["127.0.0.1/32"]


def receiver(url: str, **options: Any) -> Webhook:
    given = {"url": url, "allow_private": LOOPBACK} | options
    model = WebhookOptions.model_validate(given, context={"env": ENV, "base": "."})
    built = KIND.build("desk", model, context())
    assert isinstance(built, Webhook)
    return built


async def send(hook: Webhook, attempt: int = 1) -> Outcome:
    (message,) = hook.render(usual())
    return await hook.send(delivery(message, attempt))


async def test_the_bytes_on_the_wire_are_the_bytes_that_every_secret_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    async with HttpServer() as server:
        server.on("/hook", Answer(204))
        hook = receiver(
            server.url("/hook"),
            secrets=[{"env": "NEW"}, {"env": "OLD"}],
            headers={"Authorization": {"env": "TOKEN"}},
        )
        assert await send(hook, attempt=3) == Delivered("HTTP 204")
    monkeypatch.undo()
    time.tzset()
    (request,) = server.requests
    assert request.body.decode() == hook.render(usual())[0].renderings["json"]
    for name in ("NEW", "OLD"):
        event = Verifier(ENV[name]).verify(request.body, dict(request.headers))
        assert event["data"]["stories"][0]["snippet"]["text"].endswith("🙂 Вагнер")
    assert request.headers["webhook-id"] == "msg_" + "7f3a" * 8
    assert request.headers["watchpost-attempt"] == "3"
    assert request.headers["user-agent"] == "watchpost/1.0"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == ENV["TOKEN"]
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert len(request.headers["webhook-signature"].split(" ")) == 2


async def test_a_repeat_keeps_the_id_and_the_bytes() -> None:
    async with HttpServer() as server:
        server.on("*", Answer(500), Answer(200))
        hook = receiver(server.url("/"), secrets=[{"env": "NEW"}])
        await send(hook)
        assert await send(hook, attempt=2) == Delivered("HTTP 200")
    first, again = server.requests
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body


def test_each_attempt_is_signed_with_its_own_time() -> None:
    (message,) = receiver("https://e.x/").render(usual())
    secrets = (Secret(ENV["NEW"], "env NEW"),)
    first, again = (signature_headers(delivery(message), "{}", secrets, WHEN + timedelta(seconds=n)) for n in (0, 1))
    assert int(again["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 1
    assert first["webhook-signature"] != again["webhook-signature"]


def test_the_id_holds_no_dot_and_stays_unique() -> None:
    ids = ["a.b", "a_b", "a.b_c", "a_b.c", "x y", "é", "a" * 300]
    assert len({message_id(one) for one in ids}) == len(ids)
    assert all("." not in message_id(one) and message_id(one).isascii() for one in ids)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200, body=b"whatever"), Delivered("HTTP 200")),
        (Answer(400, body=b"bad \x1b[31m body"), Refused("client_error", "HTTP 400: bad [31m body")),
        (Answer(401), TryLater("auth", "HTTP 401", HOUR)),
        (Answer(403), TryLater("auth", "HTTP 403", HOUR)),
        (Answer(404), TryLater("client_error", "HTTP 404", HOUR)),
        (Answer(408), TryLater("timeout", "HTTP 408")),
        (Answer(410), Refused("gone", "HTTP 410: the receiver is gone")),
        (Answer(413), Refused("too_large", "HTTP 413")),
        (Answer(422), Refused("client_error", "HTTP 422")),
        (Answer(425), TryLater("client_error", "HTTP 425")),
        (Answer(429, {"Retry-After": "7"}), TryLater("rate_limited", "HTTP 429", timedelta(seconds=7))),
        (Answer(500), TryLater("server_error", "HTTP 500")),
        (Answer(503, {"Retry-After": "999999"}), TryLater("server_error", "HTTP 503", HOUR)),
        (drop, Unknown("unknown", "", repeatable=True)),
        (hang, Unknown("timeout", "", repeatable=True)),
    ],
    ids=lambda value: str(getattr(value, "status", getattr(value, "__name__", ""))),
)
async def test_the_table_of_answers(answer: Answer | Handler, outcome: Outcome) -> None:
    async with HttpServer() as server:
        server.on("*", answer)
        got = await send(receiver(server.url("/"), timeout="300ms" if answer is hang else "15s"))
    assert len(server.requests) == 1
    if isinstance(outcome, Unknown):
        assert isinstance(got, Unknown)
        assert (got.reason, got.repeatable) == (outcome.reason, True)
    else:
        assert got == outcome


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_reported_and_not_followed(status: int) -> None:
    async with HttpServer() as elsewhere, HttpServer() as server:
        elsewhere.on("*", Answer(200))
        server.on("*", Answer(status, {"Location": elsewhere.url("/new/canary")}))
        got = await send(receiver(server.url("/")))
        assert not elsewhere.requests
    assert isinstance(got, TryLater)
    assert (got.reason, got.after) == ("auth", timedelta(hours=1))
    assert "moved to http://127.0.0.1" in got.detail
    assert "new/can" not in got.detail


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (" 7 ", timedelta(seconds=7)),
        ("Mon, 23 Nov 2015 08:00:00 GMT", timedelta(0)),
        ("Mon, 23 Nov 2150 08:00:00 GMT", HOUR),
        ("9" * 400, HOUR),
        *((unreadable, None) for unreadable in ("", "-5", "soon", "٧", "Mon, 99 Foo 2026", "1e9")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_an_hour(value: str, wait: timedelta | None) -> None:
    assert retry_after(HttpAnswer(429, {"retry-after": value}, b"", whole=True)) == wait


async def test_an_endless_answer_is_read_to_64_kib_only() -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(800):
            yield b"x" * 65_536

    async with HttpServer() as server:
        server.on("*", Answer(200, chunks=flood))
        assert await send(receiver(server.url("/"))) == Delivered("HTTP 200")
        assert server.bytes_sent < 20_000_000  # what the sockets' buffers took, not 52 MB


async def test_a_drip_ends_at_the_total_deadline() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    async with HttpServer() as server:
        server.on("*", Answer(200, chunks=drip))
        assert await send(receiver(server.url("/"), timeout="3s")) == Delivered("HTTP 200")  # not never


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]"),
        *("169.254.169.254", "10.0.0.1", "100.64.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255"),
    ],
)
async def test_private_addresses_are_refused(host: str) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(200))
        got = await send(receiver(server.url("/", host), allow_private=[], timeout="3s"))
    assert not server.requests
    assert isinstance(got, TryLater)
    assert got.reason in ("blocked", "refused", "dns", "unknown")
    if host in ("127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "[::1]", "[64:ff9b::7f00:1]"):
        assert got == TryLater("blocked", "the address is private or reserved; allow_private can permit it", HOUR)


async def test_allow_private_opens_exactly_what_it_names() -> None:
    async with HttpServer() as server:
        server.on("*", Answer(200))
        assert isinstance(await send(receiver(server.url("/", "localhost"))), Delivered)
        assert isinstance(await send(receiver(server.url("/"), allow_private=["127.0.0.2/32"])), TryLater)
        assert isinstance(await send(receiver(server.url("/", "127.0.0.2"))), TryLater)
    assert len(server.requests) == 1


async def test_why_no_connection_came() -> None:
    async with HttpServer(tls=True) as server:
        port = server.port
        untrusted = await send(receiver(server.url("/")))
    assert isinstance(untrusted, TryLater)
    assert untrusted.reason == "tls"
    refused = await send(receiver(f"http://127.0.0.1:{port}/"))
    assert refused == TryLater("refused", "the connection was refused")
    nowhere = await send(receiver("http://no-such-host.invalid/"))
    assert nowhere == TryLater("dns", "the host name cannot be resolved")


@pytest.mark.parametrize(
    "options",
    [
        {"secrets": [{"env": "SHORT"}]},
        {"secrets": [{"env": "NOT_BASE64"}]},
        {"secrets": ["whsec_literal"]},
        {"secrets": [{"env": "MISSING"}]},
        {"url": "ftp://e.x/"},
        {"url": "https://user:canary@e.x/"},
        {"url": "https:///nohost"},
        {"url": "https://e.x:99999/"},
        {"headers": {"Webhook-Id": {"env": "TOKEN"}}},
        {"headers": {"Content-Length": {"env": "TOKEN"}}},
        {"headers": {"X: y": {"env": "TOKEN"}}},
        {"headers": {"X": {"env": "BREAK"}}},
        {"headers": {"X": "literal"}},
        {"timeout": "0s"},
        {"timeout": 15},
        {"typo": 1},
    ],
    ids=str,
)
def test_what_the_configuration_may_not_say(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        receiver(**({"url": "https://e.x/"} | options))
    problems = str(caught.value.errors(include_input=False, include_url=False, include_context=False))
    assert not any(secret in problems for secret in (*ENV.values(), "canary", "whsec_literal"))


async def test_no_secret_is_ever_shown() -> None:
    canaries = ("canary-in-a-header", "canary-in-a-url", ENV["NEW"][6:])
    async with HttpServer() as server:
        echo = Answer(400, body=" ".join([ENV["TOKEN"], server.url("/canary-in-a-url"), ENV["NEW"]]).encode())
        server.on("*", echo)
        hook = receiver(
            server.url("/canary-in-a-url"),
            secrets=[{"env": "NEW"}],
            headers={"Authorization": {"env": "TOKEN"}},
        )
        shown = [repr(await send(hook)), repr(hook._options), str(hook._options), hook._options.model_dump_json()]
    shown.append(repr(await send(hook)))  # nobody listens any more
    assert "***" in shown[0]
    assert not [canary for canary in canaries if canary in "\n".join(shown)]


def test_another_literal_url_is_another_configuration() -> None:
    one, other = (receiver(url)._options.model_dump(mode="json") for url in ("https://e.x/1", "https://e.x/2"))
    assert one != other


async def test_a_name_that_turns_private_between_two_attempts_is_blocked_at_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address that was checked is the one that is connected to."""
    answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2", "127.0.0.1"]]

    def resolve(host: str, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answers.pop(0)]

    async with HttpServer() as server:
        server.on("/", Answer(200))
        hook = receiver(server.url("/", "rebinding.example"), allow_private=["127.0.0.1/32"])
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert await send(hook) == Delivered("HTTP 200")
        blocked = await send(hook)
        assert isinstance(blocked, TryLater)
        assert blocked.reason == "blocked"
        assert len(server.requests) == 1
        assert await send(hook) == Delivered("HTTP 200"), "of several addresses only the allowed one is used"
    assert answers == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "zstd, br"])
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_an_answer_that_is_a_bomb_is_never_unpacked(encoding: str, status: int) -> None:
    async with HttpServer() as server:
        server.on("*", Answer(status, {"Content-Encoding": encoding}, bomb(encoding, 200)))
        peak = Peak()
        outcome = await send(receiver(server.url("/")))
        assert peak.bytes() < 30e6
    assert isinstance(outcome, Delivered if status == 200 else Refused if status == 400 else TryLater)
    assert server.requests[0].headers["accept-encoding"] == "identity"
