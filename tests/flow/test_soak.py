"""The soak in the size of a test: two minutes where everything is tested, a few seconds at a desk."""

from __future__ import annotations

import os
import random

import pytest

from tests.flow.rig import Rig
from tests.flow.soak import say, soak


@pytest.mark.timeout(600)
def test_nothing_is_lost_whoever_dies(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    seconds, seed = (120 if os.environ.get("CI") else 15), random.SystemRandom().randrange(10**6)
    with capsys.disabled():
        say(f"\nsoak of {seconds} s, seed {seed}")
    found = soak(rig, seconds, seed)
    assert found.told == len(rig.world.everything())
    assert sum(found.kills.values()) > 0
