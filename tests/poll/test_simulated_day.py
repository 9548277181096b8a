"""A day of 300 feeds in the still layer: however they ask to be left alone, nobody is asked too early."""

from __future__ import annotations

import random

from tests.poll.day import HOUR, START, Site, live, sites
from watchpost.poll.schedule import Interval
from watchpost.poll.visit import Visit, record_visit
from watchpost.store.sources import SourceStatus


def test_in_a_day_nobody_is_asked_too_early_and_nobody_is_forgotten() -> None:
    lived = sites(300)
    for site in lived:
        live(site)
    assert sum(site.rude for site in lived) == 0
    assert 2 * len(lived) < sum(site.asked for site in lived) < 60 * len(lived)


def test_the_oracle_notices_who_does_not_listen() -> None:
    site = Site("rude", random.Random(1), ttl=HOUR, skip_hours=(), memory={}, status=SourceStatus("rude"))
    now = START
    for _ in range(50):
        visit = site.answer(now)
        deaf = Visit(visit.outcome, reason=visit.reason, interval=Interval())
        now += record_visit(site.status, site.every, deaf, now).delay
    assert site.rude > 25
