"""Pure: how much each chat takes, and the check of a payload before it is stored.

The sizes are somewhat below those that the vendors document, for some of them count differently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["bytes", "utf16", "points"]
_MEASURES: Mapping[Unit, Callable[[str], int]] = {
    "bytes": lambda text: len(text.encode()),
    "utf16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "points": len,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """One chat's. `size` is that of one message, in `unit`; the other lengths are in code points.

    A digest is at most `messages` messages of at most `stories` stories each; `highlights` is how many words of a
    snippet are bold.
    """

    unit: Unit
    size: int
    messages: int
    stories: int
    title: int = 150
    quote: int = 240
    url: int = 1000
    highlights: int = 10

    def measure(self, text: str) -> int:
        """The length of the text as the chat counts it."""
        return _MEASURES[self.unit](text)


# docs.slack.dev/reference/block-kit/blocks; the sum of the blocks: slackapi/bolt-js#2509.
SLACK = Limits("bytes", 11_000, messages=3, stories=12)
# discord.com/developers/docs/resources/message#embed-object: 6000 over all embeds, 10 embeds (one is for the end).
DISCORD = Limits("utf16", 5_800, messages=3, stories=9)
DISCORD_CONTENT, DISCORD_TITLE, DISCORD_TEXT = 2000, 256, 4096
# learn.microsoft.com, "Create incoming webhooks": about 28 KB a message.
TEAMS = Limits("bytes", 26_000, messages=3, stories=20)
# Mattermost's server: a post has 16,383 characters.
MATTERMOST = Limits("points", 16_000, messages=3, stories=30)
# docs.ntfy.sh/publish: 4096 bytes, more becomes an attachment; since 2.28 also a title of 1 KB and tags of 512 bytes.
NTFY = Limits("bytes", 4_000, messages=1, stories=12, quote=160, url=300)
NTFY_TITLE, NTFY_TAGS = 1000, 500
# The service behind an Apprise address has its own limit; this is the most that a short text should have.
APPRISE = Limits("points", 4_000, messages=1, stories=12, quote=160, url=300)


class UnfitError(ValueError):
    """A payload that the chat would refuse, or that would notify people in it."""


def checked(payload: str, validate: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> str:
    """The payload (JSON) itself. Raises UnfitError with the first problem that `validate` returns."""
    for problem in validate(json.loads(payload)):
        raise UnfitError(problem)
    return payload
