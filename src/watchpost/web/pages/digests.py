"""What a group would be sent now, and a message as people can read it: each of its editions, the exact text."""

from __future__ import annotations

import base64
import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from watchpost.model import Hit, Message
from watchpost.operations.previews import Preview, seen
from watchpost.store.history import SentMessage

# the page Editions: what was sent, and what comes next, to whom and when.


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A group of one receiver: its schedule in words, when it is told next (None: nothing is due), what is parked.

    `id` stands in the address of its page.
    """

    id: str
    receiver: str
    schedule: str
    next: datetime | None
    parked: int
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one digest that arrived at one receiver one after the other: the newest, and how many they are."""

    last: SentMessage
    count: int


def batches(sent: Sequence[SentMessage]) -> list[Batch]:
    """What arrived, the newest first, a line for each digest and receiver."""
    found: list[Batch] = []
    for one in sent:
        before = found[-1].last if found else None
        if before is not None and one.digest and (before.digest, before.receiver) == (one.digest, one.receiver):
            found[-1] = Batch(before, found[-1].count + 1)
        else:
            found.append(Batch(one, 1))
    return found


def page_of_digests(upcoming: Sequence[Upcoming], sent: Sequence[SentMessage]) -> dict[str, Any]:
    """What the template shows."""
    return {"active": "editions", "upcoming": upcoming, "sent": batches(sent)}


LISTED = 20  # messages of an edition; the first is shown, the others are linked
SHOWN_CHARACTERS = 12_000  # of one edition: the whole text has an address of its own


@dataclass(frozen=True, slots=True)
class MessageForm:
    """One text of a message. `key` stands in its address; `markup`: it is HTML and shown as such."""

    key: str
    title: str
    text: str
    markup: bool = False

    @property
    def beginning(self) -> str:
        """As much of it as a page shows."""
        return self.text[:SHOWN_CHARACTERS]

    @property
    def beyond(self) -> int:
        """How many characters a page does not show."""
        return max(0, len(self.text) - SHOWN_CHARACTERS)


def forms_of(message: Message) -> tuple[MessageForm, ...]:
    """Every edition of a message, HTML first. A mail is taken apart, and shown as it is on the wire as well."""
    found = []
    for name, text in message.renderings.items():
        if name == "mime":
            found += _of_mail(text)
        elif name == "html":
            found.append(MessageForm("html", "HTML", text, markup=True))
        else:
            found.append(MessageForm(name, {"text": "plain text", "json": "JSON"}.get(name, name), text))
    return tuple(sorted(found, key=lambda face: (not face.markup, face.key == "source")))


def form_of(message: Message, key: str) -> MessageForm | None:
    """The text of that key."""
    return next((face for face in forms_of(message) if face.key == key), None)


def page_of_coming_digest(coming: Upcoming, previews: Sequence[Preview], now: datetime) -> dict[str, Any]:
    """What the page of a coming edition shows."""
    messages = [message for preview in previews for message in preview.messages]
    return {
        "active": "editions",
        "coming": coming,
        "title": messages[0].subject if messages else f"Nothing to send to {coming.receiver} now",
        "previews": previews,
        "messages": shown(messages, f"/editions/{coming.id}"),
        "seen": seen(previews),
        "made": now,
    }


def shown(messages: Sequence[Message], place: str) -> dict[str, Any]:
    """The messages as the template takes them: the first with its texts, of the others where each text is found.

    `place` is the address below which they are. Of the first, `plain` are the texts for people, `coded` the others.
    """
    listed = [(message, forms_of(message), f"{place}/{number}") for number, message in enumerate(messages[:LISTED], 1)]
    first = [face for face in (listed[0][1] if listed else ()) if face.key != "source"]
    plain = [face for face in first if face.markup or face.key == "text"] or first
    return {
        "first": listed[0] if listed else None,
        "plain": plain,
        "coded": [face for face in first if face not in plain],
        "others": listed[1:],
        "count": len(messages),
        "unlisted": len(messages) - len(listed),
    }


def _of_mail(mime: str) -> list[MessageForm]:
    found = []
    parsed = email.message_from_string(mime, policy=email.policy.default)
    pictures = {
        f"cid:{part['Content-ID'].strip('<> ')}": part.get_content() for part in parsed.walk() if part["Content-ID"]
    }
    for kind, face in (("html", ("html", "HTML")), ("plain", ("text", "plain text"))):
        part = parsed.get_body((kind,)) if isinstance(parsed, EmailMessage) else None
        if part is not None:
            text = str(part.get_content())
            found.append(
                MessageForm(*face, _with_pictures(text, pictures) if kind == "html" else text, markup=kind == "html")
            )
    return [*found, MessageForm("source", "the mail as it goes out, but for its Message-ID", mime)]


def _with_pictures(page: str, pictures: Mapping[str, bytes]) -> str:
    """A mail's page with its PNG pictures in it, for a browser finds no parts of a mail."""
    for name, png in pictures.items():
        page = page.replace(name, f"data:image/png;base64,{base64.b64encode(png).decode()}")
    return page
