"""The options of mail, and its DKIM signature, which they try."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from watchpost.model import derive_id
from watchpost.notify.receiver import DeliveryOptions
from watchpost.notify.render import mime
from watchpost.notify.templates import MailTemplates
from watchpost.plan.fields import Duration, Network, Options, Secret

_SIGNED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "references", "list-id")
_UNSUBSCRIBE = ("list-unsubscribe", "list-unsubscribe-post")  # RFC 8058 wants both covered
_ONCE_ONLY = ("from", "to", "subject")  # signed once more than they stand there: nobody can add a second one


def _check_mailbox(text: str) -> str:
    try:
        mime.mailbox(text)
    except (ValueError, IndexError) as error:  # the standard library's parser raises both
        raise PydanticCustomError("mailbox", "a mail address is written name@example.org or Name <name@…>") from error
    return text


Mailbox = Annotated[str, AfterValidator(_check_mailbox)]


class SmtpOptions(Options):
    """The mail server. `tls`: starttls (port 587), implicit (465) or none (25). `ca_file`: an own authority."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    ca_file: Path | None = None

    @field_validator("ca_file", mode="after")
    @classmethod
    def _from_the_configuration(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and Path((info.context or {}).get("base", ".")) / path.expanduser()

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> SmtpOptions:
        if self.password is not None and self.tls == "none" and not _is_loopback(self.host):
            raise PydanticCustomError("password_in_clear", "tls: none would send the password readable over the net")
        if self.password is not None and not self.username:
            raise PydanticCustomError("username", "a password needs a username")
        return self


class DkimOptions(Options):
    """Sign here (RFC 6376), where the relay does not: extra `dkim`. `key`: an RSA key in PEM."""

    domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    selector: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    key: Secret

    @model_validator(mode="after")
    def _can_sign(self) -> DkimOptions:
        if find_spec("dkim") is None:
            missing = "needs a package that is not installed: install watchpost with its extra `dkim`"
            raise PydanticCustomError("dkim_missing", missing)
        try:
            signature(b"From: a@example.org\r\n\r\nx\r\n", self)
        except ValueError as error:
            raise PydanticCustomError("dkim_key", "the key is no RSA private key in PEM") from error
        return self


class UnsubscribeOptions(Options):
    """`url`: takes a POST without cookies (RFC 8058) and shows a page at GET; `mail`: an address that people read."""

    url: Annotated[str, Field(pattern=r"^https://[!-;=?-~]{1,400}$")] | None = None
    mail: Mailbox | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> UnsubscribeOptions:
        if self.url is None and self.mail is None:
            raise PydanticCustomError("unsubscribe", "give a url, a mail address, or both")
        return self


class EmailOptions(DeliveryOptions):
    """`to` gets one message per address. `timeout` is for an attempt as a whole.

    `bounce`: a mailbox for what comes back; each address gets its own form of it (`bounces+4f2a…@example.org`).
    `unsubscribe`: where a reader's mail program sends the wish to stop; `{token}` in the URL becomes the address's own.
    """

    sender: Mailbox = Field(alias="from")
    to: tuple[Mailbox, ...] = Field(min_length=1, max_length=500)
    smtp: SmtpOptions
    max_stories: Annotated[int, Field(ge=1, le=150)] = 80
    template: MailTemplates | None = None
    dkim: DkimOptions | None = None
    bounce: Mailbox | None = None
    unsubscribe: UnsubscribeOptions | None = None
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=10))] = timedelta(minutes=1)
    allow_private: tuple[Network, ...] = ()


def signature(content: bytes, options: DkimOptions) -> bytes:
    """The DKIM-Signature header line for a message, ending in CR LF. Raises ValueError for a key that is none."""
    import dkim

    head = content.partition(b"\r\n\r\n")[0].lower()
    names = [name for name in (*_SIGNED, *_UNSUBSCRIBE) if b"\n" + name.encode() + b":" in b"\n" + head]
    try:
        line = dkim.sign(
            content,
            options.selector.encode(),
            options.domain.encode(),
            options.key.reveal().encode(),
            include_headers=[name.encode() for name in (*names, *_ONCE_ONLY)],
        )
    except (dkim.DKIMException, ValueError, IndexError, TypeError) as error:
        raise ValueError(f"no DKIM signature ({type(error).__name__})") from None
    return bytes(line)


def way_out(secret: str, receiver: str, address: str) -> str:
    """The token by which a reader says no: nobody can make it who does not know this installation's secret."""
    return derive_id("way out", secret, receiver, address)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
