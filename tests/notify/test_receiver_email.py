"""Mail to a real SMTP server: encryption, replies, repeats, secrets."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.http_server import CERTIFICATE
from tests.mail_server import MailServer
from tests.notify.digests import context, delivery, hostile, usual
from watchpost.model import Delivered, Message, Outcome, Refused, TryLater, Unknown
from watchpost.notify.receivers.email import KIND, Email, EmailOptions, ehlo_name

ENV = {"PASSWORD": "canary-of-the-mail-server"}
HOUR = timedelta(hours=1)


def receiver(port: int, tls: str = "starttls", smtp: dict[str, Any] | None = None, **options: Any) -> Email:
    server = {"host": "localhost", "port": port, "tls": tls, "ca_file": str(CERTIFICATE)} | (smtp or {})
    given = {
        "from": "Watchpost <watch@example.org>",
        "to": ["desk@example.org"],
        "smtp": server,
        "allow_private": ["127.0.0.0/8"],
    }
    model = EmailOptions.model_validate(given | options, context={"env": ENV, "base": "."})
    built = KIND.build("desk", model, context())
    assert isinstance(built, Email)
    return built


async def send(mailer: Email, message: Message | None = None, attempt: int = 1) -> Outcome:
    chosen = message or mailer.render(usual())[0]
    return await mailer.send(delivery(chosen, attempt, f"{'7f3a' * 8}.{chosen.part}"))


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
async def test_a_mail_arrives_once_and_encrypted_unless_the_operator_says_no(tls: str) -> None:
    async with MailServer(starttls=tls == "starttls", implicit=tls == "implicit") as server:
        got = await send(receiver(server.port, tls))
    assert got == Delivered("250 2.0.0 queued as 4F2A")
    (mail,) = server.mails
    assert (mail.sender, mail.recipients) == ("watch@example.org", ["desk@example.org"])
    assert mail.encrypted is (tls != "none")
    assert f"Message-ID: <{'7f3a' * 8}.".encode() in mail.content


async def test_a_login_is_used() -> None:
    login = {"username": "watch", "password": {"env": "PASSWORD"}}
    async with MailServer(starttls=True, login=f"watch:{ENV['PASSWORD']}") as server:
        assert isinstance(await send(receiver(server.port, smtp=login)), Delivered)
        assert [mail.encrypted for mail in server.mails] == [True]
    async with MailServer(starttls=True, login="watch:another") as server:
        got = await send(receiver(server.port, smtp=login))
        assert isinstance(got, TryLater)
        assert (got.reason, got.after) == ("auth", HOUR)
        assert ENV["PASSWORD"] not in repr(got)
        assert not server.mails


async def test_nothing_is_sent_to_a_server_that_offers_no_encryption() -> None:
    async with MailServer() as server:
        got = await send(receiver(server.port, "starttls"))
    assert isinstance(got, TryLater)
    assert (got.reason, got.after) == ("tls", HOUR)
    assert "no STARTTLS, nothing was sent" in got.detail
    assert not server.mails


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_stranger_s_certificate_is_refused(tls: str) -> None:
    async with MailServer(starttls=tls == "starttls", implicit=tls == "implicit") as server:
        got = await send(receiver(server.port, tls, {"ca_file": None}))
    assert isinstance(got, TryLater)
    assert got.reason == "tls"
    assert not server.mails


@pytest.mark.parametrize(
    ("rcpt", "data", "outcome"),
    [
        (["451 4.7.1 greylisted"], [], TryLater("server_error", "451 4.7.1 greylisted", alone=True)),
        (["550 5.1.1 no such user"], [], Refused("client_error", "550 5.1.1 no such user")),
        (["530 5.7.0 log in first"], [], TryLater("auth", "530 5.7.0 log in first", HOUR)),
        ([], ["452 4.3.1 disk full"], TryLater("server_error", "452 4.3.1 disk full")),
        (
            ["553 5.7.1 <me>: Sender address rejected: not owned by user"],
            [],
            TryLater("auth", "553 5.7.1 <me>: Sender address rejected: not owned by user", HOUR),
        ),
        (
            ["504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname"],
            [],
            TryLater("auth", "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", HOUR),
        ),
        (
            [],
            ["550 5.4.5 Daily user sending quota exceeded."],
            TryLater("rate_limited", "550 5.4.5 Daily user sending quota exceeded.", HOUR),
        ),
        ([], ["554 5.7.1 spam"], Refused("client_error", "554 5.7.1 spam")),
        ([], ["552 5.3.4 too big"], Refused("too_large", "552 5.3.4 too big")),
        ([], [""], Unknown("unknown", "no answer after the message was sent", repeatable=True)),
    ],
    ids=["greylisted", "no-user", "login-needed", "full", "sender", "helo", "quota", "spam", "too-big", "dropped"],
)
async def test_what_a_reply_means(rcpt: list[str], data: list[str], outcome: Outcome) -> None:
    async with MailServer(rcpt=rcpt, data=data) as server:
        assert await send(receiver(server.port, "none")) == outcome
    assert not server.mails


@pytest.mark.parametrize(
    ("configured", "machine", "name"),
    [
        ("watch.example.net", "localhost", "watch.example.net"),
        (None, "localhost", "example.org"),
        (None, "localhost.localdomain", "example.org"),
        (None, "3f2a9c1b77de", "example.org"),
        (None, "my_host.example.net", "example.org"),
        (None, "", "example.org"),
        (None, "mail.example.net.", "mail.example.net"),
    ],
)
def test_the_name_for_ehlo_has_a_dot(configured: str | None, machine: str, name: str) -> None:
    assert ehlo_name(configured, machine, "example.org") == name


async def test_the_name_for_ehlo_is_said_and_the_message_id_ends_in_the_sender_s_domain() -> None:
    async with MailServer() as server:
        assert isinstance(await send(receiver(server.port, "none", {"ehlo": "watch.example.net"})), Delivered)
    (mail,) = server.mails
    assert mail.hello == "watch.example.net"
    assert re.search(rb"Message-ID: <[^@>]+@example\.org>\r\n", mail.content)


async def test_a_repeat_is_the_same_message_to_the_byte() -> None:
    async with MailServer(rcpt=["451 4.7.1 greylisted"]) as server:
        mailer = receiver(server.port, "none")
        (message,) = mailer.render(usual())
        assert isinstance(await send(mailer, message), TryLater)
        assert isinstance(await send(mailer, message, attempt=2), Delivered)
        (again,) = receiver(server.port, "none").render(usual())
        assert isinstance(await send(mailer, again, attempt=3), Delivered)
    first, second = server.mails
    assert first.content == second.content


async def test_one_refused_recipient_does_not_touch_the_other() -> None:
    async with MailServer(rcpt=["550 5.1.1 gone"]) as server:
        mailer = receiver(server.port, "none", to=["gone@example.org", "Wérner <w@example.org>"])
        one, other = mailer.render(usual())
        assert one.part != other.part
        assert (one.address, other.address) == ("gone@example.org", "w@example.org")
        assert isinstance(await send(mailer, one), Refused)
        assert isinstance(await send(mailer, other), Delivered)
    assert [mail.recipients for mail in server.mails] == [["w@example.org"]]


async def test_a_private_address_needs_permission() -> None:
    async with MailServer() as server:
        for allowed in ([], ["127.0.0.2/32"], ["10.0.0.0/8"]):
            got = await send(receiver(server.port, "none", allow_private=allowed))
            assert isinstance(got, TryLater)
            assert (got.reason, got.after) == ("blocked", HOUR)
    assert server.connections == 0


async def test_why_no_connection_came() -> None:
    async with MailServer() as server:
        port = server.port
    refused = await send(receiver(port, "none"))
    assert refused == TryLater("refused", "the connection was refused")
    nowhere = await send(receiver(port, "none", {"host": "no-such-host.invalid"}))
    assert nowhere == TryLater("dns", "the host name cannot be resolved")


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def send_to(handler: Handler, timeout: str) -> Outcome:
    """One attempt to a server that does with its one connection what the test says."""
    ended = asyncio.Event()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        return await send(receiver(server.sockets[0].getsockname()[1], "none", timeout=timeout))
    finally:
        await ended.wait()
        server.close()


async def test_a_server_that_says_nothing_ends_at_the_deadline() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    assert await send_to(silence, "200ms") == TryLater("timeout", "no answer in time (connect)")


async def test_silence_after_the_final_dot_is_unknown() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line == b"DATA\r\n":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                await reader.read()
                return
            writer.write(b"250 yes\r\n")

    got = await send_to(conversation, "400ms")
    assert got == Unknown("timeout", "no answer after the message was sent", repeatable=True)


@pytest.mark.parametrize(
    "options",
    [
        {"to": []},
        {"to": ["nobody"]},
        {"to": ["a@example.org, b@example.org"]},
        {"to": ["a@example.org\r\nBcc: b@example.org"]},
        {"to": ["jörg@example.org"]},
        {"to": ["@example.org"]},
        {"to": [""]},
        {"to": ["friends: a@example.org;"]},
        {"from": "x"},
        {"smtp": {"host": "mail.example.org", "tls": "none", "username": "u", "password": {"env": "PASSWORD"}}},
        {"smtp": {"host": "mail.example.org", "password": {"env": "PASSWORD"}}},
        {"smtp": {"host": "mail.example.org", "username": "u", "password": ENV["PASSWORD"]}},
        {"smtp": {"host": "mail\r\nx"}},
        {"smtp": {"host": "mail.example.org", "tls": "maybe"}},
    ],
    ids=str,
)
def test_what_the_configuration_may_not_say(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        receiver(25, **options)
    problems = str(caught.value.errors(include_input=False, include_url=False, include_context=False))
    assert ENV["PASSWORD"] not in problems


def test_what_the_configuration_may_say() -> None:
    mailer = receiver(25, to=["Wérner <w@example.org>", "w@example.org", "info@bücher.example"])
    assert [message.address for message in mailer.render(usual())] == [
        "w@example.org",
        "info@xn--bcher-kva.example",
    ]
    login = {"host": "127.0.0.1", "tls": "none", "username": "u", "password": {"env": "PASSWORD"}}
    assert ENV["PASSWORD"] not in repr(receiver(25, smtp=login)._options)


def test_templates_of_one_s_own_for_subject_text_and_html(tmp_path: Path) -> None:
    (tmp_path / "desk.html").write_text("<h1>{{ heading }}</h1>{% for s in stories %}<p>{{ s.title }}</p>{% endfor %}")
    own = {
        "subject": "News:\n{{ counts.stories }}",
        "text": "{{ summary }}",
        "html": {"file": str(tmp_path / "desk.html")},
    }
    (message,) = receiver(25, template=own).render(hostile('<script>alert("x")</script>\r\nBcc: a@b.example'))
    mail = email.message_from_string(message.renderings["mime"], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert (message.subject, mail["Subject"], mail["Bcc"]) == ("News: 1", "News: 1", None)
    text, page = (part.get_content() for part in mail.iter_parts())
    assert text.strip() == "1 story from 61 articles: 1 new."
    assert "<script" not in page
    assert "&lt;script&gt;" in page
