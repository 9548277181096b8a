"""Still: what a group would be sent now, and a message as people can read it: each of its editions, the exact text."""

from __future__ import annotations

import base64
import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from watchpost.model import Message
from watchpost.web.pages.editions import Upcoming

LISTED = 20  # messages of an edition; the first is shown, the others are linked
SHOWN_CHARACTERS = 12_000  # of one edition: the whole text has an address of its own


@dataclass(frozen=True, slots=True)
class Ranked:
    """A story of the edition, and why it stands where it stands."""

    title: str
    severity: str
    reckoning: str


@dataclass(frozen=True, slots=True)
class Preview:
    """One edition as it would be sent now: what `watchpost digest preview` shows.

    `turn` is another one as soon as the window was closed by somebody. No `messages`: nothing would be sent. `kept`
    says in sentences which hits are not told, and why; `held`: these are hits that an earlier edition kept back.
    """

    turn: str
    parked: int
    messages: tuple[Message, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    kept: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True)
class Face:
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


def faces(message: Message) -> tuple[Face, ...]:
    """Every edition of a message, HTML first. A mail is taken apart, and shown as it is on the wire as well."""
    found = []
    for name, text in message.editions.items():
        if name == "mime":
            found += _of_mail(text)
        elif name == "html":
            found.append(Face("html", "HTML", text, markup=True))
        else:
            found.append(Face(name, {"text": "plain text", "json": "JSON"}.get(name, name), text))
    return tuple(sorted(found, key=lambda face: (not face.markup, face.key == "source")))


def face_of(message: Message, key: str) -> Face | None:
    """The text of that key."""
    return next((face for face in faces(message) if face.key == key), None)


def seen(previews: Sequence[Preview]) -> str:
    """What somebody saw who saw these: another text as soon as a window was closed since."""
    return ".".join(f"{preview.turn}{'h' if preview.held else ''}" for preview in previews)


def view(coming: Upcoming, previews: Sequence[Preview], now: datetime) -> dict[str, Any]:
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
    listed = [(message, faces(message), f"{place}/{number}") for number, message in enumerate(messages[:LISTED], 1)]
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


def _of_mail(mime: str) -> list[Face]:
    found = []
    parsed = email.message_from_string(mime, policy=email.policy.default)
    pictures = {
        f"cid:{part['Content-ID'].strip('<> ')}": part.get_content() for part in parsed.walk() if part["Content-ID"]
    }
    for kind, face in (("html", ("html", "HTML")), ("plain", ("text", "plain text"))):
        part = parsed.get_body((kind,)) if isinstance(parsed, EmailMessage) else None
        if part is not None:
            text = str(part.get_content())
            found.append(Face(*face, _with_pictures(text, pictures) if kind == "html" else text, markup=kind == "html"))
    return [*found, Face("source", "the mail as it goes out, but for its Message-ID", mime)]


def _with_pictures(page: str, pictures: Mapping[str, bytes]) -> str:
    """A mail's page with its PNG pictures in it, for a browser finds no parts of a mail."""
    for name, png in pictures.items():
        page = page.replace(name, f"data:image/png;base64,{base64.b64encode(png).decode()}")
    return page
