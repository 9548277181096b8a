"""TCP connections that lead to checked addresses only, and why a network call failed, in words.

Addresses of feeds, redirects and webhooks come from strangers or are typed by a person. Each connection goes to an
address that was checked before, so a name cannot change its address between the check and the connection. Rules
and traps: https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, TypeVar
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
_Connection = TypeVar("_Connection")

_ADDRESS_SECONDS = 3.0
"""How long one address of several may take to answer before the next one is tried."""

# Python 3.11's is_global is True for each of these (RFC 6890, RFC 3056, RFC 4380, RFC 6052, RFC 5771, RFC 7526).
_NOT_PUBLIC_4 = tuple(IPv4Network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"))
_NOT_PUBLIC_6 = tuple(IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_UNICAST_6 = IPv6Network("2000::/3")  # the only block that IANA assigns to the public Internet
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address is in the last 32 bits


class BlockedAddress(OSError):
    """Every address of `host` is private or reserved, and no network in `allow_private` contains one of them."""

    def __init__(self, host: str) -> None:
        super().__init__("the address is private or reserved; allow_private can permit it")
        self.host = host


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of the public Internet; False if private, loopback, multicast or reserved.

    Of an address that NAT64 translates (RFC 6052), the IPv4 address in it decides.
    """
    address = _translated(address)
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    return address.is_global and address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_allowed(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks contains the address, or the IPv4 address that NAT64 translates it to."""
    return any(address in network or _translated(address) in network for network in networks)


def check_literal(host: str, allow_private: Sequence[Network] = ()) -> None:
    """Raises BlockedAddress for an address written out, or localhost, that `connect` would not go to."""
    try:
        address = ip_address("127.0.0.1" if host.rstrip(".").lower() == "localhost" else host)
    except ValueError:
        return
    if not is_public(address) and not is_allowed(address, allow_private):
        raise BlockedAddress(host)


def _translated(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


async def connect(host: str, port: int, *, allow_private: Sequence[Network] = ()) -> socket.socket:
    """A connected, non-blocking TCP socket to a public address of `host`, or to one in `allow_private`.

    Raises BlockedAddress and OSError (socket.gaierror if the name cannot be resolved). The deadline is the caller's.
    """
    return await connect_by(_dial, host, port, allow_private=allow_private)


async def connect_by(
    dial: Callable[[str, int], Awaitable[_Connection]], host: str, port: int, *, allow_private: Sequence[Network] = ()
) -> _Connection:
    """As `connect`, with `dial(address, port)` to make the connection. Raises what the last `dial` raised, too."""
    addresses = await _resolve(host)
    allowed = [each for each in addresses if is_public(each) or is_allowed(each, allow_private)]
    if not allowed:
        raise BlockedAddress(host)
    for address in allowed[:-1]:
        try:
            async with asyncio.timeout(_ADDRESS_SECONDS):
                return await dial(str(address), port)
        except Exception:  # noqa: S112 - whatever is wrong with this address, the next one may answer
            continue
    return await dial(str(allowed[-1]), port)


async def _dial(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _resolve(host: str) -> list[IPv4Address | IPv6Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        addresses = await asyncio.get_running_loop().run_in_executor(_resolver_threads(), _ask_resolver, host)
    except UnicodeError as error:  # a label of the name is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    return [ip_address(text) for text in dict.fromkeys(addresses)]


def _ask_resolver(host: str) -> list[str]:
    return [str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


@cache
def _resolver_threads() -> ThreadPoolExecutor:
    """Threads of their own, so that a name server that hangs does not delay what else asyncio runs in threads."""
    return ThreadPoolExecutor(32, "resolver")


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """Why a network call failed. `problem` is in plain words and contains no URL: it may hold a token."""

    kind: Literal["blocked", "timeout", "dns", "tls", "refused", "other"]
    problem: str


def why_failed(error: BaseException) -> str:
    """Why a network call failed, in plain words. What to do about it depends on the caller, who adds it."""
    return network_failure(error).problem


def network_failure(error: BaseException) -> NetworkFailure:
    """What `error`, or one of the errors that caused it, says about the network.

    httpx, httpcore, anyio, redis-py and aiosmtplib all wrap the system's error in one of their own.
    """
    for cause in causes_of(error):
        match cause:
            case BlockedAddress():
                return NetworkFailure("blocked", str(cause))
            case socket.gaierror():
                return NetworkFailure("dns", "the host name cannot be resolved")
            case ssl.SSLCertVerificationError():
                return NetworkFailure("tls", f"the TLS certificate is not valid: {cause.verify_message}")
            case ssl.SSLError():
                reason = (cause.reason or "no reason given").replace("_", " ").lower()  # "WRONG_VERSION_NUMBER"
                return NetworkFailure("tls", f"TLS failed: {reason}")
            case ConnectionRefusedError():
                return NetworkFailure("refused", "the connection was refused")
    if any(_is_timeout(cause) for cause in causes_of(error)):
        return NetworkFailure("timeout", "no answer in time")
    for cause in causes_of(error):
        if isinstance(cause, OSError) and cause.strerror and cause.errno:
            return NetworkFailure("other", f"the connection failed: {cause.strerror}")
    return NetworkFailure("other", f"the connection failed ({type(error).__name__})")


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error, then all that led to it, exception groups opened, each once."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [each for each in (cause.__cause__, cause.__context__) if each is not None]
        if isinstance(cause, BaseExceptionGroup):
            pending += cause.exceptions


def _is_timeout(error: BaseException) -> bool:
    """By name, because httpx and redis-py do not derive theirs from TimeoutError and are not imported here."""
    return any(kind.__name__ in ("TimeoutError", "TimeoutException") for kind in type(error).__mro__)


def host_of(url: str) -> str:
    """The host of a URL, of which one request at a time is made; "" for what is no URL.

    On loopback each port is a host of its own.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # "http://[", or a port that is no number
        return ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return f"{host}:{port}" if local else host
