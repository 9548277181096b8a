"""Pure: the buttons below a story in a Slack message, and the line that says what is done with it.

Source: docs.slack.dev/reference/block-kit/blocks/actions-block and /block-elements/button-element.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchpost.notify.render.i18n import translation
from watchpost.notify.render.sanitize import clean

BUTTONS, STATE, ACTION = "watchpost buttons ", "watchpost state ", "watchpost "
"""Begin the `block_id` of a row of buttons and of the line above it, before the story, and an `action_id`."""

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ButtonState:
    """What is done with a story: by whom, "" for nobody. `verdict` is True or False for relevant or not."""

    acknowledged: str = ""
    claimed: str = ""
    muted: str = ""
    judged: str = ""
    verdict: bool | None = None


def buttons(story: str, language: str, state: ButtonState = ButtonState()) -> list[Block]:
    """The blocks below a story: what is done with it, if anything, and a button for each action."""
    tr = translation(language)
    choices = (
        ("reopen", tr.gettext("Undo acknowledgement"))
        if state.acknowledged
        else ("acknowledge", tr.gettext("Acknowledge")),
        ("release", tr.gettext("Undo claim")) if state.claimed else ("claim", tr.gettext("Claim")),
        ("unmute", tr.gettext("Unmute")) if state.muted else ("mute", tr.gettext("Mute")),
        ("no-verdict", tr.gettext("Undo verdict"))
        if state.verdict is not None
        else ("not-relevant", tr.gettext("Not relevant")),
    )
    elements = [
        {"type": "button", "action_id": f"{ACTION}{action}", "value": story, "text": _plain(words)}
        for action, words in choices
    ]
    row: Block = {"type": "actions", "block_id": f"{BUTTONS}{story}", "elements": elements}
    done = _in_words(language, state)
    return [{"type": "context", "block_id": f"{STATE}{story}", "elements": [_plain(done)]}, row] if done else [row]


def _in_words(language: str, state: ButtonState) -> str:
    tr = translation(language)
    parts = (
        tr.gettext("acknowledged by {name}", name=state.acknowledged) if state.acknowledged else "",
        tr.gettext("claimed by {name}", name=state.claimed) if state.claimed else "",
        tr.gettext("muted by {name}", name=state.muted) if state.muted else "",
        ""
        if state.verdict is None
        else tr.gettext("relevant, says {name}", name=state.judged)
        if state.verdict
        else tr.gettext("not relevant, says {name}", name=state.judged),
    )
    return clean(" · ".join(part for part in parts if part), 900)


def check_buttons(block: Block) -> Iterable[str]:
    """What Slack would refuse in a row of buttons (docs.slack.dev/reference/block-kit/blocks/actions-block)."""
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25 or len(str(block.get("block_id", ""))) > 255:
        yield "actions"
        return
    if len({element.get("action_id") for element in elements}) != len(elements):
        yield "two buttons of one action"
    for element in elements:
        match element:
            case {"type": "button", "value": str(value), "text": {"type": "plain_text", "text": str(text)}}:
                if not 0 < len(text) <= 75 or not 0 < len(value) <= 2000:
                    yield f"button {text!r}"
            case _:
                yield f"element {element}"


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
