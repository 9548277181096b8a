"""The run on three hosts in the size of a test: two minutes where everything is tested, less at a desk."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.failover import failover
from tests.flow.hosts import Hosts, three_hosts
from tests.flow.rig import Rig
from tests.flow.soak import say


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with three_hosts() as made:
        yield made


@pytest.mark.timeout(480)
def test_nothing_is_lost_when_the_store_fails_over(
    tmp_path: Path, hosts: Hosts, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, seed = (100 if os.environ.get("CI") else 20), random.SystemRandom().randrange(10**6)
    rig = Rig(tmp_path, address=hosts.gateway)
    try:
        with capsys.disabled():
            say(f"\nfailover of {seconds} s, seed {seed}")
            found = failover(rig, hosts, seconds, seed)
            say(str(found))
        assert found.told == len(rig.world.everything())
    finally:
        rig.close()
