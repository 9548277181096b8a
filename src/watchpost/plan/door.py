"""What an operator writes about the pages: where they are served, and who may see them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from watchpost.plan import passwords, schedule_text
from watchpost.plan.fields import Network, Options, Secret
from watchpost.plan.several import Several, listed


def _listen(value: str) -> str:
    schedule_text.listen_address(value)
    return value


def _hashed(value: Secret) -> Secret:
    if not passwords.is_hash(value.reveal()):
        raise ValueError("no hash of a password: `watchpost secret hash` makes one")
    return value


Listen = Annotated[str, AfterValidator(_listen)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]


class TrustedProxy(Options):
    """A proxy that says in a header who asks: only what comes `from` it is believed. `operate`: who may act."""

    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
    trusted: Annotated[tuple[Network, ...], Field(alias="from", min_length=1), BeforeValidator(listed)]
    operate: Several[str] = ()


class Auth(Options):
    """Who may see the pages. `users`: hashes of their passwords; `view`: those who may look, but not act."""

    users: dict[str, Annotated[Secret, AfterValidator(_hashed)]] = Field(default_factory=dict)
    view: Several[str] = ()
    proxy: TrustedProxy | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.users:
            if not name.isprintable() or ":" in name or not 1 <= len(name) <= 64:
                raise ValueError(
                    f"users: {name[:64]!r} is no name to log in with: up to 64 characters, without a colon"
                )
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
        if not schedule_text.is_loopback(self.listen) and not self.auth.users and self.auth.proxy is None:
            raise ValueError("listening on anything but loopback needs auth: {users: {NAME: {env: …}}}")
        return self
