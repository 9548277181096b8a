"""Who asks: a name and a password (HTTP Basic, scrypt), an API token, or the name that a trusted proxy gives."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost.config import passwords
from watchpost.config.fields import Network
from watchpost.config.schema import Auth
from watchpost.web import websub

Role = Literal["view", "operate"]

_REMEMBERED = 64  # good passwords: scrypt is slow on purpose, and a page asks with each picture
_DUMMY = passwords.hashed("nobody", bytes(16))


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and whether they may act or only look. `program`: no browser need prove where its form comes from."""

    name: str
    role: Role
    program: bool = False

    @property
    def is_authenticated(self) -> bool:
        """For Starlette."""
        return True


ANYBODY = User("local user", "operate", program=True)
"""Who asks where nobody is asked: only a loopback address is listened on then."""


class Authenticator:
    """Knows the users of one configuration."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._salt = secrets.token_bytes(32)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._tries = asyncio.Semaphore(2)  # each takes 16 MiB for 50 ms

    @property
    def asks(self) -> bool:
        """Whether a browser should ask its user for a password."""
        return bool(self._auth.users)

    async def who(self, client: str, headers: Headers) -> User | None:
        """The user behind a request from the address `client`; None for nobody we know."""
        auth = self._auth
        if not auth.required:
            return ANYBODY
        if (program := self._bearer(headers.get("authorization", ""))) is not None:
            return program
        proxy = auth.proxy
        if proxy is not None and (name := headers.get(proxy.header)) and _is_within(client, proxy.trusted):
            name = name.strip()[:64]
            return User(name, "operate" if name in proxy.operate else "view")
        credentials = _basic(headers.get("authorization", ""))
        if credentials is None or not auth.users:
            return None
        name, password = credentials
        if not await self._fits(name, password):
            return None
        return User(name, "view" if name in auth.view else "operate")

    def _bearer(self, header: str) -> User | None:
        """Who shows this token (RFC 6750); all of them are compared, so that time tells nothing."""
        kind, _, rest = header.partition(" ")
        if kind.lower() != "bearer" or not self._auth.tokens:
            return None
        shown, found = self._mark(rest.strip()), None
        for name, one in self._auth.tokens.items():
            if hmac.compare_digest(shown, self._mark(one.token.reveal())):
                found = User(f"token {name}", one.role, program=True)
        return found

    def _mark(self, text: str) -> bytes:
        """Of one length for every text, so that comparing it tells nothing of the other's."""
        return hmac.digest(self._salt, text.encode("utf-8", "replace"), hashlib.sha256)

    async def _fits(self, name: str, password: str) -> bool:
        mark = self._mark(f"{len(name)}:{name}{password}")
        if mark in self._good:
            return True
        kept = self._auth.users.get(name)
        async with self._tries:  # an unknown name takes as long as a wrong password
            good = await asyncio.to_thread(passwords.fits, password, _DUMMY if kept is None else kept.reveal())
        if kept is None or not good:
            return False
        self._good[mark] = None
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return True


def _is_within(client: str, networks: Iterable[Network]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _basic(header: str) -> tuple[str, str] | None:
    """Name and password of RFC 7617, which says UTF-8 where we ask for it."""
    kind, _, rest = header.partition(" ")
    if kind.lower() != "basic" or len(rest) > 2000:
        return None
    try:
        name, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


# What stands before every page: the host's name, where a request comes from, who asks, and what the browser may do.


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

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticator, names: tuple[str, ...], open_to_all: bool
    ) -> None:
        """`names` of this host besides localhost; `open_to_all`: others than this machine can reach us."""
        self._app = app
        self._authenticator = authenticator
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
        user = await self._authenticator.who(client[0] if client else "", headers)
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
        return {"www-authenticate": 'Basic realm="watchpost", charset="UTF-8"'} if self._authenticator.asks else {}


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
