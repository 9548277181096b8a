"""Mailboxes: the messages of an IMAP mailbox become articles; each is marked once its article is committed.

A mailbox is polled: one connection for each visit. IDLE would need a connection that stays open, which no other poller
could take over.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Network, Secret, Size, is_loopback_host, quoted
from watchpost.config.schema import Published, Several, Tag
from watchpost.documents.parse import read_document
from watchpost.documents.parser_process import Parser
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.poll.feed_options import Every, WhenNew
from watchpost.poll.imap import FetchedMessage, ImapAccount, ImapSession, NewMessages
from watchpost.poll.mailbox_memory import TRIES, MailboxMemory
from watchpost.poll.schedule import AS_CONFIGURED, Interval
from watchpost.poll.source import SourceContext, SourceKind
from watchpost.poll.visit import Visit
from watchpost.store.text_fields import from_fields

MESSAGES_PER_VISIT = 200
FOUND_MAX = 80_000
"""UIDs in one answer to a search: the standard library reads lines of a megabyte at most."""

_PORTS = {"implicit": 993, "starttls": 143, "none": 143}
_SOON = timedelta(seconds=1)


def _host_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", value):
        raise ValueError(f"{quoted(value)} is not a host name; write it like imap.example.org")
    return value


class MailboxOptions(Published):
    """An IMAP mailbox. `tls`: implicit (port 993), starttls (143) or none (143, only on this machine).

    `after`: what happens to a message once its article is stored. `move_to`: another mailbox of the same account.
    `max_bytes`: of a longer message only the beginning is read.
    """

    host: Annotated[str, AfterValidator(_host_name)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: Annotated[str, Field(min_length=1, max_length=320)]
    password: Secret
    mailbox: Annotated[str, Field(min_length=1, max_length=500)] = "INBOX"
    every: Every = timedelta(minutes=2)
    on_new: WhenNew = timedelta(hours=24)
    after: Literal["keep", "seen", "flag", "move"] = "keep"
    move_to: Annotated[str, Field(max_length=500)] = ""
    lang: str = ""
    timeout: Duration = Field(timedelta(seconds=20), gt=timedelta(0))
    max_bytes: Size = Field(5 * 1024**2, ge=1024)
    ca_file: Path | None = None
    allow_private: tuple[Network, ...] = ()
    tags: Several[Tag] = ()
    weight: Annotated[float, Field(gt=0, le=100), ADVANCED] = 1.0

    @field_validator("ca_file", mode="after")
    @classmethod
    def _resolve(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and Path((info.context or {}).get("base", ".")) / path.expanduser()

    @model_validator(mode="after")
    def _check(self) -> MailboxOptions:
        if self.tls == "none" and not is_loopback_host(self.host):
            raise PydanticCustomError(
                "password_in_clear", "tls: none would send the password unencrypted; write implicit or starttls"
            )
        if bool(self.move_to) != (self.after == "move"):
            raise PydanticCustomError("move_to", "after: move and move_to go together, e.g. move_to: Archive")
        if self.move_to and self.move_to == self.mailbox:
            raise PydanticCustomError("move_to", "move_to is the mailbox itself; name another one")
        return self

    @property
    def place(self) -> str:
        """The mailbox as an address (RFC 5092), without the user."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port is not None else ""
        return f"imap://{host}{port}/{quote(self.mailbox)}"

    @property
    def account(self) -> ImapAccount:
        """Where to connect, and how."""
        return ImapAccount(
            host=self.host,
            port=self.port or _PORTS[self.tls],
            tls=self.tls,
            username=self.username,
            password=self.password,
            mailbox=self.mailbox,
            timeout=self.timeout,
            allow_private=self.allow_private,
            ca_file=self.ca_file,
        )


@dataclass(slots=True)
class _Batch:
    """What a visit has read so far. All messages up to `uid` are dealt with; `reading` is the one in progress.

    `old` counts messages that came too early to be new; `left`: there are more to read.
    """

    uid: int
    articles: list[Article] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    reading: int = 0
    size: int = 0
    old: int = 0
    left: bool = False

    @property
    def has_something(self) -> bool:
        """Whether anything is to be committed."""
        return bool(self.articles or self.known or self.failures)


