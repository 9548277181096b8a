"""What the matcher adds to the metrics."""

from __future__ import annotations

from time import monotonic

from watchpost import telemetry as tm
from watchpost.wire.articles import WINDOW_MS, Match, Matched, Parking

_MOST_STORIES = 10_000  # of one topic that are remembered


class Tally:
    """Counts what became of articles. It remembers the stories of the last window, as far as this process met them."""

    def __init__(self) -> None:
        self._stories: dict[str, dict[str, float]] = {}  # topic → story → when it last had a hit; the oldest first

    def count(self, done: Match, result: Matched | None) -> None:
        """An article is dealt with; None: another matcher had done it before."""
        tm.articles_matched.labels("gone" if result is None else "hit" if done.parkings else "miss").inc()
        if result is None:
            return
        for parking, fresh in zip(done.parkings, result.news, strict=True):
            self._count(parking, fresh, result)

    def _count(self, parking: Parking, fresh: bool, result: Matched) -> None:
        hit = parking.hit
        if not fresh:
            tm.hits_copies.labels("exact").inc()
            return
        if result.verdict is not None and not result.verdict.opens:
            tm.hits_copies.labels("story").inc()  # it is told, as part of a story that was there
        tm.hits.labels(hit.topic, hit.severity).inc()
        if hit.article.published is not None:
            tm.hit_age.observe(max(0.0, (hit.matched - hit.article.published).total_seconds()))
        self._open(hit.topic, result.verdict.story if result.verdict is not None else hit.story)
        if not parking.groups:
            tm.hits_unrouted.labels(hit.topic).inc()
            tm.log().warning("hit.unrouted", topic=hit.topic, title=hit.article.title)

    def _open(self, topic: str, story: str) -> None:
        stories = self._stories.setdefault(topic, {})
        stories.pop(story, None)
        stories[story] = monotonic()
        self.settle(topic)

    def settle(self, *topics: str) -> None:
        """Forget the stories of these topics (all, if none is named) that no report joins any more."""
        for topic in topics or tuple(self._stories):
            stories = self._stories[topic]
            since = monotonic() - WINDOW_MS / 1000
            while stories and (len(stories) > _MOST_STORIES or next(iter(stories.values())) < since):
                del stories[next(iter(stories))]
            tm.stories_open.labels(topic).set(len(stories))
