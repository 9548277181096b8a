"""What stands before every page: the host's name, where a request comes from, who asks, and what the browser may do."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost.web import websub
from watchpost.web.access import Doorkeeper

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
OPEN = ("/healthz", "/readyz")
OPEN_BELOW = ("/u/", "/static/", websub.PATH)
"""Where nobody is asked who they are: probes, and where a token is proof enough: no more mail (its page has a style, of
which everybody has a copy), and hubs that push."""

LOOK = re.compile(r"/topics/[^/]+/try")
"""What is sent by POST because it is long, and changes nothing."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+)(?::\d{1,5})?")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what should not come in, and tells the application who asks (`scope["user"]`)."""

    def __init__(self, app: ASGIApp, *, doorkeeper: Doorkeeper, names: tuple[str, ...], open_to_all: bool) -> None:
        """`names` of this host besides localhost; `open_to_all`: others than this machine can reach us."""
        self._app = app
        self._doorkeeper = doorkeeper
        self._names = names
        self._open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = await self._refusal(scope)
        await (refusal or self._app)(scope, receive, sending)

    async def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not is_ours(headers.get("host", ""), self._names, self._open_to_all):
            return PlainTextResponse("unknown host\n", 421)
        if path.startswith(OPEN_BELOW) or path in OPEN:
            return None
        acts, sender = scope["method"] not in _SAFE, sender_of(headers)
        if acts and sender == "elsewhere":
            return PlainTextResponse("a page elsewhere may not ask for this\n", 403)
        client = scope.get("client")
        user = await self._doorkeeper.who(client[0] if client else "", headers)
        if user is None:
            return PlainTextResponse("please say who you are\n", 401, headers=self._ask(headers))
        if acts and sender == "program" and not user.program:
            return PlainTextResponse("a program shows an API token: Authorization: Bearer …\n", 403)
        if acts and user.role != "operate" and not LOOK.fullmatch(path):
            return PlainTextResponse("you may look, but not act\n", 403)
        scope["user"] = user
        return None

    def _ask(self, headers: Headers) -> dict[str, str]:
        if headers.get("authorization", "").lower().startswith("bearer"):
            return {"www-authenticate": 'Bearer realm="watchpost", error="invalid_token"'}
        return {"www-authenticate": 'Basic realm="watchpost", charset="UTF-8"'} if self._doorkeeper.asks else {}


def is_ours(host: str, names: tuple[str, ...], open_to_all: bool) -> bool:
    """Only our own names are answered: a web page elsewhere must not read us through its own DNS name.

    An address is nobody's DNS name, so any will do where others than this machine may ask.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].strip("[]").lower()
    if name == "localhost" or name in names:
        return True
    try:
        return ip_address(name).is_loopback or open_to_all
    except ValueError:
        return False


def sender_of(headers: Headers) -> Literal["own", "elsewhere", "program"]:
    """Who sends it: a page of ours, or one of another site (https://www.w3.org/TR/fetch-metadata: none can forge it).

    An old browser says at least its Origin with what it posts. Who says neither is a program, or wants to be taken for
    one: where people log in, that takes a token, which no browser adds by itself.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return "own" if site in ("same-origin", "none") else "elsewhere"
    if origin is None:
        return "program"
    return "own" if urlsplit(origin).netloc == headers.get("host", "") else "elsewhere"
