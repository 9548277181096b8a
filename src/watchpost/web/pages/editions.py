"""Still: the page Editions: what was sent, and what comes next, to whom and when."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.model import Hit, Message
from watchpost.wire.records import Sent


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A group of one receiver: its schedule in words, when it is told next (None: nothing is due), what is parked."""

    receiver: str
    schedule: str
    next: datetime | None
    parked: int
    hits: tuple[Hit, ...] = ()


def view(upcoming: Sequence[Upcoming], sent: Sequence[Sent]) -> dict[str, Any]:
    """What the template shows."""
    return {"active": "editions", "upcoming": upcoming, "sent": sent}


def one(receiver: str, message: Message | None, facts: Sequence[tuple[str, str]], title: str) -> dict[str, Any]:
    """One message as it was, or will be, sent."""
    return {
        "active": "editions",
        "title": title,
        "receiver": receiver,
        "message": message,
        "facts": facts,
        "editions": [] if message is None else _readable(message),
    }


def _readable(message: Message) -> list[tuple[str, str]]:
    """The message's editions as a person can read them; of a mail its plain text."""
    found = []
    for name, text in message.editions.items():
        if name == "mime":
            found.append(("mail, plain text", _plain(text)))
        elif name != "html":
            found.append((name, text))
    return found


def _plain(mime: str) -> str:
    part = email.message_from_string(mime, policy=email.policy.default).get_body(("plain",))
    return str(part.get_content()) if part is not None else mime
