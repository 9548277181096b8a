"""The configured mailboxes: whether each can be opened. Nothing is read or marked."""

from __future__ import annotations

import asyncio

from watchpost.config.config import SourceConfig
from watchpost.errors import FetchError
from watchpost.operations.doctor.finding import Finding
from watchpost.operations.doctor.servers import ANSWER_SECONDS
from watchpost.operations.feeds.cures import cure_of
from watchpost.poll.imap import ImapSession
from watchpost.poll.sources.mailbox import FOUND_MAX, MailboxOptions

_OUTSIDE = frozenset({"dns", "refused", "timeout", "unreachable", "server_error"})


async def open_mailbox(part: SourceConfig, patience: float = ANSWER_SECONDS) -> Finding:
    """Whether the server of a mailbox answers, accepts the login, and opens the mailbox."""
    options = part.options
    assert isinstance(options, MailboxOptions)  # noqa: S101 - the caller chose it by its kind
    subject, place = f"mailbox {part.name}", options.place
    if options.password.is_absent:
        return Finding(subject, "ok", f"{place}: not tried, because its password is not set here")
    session = ImapSession(options.account, message_bytes=options.max_bytes, found_max=FOUND_MAX)
    try:
        async with asyncio.timeout(patience):
            selected = await session.open(read_only=options.after == "keep")
    except FetchError as error:
        cure = cure_of(error.reason, error.detail)
        return Finding(subject, "fail", f"{place}: {error.detail}", cure, outside=error.reason in _OUTSIDE)
    except TimeoutError:
        return Finding(subject, "fail", f"{place}: no answer in time", cure_of("timeout", ""), outside=True)
    finally:
        await session.close()
    return Finding(subject, "ok", f"{place} can be opened: {selected.messages:,} messages")
