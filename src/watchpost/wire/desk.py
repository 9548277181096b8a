"""The operator's end of Redis: deliveries and dead letters looked at, sent again, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from watchpost.errors import CodecError
from watchpost.wire.codec import ARTICLE, MESSAGE
from watchpost.wire.gate import receiver_state
from watchpost.wire.records import Case, Letter
from watchpost.wire.status import ReceiverState
from watchpost.wire.store import Store


class Desk:
    """What an operator may see and do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def state(self, receiver: str) -> ReceiverState:
        """How a receiver stands."""
        async with self._store.errors():
            return receiver_state(await self._store.redis.hgetall(self._keys.receiver(receiver)))

    async def cases(self, receiver: str = "") -> tuple[Case, ...]:
        """Every delivery that is not delivered yet, the oldest first; `receiver`: only its own."""
        prefix = self._keys.out("")
        async with self._store.errors():
            ids = [key.decode().removeprefix(prefix) async for key in self._store.redis.scan_iter(f"{_glob(prefix)}*")]
        found = [case for id_ in ids if (case := await self.case(id_)) is not None]
        found = [case for case in found if not receiver or case.receiver == receiver]
        return tuple(sorted(found, key=lambda case: (case.created or datetime.max.replace(tzinfo=UTC), case.id)))

    async def receivers(self) -> frozenset[str]:
        """Every receiver that ever had a delivery, configured still or not."""
        async with self._store.errors():
            return frozenset(name.decode() for name in await self._store.redis.smembers(self._keys.boxes))

    async def case(self, id_: str) -> Case | None:
        """One delivery by its id; None if nothing is known of it (any more)."""
        async with self._store.errors():
            found = await self._store.redis.hgetall(self._keys.out(id_))
            due = await self._store.redis.zscore(self._keys.retry, id_)
            if not found and await self._store.redis.zscore(self._keys.sent, id_) is not None:
                return Case(id_, "", "delivered")
        if b"receiver" not in found:
            return None
        try:
            message = MESSAGE.decode(found.get(b"message", b""))
        except CodecError:
            message = None
        state, tried = found.get(b"state", b"").decode(), int(found.get(b"attempts", b"0"))
        return Case(
            id=id_,
            receiver=found[b"receiver"].decode(),
            state=state,
            digest=found.get(b"digest", b"").decode(),
            attempts=tried + (state == "dead"),  # RETRY counts; the attempt that was the last one went to DEAD
            replays=int(found.get(b"replays", b"0")),
            created=_at(found.get(b"created")),
            due=_at(due),
            error=found.get(b"error", b"").decode("utf-8", "replace"),
            message=message,
        )

    async def letters(self) -> tuple[Letter, ...]:
        """Every dead letter, the oldest first."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.dead)
        return tuple(_letter(id_, fields) for id_, fields in rows)

    async def requeue(self, letter: Letter) -> bool:
        """Send it again as it was; False if nothing is left of it."""
        keys = self._keys
        names = [keys.dead, keys.articles, keys.out(letter.delivery), keys.outbox(letter.receiver), keys.open]
        names += [keys.bucket(letter.group), keys.parked, keys.ledger, keys.dead_counts]
        return bool((await self._store.run("requeue", names, [letter.id, letter.group]))[0] == b"OK")

    async def hurry(self, receiver: str = "", only: Sequence[str] = ()) -> int:
        """Deliveries that wait for a later attempt go now: only the receiver's, `only` these. Returns how many."""
        names, moved = [self._keys.retry, self._keys.out(""), self._keys.outbox("")], 0
        async with self._store.errors():
            waiting = int(await self._store.redis.zcard(self._keys.retry))
        if waiting:
            moved = int(await self._store.run("due_retries", names, [waiting, "1", receiver, *only]))
        return moved

    async def read_now(self, feed: str, lease_ms: int) -> str:
        """Make a feed due: "NOW"; "SOON" if it is read within a lease anyway; "NONE" if it is not scheduled."""
        return str((await self._store.run("read_now", [self._keys.feeds], [feed, lease_ms])).decode())

    async def drop(self, case: Case) -> bool:
        """Give up a delivery that waits; False if it is gone already."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.outbox(case.receiver))
        entry = next((id_ for id_, fields in rows if fields.get(b"d", b"").decode() == case.id), b"")
        return await self._drop(case.receiver, case.id, entry, "")

    async def drop_letter(self, letter: Letter) -> bool:
        """Throw a dead letter away, with the message that it speaks of; False if it is gone already."""
        return await self._drop(letter.receiver, letter.delivery, b"", letter.id)

    async def _drop(self, receiver: str, delivery: str, entry: bytes, letter: str) -> bool:
        keys = self._keys
        names = [keys.outbox(receiver), keys.out(delivery), keys.retry, keys.dead, keys.dead_counts, keys.ledger]
        return bool(await self._store.run("drop", names, [delivery, entry, letter]))

    async def articles(self, count: int) -> tuple[str, ...]:
        """The titles of the oldest articles that wait to be matched."""
        async with self._store.errors():
            rows = await self._store.redis.xrange(self._keys.articles, count=count)
        return tuple(_title(fields.get(b"a", b"")) for _, fields in rows)


def failed_since(letters: Sequence[Letter], since: datetime | None) -> tuple[Letter, ...]:
    """The dead letters of deliveries, none older than `since`."""
    return tuple(one for one in letters if one.kind == "delivery" and (since is None or one.at >= since))


def _letter(id_: bytes, fields: dict[bytes, bytes]) -> Letter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    kind = text(b"kind")
    moment = int(text(b"at") or id_.decode().partition("-")[0])
    return Letter(
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


def _glob(text: str) -> str:
    """A key's prefix as SCAN must be given it."""
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in text)


def _at(raw: bytes | float | None) -> datetime | None:
    return None if raw is None else datetime.fromtimestamp(int(raw) / 1000, UTC)
