"""The wire's ends with short leases, and the way of an article up to a given hop."""

from __future__ import annotations

from tests.making import article, hit
from watchpost.model import Article
from watchpost.store.client import Store
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit
from watchpost.store.polling import Claim, PollStore
from watchpost.store.streams import StreamEntry

HOUR_MS = 3_600_000
LEASE_MS = 60


def poll_store(store: Store, queue_max: int = 1000) -> PollStore:
    """A poller's end."""
    return PollStore(store, seen_ttl_ms=HOUR_MS, queue_max=queue_max, lease_ms=LEASE_MS)


def matcher(store: Store, name: str = "m1") -> MatchStore:
    """A matcher's end."""
    return MatchStore(store, name, lease_ms=LEASE_MS, hits_ttl_ms=HOUR_MS)


async def queued(store: Store, *articles: Article) -> None:
    """Articles on their way to a matcher."""
    await poll_store(store).commit(Claim("seeds", "", {}, {}), articles, memory={}, status={}, delay_ms=0)


async def match_one(
    end: MatchStore, entry: StreamEntry, about: Article, *parkings: RoutedHit
) -> tuple[bool, ...] | Exception | None:
    """MATCHED for one article."""
    (result,) = await end.matched([Match(entry, about, parkings)])
    return tuple(not copy for copy in result.copies) if isinstance(result, Matched) else result


async def parked(store: Store, *names: str, group: str = "team|now") -> None:
    """Hits of these articles, parked for a group."""
    await queued(store, *(article(name) for name in names))
    end = matcher(store)
    for entry in await end.claims.take(100, block=False):
        read = end.read(entry)
        await match_one(end, entry, read, RoutedHit(hit(read.title, article=read), (group,)))
