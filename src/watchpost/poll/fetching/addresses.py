"""Still: what two web addresses have in common."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """What must not be asked twice at once. On loopback each port is a host of its own."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return f"{host}:{parts.port}" if local else host


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, name and port: whom the operator's headers and passwords are meant for."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
