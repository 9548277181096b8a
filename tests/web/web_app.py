"""The pages on a free port, for tests, and a store with something to show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.making import WHEN, digest_delivery, hit
from tests.store.ends import match_one, matcher, parked, poll_store, queued
from watchpost.config.config import HttpAccess
from watchpost.health import Health
from watchpost.model import Article, Delivery, Group, Hit, Topic
from watchpost.operations.previews import Preview, seen
from watchpost.query.parser import parse
from watchpost.schedules import Immediate
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import RoutedHit
from watchpost.web.context import ConfigSummary, WebContext
from watchpost.web.server import build, serve

MALI = Topic("mali", "Mali", parse("Mali AND (Gao OR Kidal)"), examples=(("Kidal, Mali", True),))
WATCHED = ConfigSummary(
    feeds=("rfi",),
    receivers=("team",),
    topics=(MALI,),
    fingerprint="f00d",
    groups=(Group("team|now", "team", Immediate(timedelta(seconds=30))),),
    places={"rfi": "https://feeds.example.org/rfi"},
    paces={"rfi": "every 10 minutes"},
    kinds={"team": "webhook"},
    listing=("timezone: UTC",),
)


class Shelf:
    """Coming editions that are what they are, by the id of their group; sent ones are only written down."""

    def __init__(self, previews: Mapping[str, tuple[Preview, ...]]) -> None:
        self.previews = previews
        self.sent: list[tuple[str, str]] = []

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        return self.previews.get(id_, ())

    async def send(self, id_: str, saw: str | None, by: str) -> int | None:
        if id_ not in self.previews or saw not in (None, seen(self.previews[id_])):
            return None
        self.sent.append((id_, by))
        return sum(len(preview.messages) for preview in self.previews[id_])


@asynccontextmanager
async def pages(
    store: Store,
    health: Health | None = None,
    access: HttpAccess | None = None,
    summary: ConfigSummary = WATCHED,
    **others: Any,
) -> AsyncIterator[str]:
    """The server on a free port; yields its address. `others` are more of House."""
    stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def told(where: str) -> None:
        address.set_result(where)

    health = health or Health()
    web_context = WebContext(store, summary, health, access=access or HttpAccess(), stop=stop, **others)
    work = asyncio.ensure_future(serve("127.0.0.1:0", stop, build(web_context), told))
    pulse = asyncio.ensure_future(health.run())  # a browser takes longer than a loop may hang
    yield f"http://{await address}"
    stop.set()
    await work
    pulse.cancel()


async def found(
    store: Store, about: Article, *, group: str = "team|now", made: Hit | None = None, **fields: Any
) -> Hit:
    """A hit of this article, parked and in the history; `made`: that very one."""
    await queued(store, about)
    end = matcher(store)
    (entry,) = await end.claims.take(1, block=False)
    made = made or hit(about.title, article=about, **fields)
    await match_one(end, entry, end.read(entry), RoutedHit(made, (group,)))
    return made


async def failing(store: Store, name: str, detail: str) -> None:
    """A feed that cannot be read."""
    await poll_store(store).sync([name])
    (claim,) = (await poll_store(store).claim(1)).feeds
    status = {"failures": "2", "detail": detail, "last_visit": WHEN.isoformat()}
    await poll_store(store).commit(claim, [], memory={}, status=status, delay_ms=0)


async def closed(store: Store, *deliveries: Delivery, group: str = "team|now") -> DeliveryStore:
    """A window that ended: these deliveries are in their outboxes."""
    await parked(store, f"what {group} was told", group=group)
    outbox = DeliveryStore(store, kept_ms=3_600_000)
    await outbox.close(await outbox.peek(group), WHEN, deliveries)
    return outbox


async def sent(store: Store, id_: str, subject: str) -> None:
    """A delivery that arrived."""
    made = digest_delivery(id_)
    outbox = await closed(store, replace(made, message=replace(made.message, subject=subject)), group=f"team|{id_}")
    await outbox.create_outbox("team")
    (entry,) = await outbox.claims("team", "n1", 60_000).take(1, block=False)
    await outbox.done("team", entry)
