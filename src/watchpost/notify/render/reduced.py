"""Still: plainer and plainer editions of a digest, for when the proper one cannot be laid out."""

from __future__ import annotations

from dataclasses import replace

from watchpost.model import Digest, Snippet, Story
from watchpost.notify.render.words import shorten


def reductions(digest: Digest) -> tuple[Digest, ...]:
    """First without the operator's templates, then headlines and links alone, then only how many stories there are."""
    plain = replace(digest, reduced=True)
    bare = replace(plain, stories=tuple(map(_bare, digest.stories)), unread=())
    return (plain, bare, replace(shorten(plain, 0), unread=()))


def _bare(story: Story) -> Story:
    topics = tuple(replace(match, why=()) for match in story.topics)
    return replace(story, topics=topics, snippet=Snippet(""), reports=(story.lead,))
