"""The page Digests, and messages as people read them: each of their forms, with its exact text."""

from __future__ import annotations

import base64
import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from watchpost.model import Hit, Message
from watchpost.notify.story_links import without_keys
from watchpost.operations.previews import Preview, version_of
from watchpost.store.history import SentMessage

LISTED = 20  # messages of a digest; the first is shown, the others are linked
SHOWN_CHARACTERS = 12_000  # of one form; the whole text has an address of its own


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What one group is sent next: its schedule in words, when (None: with the next hit), and how many hits wait."""

    id: str
    receiver: str
    schedule: str
    next: datetime | None
    waiting: int
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageForm:
    """One form of a message. `key` is part of its address; `markup`: it is HTML and shown as such."""

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


def page_of_digests(upcoming: Sequence[Upcoming], sent: Sequence[SentMessage]) -> dict[str, Any]:
    """What the list shows: what comes next, and what was delivered."""
    return {"active": "digests", "upcoming": upcoming, "sent": batches(sent)}


def page_of_upcoming(
    upcoming: Upcoming, previews: Sequence[Preview], now: datetime, *, may_act: bool
) -> dict[str, Any]:
    """What the page of one upcoming digest shows."""
    messages = [visible(message, may_act=may_act) for preview in previews for message in preview.messages]
    return {
        "active": "digests",
        "upcoming": upcoming,
        "title": messages[0].subject if messages else f"Nothing to send to {upcoming.receiver} now",
        "previews": previews,
        "messages": shown(messages, f"/editions/{upcoming.id}"),
        "seen": version_of(previews),
        "made": now,
    }


def batches(sent: Sequence[SentMessage]) -> list[tuple[SentMessage, int]]:
    """Delivered messages, the newest first: the last of each digest and receiver, and how many there were."""
    found: list[tuple[SentMessage, int]] = []
    for one in sent:
        last, count = found[-1] if found else (None, 0)
        if last is not None and one.digest and (last.digest, last.receiver) == (one.digest, one.receiver):
            found[-1] = last, count + 1
        else:
            found.append((one, 1))
    return found


def shown(messages: Sequence[Message], place: str) -> dict[str, Any]:
    """Messages for the template: the first with its texts, the others with links. `place` is the address above them.

    Of the first, `plain` are the forms for people, `coded` the others.
    """
    listed = [(message, forms_of(message), f"{place}/{number}") for number, message in enumerate(messages[:LISTED], 1)]
    first = [form for form in (listed[0][1] if listed else ()) if form.key != "source"]
    plain = [form for form in first if form.markup or form.key == "text"] or first
    return {
        "first": listed[0] if listed else None,
        "plain": plain,
        "coded": [form for form in first if form not in plain],
        "others": listed[1:],
        "count": len(messages),
        "unlisted": len(messages) - len(listed),
    }


def forms_of(message: Message) -> tuple[MessageForm, ...]:
    """Every form of a message, HTML first. Of a mail each part, and its source."""
    found = []
    for name, text in message.renderings.items():
        if name == "mime":
            found += _forms_of_mail(text)
        elif name == "html":
            found.append(MessageForm("html", "HTML", text, markup=True))
        else:
            found.append(MessageForm(name, {"text": "plain text", "json": "JSON"}.get(name, name), text))
    return tuple(sorted(found, key=lambda form: (not form.markup, form.key == "source")))


def visible(message: Message, *, may_act: bool) -> Message:
    """The message as it may be shown: for users who may not act, the links of a mail that act have no key.

    Such a mail has its parts as forms, and no source.
    """
    if may_act or "mime" not in message.renderings:
        return message
    parts = {form.key: form.text for form in _forms_of_mail(message.renderings["mime"]) if form.key != "source"}
    cleaned = {key: without_keys(text) for key, text in parts.items()}
    return message if cleaned == parts else replace(message, renderings=cleaned)


def form_of(message: Message, key: str) -> MessageForm | None:
    """The form with this key."""
    return next((form for form in forms_of(message) if form.key == key), None)


def _forms_of_mail(mime: str) -> list[MessageForm]:
    found = []
    mail = email.message_from_string(mime, policy=email.policy.default)
    pictures = {
        f"cid:{part['Content-ID'].strip('<> ')}": part.get_content() for part in mail.walk() if part["Content-ID"]
    }
    for subtype, key, title in (("html", "html", "HTML"), ("plain", "text", "plain text")):
        part = mail.get_body((subtype,)) if isinstance(mail, EmailMessage) else None
        if part is not None:
            text, markup = str(part.get_content()), subtype == "html"
            found.append(MessageForm(key, title, _with_pictures(text, pictures) if markup else text, markup=markup))
    return [*found, MessageForm("source", "source of the mail, without its Message-ID", mime)]


def _with_pictures(page: str, pictures: Mapping[str, bytes]) -> str:
    """A mail's HTML with its PNG pictures in it: a browser cannot see the other parts of the mail."""
    for name, png in pictures.items():
        page = page.replace(name, f"data:image/png;base64,{base64.b64encode(png).decode()}")
    return page
