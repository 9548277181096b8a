"""What systemd receives, read from a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.making import article
from tests.store.ends import HOUR_MS, queued
from watchpost.health import HEALTH, Health
from watchpost.match.matcher import Topics
from watchpost.match.worker import Matcher
from watchpost.scheduler import utc_now
from watchpost.service.systemd import Systemd
from watchpost.store.client import Store
from watchpost.store.matching import Match, MatchStore

PERIOD = 0.6


class Manager:
    """systemd's end: a bound datagram socket."""

    def __init__(self, address: str) -> None:
        self._plug = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._plug.bind("\0" + address[1:] if address.startswith("@") else address)
        self._plug.setblocking(False)
        self.env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(PERIOD * 1e6))}

    def heard(self) -> list[str]:
        """Every line that came since the last time."""
        lines: list[str] = []
        while True:
            try:
                lines += self._plug.recv(4096).decode().splitlines()
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._plug.close()


@pytest.fixture
def manager() -> Iterator[Manager]:
    place = Path(tempfile.mkdtemp(prefix="wp-"))
    made = Manager(str(place / "notify"))
    yield made
    made.close()
    shutil.rmtree(place)


async def _fine() -> str:
    return "2 sources,\nall well"


@pytest.fixture
async def store_away() -> AsyncIterator[Store]:
    store = Store("redis://127.0.0.1:1/0")
    yield store
    await store.close()


def test_start_reload_and_end_are_reported_in_systemds_format(manager: Manager) -> None:
    systemd = Systemd(manager.env)
    systemd.ready("started")
    assert manager.heard() == ["READY=1", "STATUS=started"]
    systemd.reloading()
    reloading, moment = manager.heard()
    assert reloading == "RELOADING=1"
    assert abs(int(moment.removeprefix("MONOTONIC_USEC=")) / 1e6 - asyncio.new_event_loop().time()) < 60
    systemd.stopping()
    assert manager.heard()[0] == "STOPPING=1"


def test_an_abstract_socket_works_and_a_missing_one_does_no_harm() -> None:
    made = Manager(f"@watchpost-{os.getpid()}")
    Systemd(made.env).ready("")
    assert made.heard()[0] == "READY=1"
    made.close()
    Systemd(made.env).ready("")
    Systemd({}).ready("")


async def _hear(manager: Manager, systemd: Systemd, health: Health, seconds: float) -> list[str]:
    watching = asyncio.ensure_future(systemd.watch(health, _fine))
    await asyncio.sleep(seconds)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return manager.heard()


async def test_the_watchdog_is_sent_only_while_every_role_works(manager: Manager) -> None:
    health = Health()
    health.expect(["poll", "match"])
    heard = await _hear(manager, Systemd(manager.env), health, 0.1)
    assert heard == ["WATCHDOG=1", "STATUS=2 sources, all well"]
    health._beats["match"] -= 2 * PERIOD
    heard = await _hear(manager, Systemd(manager.env), health, PERIOD)
    assert "STATUS=no sign of life from match" in heard
    assert "WATCHDOG=1" not in heard


async def test_without_a_watchdog_only_the_status_is_sent(manager: Manager) -> None:
    others = manager.env | {"WATCHDOG_PID": str(os.getpid() + 1)}
    assert await _hear(manager, Systemd(others), Health(), 0.1) == ["STATUS=2 sources, all well"]


class Stuck(MatchStore):
    """A matcher's end whose answer never comes."""

    stuck = False

    async def matched(self, matches: list[Match]) -> list[tuple[bool, ...] | Exception | None]:  # type: ignore[override]
        self.stuck = True
        await asyncio.Event().wait()
        return []


async def test_while_a_matcher_hangs_no_watchdog_is_sent(manager: Manager, store: Store) -> None:
    """The real matcher's loop beats while it waits for articles, and not while it waits for ever."""
    stop, forever = asyncio.Event(), asyncio.Event()
    end = Stuck(store, "m1", lease_ms=60_000, hits_ttl_ms=HOUR_MS)

    async def never() -> None:
        await forever.wait()

    matcher = Matcher(Topics([]), [], end, tick=never, tick_renew=never, tick_refine=never, stop=stop, clock=utc_now)
    period = manager.env | {"WATCHDOG_USEC": "2500000"}  # the matcher waits a second at a time for articles
    HEALTH.expect(["match"])
    running = asyncio.gather(matcher.run(), HEALTH.run())
    try:
        await asyncio.sleep(0)
        assert "WATCHDOG=1" in await _hear(manager, Systemd(period), HEALTH, 1.5)
        await queued(store, article("Mali"))
        while not end.stuck:
            await asyncio.sleep(0.01)
        await asyncio.sleep(2.6)
        heard = await _hear(manager, Systemd(period), HEALTH, 1.5)
        assert "WATCHDOG=1" not in heard
        assert "STATUS=no sign of life from match" in heard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        HEALTH.expect([])
