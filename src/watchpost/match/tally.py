"""What the matcher adds to the metrics."""

from __future__ import annotations

from watchpost import telemetry as tm
from watchpost.wire.articles import Copy, Match, Matched, Parking


def count(done: Match, result: Matched | None) -> None:
    """An article is dealt with; None: another matcher had done it before."""
    tm.articles_matched.labels("gone" if result is None else "hit" if done.parkings else "miss").inc()
    if result is None:
        return
    joins = result.verdict is not None and not result.verdict.opens
    for parking, copy in zip(done.parkings, result.copies, strict=True):
        _count(parking, copy, joins)


def _count(parking: Parking, copy: Copy, joins: bool) -> None:
    hit = parking.hit
    if copy:
        tm.hits_copies.labels(copy).inc()
        return
    if joins:
        tm.hits_copies.labels("story").inc()  # it is told, as part of a story that was there
    tm.hits.labels(hit.topic, hit.severity).inc()
    if hit.article.published is not None:
        tm.hit_age.observe(max(0.0, (hit.matched - hit.article.published).total_seconds()))
    if not parking.groups:
        tm.hits_unrouted.labels(hit.topic).inc()
        tm.log().warning("hit.unrouted", topic=hit.topic, title=hit.article.title)
