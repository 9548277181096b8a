"""The share of a core is what was had of what was wanted."""

from __future__ import annotations

import sys

import pytest

from watchpost.web.core_share import CoreShare, read_times


def test_the_share_is_what_was_had_of_what_was_wanted_lately() -> None:
    now = (5.0, 7.0)
    share = CoreShare(lambda: now)
    assert share() == 1.0, "nothing was wanted yet"
    now = (5.3, 8.0)
    assert share() == pytest.approx(0.3 / 1.3)
    now = (5.35, 8.0)
    assert share() == pytest.approx(0.3 / 1.3), "too little was wanted since"
    now = (5.5, 8.0)
    assert share() == pytest.approx(1.0)
    now = (5.5, 90.0)
    assert share() == 0.02


def test_a_system_that_does_not_say_gives_all() -> None:
    assert CoreShare(lambda: (0.0, 0.0))() == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_linux_says_how_long_a_thread_ran() -> None:
    before = read_times()[0]
    sum(range(1_000_000))
    assert read_times()[0] > before
