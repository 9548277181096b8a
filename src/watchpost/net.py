"""The door to HTTP: one guarded client for feeds and receivers alike.

Feed addresses, redirects and webhook targets come from strangers or are typed by hand: each connection is made
to an address that was checked first (httpx-secure resolves, checks and connects to what it checked, so a name
cannot change between the two). Rules and traps: OWASP "Server-Side Request Forgery", RFC 6890.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

Network = IPv4Network | IPv6Network

__all__ = ["BlockedAddress", "guarded_client", "is_public", "redact"]

BlockedAddress = SSRFProtectionError
"""Raised by a guarded client when the address is not one it may talk to."""

# Python 3.11's is_global says yes to each of these (RFC 6890, RFC 3056, RFC 4380, RFC 6052, RFC 5771, RFC 7526).
_NOT_PUBLIC_4 = tuple(IPv4Network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"))
_NOT_PUBLIC_6 = tuple(IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_UNICAST_6 = IPv6Network("2000::/3")  # the only block IANA gives out for the public Internet


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """True for an address of the public Internet; no to private, loopback, multicast, translated and reserved."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    return address.is_global and address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def guarded_client(
    *,
    user_agent: str,
    allow_private: Sequence[Network] = (),
    timeout_seconds: float = 10.0,
    connections: int = 10,
) -> httpx.AsyncClient:
    """An httpx client that talks to public addresses and to the networks in `allow_private`, to nothing else.

    It follows no redirects, reads no proxy settings and keeps no cookies. `timeout_seconds` is per read: a
    total deadline is the caller's (httpx has none).
    """

    def admit(hostname: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        return is_public(address) or any(address in network for network in allow_private)

    client = httpx.AsyncClient(
        headers={"user-agent": user_agent},
        timeout=timeout_seconds,
        follow_redirects=False,
        trust_env=False,
        verify=_tls(),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )
    return httpx_ssrf_protection(client, check_globally_reachable=False, custom_validator=admit, dns_cache_ttl=60)


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificate store costs 20 ms and 1 MB: once for the process is enough."""
    return ssl.create_default_context()


def redact(url: str) -> str:
    """A URL as it may be shown: scheme and host, and the last four characters so that people can tell two apart."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return "(unreadable URL)"
    tail = f"…{url[-4:]}" if len(parts.path) > 5 or parts.query else parts.path
    return f"{parts.scheme}://{parts.host}/{tail.lstrip('/')}" if parts.host else "(unreadable URL)"
