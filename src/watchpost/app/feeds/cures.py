"""Still: what an operator can do about a feed in trouble."""

from __future__ import annotations

CURES = {
    "binary": "this is no feed: check the address",
    "blocked": "if the server is yours, allow its network: --allow-private 10.0.0.0/8, or allow_private: in the feed",
    "crashed": "the publisher's feed is broken: tell them",
    "dns": "check the spelling of the host, and this machine's name server",
    "empty": "the server answers without a feed: check the address, and try again later",
    "gone": "the publisher has ended this feed: take it out, or look for its successor with `watchpost feed discover`",
    "http_error": "try the address in a browser; if it needs them, set headers or auth",
    "not_a_feed": "look for the page's feeds with `watchpost feed discover`",
    "not_found": "check the path; `watchpost feed discover` looks for the feeds of a site",
    "rate_limited": "ask less often: a longer `every`",
    "redirect_loop": "the server sends us in a circle: try the address that a browser ends at",
    "refused": "nothing listens there: check the address and its port",
    "timeout": "try again; for a server that is always slow set a longer `timeout`",
    "tls": "the server's certificate is not valid for this name: tell its publisher",
    "too_large": "look for a smaller feed of the same site",
    "truncated": "the answer breaks off: try again later",
    "unreachable": "check this machine's network, and what stands between: firewall, proxy",
    "malformed": "the publisher's feed is broken: tell them",
}
"""By the reason of a failed visit."""

REVIVED = {
    "dead": "tried once a day, and well again as soon as it can be read; `watchpost feed read` tries at once",
    "gone": "not asked until the url is changed: take it out, or look for its successor with `watchpost feed discover`",
}
"""How a feed comes back that is dead or gone."""
