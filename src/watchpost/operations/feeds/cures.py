"""Pure: what to do about a feed that cannot be read: this machine, the server or the document is at fault."""

from __future__ import annotations

from watchpost.poll.http.faults import is_servers_fault

CURES = {
    "auth": "check username and password; many providers need an app password here",
    "binary": "this is not a feed: check the address",
    "blocked": "if the server is yours, allow its network: --allow-private 10.0.0.0/8, or allow_private in the feed",
    "crashed": "the document makes the parser fail: tell its publisher",
    "dns": "check the spelling of the host name, and this machine's name server",
    "empty": "the answer is empty: check the address, and try again later",
    "gone": "the publisher has ended this feed: remove it, or look for its successor with `watchpost feed discover`",
    "http_error": "try the address in a browser; if it needs a login, set headers or auth",
    "no_items": "name the links with `items`; `watchpost page test` shows what the page has",
    "no_mailbox": "check `mailbox`: its name, and whether this account may read it",
    "not_a_feed": "look for the page's feeds with `watchpost feed discover`",
    "not_found": "check the path; `watchpost feed discover` finds the feeds of a site",
    "rate_limited": "read it less often: set a longer `every`",
    "redirect_loop": "the server redirects in a circle: if a browser shows the feed, set its Cookie in `headers`",
    "refused": "no server listens there: check the host and the port",
    "server_error": "the server answers with an error: try again later, or ask its provider",
    "timeout": "try again; for a server that is always slow, set a longer `timeout`",
    "tls": "the server's certificate is not valid: tell its publisher",
    "too_large": "use a smaller feed of the same site",
    "truncated": "the answer is incomplete: try again later",
    "unreachable": "check this machine's network, firewall and proxy",
    "malformed": "no entry of the feed can be read: tell its publisher",
}
SERVER_AT_FAULT = "this machine's network is fine, the server's answer is wrong: try again later, or tell its publisher"


def cure_of(reason: str, detail: str) -> str:
    """What to do about a feed, by the reason of its failed visit and its detail; "" for a reason without a cure."""
    return SERVER_AT_FAULT if is_servers_fault(detail) else CURES.get(reason, "")
