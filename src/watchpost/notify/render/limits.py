"""Pure: how much each chat takes, and the last check of a payload before it is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

# how much each target takes, in one table. Somewhat below what its makers say: some count otherwise.


Unit = Literal["bytes", "utf16", "points"]


@dataclass(frozen=True, slots=True)
class Limits:
    """One target's. `size` is for one message, counted in `unit` by `measure`; the other lengths are code points.

    An edition is at most `messages` messages of at most `stories` stories; `highlights` is how many words of a
    quotation may stand out.
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
        """How long the target says that the text is."""
        return _MEASURES[self.unit](text)


_MEASURES: Mapping[Unit, Callable[[str], int]] = MappingProxyType(
    {
        "bytes": lambda text: len(text.encode()),
        "utf16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
        "points": len,
    }
)

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
# What is behind an Apprise address says itself how much it takes; this is the most that a short text should be.
APPRISE = Limits("points", 4_000, messages=1, stories=12, quote=160, url=300)


# the last look at a payload before it is frozen.


class UnfitError(ValueError):
    """A payload that its target would refuse, or that would do there what nobody meant."""


def fit(payload: str, validate: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> str:
    """The payload (JSON) itself. Raises UnfitError with the first thing that `validate` finds."""
    for problem in validate(json.loads(payload)):
        raise UnfitError(problem)
    return payload
