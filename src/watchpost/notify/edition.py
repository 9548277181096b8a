"""What a receiver is told, whatever goes wrong while it is laid out: the edition, or a plainer one. Never none."""

from __future__ import annotations

from watchpost import telemetry as tm
from watchpost.model import Digest, Message
from watchpost.notify.receiver import Receiver
from watchpost.notify.render.foreign import clean
from watchpost.notify.render.reduced import reductions


def compose_or_plain(receiver: Receiver, digest: Digest) -> tuple[Message, ...]:
    """The receiver's messages for the digest; where that fails, those for a plainer one, and a line in the log.

    Raises what the plainest edition raises: then the receiver itself is broken, and the hits stay parked.
    """
    try:
        return receiver.compose(digest)
    except (
        Exception
    ) as error:  # a template, a validator, a headline nobody thought of: people must be told all the same
        _say(receiver, error)
    *plainer, plainest = reductions(digest)
    for edition in plainer:
        try:
            return receiver.compose(edition)
        except Exception as error:
            _say(receiver, error)
    return receiver.compose(plainest)


def _say(receiver: Receiver, error: Exception) -> None:
    tm.plain_editions.labels(receiver.name).inc()
    detail = clean(f"{type(error).__name__}: {error}", 300)
    tm.log().error("edition.plain", receiver=receiver.name, detail=detail)
