"""Dead letters: what failed for good, listed, sent again or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from watchpost.errors import CodecError
from watchpost.store.codec import ARTICLE


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `id` is its own; `delivery`, `receiver` are set for deliveries, `about` says what it was."""

    id: str
    kind: str
    reason: str
    detail: str
    at: datetime
    receiver: str = ""
    delivery: str = ""
    group: str = ""
    about: str = ""


def failed_since(dead_letters: Sequence[DeadLetter], since: datetime | None) -> tuple[DeadLetter, ...]:
    """The dead letters of deliveries, none older than `since`."""
    return tuple(one for one in dead_letters if one.kind == "delivery" and (since is None or one.at >= since))


def _dead_letter(id_: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    kind = text(b"kind")
    moment = int(text(b"at") or id_.decode().partition("-")[0])
    return DeadLetter(
        id=id_.decode(),
        kind=kind,
        reason=text(b"reason"),
        detail=text(b"detail"),
        at=datetime.fromtimestamp(moment / 1000, UTC),
        receiver=text(b"receiver"),
        delivery=text(b"id"),
        group=text(b"group"),
        about=_title(fields.get(b"payload", b"")) if kind == "article" else text(b"group"),
    )


def _title(data: bytes) -> str:
    try:
        return ARTICLE.decode(data).title
    except CodecError as error:
        return f"({error})"
