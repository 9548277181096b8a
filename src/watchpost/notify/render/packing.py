"""Pure: digests made shorter, and stories packed into messages that fit a chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from watchpost.model import Digest, Snippet, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.rich_text import JOINER, StoryText, closing, opening, story_texts
from watchpost.notify.render.sanitize import cut, link


def limit_stories(digest: Digest, stories: int) -> Digest:
    """The digest with at most so many stories; what is left out is counted as omitted."""
    kept, left = digest.stories[:stories], Counter[str](story.severity for story in digest.stories[stories:])
    omitted = digest.omitted + left.total()
    return replace(digest, stories=kept, omitted=omitted, left_out=Counter(digest.left_out) + left)


# plainer and plainer editions of a digest, for when the proper one cannot be laid out.


def reductions(digest: Digest) -> tuple[Digest, ...]:
    """First without the operator's templates, then headlines and links alone, then only how many stories there are."""
    plain = replace(digest, reduced=True)
    bare = replace(plain, stories=tuple(map(_bare, digest.stories)), unread=())
    return (plain, bare, replace(limit_stories(plain, 0), unread=()))


def _bare(story: Story) -> Story:
    topics = tuple(replace(match, why=()) for match in story.topics)
    return replace(story, topics=topics, snippet=Snippet(""), reports=(story.lead,))


# stories into messages that fit, for every target that has a size.


T = TypeVar("T")


def pack(
    stories: Sequence[Story],
    limits: Limits,
    *,
    lay: Callable[[Story, int, str, bool], T],
    cost: Callable[[T], int],
    room: Callable[[int], int],
) -> list[list[T]]:
    """The stories laid out, in pages that fit, in their order; the caller counts what is left over at the end.

    `lay(story, number, above, brief)` gives one story: `number` from 1, `above` the name of the topic that the story
    before it stands under ("" for a page's first), `brief` for one line. `cost` is its size, `room(page)` what that
    page (from 1) has for stories. One that is too long for any page is laid briefly; a page takes at least one.
    """
    pages: list[list[T]] = [[]]
    left, above = room(1), ""
    for number, story in enumerate(stories, 1):
        one = lay(story, number, above, False)
        if pages[-1] and (cost(one) > left or len(pages[-1]) == limits.stories):
            if len(pages) == limits.messages:
                break
            pages.append([])
            left = room(len(pages))
            one = lay(story, number, "", False)
        if cost(one) > left:
            one = lay(story, number, "", True)
        pages[-1].append(one)
        left, above = left - cost(one), story_lines.main_topic(story).name
    return pages


def pages(
    digest: Digest,
    limits: Limits,
    *,
    form: Callable[[StoryText], T],
    cost: Callable[[T], int],
    frame: Callable[[Digest, int, int], int],
) -> tuple[Digest, list[list[T]]]:
    """The digest as it will be shown, with what is left out counted, and its stories in the target's form, in pages.

    `frame(digest, page, pages)` is the size of what stands around the stories of a page.
    """
    full = limit_stories(digest, 0) if digest.stories else digest  # "Not shown" takes its room when it comes

    def room(page: int) -> int:
        return limits.size - frame(replace(digest, omitted=full.omitted), page, limits.messages)

    found = pack(
        digest.stories,
        limits,
        lay=lambda story, number, above, brief: form(story_texts(digest, story, number, above, brief, limits)),
        cost=cost,
        room=room,
    )
    return limit_stories(digest, sum(map(len, found))), found


# a short text without marks, for telephones and for services of which nothing is known.


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
        form=_brief_story,
        cost=lambda text: limits.measure(text) + 2,
        frame=lambda one, number, of: _brief_frame(one, limits),
    )
    parts = [
        *map(quiet, opening(shown, 1)),
        *(story for page in found for story in page),
        quiet(_brief_closing(shown, limits)),
    ]
    click = next((url for story in shown.stories if (url := link(story.lead.url, limits.url))), "")
    text = "\n\n".join(part for part in parts if part) or quiet(sentences.heading(shown))
    heading = cut_to(quiet(sentences.heading(shown)), limits, title)
    return Brief(heading, cut_to(text, limits, limits.size), click, shown.omitted)


def cut_to(text: str, limits: Limits, size: int) -> str:
    """The text so that it measures at most `size`."""
    limit = len(text)
    while limit > 0 and limits.measure(found := cut(text, limit)) > size:
        limit = min(limit - 1, limit * size // limits.measure(found))
    return cut(text, limit)


def quiet(text: str) -> str:
    """The text so that no service finds somebody to call in it (`@here`, `<!channel>`)."""
    return text.replace("@", f"@{JOINER}").replace("<!", f"<{JOINER}!")


def _brief_story(told: StoryText) -> str:
    lines = ["".join(run.text for run in line) for line in told.lines]
    return quiet("\n".join([*lines, *([told.title.url] if told.title.url else [])]))


def _brief_closing(digest: Digest, limits: Limits) -> str:
    return "\n".join("".join(run.url or run.text for run in line) for line in closing(digest, limits))


def _brief_frame(digest: Digest, limits: Limits) -> int:
    return limits.measure("\n\n".join([*opening(digest, 1), _brief_closing(digest, limits)])) + 60
