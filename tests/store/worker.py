"""A consumer in a process of its own, that a test may stop: python -m tests.store.worker URL NAME LEASE_MS.

It says `took ID` for each entry, then waits for a line before it acknowledges, and says what the store answered.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from watchpost.store import keys
from watchpost.store.client import Store
from watchpost.store.streams import Consumer, StreamClaims, StreamEntry


def say(*words: object) -> None:
    """A line for the test."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(url: str, name: str, lease_ms: int) -> None:
    """Until killed."""
    store = Store(url)
    claims = StreamClaims(store, store.keys.pushed, keys.POLL, name, lease_ms)

    async def take() -> Sequence[StreamEntry]:
        return await claims.take(1)

    async def deal(entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            say("took", entry.id.decode())
            await asyncio.to_thread(sys.stdin.readline)
            say("done", await store.run("push_done", [store.keys.pushed], [keys.POLL, entry.id]))

    async def give_up(entry: StreamEntry) -> None:
        say("gave up", entry.id.decode())

    async def tick() -> None:
        await asyncio.sleep(lease_ms / 3000)

    consumer = Consumer(
        claims, "pushed", take=take, process=deal, dead_letter=give_up, tick=tick, tick_renew=tick, stop=asyncio.Event()
    )
    await consumer.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
