"""Still: a short text without marks, for telephones and for services of which nothing is known."""

from __future__ import annotations

from dataclasses import dataclass

from watchpost.model import Digest
from watchpost.notify.render import runs, words
from watchpost.notify.render.foreign import cut, link
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.markdown import JOINER
from watchpost.notify.render.packer import pages


@dataclass(frozen=True, slots=True)
class Brief:
    """`click`: where the first story stands, "" if nowhere. `omitted`: how many stories are only counted."""

    title: str
    text: str
    click: str
    omitted: int = 0


def brief(digest: Digest, limits: Limits, title: int = 250) -> Brief:
    """The digest as one message within `limits`: a story takes a few lines, the rest is counted.

    `title` is how long the title may be, in the unit of `limits`.
    """
    shown, found = pages(
        digest,
        limits,
        form=_story,
        cost=lambda text: limits.measure(text) + 2,
        frame=lambda one, number, of: _frame(one, limits),
    )
    parts = [
        *map(quiet, runs.opening(shown, 1)),
        *(story for page in found for story in page),
        quiet(_closing(shown, limits)),
    ]
    click = next((url for story in shown.stories if (url := link(story.lead.url, limits.url))), "")
    text = "\n\n".join(part for part in parts if part) or quiet(words.heading(shown))
    heading = shorten(quiet(words.heading(shown)), limits, title)
    return Brief(heading, shorten(text, limits, limits.size), click, shown.omitted)


def shorten(text: str, limits: Limits, size: int) -> str:
    """The text so that it measures at most `size`."""
    limit = len(text)
    while limit > 0 and limits.measure(found := cut(text, limit)) > size:
        limit = min(limit - 1, limit * size // limits.measure(found))
    return cut(text, limit)


def quiet(text: str) -> str:
    """The text so that no service finds somebody to call in it (`@here`, `<!channel>`)."""
    return text.replace("@", f"@{JOINER}").replace("<!", f"<{JOINER}!")


def _story(told: runs.Told) -> str:
    lines = ["".join(run.text for run in line) for line in told.lines]
    return quiet("\n".join([*lines, *([told.title.url] if told.title.url else [])]))


def _closing(digest: Digest, limits: Limits) -> str:
    return "\n".join("".join(run.url or run.text for run in line) for line in runs.closing(digest, limits))


def _frame(digest: Digest, limits: Limits) -> int:
    return limits.measure("\n\n".join([*runs.opening(digest, 1), _closing(digest, limits)])) + 60