class Mailbox:
    """One mailbox. Nothing is opened before the first visit, and nothing stays open between visits."""

    shared = True

    def __init__(
        self,
        name: str,
        options: MailboxOptions,
        parser: Parser,
        visit_seconds: float,
        messages_max: int = MESSAGES_PER_VISIT,
        found_max: int = FOUND_MAX,
    ) -> None:
        self.name = name
        self.every = options.every
        self._options = options
        self._account = options.account
        self.host = f"{options.host}:{self._account.port}" if is_loopback_host(options.host) else options.host
        self._parser = parser
        self._visit_seconds = visit_seconds
        self._messages_max = messages_max
        self._found_max = found_max

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """One session: mark what the last visit brought and COMMIT has stored, then read what is new, oldest first."""
        deadline = asyncio.get_running_loop().time() + self._visit_seconds
        stored = from_fields(MailboxMemory, memory)
        session = ImapSession(self._account, message_bytes=self._options.max_bytes, found_max=self._found_max)
        try:
            async with asyncio.timeout(self._visit_seconds + 3 * self._options.timeout.total_seconds()):
                return await self._visit(session, stored, now, deadline)
        except FetchError as error:
            return Visit("failed", reason=error.reason, detail=error.detail)
        except TimeoutError:
            return Visit("failed", reason="timeout", detail="the server is too slow to read anything from it")
        finally:
            await session.close()

    async def rest(self) -> None:
        """Sleep for `every`. Mailboxes are visited when they are due, so nothing is awaited here."""
        await asyncio.sleep(self.every.total_seconds())

    async def close(self) -> None:
        """Nothing stays open between visits."""

    async def _visit(self, session: ImapSession, stored: MailboxMemory, now: datetime, deadline: float) -> Visit:
        options = self._options
        selected = await session.open(read_only=options.after == "keep")
        memory = stored.opened(f"{options.username} {options.place}", selected, options.on_new, now)
        is_first = memory.validity != stored.validity or memory.place != stored.place
        memory, failures = await self._mark(session, memory)
        batch = _Batch(memory.uid, failures=failures)
        new = await session.new_messages(memory)
        try:
            await self._read(session, new, memory, batch, now, deadline)
        except FetchError as error:
            memory = memory.after_failure(batch.reading)
            if memory.tries >= TRIES:
                batch.failures.append(Failure(f"message {batch.reading}", error.reason, error.detail))
                batch.uid = batch.reading
            elif not batch.has_something:
                detail = f"message {batch.reading}: {error.detail}"
                return Visit("failed", reason=error.reason, detail=detail, memory=memory.changes_since(stored))
            batch.left = True
        uid = batch.uid if new.uids else max(memory.uid, memory.first)
        memory = memory.after_reading(uid, batch.marks if options.after != "keep" else (), now)
        older = selected.messages - len(new.uids) + batch.old if is_first and memory.first else 0
        notes = (
            f"{older:,} older {'message' if older == 1 else 'messages'} left out (on_new)" if older > 0 else "",
            f"messages cannot be marked: {memory.mark_problem}" if memory.mark_problem else "",
        )
        to_mark = bool(memory.unmarked) and not memory.mark_problem
        why = "for more messages are waiting" if batch.left else "to mark the messages that were read"
        return Visit(
            "read" if batch.has_something or is_first else "unchanged",
            tuple(batch.articles),
            known=tuple(batch.known),
            memory=memory.changes_since(stored),
            detail="; ".join(filter(None, notes)),
            interval=Interval(every=_SOON, why=why) if batch.left or to_mark else AS_CONFIGURED,
            failures=tuple(batch.failures),
            more=batch.left or to_mark,
            size=batch.size,
        )

    async def _mark(self, session: ImapSession, memory: MailboxMemory) -> tuple[MailboxMemory, list[Failure]]:
        """Mark the messages whose articles are committed; a problem is a Failure once, until it is another one."""
        if not memory.unmarked or self._options.after == "keep":
            return replace(memory, unmarked="", mark_problem=""), []
        problem = await session.mark(memory.unmarked, self._options.after, self._options.move_to)
        if not problem:
            return replace(memory, unmarked="", mark_problem=""), []
        reason = "not_moved" if self._options.after == "move" else "not_marked"
        is_news = problem != memory.mark_problem
        failures = [Failure(f"messages {memory.unmarked}"[:100], reason, problem)] if is_news else []
        return replace(memory, mark_problem=problem), failures

    async def _read(
        self,
        session: ImapSession,
        new: NewMessages,
        memory: MailboxMemory,
        batch: _Batch,
        now: datetime,
        deadline: float,
    ) -> None:
        """Read messages into the batch until the visit is long enough. Raises FetchError."""
        loop = asyncio.get_running_loop()
        for uid in new.uids[: self._messages_max]:
            if batch.uid != memory.uid and loop.time() > deadline:
                break
            batch.reading = uid
            message = await session.message(uid)
            if message is not None and memory.is_old(uid, message.came):
                batch.old += 1
            elif message is not None:
                await self._read_message(message, uid, memory, batch, now)
            batch.uid = uid
        batch.left = not new.complete or (bool(new.uids) and batch.uid < new.uids[-1])

    async def _read_message(
        self, message: FetchedMessage, uid: int, memory: MailboxMemory, batch: _Batch, now: datetime
    ) -> None:
        """One message becomes an article, is known to be old, or is a Failure; then it stays unmarked."""
        item = f"message {uid}"
        batch.size += len(message.data)
        try:
            reading = await self._parser.run(
                read_document, f"{item}.eml", message.data, now=now, source=self.name, lang=self._options.lang
            )
        except FetchError as error:
            batch.failures.append(Failure(item, error.reason, error.detail))
            return
        batch.failures += [replace(failure, item=item) for failure in reading.failures]
        if message.size > len(message.data):
            detail = f"only the first {len(message.data):,} of {message.size:,} bytes are read (max_bytes)"
            batch.failures.append(Failure(item, "cut", detail))
        for article in reading.articles:
            if memory.is_old(uid, article.published):
                batch.known.append(article.id)
            else:
                batch.articles.append(article)
                batch.marks.append(uid)


def build(name: str, options: MailboxOptions, context: SourceContext) -> Mailbox:
    """A mailbox source; nothing is opened before the first visit."""
    return Mailbox(name, options, context.parser, context.visit_seconds)


KIND = SourceKind("mailbox", MailboxOptions, build)
