"""A digest that a receiver cannot render is sent in a plainer form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.fakes import RecordingReceiver
from tests.notify.digests import delivery, digest, usual
from watchpost import log
from watchpost.model import Digest, Message
from watchpost.notify.composer import render_or_reduce


@dataclass
class Picky(RecordingReceiver):
    """Lays out only what `likes` it to."""

    likes: Callable[[Digest], bool] = lambda digest: True
    seen: list[Digest] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("picky")

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """The usual, if it is liked."""
        self.seen.append(digest)
        if not self.likes(digest):
            raise ValueError("a headline\x1b[31m nobody thought of")
        return super().render(digest)


def fallbacks() -> float:
    return log.REGISTRY.get_sample_value("watchpost_editions_reduced_total", {"receiver": "picky"}) or 0.0


@pytest.mark.parametrize(
    ("likes", "tries"),
    [
        (lambda digest: True, 1),
        (lambda digest: digest.reduced, 2),
        (lambda digest: all(not story.snippet.text for story in digest.stories), 3),
        (lambda digest: not digest.stories, 4),
    ],
)
def test_each_version_is_plainer_than_the_one_before(likes: Callable[[Digest], bool], tries: int) -> None:
    receiver, before = Picky(likes=likes), fallbacks()
    (message,) = render_or_reduce(receiver, usual())
    assert len(receiver.seen) == tries
    assert fallbacks() - before == tries - 1
    assert message.renderings["json"]
    last = receiver.seen[-1]
    assert len(last.stories) + last.omitted == 5, "what is not shown is counted"
    assert (last.id, last.receiver) == (usual().id, "desk")


def test_a_receiver_that_renders_nothing_at_all_raises() -> None:
    with pytest.raises(ValueError, match="nobody thought of"):
        render_or_reduce(Picky(likes=lambda digest: False), digest())


async def test_a_plainer_version_is_sent() -> None:
    receiver = Picky(likes=lambda digest: digest.reduced)
    (message,) = render_or_reduce(receiver, usual())
    await receiver.send(delivery(message))
    assert receiver.deliveries[0].message == message
