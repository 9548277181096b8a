"""The door to mail: one message per recipient by SMTP (RFC 5321), encrypted unless the operator says no."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Network, Options, Secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown, derive_id
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext, ReceiverKind
from watchpost.notify.render import html, mime, packing, plain, sentences
from watchpost.notify.render.sanitize import clean
from watchpost.notify.render.template import render_template
from watchpost.notify.templates import MailTemplates

# The options of mail, and its DKIM signature, which they try.


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
    dkim: Annotated[DkimOptions | None, ADVANCED] = None
    bounce: Annotated[Mailbox | None, ADVANCED] = None
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


if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_CONFIGURATION = timedelta(hours=1)  # such a failure ends when a person acts: ask slowly
_ONE_ADDRESS_SECONDS = 10.0
_FAREWELL_SECONDS = 2.0


class _BlockedError(Exception):
    """The server's address is not one that may be talked to."""


@dataclass(slots=True)
class _Talk:
    """A conversation: how far it came decides what a failure means. `polite`: the server still listens."""

    stage: str = "connect"
    client: SMTP | None = None
    polite: bool = False

    async def end(self) -> None:
        """QUIT if somebody listens, then hang up; outside the deadline, for the result is known by now."""
        from aiosmtplib import SMTPException

        if self.client is None:
            return
        try:
            if self.polite and self.client.is_connected:
                await self.client.quit(timeout=_FAREWELL_SECONDS)
        except (SMTPException, OSError):
            pass
        finally:
            self.client.close()


class Email:
    """Sends multipart mails: the text edition and its HTML twin."""

    def __init__(self, name: str, options: EmailOptions, install: str, secret: str = "") -> None:
        self.name = name
        self._options = options
        self._smtp = options.smtp
        self._install = install
        self._secret = secret
        self._sender = mime.mailbox(options.sender)
        addresses = (mime.mailbox(text) for text in options.to)
        self._recipients: dict[str, Address] = {address.addr_spec: address for address in addresses}

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message per recipient; both editions tell the same stories in the same order."""
        shown = html.fit(packing.limit_stories(digest, self._options.max_stories))
        subject, text, page = sentences.subject(shown), plain.plain(shown), html.page(shown, mailed=True)
        if (template := self._options.template) is not None and not digest.reduced:
            subject = clean(render_template(template.subject, "text", shown), 200) if template.subject else subject
            text = render_template(template.text, "text", shown) if template.text else text
            page = render_template(template.html, "html", shown) if template.html else page
        return tuple(
            Message(
                part=_token(address),
                subject=subject,
                renderings={
                    "mime": mime.mail(
                        shown,
                        sender=self._sender,
                        recipient=recipient,
                        subject=subject,
                        text=text,
                        html=page,
                        pictures={name: png for name, png in html.pictures(shown).items() if name in page},
                        unsubscribe=self._ways_out(address, shown.public_url),
                    )
                },
                address=address,
                omitted=shown.omitted,
            )
            for address, recipient in self._recipients.items()
        )

    def _ways_out(self, address: str, public_url: str) -> tuple[str, ...]:
        """Where this reader can say no: an https address first, then a mailto one; empty if nowhere.

        Where the pages can be reached by https, and nothing else is configured, it is theirs.
        """
        given = self._options.unsubscribe
        token = way_out(self._secret, self.name, address) if self._secret else _token(address)
        if given is None:
            return (f"{public_url}/u/{token}",) if self._secret and public_url.startswith("https://") else ()
        url = given.url.replace("{token}", token) if given.url else ""
        mail = f"mailto:{mime.mailbox(given.mail).addr_spec}?subject=unsubscribe" if given.mail else ""
        return tuple(way for way in (url, mail) if way)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt on a connection of its own. A repeat is the same message, with the same Message-ID."""
        import aiosmtplib

        talk = _Talk()
        try:
            async with asyncio.timeout(self._options.timeout.total_seconds()):
                answer = await self._talk(talk, delivery)
            talk.polite = True
            return Delivered(_line(answer.code, answer.message))
        except _BlockedError:
            detail = "the mail server's address is private or reserved; allow_private can permit it"
            return TryLater("blocked", detail, _CONFIGURATION)
        except aiosmtplib.SMTPResponseException as error:
            talk.polite = True
            return _judge(error.code, error.message, talk.stage)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _diagnose(error, talk.stage)
        finally:
            await talk.end()

    async def close(self) -> None:
        """Nothing stays open."""

    async def _talk(self, talk: _Talk, delivery: Delivery) -> SMTPResponse:
        import aiosmtplib

        content = (mime.message_id(delivery.id, self._install) + delivery.message.renderings["mime"]).encode("ascii")
        if self._options.dkim is not None:  # the one line that tells the time of the attempt
            content = await asyncio.to_thread(signature, content, self._options.dkim) + content
        context = await asyncio.to_thread(_context, self._smtp.ca_file) if self._smtp.tls != "none" else None
        client = talk.client = aiosmtplib.SMTP(
            hostname=self._smtp.host,
            sock=await self._connect(),
            use_tls=self._smtp.tls == "implicit",
            start_tls=False,  # below, where its failure has a name
            tls_context=context,
            timeout=self._options.timeout.total_seconds(),
        )
        await client.connect()
        if self._smtp.tls == "starttls":
            talk.stage = "tls"
            await client.starttls()
        if self._smtp.username:
            talk.stage = "login"
            password = self._smtp.password.reveal() if self._smtp.password else ""
            await client.login(self._smtp.username, password)
        talk.stage = "envelope"
        await client.mail(self._returns_to(delivery.message.address))
        await client.rcpt(delivery.message.address)
        talk.stage = "data"
        return await client.data(content)

    def _returns_to(self, address: str) -> str:
        """The envelope's sender: what bounces comes back to a form of the mailbox that names the address (VERP)."""
        if self._options.bounce is None:
            return self._sender.addr_spec
        box = mime.mailbox(self._options.bounce)
        return f"{box.username}+{_token(address)}@{box.domain}"

    async def _connect(self) -> socket.socket:
        """A connection to an address that was checked: the name is resolved once, it cannot change between."""
        loop = asyncio.get_running_loop()
        port = self._smtp.port or _PORTS[self._smtp.tls]
        found = await loop.getaddrinfo(self._smtp.host, port, type=socket.SOCK_STREAM)
        permitted = [entry for entry in found if self._may_talk_to(str(entry[4][0]))]
        if not permitted:
            raise _BlockedError
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in permitted:
            plug = socket.socket(family, kind, protocol)
            plug.setblocking(False)
            try:
                async with asyncio.timeout(_ONE_ADDRESS_SECONDS):
                    await loop.sock_connect(plug, address)
            except OSError as error:  # TimeoutError is one
                plug.close()
                failure = error
            except BaseException:
                plug.close()
                raise
            else:
                return plug
        raise failure

    def _may_talk_to(self, address: str) -> bool:
        from watchpost.net import is_public

        ip = ip_address(address.partition("%")[0])
        networks: Sequence[Network] = self._options.allow_private
        return is_public(ip) or any(ip in network for network in networks)


