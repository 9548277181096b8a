"""The door to Microsoft Teams: the address of a workflow that posts cards ("Workflows", template "webhook alerts")."""

from __future__ import annotations

from datetime import timedelta

from watchpost.model import Outcome, TryLater
from watchpost.notify.chat import Chat, ChatOptions, Form
from watchpost.notify.post import Answer
from watchpost.notify.receiver import Kind, Workshop
from watchpost.notify.render import teams
from watchpost.notify.render.limits import TEAMS


class TeamsOptions(ChatOptions):
    """`url`: the workflow's, a secret, for it holds a signature."""


def says(answer: Answer) -> Outcome | None:
    """The older connectors say 200 to what they did not post, and why in the text."""
    text = answer.body[:500].decode("utf-8", "replace")
    if 200 <= answer.status < 300 and "delivery failed with error" in text:
        limited = "429" in text
        return TryLater("rate_limited" if limited else "server_error", f"HTTP {answer.status}, but delivery failed")
    return None


FORM = Form(
    messages=teams.messages,
    plain_payload=teams.plain_payload,
    validate=teams.validate_teams,
    limits=TEAMS,
    says=says,
    pace=timedelta(seconds=0.5),  # above 4 requests a second Teams refuses
)


def _build(name: str, options: TeamsOptions, workshop: Workshop) -> Chat:
    return Chat(name, options, workshop.user_agent, FORM)


KIND = Kind("teams", TeamsOptions, _build)
