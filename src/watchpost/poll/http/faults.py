"""Pure: the details of failed requests that say that the server is at fault, and not this machine's network."""

from __future__ import annotations

UNASKED_304 = "HTTP 304: the server says that nothing has changed, but was asked for the whole feed"
NOT_HTTP = "the answer is not valid HTTP"
CLOSED = "the server closed the connection"


def is_servers_fault(detail: str) -> bool:
    """Whether the detail of a failed visit begins with one of these."""
    return detail.startswith((UNASKED_304, NOT_HTTP, CLOSED))
