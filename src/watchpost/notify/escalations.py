"""Pure: which alerts another receiver is sent later, unless somebody answers them, and what that message is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from watchpost.model import Digest, EscalatedDelivery, Escalation, Hit, Message, derive_id
from watchpost.notify.digest_builder import deliveries_of
from watchpost.notify.receiver import Receiver

EscalationsOf = Callable[[Hit, str], tuple[Escalation, ...]]
"""How a hit in the group of this key is escalated."""


def escalated(
    digest: Digest,
    hits: Sequence[Hit],
    group: str,
    escalations_of: EscalationsOf,
    receivers: Mapping[str, Receiver],
    *,
    seed: str,
    render: Callable[[Receiver, Digest], Sequence[Message]],
) -> Iterator[EscalatedDelivery]:
    """What is sent later for each story of an alert of the group with this key.

    Its id is derived from the installation (`seed`), the group, the story and the receiver: a story is escalated once.
    """
    of_story: dict[str, list[Hit]] = {}
    for hit in hits:
        of_story.setdefault(hit.story, []).append(hit)
    for story in digest.stories if digest.kind == "alert" else ():
        for wanted in dict.fromkeys(one for hit in of_story.get(story.id, ()) for one in escalations_of(hit, group)):
            if (receiver := receivers.get(wanted.to)) is None:
                continue
            alert = replace(
                digest,
                id=derive_id("escalation", seed, group, story.id, wanted.to),
                receiver=wanted.to,
                stories=(story,),
                articles=len(story.reports),
                omitted=0,
                left_out={},
                flooded=(),
                silenced=0,
                unanswered=wanted.after,
            )
            for delivery in deliveries_of(alert, render(receiver, alert)):
                yield EscalatedDelivery(delivery, story.id, wanted.after, wanted.unless)