def _judge(code: int, message: str, stage: str) -> Outcome:
    """What a reply code means (RFC 5321, 4.2.1): 4yz is for now; 5yz is for good, if it is about the message."""
    line = _line(code, message)
    if stage == "login" or code in (530, 534, 535, 538):
        return TryLater("auth", line, _CONFIGURATION)
    if 400 <= code < 500:
        return TryLater("server_error", line)
    if stage in ("connect", "tls"):  # it does not want us at all; the message is not to blame
        return TryLater("tls" if stage == "tls" else "server_error", line, _CONFIGURATION)
    if 500 <= code < 600:
        return Refused("too_large" if code in (523, 552) else "client_error", line)
    if stage == "data":
        return Unknown("unknown", f"an answer that is none: {line}", repeatable=True)
    return TryLater("unknown", f"an answer that is none: {line}")


def _diagnose(error: BaseException, stage: str) -> Outcome:
    """What a broken conversation means: once the message may have gone out, nobody knows."""
    import aiosmtplib

    late = isinstance(error, TimeoutError)
    if stage == "data":
        return Unknown("timeout" if late else "unknown", "no answer after the message was sent", repeatable=True)
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return TryLater("tls", f"TLS failed: {error}"[:300], _CONFIGURATION)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return TryLater("dns", "the mail server's name cannot be resolved")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return TryLater("refused", "the connection was refused")
    if late:
        return TryLater("timeout", f"the deadline passed ({stage})")
    if stage == "tls":
        return TryLater("tls", f"no STARTTLS, nothing was sent: {error}"[:300], _CONFIGURATION)
    if isinstance(error, aiosmtplib.SMTPNotSupported) or stage == "login":
        return TryLater("auth", f"the server takes no such login ({type(error).__name__})", _CONFIGURATION)
    return TryLater("unknown", f"the conversation broke off ({stage}, {type(error).__name__})")


def _line(code: int, message: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in message)
    return f"{code} {' '.join(text.split())[:200]}"


def _context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)


def _token(address: str) -> str:
    """A name for a recipient that tells nobody who it is."""
    return derive_id("recipient", address)[:12]


def _build(name: str, options: EmailOptions, workshop: ReceiverContext) -> Email:
    return Email(name, options, workshop.install, workshop.secret)


KIND = ReceiverKind("email", EmailOptions, _build)
