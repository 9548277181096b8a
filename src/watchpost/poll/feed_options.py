"""The configuration of a feed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from watchpost import durations, redaction
from watchpost.config.fields import ADVANCED, Duration, Network, Options, Secret
from watchpost.config.proxy import Proxy, web_parts
from watchpost.config.schema import Published, Several, Tag
from watchpost.poll.newness import OnNew

_NOT_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "if-none-match"})


def _web_address(url: str) -> str:
    parts = web_parts(url)
    if parts is None or re.search(r"\s", url):
        raise PydanticCustomError("feed_url", "a url begins with http:// or https:// and names a host")
    if parts.username or parts.password:
        raise PydanticCustomError("feed_url_secret", "a url must not contain a password: use auth with {env: NAME}")
    redaction.know_address(url)
    return url


def _header_names(headers: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in _NOT_OURS:
            raise PydanticCustomError("feed_header", "{name} cannot be set as a header", {"name": name})
        text = value.reveal_or("") if isinstance(value, Secret) else value
        if not text.isascii() or not text.isprintable():
            raise PydanticCustomError("feed_header_value", "{name}: only printable ASCII", {"name": name})
        redaction.know_header(name, text)
    return headers


def _interval(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=7):
        raise PydanticCustomError("feed_every", "must be longer than 0s, and at most 7d")
    return value


def _on_new(value: Any) -> Any:
    if value in ("all", "baseline"):
        return value
    try:
        return durations.parse(value)
    except ValueError:
        raise PydanticCustomError("on_new", "a duration like 24h, or all, or baseline") from None


def _fulltext(value: Any) -> Any:
    if value is True:
        return "plausible"
    if value is False or value in ("plausible", "always"):
        return value
    raise PydanticCustomError("fulltext", "true (pages of plausible articles), always, or false")


def _no_colon(name: str) -> str:
    if not name or ":" in name:
        raise PydanticCustomError("username", "a username must not be empty or contain a colon")
    return name


Every = Annotated[Duration, AfterValidator(_interval)]
"""The time between two visits to a source on another machine."""

WhenNew = Annotated[
    OnNew,
    BeforeValidator(_on_new),
    WithJsonSchema({"type": "string", "pattern": r"^(all|baseline|(\d+(\.\d+)?(ms|s|m|h|d|w|y)\s*)+)$"}),
]
"""What counts as new when a source is read for the first time."""


class BasicAuth(Options):
    """A name and a password for the feed's own server (RFC 7617)."""

    username: Annotated[str, AfterValidator(_no_colon)]
    password: Secret


class WebOptions(Published):
    """What feeds and pages have in common. Without `every` the interval follows how often one brings something."""

    url: Annotated[str, AfterValidator(_web_address)]
    every: Every = timedelta(minutes=10)
    on_new: WhenNew = timedelta(hours=24)
    on_update: Literal["note", "ignore"] = "note"
    timeout: Duration = Field(timedelta(seconds=20), gt=timedelta(0))
    lang: str = ""
    headers: Annotated[Mapping[str, str | Secret], AfterValidator(_header_names)] = Field(default_factory=dict)
    auth: BasicAuth | None = None
    proxy: Proxy | None = None
    allow_private: tuple[Network, ...] = ()
    fulltext: Annotated[
        Literal[False, "plausible", "always"],
        BeforeValidator(_fulltext),
        WithJsonSchema({"enum": [False, True, "plausible", "always"]}),
    ] = False
    max_items: Annotated[int, Field(ge=1, le=10_000), ADVANCED] = 200
    max_per_day: Annotated[int, Field(ge=1, le=1_000_000), ADVANCED] = 20_000
    tags: Several[Tag] = ()
    weight: Annotated[float, Field(gt=0, le=100), ADVANCED] = 1.0

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        if self.auth is not None and any(name.lower() == "authorization" for name in self.headers):
            raise ValueError("write either auth or a header Authorization, not both")
        return self

    @property
    def paced(self) -> bool:
        """Whether `every` is configured, for this source or for all feeds."""
        return "every" in self.model_fields_set


class FeedOptions(WebOptions):
    """The configuration of a feed. Without `every` the interval follows how often the feed brings something."""

    websub: bool = True
