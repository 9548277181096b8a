"""A night and a morning of a service within a minute: the night in which the clocks go back."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from tests.flow.long_soak import MONDAY, SUNDAY, Soaked, growth, moments, picture, run

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None and "CI" not in os.environ, reason="no C compiler: apt-get install gcc libc6-dev"
)


@needs_compiler
@pytest.mark.timeout(900)
def test_a_night_of_the_clock_change_has_each_digest_once_and_leaks_nothing() -> None:
    hours = 24 if os.environ.get("CI") else 7
    found = run(hours, end=SUNDAY)
    assert found.articles > hours
    assert found.midnights == 1
    assert found.digests == len(moments(SUNDAY - timedelta(hours=found.hours), SUNDAY))
    begun = max(each.files for each in found.samples[: len(found.samples) // 2])
    assert found.samples[-1].files <= begun + 20
    assert found.samples[-1].memory_mib < found.samples[1].memory_mib + 40
    image = ET.fromstring(picture(found))
    assert len(image.findall("{http://www.w3.org/2000/svg}polyline")) == 4


def test_the_calendar_of_the_oracle() -> None:
    start = datetime(2040, 10, 26, 22, 0, tzinfo=UTC)
    assert [f"{each:%d %H:%M}" for each in moments(start, MONDAY)] == [
        *("27 00:30", "27 06:00", "27 16:00"),
        *("28 00:30", "28 07:00", "28 17:00"),
        *("29 01:30", "29 07:00", "29 17:00"),
    ]


def test_a_leak_shows_in_its_growth_and_a_warm_up_does_not() -> None:
    assert growth([1, 50, 90, 99] + [100] * 12) == pytest.approx(1, abs=0.01)
    assert growth([100 + 10 * hour for hour in range(16)]) > 1.5
    assert Soaked(1.0).samples == []
