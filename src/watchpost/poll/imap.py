"""A session with an IMAP server (RFC 9051, RFC 3501) by IMAPClient, in threads, over a guarded connection."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any, Literal, ParamSpec, TypeVar

from watchpost.config.fields import Network, Secret
from watchpost.errors import FetchError
from watchpost.net import connect, network_failure
from watchpost.poll.mailbox_memory import MailboxMemory, Selected

P = ParamSpec("P")
T = TypeVar("T")

Tls = Literal["implicit", "starttls", "none"]
After = Literal["keep", "seen", "flag", "move"]

_AT_ONCE = 32
_LOGOUT_SECONDS = 2.0  # the visit is over: its outcome is known
_SLACK_BYTES = 100_000  # of an answer, besides the message in it


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """Where a mailbox is, and how to log in. `timeout` is for each answer of the server."""

    host: str
    port: int
    tls: Tls
    username: str
    password: Secret
    mailbox: str
    timeout: timedelta
    allow_private: Sequence[Network] = ()
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class FetchedMessage:
    """The beginning of a message, as many bytes as were asked for; its whole `size`, and when it came."""

    data: bytes
    size: int
    came: datetime | None


@dataclass(frozen=True, slots=True)
class NewMessages:
    """The UIDs of messages that are not dealt with, in rising order. Unless `complete`, more may follow them."""

    uids: tuple[int, ...]
    complete: bool


class ImapSession:
    """One session: `open` first, `close` last. Each method raises FetchError; nothing is tried twice.

    `message_bytes`: so much is read of a message. `found_max`: of a larger mailbox so many UIDs are searched at once.
    """

    def __init__(self, account: ImapAccount, *, message_bytes: int, found_max: int) -> None:
        self._account = account
        self._message_bytes = message_bytes
        self._found_max = found_max
        self._socket: socket | None = None
        self._client: Any = None  # an IMAPClient, which ships no types
        self._selected = Selected(0, 1, 0)

    async def open(self, *, read_only: bool) -> Selected:
        """Connect, log in, and open the mailbox. Nothing is marked as seen by reading. Raises SecretAbsent, too."""
        account, password = self._account, self._account.password.reveal()
        try:
            async with asyncio.timeout(account.timeout.total_seconds()):
                connection = await connect(account.host, account.port, allow_private=account.allow_private)
        except (OSError, TimeoutError) as error:
            raise _network_error(error) from None
        self._socket = connection
        connection.settimeout(account.timeout.total_seconds())
        await self._run(self._log_in, connection, password)
        self._selected = await self._run(self._select, read_only)
        return self._selected

    async def new_messages(self, memory: MailboxMemory) -> NewMessages:
        """The messages that are not dealt with; old ones are left out where the server can tell."""
        return await self._run(self._new_messages, memory)

    async def message(self, uid: int) -> FetchedMessage | None:
        """A message, up to the limit of its bytes; None if it is gone."""
        return await self._run(self._message, uid)

    async def mark(self, sequence: str, after: After, move_to: str) -> str:
        """Mark or move these messages; those that are gone do no harm. Returns why the server refuses, "" if not."""
        return await self._run(self._mark, sequence, after, move_to)

    async def close(self) -> None:
        """Log out, and close the connection, whatever happens."""
        if self._client is not None and self._socket is not None:
            self._socket.settimeout(_LOGOUT_SECONDS)
            with suppress(FetchError):
                await self._run(self._client.logout)
        if self._socket is not None:
            self._socket.close()

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work` in a thread. If it is cancelled, the connection is cut, so that the thread ends."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(_threads(), lambda: work(*args, **kwargs))
        except asyncio.CancelledError:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(SHUT_RDWR)
            raise
        except FetchError:
            raise
        except Exception as error:  # a strange answer makes the library raise anything
            raise _as_fetch_error(error) from None

    def _log_in(self, connection: socket, password: str) -> None:
        account = self._account
        context = ssl.create_default_context(cafile=account.ca_file) if account.tls != "none" else None
        if account.tls == "implicit" and context is not None:
            connection = self._socket = context.wrap_socket(connection, server_hostname=account.host)
        client = self._client = _client(account.host, connection, self._message_bytes + _SLACK_BYTES)
        if account.tls == "starttls":
            if not client.has_capability("STARTTLS"):
                raise FetchError("tls", "the server offers no STARTTLS; nothing was sent")
            client.starttls(context)
            self._socket = client.socket()
        with _refusals("auth", "the server refuses the login"):
            if client.has_capability("AUTH=PLAIN"):  # it takes any characters; LOGIN has ASCII only
                client.plain_login(account.username, password)
            elif client.has_capability("LOGINDISABLED"):
                raise FetchError("auth", "the server allows no login with a password on this connection")
            else:
                client.login(account.username, password)

    def _select(self, read_only: bool) -> Selected:
        with _refusals("no_mailbox", f"the mailbox {self._account.mailbox} cannot be opened"):
            answer = self._client.select_folder(self._account.mailbox, readonly=read_only)
        if not read_only and b"READ-ONLY" in answer:
            raise FetchError("no_mailbox", f"the mailbox {self._account.mailbox} can be read only; write after: keep")
        messages = int(answer.get(b"EXISTS", 0))
        next_uid = int(answer.get(b"UIDNEXT", 0))
        if not next_uid:  # optional in RFC 3501
            next_uid = max(self._client.search(["UID", "*"]), default=0) + 1 if messages else 1
        return Selected(int(answer.get(b"UIDVALIDITY", 0)), next_uid, messages)

    def _new_messages(self, memory: MailboxMemory) -> NewMessages:
        last, found = self._selected.next_uid - 1, NewMessages((), complete=True)
        if memory.uid < memory.first and memory.since is not None:
            day = (memory.since - timedelta(days=1)).date()  # SINCE compares days, in the server's time zone
            found = self._search(memory.uid + 1, memory.first, ["SINCE", day])
        if found.uids:
            return NewMessages(found.uids, complete=found.complete and memory.first >= last)
        return self._search(max(memory.uid, memory.first) + 1, last, [])

    def _search(self, low: int, high: int, criteria: Sequence[object]) -> NewMessages:
        """The UIDs from `low` to `high`; of a huge mailbox those of the first part that has any."""
        if self._selected.messages == 0 or low > high:
            return NewMessages((), complete=True)
        step = high - low + 1 if self._selected.messages <= self._found_max else self._found_max
        for start in range(low, high + 1, step):
            end = min(start + step - 1, high)
            if found := self._client.search(["UID", f"{start}:{end}", *criteria]):
                return NewMessages(tuple(sorted(int(uid) for uid in found)), complete=end == high)
        return NewMessages((), complete=True)

    def _message(self, uid: int) -> FetchedMessage | None:
        wanted = ["RFC822.SIZE", "INTERNALDATE", f"BODY.PEEK[]<0.{self._message_bytes}>"]
        answer = self._client.fetch([uid], wanted).get(uid, {})
        bodies = (value for key, value in answer.items() if key.startswith(b"BODY["))
        body = next(bodies, None)
        if not isinstance(body, bytes):
            if self._client.search(["UID", str(uid)]):  # it is there: were it passed over, it would be lost
                raise FetchError("server_error", "the server sends nothing of this message")
            return None
        return FetchedMessage(body, int(answer.get(b"RFC822.SIZE", len(body))), _moment(answer.get(b"INTERNALDATE")))

    def _mark(self, sequence: str, after: After, move_to: str) -> str:
        try:
            if after == "seen":
                self._client.add_flags(sequence, [rb"\Seen"], silent=True)
            elif after == "flag":
                self._client.add_flags(sequence, [rb"\Flagged"], silent=True)
            elif after == "move" and not self._client.has_capability("MOVE"):
                return "the server cannot move messages (RFC 6851); write after: seen, or after: flag"
            elif after == "move":
                if not self._client.folder_exists(move_to):
                    self._client.create_folder(move_to)
                self._client.move(sequence, move_to)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            return _words(error)
        return ""


def _client(host: str, connection: socket, answer_bytes: int) -> Any:
    """An IMAPClient on this connection, which reads no more than `answer_bytes` at once."""
    import imapclient  # loaded only where a mailbox is configured

    class Wire(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None = None) -> socket:
            return connection

        def read(self, size: int) -> bytes:
            if size > answer_bytes:
                raise self.abort(f"the server sends {size:,} bytes where {answer_bytes:,} may come")
            return super().read(size)

    class Client(imapclient.IMAPClient):  # type: ignore[misc]  # it ships no types
        def _create_IMAP4(self) -> Wire:  # noqa: N802  # IMAPClient's name
            return Wire(host)

    client = Client(host, ssl=False, timeout=connection.gettimeout())
    client.normalise_times = False
    client._imap.debug = 0  # noqa: SLF001 - it would keep every line of the session, the password among them
    return client


@contextmanager
def _refusals(reason: str, problem: str) -> Iterator[None]:
    """What the server refuses becomes a FetchError of this reason."""
    try:
        yield
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise FetchError(reason, f"{problem}: {_words(error)}") from None


def _words(error: Exception) -> str:
    """What the server said, on one line."""
    first = error.args[0] if error.args else ""
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())[:300] or "it gives no reason"


def _as_fetch_error(error: Exception) -> FetchError:
    if isinstance(error, OSError):
        return _network_error(error)
    if isinstance(error, imaplib.IMAP4.abort):
        if "may come" in str(error):
            return FetchError("too_large", _words(error))
        return FetchError("unreachable", f"the session broke off: {_words(error)}")
    if isinstance(error, imaplib.IMAP4.error):
        return FetchError("server_error", f"the server refuses: {_words(error)}")
    return FetchError("unreachable", f"the answer is not valid IMAP ({type(error).__name__})")


def _network_error(error: Exception) -> FetchError:
    failure = network_failure(error)
    return FetchError("unreachable" if failure.kind == "other" else failure.kind, failure.problem)


def _moment(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else None


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads of their own, so that servers that hang do not delay what else asyncio runs in threads."""
    return ThreadPoolExecutor(_AT_ONCE, "imap")
