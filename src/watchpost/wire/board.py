"""A read-only view of everything: what the pages, `/readyz`, the metrics and a digest's "not read" line show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from watchpost.model import Accounts
from watchpost.wire.books import Books
from watchpost.wire.keys import MEMORY
from watchpost.wire.ledger import gaps
from watchpost.wire.status import Depths, SourceRecord, SourceStatus
from watchpost.wire.store import Store


class Board:
    """Looks, and changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys
        self._books = Books(store)

    async def ping(self) -> None:
        """Raises StoreUnreachable or StoreBusy if the server does not answer."""
        async with self._store.errors():
            await self._store.redis.ping()

    async def sources(self, names: Sequence[str]) -> tuple[SourceStatus, ...]:
        """The status of these sources, in this order."""
        fields = ("failures", "reason", "detail", "last_read", "last_visit", "next_visit")
        async with self._store.errors():
            pipe = self._store.redis.pipeline(transaction=False)
            for name in names:
                pipe.hmget(self._keys.source(name), *fields)
            rows = await pipe.execute()
        return tuple(_status(name, row) for name, row in zip(names, rows, strict=True))

    async def due(self, names: Sequence[str]) -> Mapping[str, datetime]:
        """When these feeds are due; while one is being read, the end of its lease. Unscheduled ones are left out."""
        found: dict[str, datetime] = {}
        async with self._store.errors():
            for at in range(0, len(names), 1000):
                part = names[at : at + 1000]
                scores = await self._store.redis.zmscore(self._keys.feeds, part)
                found |= {
                    name: datetime.fromtimestamp(score / 1000, UTC)
                    for name, score in zip(part, scores, strict=True)
                    if score is not None
                }
        return found

    async def record(self, name: str) -> SourceRecord:
        """Everything that is kept of one source."""
        async with self._store.errors():
            raw = await self._store.redis.hgetall(self._keys.source(name))
        facts = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in raw.items()}
        return SourceRecord(
            name,
            memory={key.removeprefix(MEMORY): value for key, value in facts.items() if key.startswith(MEMORY)},
            status={key: value for key, value in facts.items() if not key.startswith(MEMORY) and key != "fence"},
        )

    async def accounts(self, day: date, sources: int) -> Accounts:
        """What the ledger says of a day (UTC), and which sums do not meet now. `sources`: how many are watched."""
        page, audit = await self._books.page(day), await self._books.audit()
        read = page.get("new", 0)
        return Accounts(sources, read, page.get("hits", 0), tuple(str(gap) for gap in gaps(audit)))

    async def depths(self, receivers: Sequence[str]) -> Depths:
        """Queue lengths, read one after the other."""
        redis = self._store.redis
        async with self._store.errors():
            groups = await redis.hkeys(self._keys.open)
            parked = [await redis.llen(self._keys.bucket(group.decode())) for group in groups]
            outbox = {name: int(await redis.xlen(self._keys.outbox(name))) for name in receivers}
            return Depths(
                articles=int(await redis.xlen(self._keys.articles)),
                parked=sum(parked),
                outbox=outbox,
                retry=int(await redis.zcard(self._keys.retry)),
                dead=int(await redis.xlen(self._keys.dead)),
            )


def _status(name: str, row: list[bytes | None]) -> SourceStatus:
    failures, reason, detail, last_read, last_visit, next_visit = (
        value.decode() if value is not None else "" for value in row
    )
    return SourceStatus(name, int(failures or 0), reason, detail, _time(last_read), _time(last_visit), next_visit)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
