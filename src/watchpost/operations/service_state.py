"""What the store shows of a running service, read at once and within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watchpost.config.config import Config
from watchpost.errors import CodecError, StoreBusy, StoreError, StoreUnfit
from watchpost.store.client import Server, Store
from watchpost.store.ledger import Gap, Ledger, gaps
from watchpost.store.overview import Depths, Overview, StoreLoss, Worker
from watchpost.store.receivers import ReceiverState
from watchpost.store.running_config import RunningConfigs
from watchpost.store.sources import SourceStatus

QUEUE_WORDS = {
    "pushed": "pushes to read",
    "articles": "articles to match",
    "unarchived": "articles to archive",
    "unjoined": "stories to join to events",
    "parked": "hits for a coming message",
}
"""The queues of which there is one, by their name in the metrics, in the words of pages and commands."""
RETRY_WORDS = "messages to try again"
DEAD_WORDS = "dead letters"

_BATCH = 500  # sources that are read at once
_DEADLINE_SECONDS = 5.0  # probes usually wait ten seconds at most


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store showed; `problem` is why it showed nothing, `refused` why it accepts no writes.

    `ran` is when each role last ran; `dead_since` is the time of the oldest dead letter; `refused_configuration` are
    the mistakes of a configuration that a running process did not take.
    """

    problem: str = ""
    sources: tuple[SourceStatus, ...] = ()
    depths: Depths | None = None
    ages: Mapping[str, float] | None = None
    workers: tuple[Worker, ...] = ()
    receivers: Mapping[str, ReceiverState] | None = None
    stories: Mapping[str, int] | None = None
    server: Server | None = None
    loss: StoreLoss | None = None
    folders: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    ran: Mapping[str, datetime] = field(default_factory=dict, hash=False)
    dead_since: datetime | None = None
    refused: str = ""
    refused_since: datetime | None = None
    problem_since: datetime | None = None
    refused_configuration: tuple[str, ...] = ()


async def look(
    overview: Overview,
    feeds: Sequence[str],
    folders: Sequence[str],
    receivers: Sequence[str],
    topics: Sequence[str] = (),
    *,
    outside: bool = False,
) -> Seen:
    """Read all of it for these sources and receivers, and the open stories of `topics`; a store that hangs is reported.

    `outside`: the caller is no process of the service, so the store is asked what such a process would know.
    """
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            return await _read(overview, feeds, folders, receivers, topics, outside)
    except StoreError as error:
        return Seen(str(error), server=overview.server)
    except TimeoutError:
        return Seen(f"the store does not answer within {_DEADLINE_SECONDS:.0f} s", server=overview.server)


async def look_from_outside(store: Store, config: Config) -> Seen:
    """As `look`, for a command: all sources and receivers of this configuration."""
    feeds = [part.name for part in config.sources if part.kind != "folder"]
    folders = [part.name for part in config.sources if part.kind == "folder"]
    return await look(Overview(store), feeds, folders, [part.name for part in config.receivers], outside=True)


async def _read(
    overview: Overview,
    feeds: Sequence[str],
    folders: Sequence[str],
    receivers: Sequence[str],
    topics: Sequence[str],
    outside: bool,
) -> Seen:
    store, names = overview.store, (*feeds, *folders)
    sources: list[SourceStatus] = []
    for at in range(0, len(names), _BATCH):
        sources += await overview.sources(names[at : at + _BATCH])
    return Seen(
        sources=tuple(sources),
        depths=await overview.depths(receivers),
        ages=await overview.ages(receivers),
        workers=await overview.workers(),
        receivers=await overview.receivers(receivers),
        stories=await overview.open_stories(topics) if topics else {},
        server=overview.server,
        loss=await overview.loss(),
        folders=frozenset(folders),
        gaps=gaps(await Ledger(store).audit()),
        ran=await overview.ran(),
        dead_since=await overview.dead_since(),
        refused=await _refused(store) if outside else "",
        refused_configuration=await _refused_configuration(store) if outside else (),
    )


async def _refused(store: Store) -> str:
    """Why the store accepts no writes; "" if it does."""
    try:
        await store.check_writes()
    except (StoreBusy, StoreUnfit) as error:
        return str(error)
    return ""


async def _refused_configuration(store: Store) -> tuple[str, ...]:
    try:
        running = await RunningConfigs(store).running()
    except CodecError:  # of another version
        return ()
    return next((each.refused for each in running if each.refused), ())
