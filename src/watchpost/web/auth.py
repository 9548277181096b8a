"""Authentication and protection of every request: users, API tokens, trusted proxies, host names, foreign pages."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost import log as tm
from watchpost.config import passwords
from watchpost.config.fields import Network
from watchpost.config.schema import Auth
from watchpost.notify import slack_interactions, story_links
from watchpost.web import websub
from watchpost.web.password_guesses import Guesses

Role = Literal["view", "operate"]

_MOST_WAITING = 4  # guesses from one address at once
_REMEMBERED = 64  # correct passwords: scrypt is slow on purpose, and a browser sends the password with each request


@dataclass(frozen=True, slots=True)
class User:
    """Who sends a request, and whether they may act or only view. `program`: not a browser, so no page sent it."""

    name: str
    role: Role
    program: bool = False

    @property
    def may_act(self) -> bool:
        """Whether the user may change something."""
        return self.role == "operate"

    @property
    def is_authenticated(self) -> bool:
        """For Starlette: a request without a user is refused before."""
        return True


ANYBODY = User("local user", "operate", program=True)
"""The user of every request where no login is configured; the server listens on loopback only then."""


class Authenticator:
    """The users, tokens and proxies of one configuration."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._salt = secrets.token_bytes(32)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._dummy = passwords.hashed("nobody", bytes(16)) if auth.users else ""  # takes 50 ms
        # Each check takes 16 MiB for 50 ms. Addresses that guessed wrong wait in a queue of their own.
        self._tries, self._suspect_tries = asyncio.Semaphore(2), asyncio.Semaphore(1)
        self._guesses = Guesses()
        self._waiting: Counter[str] = Counter()  # guesses that wait, by address

    @property
    def has_users(self) -> bool:
        """Whether a browser should ask for a user name and password."""
        return bool(self._auth.users)

    async def user_of(self, client: str, headers: Headers) -> User | None:
        """The user of a request from the address `client`; None for nobody known."""
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
        if not await self._fits(client, name, password):
            return None
        return User(name, "view" if name in auth.view else "operate")

    def _bearer(self, header: str) -> User | None:
        """The program with this token (RFC 6750). Every token is compared, so that the time taken reveals nothing."""
        kind, _, rest = header.partition(" ")
        if kind.lower() != "bearer" or not self._auth.tokens:
            return None
        shown, found = self._mark(rest.strip()), None
        for name, one in self._auth.tokens.items():
            if hmac.compare_digest(shown, self._mark(one.token.reveal())):
                found = User(f"token {name}", one.role, program=True)
        return found

    def _mark(self, text: str) -> bytes:
        """A keyed hash: comparing hashes takes the same time whatever the texts are."""
        return hmac.digest(self._salt, text.encode("utf-8", "replace"), hashlib.sha256)

    async def _fits(self, client: str, name: str, password: str) -> bool:
        mark = self._mark(f"{len(name)}:{name}{password}")
        if mark in self._good:
            return True
        if self._waiting[client] >= _MOST_WAITING:
            tm.logins_refused.labels("waiting").inc()
            return False
        self._waiting[client] += 1
        try:
            good = await self._check(client, name, password)
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
        if not good:
            return False
        self._good[mark] = None
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return True

    async def _check(self, client: str, name: str, password: str) -> bool:
        """Whether the password is right, after the wait that wrong guesses before it cause."""
        kept, now = self._auth.users.get(name), monotonic()
        await asyncio.sleep(self._guesses.wait(client, name, now))
        async with self._suspect_tries if self._guesses.wrong(client, now) else self._tries:
            # An unknown name must take as long as a wrong password.
            good = await asyncio.to_thread(passwords.fits, password, self._dummy if kept is None else kept.reveal())
        if kept is not None and good:
            self._guesses.succeeded(client)
            return True
        wrong = self._guesses.failed(client, name, monotonic())
        tm.logins_refused.labels("wrong").inc()
        if wrong & (wrong - 1) == 0:  # the first, the second, the fourth, …: a guesser must not fill the log
            tm.log().warning("login.wrong", address=client, user=name[:64], count=wrong)
        return False


def _is_within(client: str, networks: Iterable[Network]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _basic(header: str) -> tuple[str, str] | None:
    """The name and password of HTTP Basic (RFC 7617), in UTF-8 as our challenge asks."""
    kind, _, rest = header.partition(" ")
    if kind.lower() != "basic" or len(rest) > 2000:
        return None
    try:
        name, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


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
OPEN = ("/healthz", "/readyz", slack_interactions.PATH)
OPEN_BELOW = ("/u/", story_links.PATH, "/static/", websub.PATH)
"""Open without a login: probes; what Slack signs; the pages whose address is a token (to unsubscribe, to act on
a story), and their style; pushes from hubs."""

LOOK = re.compile(r"/topics/[^/]+/try|/seen")
"""Allowed to viewers: a text to try, which may be long, and what a reader has seen, which only the browser keeps."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+)(?::\d{1,5})?")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses requests that must not come in, and sets `scope["user"]` for the application."""

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticator, names: tuple[str, ...], open_to_all: bool
    ) -> None:
        """`names` of this host besides localhost. `open_to_all`: other machines can reach the server."""
        self._app = app
        self._authenticator = authenticator
        self._names = names
        self._open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
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
            return PlainTextResponse("a page of another site must not send this\n", 403)
        client = scope.get("client")
        user = await self._authenticator.user_of(client[0] if client else "", headers)
        if user is None:
            return PlainTextResponse("log in, or send an API token\n", 401, headers=self._ask(headers))
        if acts and sender == "program" and not user.program:
            return PlainTextResponse("a program needs an API token: Authorization: Bearer …\n", 403)
        if acts and not user.may_act and not LOOK.fullmatch(path):
            return PlainTextResponse("this user may view, but not act\n", 403)
        scope["user"] = user
        return None

    def _ask(self, headers: Headers) -> dict[str, str]:
        if headers.get("authorization", "").lower().startswith("bearer"):
            return {"www-authenticate": 'Bearer realm="watchpost", error="invalid_token"'}
        return {"www-authenticate": 'Basic realm="watchpost", charset="UTF-8"'} if self._authenticator.has_users else {}


def is_ours(host: str, names: tuple[str, ...], open_to_all: bool) -> bool:
    """Whether a Host header names this server: a foreign page must not read it through a DNS name of its own.

    See https://en.wikipedia.org/wiki/DNS_rebinding. An IP address is no DNS name, so any will do if `open_to_all`.
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
    """Whether a page of ours sent it, a page of another site, or a program.

    Pages cannot forge Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/). Old browsers send at least an Origin with
    a POST. A request with neither counts as from a program; where people log in, it needs a token, which no browser
    adds by itself.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return "own" if site in ("same-origin", "none") else "elsewhere"
    if origin is None:
        return "program"
    return "own" if urlsplit(origin).netloc == headers.get("host", "") else "elsewhere"
