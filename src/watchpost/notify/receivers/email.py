"""Mail: one message per recipient by SMTP (RFC 5321), encrypted unless `tls: none`, and signed by DKIM on request."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from email.headerregistry import Address
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, assert_never

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Network, Options, Secret, is_loopback_host, shaped
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, Refused, TryLater, Unknown, derive_id
from watchpost.net import connect, network_failure
from watchpost.notify import story_links
from watchpost.notify.http import OPERATOR_WAIT
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext, ReceiverKind
from watchpost.notify.render import html, mime, packing, plain, sentences, story_lines
from watchpost.notify.render.sanitize import clean
from watchpost.notify.render.template import render_template
from watchpost.notify.smtp_replies import Stage, read_reply
from watchpost.notify.templates import MailTemplates

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_QUIT_SECONDS = 2.0
_EHLO_FORM = r"^(([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}|\[[0-9A-Fa-fIPv:.]{3,60}\])$"
_EHLO = re.compile(_EHLO_FORM)
_EHLO_PROBLEM = "is not the full name of a host; write it like watch.example.org, or an address like [192.0.2.1]"
_HOST_FORM = r"^[A-Za-z0-9.:_-]+$"
_HOST_PROBLEM = "is no host; write a name or an address, without a port"
_DOMAIN_FORM, _SELECTOR_FORM = r"^[A-Za-z0-9.-]{1,253}$", r"^[A-Za-z0-9._-]{1,100}$"
_SELECTOR_PROBLEM = "is no selector; it is the part before ._domainkey of the name of the key in DNS"
_PAGE_FORM = r"^https://[!-;=?-~]{1,400}$"
_PAGE_PROBLEM = "is not the address of a page; it begins with https:// and has no spaces"
_NOBODY = ("localhost", "localdomain", "local", "internal", "lan", "home", "arpa", "invalid")

_SIGNED_HEADERS = (
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "references", "list-id"),
    *("list-unsubscribe", "list-unsubscribe-post"),  # RFC 8058, 4 demands that the signature covers both
)
_SINGLE_HEADERS = ("from", "to", "subject")  # signed once more than they occur, so that nobody can add a second one


def _check_mailbox(text: str) -> str:
    try:
        mime.mailbox(text)
    except (ValueError, IndexError) as error:  # the standard library's parser raises both
        raise PydanticCustomError("mailbox", "a mail address is written name@example.org or Name <name@…>") from error
    return text


Mailbox = Annotated[str, AfterValidator(_check_mailbox)]


class SmtpOptions(Options):
    """The mail server. `tls`: starttls (port 587), implicit (465) or none (25). `ca_file`: your own authority.

    `ehlo`: the name by which watchpost introduces itself.
    """

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=_HOST_FORM), shaped(_HOST_FORM, _HOST_PROBLEM)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    ehlo: Annotated[str, Field(pattern=_EHLO_FORM), shaped(_EHLO_FORM, _EHLO_PROBLEM)] | None = None

    @field_validator("ca_file", mode="after")
    @classmethod
    def _resolve(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and Path((info.context or {}).get("base", ".")) / path.expanduser()

    @model_validator(mode="after")
    def _check_password(self) -> SmtpOptions:
        if self.password is not None and self.tls == "none" and not is_loopback_host(self.host):
            raise PydanticCustomError("password_in_clear", "tls: none would send the password unencrypted")
        if self.password is not None and not self.username:
            raise PydanticCustomError("username", "a password needs a username")
        return self


class DkimOptions(Options):
    """A signature (RFC 6376) for a relay that makes none; needs the extra `dkim`. `key`: an RSA key in PEM."""

    domain: Annotated[str, Field(pattern=_DOMAIN_FORM), shaped(_DOMAIN_FORM, "is no domain; write it like example.org")]
    selector: Annotated[str, Field(pattern=_SELECTOR_FORM), shaped(_SELECTOR_FORM, _SELECTOR_PROBLEM)]
    key: Secret

    @model_validator(mode="after")
    def _check_key(self) -> DkimOptions:
        if self.key.is_absent:
            return self
        if find_spec("dkim") is None:
            missing = "needs a package that is not installed: install watchpost with its extra `dkim`"
            raise PydanticCustomError("dkim_missing", missing)
        try:
            dkim_signature(b"From: a@example.org\r\n\r\nx\r\n", self)
        except ValueError as error:
            raise PydanticCustomError("dkim_key", "the key is not an RSA private key in PEM") from error
        return self


class UnsubscribeOptions(Options):
    """`url`: a page that also takes a POST without cookies (RFC 8058). `mail`: an address that people read."""

    url: Annotated[str, Field(pattern=_PAGE_FORM), shaped(_PAGE_FORM, _PAGE_PROBLEM)] | None = None
    mail: Mailbox | None = None

    @model_validator(mode="after")
    def _check_not_empty(self) -> UnsubscribeOptions:
        if self.url is None and self.mail is None:
            raise PydanticCustomError("unsubscribe", "give a url, a mail address, or both")
        return self


class EmailOptions(DeliveryOptions):
    """`to`: each address gets a message of its own. `timeout`: of an attempt as a whole.

    `bounce`: a mailbox for bounces; each address has its own form of it (`bounces+4f2a…@example.org`). `unsubscribe`:
    where mail programs unsubscribe their reader; `{token}` in the URL becomes the address's own. `actions`: for so
    long, links in a mail let its reader claim, acknowledge, mute and judge a story without a login.
    """

    sender: Mailbox = Field(alias="from")
    to: tuple[Mailbox, ...] = Field(min_length=1, max_length=500)
    smtp: SmtpOptions
    max_stories: Annotated[int, Field(ge=1, le=150)] = 80
    template: MailTemplates | None = None
    dkim: Annotated[DkimOptions | None, ADVANCED] = None
    bounce: Annotated[Mailbox | None, ADVANCED] = None
    unsubscribe: UnsubscribeOptions | None = None
    actions: Annotated[Duration, Field(ge=timedelta(hours=1), le=timedelta(days=30))] | None = None
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=10))] = timedelta(minutes=1)
    allow_private: tuple[Network, ...] = ()


def ehlo_name(configured: str | None, machine: str, sender_domain: str) -> str:
    """The name for EHLO (RFC 5321, 4.1.1.1): as configured, else the machine's full name, else the sender's domain.

    Mail servers refuse a name without a dot, such as `localhost` or the id of a container.
    """
    if configured:
        return configured
    name = machine.rstrip(".")
    known = len(name) <= 253 and _EHLO.fullmatch(name) and name.rpartition(".")[2].lower() not in _NOBODY
    return name if known else sender_domain


class Email:
    """Sends multipart mails: the text and the HTML of a digest."""

    def __init__(self, name: str, options: EmailOptions, context: ReceiverContext) -> None:
        self.name = name
        self._options = options
        self._smtp = options.smtp
        self._install = context.install
        self._secret = context.secret
        self._sender = mime.mailbox(options.sender)
        self._recipients: dict[str, Address] = {each.addr_spec: each for each in map(mime.mailbox, options.to)}

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message per recipient; text and HTML have the same stories in the same order."""
        digest, secret = self._with_links(digest), self._secret
        shown = html.fit(packing.limit_stories(digest, self._options.max_stories))
        subject, text, page = sentences.subject(shown), plain.plain(shown), html.page(shown, mailed=True)
        if (template := self._options.template) is not None and not digest.reduced:
            subject = clean(render_template(template.subject, "text", shown), 200) if template.subject else subject
            text = render_template(template.text, "text", shown) if template.text else text
            page = render_template(template.html, "html", shown) if template.html else page
        pictures = {name: png for name, png in html.pictures(shown).items() if name in page}
        named = story_lines.named_articles(shown.stories)
        stories, mark = [story.id for story in shown.stories], shown.link_key

        def own(text: str, address: str) -> str:
            return story_links.with_keys(text, mark, stories, secret, self.name, address) if mark else text

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
                        text=own(text, address),
                        html=own(page, address),
                        pictures=pictures,
                        unsubscribe=self._unsubscribe_urls(address, shown.public_url),
                    )
                },
                address=address,
                omitted=shown.omitted,
                named=named,
            )
            for address, recipient in self._recipients.items()
        )

    def _with_links(self, digest: Digest) -> Digest:
        """The digest whose stories have links for actions, if they are configured and the pages have an address."""
        if self._options.actions is None or not self._secret or not digest.public_url:
            return digest
        until = digest.created + self._options.actions
        return replace(digest, link_key=story_links.stand_in(self._secret, digest.id, until))

    def _unsubscribe_urls(self, address: str, public_url: str) -> tuple[str, ...]:
        """Where this reader can unsubscribe: an https address first, then a mailto one; empty if nowhere.

        If none is configured and the pages of watchpost are reached by https, it is one of theirs.
        """
        options = self._options.unsubscribe
        token = unsubscribe_token(self._secret, self.name, address) if self._secret else _token(address)
        if options is None:
            return (f"{public_url}/u/{token}",) if self._secret and public_url.startswith("https://") else ()
        url = options.url.replace("{token}", token) if options.url else ""
        mail = f"mailto:{mime.mailbox(options.mail).addr_spec}?subject=unsubscribe" if options.mail else ""
        return tuple(filter(None, (url, mail)))

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt on a connection of its own. A repeat is the same message, with the same Message-ID."""
        import aiosmtplib

        session = _Session()
        try:
            async with asyncio.timeout(self._options.timeout.total_seconds()):
                reply = await self._send(session, delivery)
            session.is_in_step = True
            return Delivered(_line(reply.code, reply.message))
        except aiosmtplib.SMTPResponseException as error:
            session.is_in_step = True
            return _judge_reply(error.code, error.message, session.stage)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _judge_failure(error, session.stage)
        finally:
            await session.end()

    async def _send(self, session: _Session, delivery: Delivery) -> SMTPResponse:
        import aiosmtplib

        smtp, timeout = self._smtp, self._options.timeout.total_seconds()
        message_id = mime.message_id(f"{delivery.id}.{self._install}", self._sender.domain)  # a domain that exists
        content = (message_id + delivery.message.renderings["mime"]).encode("ascii")
        if self._options.dkim is not None:  # the only line with the time of the attempt
            content = await asyncio.to_thread(dkim_signature, content, self._options.dkim) + content
        tls = await asyncio.to_thread(ssl.create_default_context, cafile=smtp.ca_file) if smtp.tls != "none" else None
        port = smtp.port or _PORTS[smtp.tls]
        machine = "" if smtp.ehlo else await asyncio.to_thread(socket.getfqdn)
        session.client = client = aiosmtplib.SMTP(
            hostname=smtp.host,
            local_hostname=ehlo_name(smtp.ehlo, machine, self._sender.domain),
            sock=await connect(smtp.host, port, allow_private=self._options.allow_private),
            use_tls=smtp.tls == "implicit",
            start_tls=False,  # done below, where a failure is known to be one of TLS
            tls_context=tls,
            timeout=timeout,
        )
        await client.connect()
        if smtp.tls == "starttls":
            session.stage = "tls"
            await client.starttls()
        if smtp.username:
            session.stage = "login"
            await client.login(smtp.username, smtp.password.reveal() if smtp.password else "")
        session.stage = "sender"
        await client.mail(self._envelope_sender(delivery.message.address))
        session.stage = "recipient"
        await client.rcpt(delivery.message.address)
        session.stage = "data"
        return await client.data(content)

    def _envelope_sender(self, address: str) -> str:
        """Where bounces go: a form of the bounce mailbox that names the recipient (VERP)."""
        if self._options.bounce is None:
            return self._sender.addr_spec
        mailbox = mime.mailbox(self._options.bounce)
        return f"{mailbox.username}+{_token(address)}@{mailbox.domain}"


@dataclass(slots=True)
class _Session:
    """An SMTP session. `stage` decides what a failure means. `is_in_step`: the server waits for the next command."""

    stage: Stage = "connect"
    client: SMTP | None = None
    is_in_step: bool = False

    async def end(self) -> None:
        """Say QUIT if the server waits for it, then close. The deadline is over: the outcome is known by now."""
        from aiosmtplib import SMTPException

        if self.client is None:
            return
        try:
            if self.is_in_step and self.client.is_connected:
                await self.client.quit(timeout=_QUIT_SECONDS)
        except (SMTPException, OSError):
            pass
        finally:
            self.client.close()


def _judge_reply(code: int, message: str, stage: Stage) -> Outcome:
    """What a reply means: only what is about this recipient or message makes it fail, or wait alone."""
    line = _line(code, message)
    if not 400 <= code < 600:
        if stage == "data":
            return Unknown("unknown", f"not a reply of SMTP: {line}", repeatable=True)
        return TryLater("unknown", f"not a reply of SMTP: {line}")
    reply = read_reply(code, message, stage)
    wait = OPERATOR_WAIT if reply.lasting else None
    match reply.fault:
        case "recipient" | "message" if reply.lasting:
            return Refused("too_large" if code in (523, 552) else "client_error", line)
        case "recipient" | "message":
            return TryLater("server_error", line, alone=True)
        case "limit":
            return TryLater("rate_limited", line, wait)
        case "login":
            return TryLater("auth", line, OPERATOR_WAIT)
        case "relay" if stage == "tls":
            return TryLater("tls", line, wait)
        case "relay":
            return TryLater("auth" if reply.lasting else "server_error", line, wait)
        case _ as never:
            assert_never(never)


def _judge_failure(error: BaseException, stage: str) -> Outcome:
    """What a session that broke off means: unknown, once the whole message may have been sent."""
    import aiosmtplib

    failure = network_failure(error)
    if stage == "data":
        reason = "timeout" if failure.kind == "timeout" else "unknown"
        return Unknown(reason, "no answer after the message was sent", repeatable=True)
    if failure.kind == "timeout":
        return TryLater("timeout", f"no answer in time ({stage})")
    if failure.kind != "other":
        wait = OPERATOR_WAIT if failure.kind in ("blocked", "tls") else None
        return TryLater(failure.kind, failure.problem, wait)
    if stage == "tls":
        return TryLater("tls", f"no STARTTLS, nothing was sent: {error}"[:300], OPERATOR_WAIT)
    if isinstance(error, aiosmtplib.SMTPNotSupported) or stage == "login":
        return TryLater("auth", f"the server offers no such login ({type(error).__name__})", OPERATOR_WAIT)
    return TryLater("unknown", f"the session broke off ({stage}, {type(error).__name__})")


def _line(code: int, message: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in message)
    return f"{code} {' '.join(text.split())[:200]}"


def dkim_signature(content: bytes, options: DkimOptions) -> bytes:
    """The DKIM-Signature header line of a message, ending in CR LF. Raises ValueError if the key is unusable."""
    import dkim

    head = content.partition(b"\r\n\r\n")[0].lower()
    names = [name for name in _SIGNED_HEADERS if b"\n" + name.encode() + b":" in b"\n" + head]
    try:
        line = dkim.sign(
            content,
            options.selector.encode(),
            options.domain.encode(),
            options.key.reveal().encode(),
            include_headers=[name.encode() for name in (*names, *_SINGLE_HEADERS)],
        )
    except (dkim.DKIMException, ValueError, IndexError, TypeError) as error:
        raise ValueError(f"no DKIM signature ({type(error).__name__})") from None
    return bytes(line)


def unsubscribe_token(secret: str, receiver: str, address: str) -> str:
    """The token that unsubscribes an address. Only who knows this installation's secret can make it."""
    return derive_id("way out", secret, receiver, address)


def _token(address: str) -> str:
    """A name for a recipient that does not reveal the address."""
    return derive_id("recipient", address)[:12]


KIND = ReceiverKind("email", EmailOptions, Email)
