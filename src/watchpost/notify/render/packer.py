"""Still: stories into messages that fit, for every target that has a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from watchpost.model import Digest, Story
from watchpost.notify.render import runs, words
from watchpost.notify.render.limits import Limits

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
        left, above = left - cost(one), words.home(story).name
    return pages


def pages(
    digest: Digest,
    limits: Limits,
    *,
    form: Callable[[runs.Told], T],
    cost: Callable[[T], int],
    frame: Callable[[Digest, int, int], int],
) -> tuple[Digest, list[list[T]]]:
    """The digest as it will be shown, with what is left out counted, and its stories in the target's form, in pages.

    `frame(digest, page, pages)` is the size of what stands around the stories of a page.
    """
    full = words.shorten(digest, 0) if digest.stories else digest  # "Not shown" takes its room when it comes

    def room(page: int) -> int:
        return limits.size - frame(replace(digest, omitted=full.omitted), page, limits.messages)

    found = pack(
        digest.stories,
        limits,
        lay=lambda story, number, above, brief: form(runs.tell(digest, story, number, above, brief, limits)),
        cost=cost,
        room=room,
    )
    return words.shorten(digest, sum(map(len, found))), found
