"""The web server on a free port, for tests, and a store with something to show."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.making import WHEN, digest_delivery, hit
from tests.store.ends import match_one, matcher, parked, poll_store, queued
from watchpost.archive.archive import Archive
from watchpost.config.config import Config, HttpAccess
from watchpost.errors import NotFound
from watchpost.health import Health
from watchpost.model import Article, Delivery, Hit
from watchpost.operations.factory import read_config
from watchpost.operations.previews import DigestPreviews, Preview, version_of
from watchpost.operations.reloading import Reloader
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import RoutedHit
from watchpost.web.context import WebContext
from watchpost.web.server import Listener, serve

TEXT = """version: 1
feeds: {rfi: {url: "https://feeds.example.org/rfi", every: 10m}}
topics:
  mali: {title: Mali, query: "Mali AND (Gao OR Kidal)", examples: {match: ["Kidal, Mali"]}}
receivers: {team: {type: webhook, url: "https://hooks.example.org/team"}}
routes: [{to: team, mode: immediate}]
http: {listen: "127.0.0.1:0"}
"""

GROUP = "team|at once, 30 s"
"""The key of its only group."""


@cache
def config_of(text: str = TEXT, env: tuple[tuple[str, str], ...] = ()) -> Config:
    """A configuration from YAML."""
    with tempfile.TemporaryDirectory(prefix="wp-") as folder:
        file = Path(folder) / "watchpost.yaml"
        file.write_text(text, "utf-8")
        return read_config(file, dict(env))


class FixedPreviews(DigestPreviews):
    """Previews with fixed messages, by the id of their group; what is sent is only written down."""

    def __init__(self, previews: Mapping[str, tuple[Preview, ...]]) -> None:
        self.previews = previews
        self.sent: list[tuple[str, str]] = []

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        if id_ not in self.previews:
            raise NotFound(f"no digest {id_}")
        return self.previews[id_]

    async def send(self, id_: str, by: str, shown: str | None = None) -> int | None:
        previews = await self.preview(id_)
        if shown not in (None, version_of(previews)):
            return None
        self.sent.append((id_, by))
        return sum(len(preview.messages) for preview in previews)


def web_context(
    store: Store,
    *,
    health: Health | None = None,
    config: Config | None = None,
    access: HttpAccess | None = None,
    reloader: Reloader | None = None,
    previews: DigestPreviews | None = None,
    role: str = "all",
    archive: Archive | None = None,
) -> WebContext:
    """What the web server is built from; by default for the configuration TEXT."""
    config = config or config_of()
    config = replace(config, listen="127.0.0.1:0", access=access or config.access)
    reloader = reloader or Reloader(config, lambda: config, lambda: datetime.now(UTC))
    previews = previews or DigestPreviews(config, store)
    return WebContext(config, store, health or Health(), reloader, previews, asyncio.Event(), role, archive)


@asynccontextmanager
async def pages(store: Store, **parts: Any) -> AsyncIterator[str]:
    """The server on a free port; yields its address. `parts` are those of `web_context`."""
    context, listener = web_context(store, **parts), Listener()
    address = asyncio.get_running_loop().create_future()

    async def bound(place: str) -> None:
        address.set_result(place)

    work = asyncio.ensure_future(serve(context, listener, bound))
    pulse = asyncio.ensure_future(context.health.run())  # a browser takes longer than a loop may hang
    await asyncio.wait({work, address}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        await work
    yield f"http://{await address}"
    context.stop.set()
    await work
    pulse.cancel()
    listener.close()


async def found(store: Store, about: Article, *, group: str = GROUP, made: Hit | None = None, **fields: Any) -> Hit:
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


async def closed(store: Store, *deliveries: Delivery, group: str = GROUP) -> DeliveryStore:
    """Close a window: these deliveries are in their outboxes."""
    await parked(store, f"hit of {group}", group=group)
    outbox = DeliveryStore(store, kept_ms=3_600_000)
    await outbox.close(await outbox.peek(group), WHEN, deliveries)
    return outbox


async def sent(store: Store, id_: str, subject: str) -> None:
    """A delivered message."""
    made = digest_delivery(id_)
    outbox = await closed(store, replace(made, message=replace(made.message, subject=subject)), group=f"team|{id_}")
    await outbox.create_outbox("team")
    (entry,) = await outbox.claims("team", "n1", 60_000).take(1, block=False)
    await outbox.done("team", entry)
