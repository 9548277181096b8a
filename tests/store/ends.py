"""The stores of the roles, an article's way up to a given hop, and time that passes without waiting."""

from __future__ import annotations

from tests.making import article, hit
from watchpost.model import Article
from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit
from watchpost.store.polling import Claim, PollStore
from watchpost.store.streams import StreamEntry

HOUR_MS = 3_600_000
LEASE_MS = 20_000


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


async def pass_time(store: Store, ms: int = LEASE_MS * 3 // 2) -> None:
    """Make claimed entries, due times of feeds and retries older by `ms`: the clock of the scripts is Redis' own."""
    redis, names = store.redis, store.keys
    for key in (names.feeds, names.retry):
        for member in await redis.zrange(key, 0, -1):
            await redis.zincrby(key, -ms, member)
    groups = [(names.articles, keys.MATCH), (names.pushed, keys.POLL)]
    groups += [(names.outbox(name.decode()), keys.NOTIFY) for name in await redis.smembers(names.boxes)]
    for stream, group in groups:
        if await redis.exists(stream):
            for entry in await redis.xpending_range(stream, group, "-", "+", 1000):
                idle = entry["time_since_delivered"] + ms
                await redis.xclaim(stream, group, entry["consumer"], 0, [entry["message_id"]], idle=idle, justid=True)
