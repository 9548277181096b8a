"""Connections to checked addresses only, why a network call failed, and how long a server asks to wait."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import httpx
import pytest
from redis import exceptions

from watchpost.http_headers import retry_after_seconds
from watchpost.net import BlockedAddress, connect, connect_by, is_allowed, is_public, network_failure, why_failed


async def _listen(address: str = "127.0.0.1") -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), address, 0)
    return server, server.sockets[0].getsockname()[1]


async def test_only_a_permitted_private_address_is_connected_to() -> None:
    server, port = await _listen()
    async with server:
        for host in ("127.0.0.1", "localhost", "127.1"):
            with pytest.raises(BlockedAddress) as blocked:
                await connect(host, port)
            assert blocked.value.host == host
        connection = await connect("localhost", port, allow_private=[ip_network("127.0.0.0/8")])
        assert connection.getpeername() == ("127.0.0.1", port)
        connection.close()


@pytest.mark.parametrize(
    ("translated", "inside"),
    [
        ("64:ff9b::8c52:7903", "140.82.121.3"),
        ("64:ff9b::808:808", "8.8.8.8"),
        ("64:ff9b::a00:1", "10.0.0.1"),
        ("64:ff9b::7f00:1", "127.0.0.1"),
        ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
        ("64:ff9b::e000:1", "224.0.0.1"),
        ("64:ff9b::", "0.0.0.0"),
        ("64:ff9b::ffff:ffff", "255.255.255.255"),
        ("64:ff9b::c0a8:101", "192.168.1.1"),
    ],
)
def test_of_a_translated_address_the_one_inside_decides(translated: str, inside: str) -> None:
    address = ip_address(translated)
    assert is_public(address) == is_public(ip_address(inside))
    assert is_allowed(address, [ip_network(inside)]), "a permitted IPv4 network permits its translation"
    assert is_allowed(address, [ip_network("64:ff9b::/96")])
    assert not is_allowed(address, [ip_network("198.51.100.0/24")])


def test_only_the_well_known_prefix_is_translated() -> None:
    """RFC 8215: 64:ff9b:1::/48 is for use within one network."""
    for text in ("64:ff9b:1::808:808", "64:ff9a::808:808", "::ffff:8.8.8.8", "::8.8.8.8"):
        assert not is_public(ip_address(text))


async def test_the_next_address_is_tried_and_the_last_error_is_raised() -> None:
    tried = []

    async def dial(address: str, port: int) -> str:
        tried.append(address)
        if address == "::1":
            raise ConnectionRefusedError
        return address

    both = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    await connect_by(dial, "127.0.0.1", 1, allow_private=both)
    with pytest.raises(ConnectionRefusedError):
        await connect_by(dial, "::1", 1, allow_private=both)
    with pytest.raises(socket.gaierror):
        await connect("no-such-host.invalid", 1)
    with pytest.raises(socket.gaierror):
        await connect(f"{'x' * 64}.example.org", 1)
    assert tried == ["127.0.0.1", "::1"]


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def _no_tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    error.reason = "WRONG_VERSION_NUMBER"  # as OpenSSL's binding sets it
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (BlockedAddress("e.x"), "blocked", "the address is private or reserved; allow_private can permit it"),
        (_caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "dns", "the host name cannot be resolved"),
        (_caused(exceptions.ConnectionError("x"), ConnectionRefusedError()), "refused", "the connection was refused"),
        (_no_tls(), "tls", "TLS failed: wrong version number"),
        (TimeoutError(), "timeout", "no answer in time"),
        (httpx.ReadTimeout("x"), "timeout", "no answer in time"),
        (exceptions.TimeoutError("x"), "timeout", "no answer in time"),
        (ExceptionGroup("x", [OSError(113, "No route to host")]), "other", "the connection failed: No route to host"),
        (httpx.ReadError("https://e.x/token"), "other", "the connection failed (ReadError)"),
    ],
)  # fmt: skip
def test_a_failure_is_put_in_words(error: Exception, kind: str, words: str) -> None:
    assert (network_failure(error).kind, why_failed(error)) == (kind, words)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 26 Nov 2026 12:01:00 GMT", 60.0),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0.0),
        ("9" * 400, 999_999_999_999.0),
        ("", None),
        ("-5", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, datetime(2026, 11, 26, 12, tzinfo=UTC)) == seconds
