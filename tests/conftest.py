"""What every test may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from fakeredis import FakeAsyncRedis
from hypothesis import HealthCheck, settings

from tests.servers import ValkeyServer, valkey_server
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group

# On a busy machine any example takes long.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One real server for the whole run. `valkey.flush()` empties it."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(valkey: ValkeyServer) -> str:
    """Where that server listens; it holds whatever earlier tests left there."""
    return valkey.url


@pytest.fixture
def empty_valkey_url(valkey: ValkeyServer) -> str:
    """Where that server listens, emptied for this test."""
    valkey.flush()
    return valkey.url


@pytest.fixture(params=["fake", "real"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store, on fakeredis and on the real server: the fake must not lie to those who use it alone."""
    if request.param == "fake":
        store = Store("redis://fake", client=FakeAsyncRedis())
    else:
        store = Store(request.getfixturevalue("empty_valkey_url"))
    await ensure_group(store.redis, store.keys.articles, keys.MATCH)
    yield store
    await store.close()
