"""Who asks: a name and a password (HTTP Basic, scrypt), an API token, or the name that a trusted proxy gives."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from starlette.datastructures import Headers

from watchpost.plan import passwords
from watchpost.plan.plan import Access

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


ANYBODY = User("somebody at this machine", "operate", program=True)
"""Who asks where nobody is asked: only a loopback address is listened on then."""


class Doorkeeper:
    """Knows the users of one configuration."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._salt = secrets.token_bytes(32)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._tries = asyncio.Semaphore(2)  # each takes 16 MiB for 50 ms

    @property
    def asks(self) -> bool:
        """Whether a browser should ask its user for a password."""
        return bool(self._access.users)

    async def who(self, client: str, headers: Headers) -> User | None:
        """The user behind a request from the address `client`; None for nobody we know."""
        access = self._access
        if not access.guarded:
            return ANYBODY
        if (program := self._bearer(headers.get("authorization", ""))) is not None:
            return program
        if access.header and (name := headers.get(access.header)) and self._is_proxy(client):
            name = name.strip()[:64]
            return User(name, "operate" if name in access.operate else "view")
        credentials = _basic(headers.get("authorization", ""))
        if credentials is None or not access.users:
            return None
        name, password = credentials
        if not await self._fits(name, password):
            return None
        return User(name, "view" if name in access.view else "operate")

    def _bearer(self, header: str) -> User | None:
        """Who shows this token (RFC 6750); all of them are compared, so that time tells nothing."""
        kind, _, rest = header.partition(" ")
        if kind.lower() != "bearer" or not self._access.tokens:
            return None
        shown, found = self._mark(rest.strip()), None
        for name, one in self._access.tokens.items():
            if hmac.compare_digest(shown, self._mark(one.token.reveal())):
                found = User(f"token {name}", one.role, program=True)
        return found

    def _mark(self, text: str) -> bytes:
        """Of one length for every text, so that comparing it tells nothing of the other's."""
        return hmac.digest(self._salt, text.encode("utf-8", "replace"), hashlib.sha256)

    def _is_proxy(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._access.trusted)

    async def _fits(self, name: str, password: str) -> bool:
        mark = self._mark(f"{len(name)}:{name}{password}")
        if mark in self._good:
            return True
        kept = self._access.users.get(name)
        async with self._tries:  # an unknown name takes as long as a wrong password
            good = await asyncio.to_thread(passwords.fits, password, _DUMMY if kept is None else kept.reveal())
        if kept is None or not good:
            return False
        self._good[mark] = None
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return True


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
