"""Kinds of source and receiver for the tests of the loader: small, but with every sort of field."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from watchpost.config.fields import Duration, Network, Options, Secret
from watchpost.poll.sources.mailbox import MailboxOptions
from watchpost.poll.sources.page import PageOptions


def _under_base(value: Path, info: ValidationInfo) -> Path:
    context: dict[str, Any] = info.context or {}
    return Path(context["base"]) / value


class Feed(Options):
    """A feed."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    every: Duration = timedelta(minutes=10)
    timeout: Duration = timedelta(seconds=20)
    lang: str = "auto"
    headers: dict[str, Secret] = Field(default_factory=dict)
    allow_private: tuple[Network, ...] = ()
    max_items: Annotated[int, Field(ge=1)] = 200
    tags: tuple[str, ...] = ()


class Folder(Options):
    """A folder; its path starts at the configuration."""

    path: Annotated[Path, AfterValidator(_under_base)]


class Chat(Options):
    """Like slack: its address is the secret."""

    url: Secret
    max_stories: Annotated[int, Field(ge=1, le=50)] = 12
    thread: Literal["none", "story", "topic"] = "none"


class Relay(Options):
    """The connection of Mail."""

    host: str
    port: int = 587
    password: Secret | None = None


class Mail(Options):
    """Nested options, an alias, and a union."""

    to: str | tuple[str, ...]
    sender: str = Field(alias="from")
    smtp: Relay


class Terminal(Options):
    """No options at all."""


SOURCES: dict[str, type[Options]] = {"feed": Feed, "page": PageOptions, "mailbox": MailboxOptions, "folder": Folder}
RECEIVERS: dict[str, type[Options]] = {"slack": Chat, "email": Mail, "console": Terminal}
ENV = {
    "SHORT": "s3cr3t",
    "TOKEN": "s3cr3t-s3cr3t-s3cr3t-s3cr3t",
    "SLACK": "https://chat.example/hook/s3cr3t",
    "SMTP_PASSWORD": "hunter2",
    "OPS": "scrypt$16384$8$1$MDEyMzQ1Njc4OWFiY2RlZg$0LupyHkzAIgDr9UDsriAAf87vMbCbcaUfDvFOAHk0D0",
}
