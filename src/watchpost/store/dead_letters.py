"""Dead letters: what failed for good and is kept until an operator sends it again or drops it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.errors import CodecError
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE, from_ms, text_of


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter of `kind` "article", "hit" or "delivery".

    Deliveries have `delivery` (their id) and `receiver`, hits have `group`; `about` is an article's title or the group.
    """

    id: str
    kind: str
    reason: str
    detail: str
    at: datetime
    receiver: str = ""
    delivery: str = ""
    group: str = ""
    about: str = ""


class DeadLetters:
    """The dead letters of an installation. Every method raises StoreError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def all(self) -> tuple[DeadLetter, ...]:
        """Return every dead letter, the oldest first."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.dead)
        return tuple(_dead_letter(id_, fields) for id_, fields in rows)

    async def requeue(self, dead_letter: DeadLetter) -> bool:
        """Process it again with the same bytes and the same id; return False if it is gone."""
        keys = self._keys
        names = [keys.dead, keys.articles, keys.out(dead_letter.delivery), keys.outbox(dead_letter.receiver), keys.open]
        names += [keys.bucket(dead_letter.group), keys.parked, keys.ledger, keys.dead_counts, keys.contents("")]
        return bool((await self._store.run("requeue", names, [dead_letter.id, dead_letter.group]))[0] == b"OK")

    async def drop(self, dead_letter: DeadLetter) -> bool:
        """Delete it together with its delivery; return False if it is gone."""
        return await drop(self._store, dead_letter.receiver, dead_letter.delivery, dead_letter=dead_letter.id)


async def drop(store: Store, receiver: str, delivery: str, *, entry: bytes = b"", dead_letter: str = "") -> bool:
    """Delete a dead letter, or a waiting delivery with its outbox `entry`; return False if it is gone."""
    keys = store.keys
    names = [keys.outbox(receiver), keys.out(delivery), keys.retry, keys.dead, keys.dead_counts, keys.ledger]
    names += [keys.contents(""), keys.later]
    return bool(await store.run("drop", names, [delivery, entry, dead_letter]))


def failed_since(dead_letters: Sequence[DeadLetter], since: datetime | None) -> tuple[DeadLetter, ...]:
    """Return the dead letters of deliveries; with `since`, only those from then on."""
    return tuple(
        dead_letter
        for dead_letter in dead_letters
        if dead_letter.kind == "delivery" and (since is None or dead_letter.at >= since)
    )


def title_of(data: bytes) -> str:
    """Return the title of an encoded article, or in parentheses why it cannot be read."""
    try:
        return ARTICLE.decode(data).title
    except CodecError as error:
        return f"({error})"


def _dead_letter(id_: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    kind, group = text_of(fields, b"kind"), text_of(fields, b"group")
    return DeadLetter(
        id=id_.decode(),
        kind=kind,
        reason=text_of(fields, b"reason"),
        detail=text_of(fields, b"detail"),
        at=from_ms(text_of(fields, b"at") or id_.decode().partition("-")[0]),
        receiver=text_of(fields, b"receiver"),
        delivery=text_of(fields, b"id"),
        group=group,
        about=title_of(fields.get(b"payload", b"")) if kind == "article" else group,
    )
