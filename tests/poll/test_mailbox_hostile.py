"""Servers that answer no IMAP, too much, or nothing: a visit fails in time, with a reason, and keeps its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest

from watchpost.config.fields import Secret
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.sources import mailbox
from watchpost.poll.visit import Visit

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"
SELECTED = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n"


SOUND = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n",
    b"AUTHENTICATE": b"+ \r\nTAG OK in\r\n",
    b"EXAMINE": SELECTED + b"TAG OK [READ-ONLY] selected\r\n",
    b"SEARCH": b"* SEARCH 1\r\nTAG OK found\r\n",
    b"LOGOUT": b"* BYE\r\nTAG OK bye\r\n",
}


@asynccontextmanager
async def talking(answers: Mapping[bytes, bytes], greeting: bytes) -> AsyncIterator[int]:
    """A server that answers each command so (TAG becomes the command's), and those that are missing not at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(greeting)
            while line := await reader.readline():
                words = line.split()
                command = words[2 if words[1:2] == [b"UID"] else 1] if len(words) > 1 else b""
                writer.write(answers.get(command.upper(), b"").replace(b"TAG", words[0] if words else b""))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.05)  # the connections end


async def visit(port: int) -> Visit:
    place: dict[str, object] = {"host": "127.0.0.1", "port": port, "tls": "none", "allow_private": ["127.0.0.0/8"]}
    login = {"username": "desk", "password": Secret("a secret")}
    limits = {"timeout": "1s", "max_bytes": "2kB", "on_new": "all"}
    options = mailbox.MailboxOptions.model_validate({**place, **login, **limits})
    source = mailbox.Mailbox("desk", options, InlineParser(), visit_seconds=3_600)
    return await source.visit({}, NOW)


FETCHED = b"* 1 FETCH (UID 1 BODY[]<0> "


@pytest.mark.parametrize(
    ("changed", "greeting", "reasons"),
    [
        ({}, b"", "timeout"),
        ({}, b"HTTP/1.1 400 Bad Request\r\n\r\n", "unreachable server_error"),
        ({}, b"\x16\x03\x01" * 2000, "timeout"),
        ({}, b"* BYE too many connections\r\n", "unreachable server_error"),
        ({}, b"* OK " + b"x" * 3_000_000, "unreachable server_error"),
        ({b"AUTHENTICATE": b""}, GREETING, "timeout"),
        ({b"AUTHENTICATE": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"}, GREETING, "auth"),
        ({b"AUTHENTICATE": b"* BYE\r\n"}, GREETING, "unreachable timeout"),
        ({b"EXAMINE": b"TAG NO [NONEXISTENT] no such mailbox\r\n"}, GREETING, "no_mailbox"),
        ({b"EXAMINE": b"* rubbish (((\r\nTAG BAD what\r\n"}, GREETING, "no_mailbox unreachable"),
        ({b"SEARCH": b"* SEARCH one two\r\nTAG OK found\r\n"}, GREETING, "unreachable"),
        ({b"FETCH": b""}, GREETING, "timeout"),
        ({b"FETCH": b"TAG OK nothing\r\n"}, GREETING, "server_error"),
        ({b"FETCH": FETCHED + b"{900000000}\r\nxxxx"}, GREETING, "too_large"),
        ({b"FETCH": FETCHED + b"{20}\r\nxxxx"}, GREETING, "timeout"),
        ({b"FETCH": b"* 1 FETCH (UID ((((((((\r\nTAG OK fetched\r\n"}, GREETING, "server_error unreachable"),
        ({b"FETCH": b"TAG NO [SERVERBUG] it is broken\r\n"}, GREETING, "server_error"),
    ],
)
async def test_a_strange_server_costs_a_visit_and_no_time(
    changed: Mapping[bytes, bytes], greeting: bytes, reasons: str
) -> None:
    async with talking({**SOUND, **changed}, greeting) as port:
        failed = await visit(port)  # one answer is waited for, not the visit's hour
    assert (failed.outcome, failed.reason in reasons.split()) == ("failed", True), failed
    assert "\n" not in failed.detail
    assert "a secret" not in failed.detail
    assert "uid" not in failed.memory
