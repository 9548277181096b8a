"""The door to Mattermost: incoming webhooks (developers.mattermost.com/integrate/webhooks/incoming)."""

from __future__ import annotations

from datetime import timedelta

from watchpost.model import Outcome, Refused, Unknown
from watchpost.notify.chat import Chat, ChatOptions, Form
from watchpost.notify.post import Answer
from watchpost.notify.receiver import Kind, Workshop
from watchpost.notify.render import mattermost
from watchpost.notify.render.limits import MATTERMOST


class MattermostOptions(ChatOptions):
    """`url`: the incoming webhook's, a secret."""


def says(answer: Answer) -> Outcome | None:
    """Only the text `ok` is a success: a proxy's sign-in page has status 200 too."""
    if not 200 <= answer.status < 300:
        return None
    text = answer.body[:100].decode("utf-8", "replace").strip()
    if text == "ok":
        return None
    if not answer.whole and not text:
        return Unknown("timeout", "the answer broke off", repeatable=False)
    shown = "".join(char for char in text if char.isprintable())
    return Refused("client_error", f"HTTP {answer.status}, but not ok: {shown}")


FORM = Form(
    messages=mattermost.messages,
    plain_payload=mattermost.plain_payload,
    validate=mattermost.validate_mattermost,
    limits=MATTERMOST,
    says=says,
    pace=timedelta(seconds=0.2),
)


def _build(name: str, options: MattermostOptions, workshop: Workshop) -> Chat:
    return Chat(name, options, workshop.user_agent, FORM)


KIND = Kind("mattermost", MattermostOptions, _build)
