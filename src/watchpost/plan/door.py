"""What an operator writes about the pages: where they are served, and who may see them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from watchpost.plan import passwords, schedule_text
from watchpost.plan.fields import Network, Options, Secret
from watchpost.plan.plan import Access, Bearer
from watchpost.plan.several import Several, listed


def _listen(value: str) -> str:
    schedule_text.listen_address(value)
    return value


def _hashed(value: Secret) -> Secret:
    if not passwords.is_hash(value.reveal()):
        raise ValueError("no hash of a password: `watchpost secret hash` makes one")
    return value


def _bearable(value: Secret) -> Secret:
    if not _TOKEN.fullmatch(value.reveal()):
        raise ValueError(
            f"no API token: at least {SHORTEST_TOKEN} of A-Z a-z 0-9 - . _ ~ + /; `watchpost secret token` makes one"
        )
    return value


SHORTEST_TOKEN = 20
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{SHORTEST_TOKEN},512}}={{0,2}}")  # what RFC 6750 lets stand behind "Bearer"
Listen = Annotated[str, AfterValidator(_listen)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]


class TrustedProxy(Options):
    """A proxy that says in a header who asks: only what comes `from` it is believed. `operate`: who may act."""

    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
    trusted: Annotated[tuple[Network, ...], Field(alias="from", min_length=1), BeforeValidator(listed)]
    operate: Several[str] = ()


class ApiToken(Options):
    """A program that asks with `Authorization: Bearer`, and whether it may act or only look."""

    token: Annotated[Secret, AfterValidator(_bearable)]
    role: Literal["view", "operate"] = "view"


class Auth(Options):
    """Who may see the pages. `users`: hashes of their passwords; `view`: those who may look, but not act.

    `tokens`: programs, by a name that stands in the log.
    """

    users: dict[str, Annotated[Secret, AfterValidator(_hashed)]] = Field(default_factory=dict)
    view: Several[str] = ()
    tokens: dict[str, ApiToken] = Field(default_factory=dict)
    proxy: TrustedProxy | None = None

    @property
    def asks(self) -> bool:
        """Whether anybody is asked who they are."""
        return bool(self.users or self.tokens or self.proxy is not None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for what, names in (("users", self.users), ("tokens", self.tokens)):
            for name in names:
                if not name.isprintable() or ":" in name or not 1 <= len(name) <= 64:
                    raise ValueError(
                        f"{what}: {name[:64]!r} is no name to log in with: up to 64 characters, without a colon"
                    )
        known: dict[str, str] = {}
        for name, one in self.tokens.items():
            other = known.setdefault(one.token.reveal(), name)
            if other != name:
                raise ValueError(f"tokens: {other} and {name} have the same token: the log could not tell them apart")
        for name in self.view:
            if name not in self.users:
                raise ValueError(f"view: there is no user {name!r}")
        return self


class Http(Options):
    """The pages and the API. `names`: host names by which they are asked for, besides that of public_url.

    `metrics`: whether there is a /metrics.
    """

    listen: Listen = "127.0.0.1:8080"
    names: Several[HostName] = ()
    metrics: bool = True
    auth: Auth = Auth()

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not schedule_text.is_loopback(self.listen) and not self.auth.asks:
            raise ValueError("listening on anything but loopback needs auth: {users: {NAME: {env: …}}}")
        return self


def access_of(http: Http, public_url: str) -> Access:
    """Who may come in, and by which names this host is asked for."""
    auth, proxy, public = http.auth, http.auth.proxy, urlsplit(public_url).hostname or ""
    told = (proxy.header, proxy.trusted, proxy.operate) if proxy is not None else ("", (), ())
    names = tuple(dict.fromkeys(name.lower() for name in (public, *http.names) if name))
    tokens = {name: Bearer(one.token, one.role) for name, one in auth.tokens.items()}
    return Access(auth.users, auth.view, *told, names, http.metrics, tokens)
