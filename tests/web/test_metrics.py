"""The metrics: agreed names, a bounded number of series, labels from the configuration only, no stale values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.making import WHEN
from tests.promtool import promtool
from tests.store.ends import poll_store, queued
from watchpost import log as tm
from watchpost.model import Topic
from watchpost.notify import receivers
from watchpost.poll.poller import outcome
from watchpost.poll.visit import Visit
from watchpost.query.parser import parse
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.web.context import ConfigSummary
from watchpost.web.health import Gauges

_AGREED = """
build_info{python,version} config_last_reload_successful config_last_reload_success_timestamp_seconds config_hash
feed_fetches_total{outcome} feed_fetch_duration_seconds feed_last_success_timestamp_seconds{feed}
feed_consecutive_failures{feed} feed_items_total{outcome} feed_bytes_total feeds{state}
folder_files_total{folder,outcome} folder_lag_seconds{folder} matcher_documents_total{result}
matcher_duration_seconds matcher_errors_total{reason} hits_total{severity,topic} hits_deduplicated_total{kind}
stories_open{topic} hit_age_seconds queue_depth{queue} queue_oldest_age_seconds{queue}
queue_redeliveries_total{queue} queue_dead_letters{queue} digests_total{outcome,receiver} digest_stories{receiver}
digest_lateness_seconds delivery_attempts_total{outcome,reason,receiver,type} delivery_duration_seconds{type}
delivery_end_to_end_seconds{severity} receiver_state{receiver,state}
receiver_paused_until_timestamp_seconds{receiver} silenced_hits_total{topic} limits_applied_total{limit} redis_up
redis_command_duration_seconds{command} scheduler_misfires_total event_loop_lag_seconds
tasks_restarted_total{task} http_requests_total{code,method,route}
"""
AGREED = frozenset(_AGREED.split())

SCRIPTS = 25  # one file per hop; more than there are
BUDGET = 5000
QUEUES = ("articles", "parked", "outbox:team")


@pytest.fixture
def fresh() -> Iterator[None]:
    """The registry, emptied before and after: what other tests counted is not counted here."""
    _empty()
    yield
    _empty()


def _empty() -> None:
    for metric in _metrics():
        if metric._labelnames:
            metric.clear()


def _metrics() -> list[Counter | Gauge | Histogram]:
    return [one for one in vars(tm).values() if isinstance(one, Counter | Gauge | Histogram)]


def exposition() -> str:
    return generate_latest(tm.REGISTRY).decode()


def series() -> list[str]:
    return [line for line in exposition().splitlines() if line and not line.startswith("#")]


def test_the_forty_agreed_metrics_are_there_with_their_labels() -> None:
    ours = set()
    for metric in _metrics():
        name = metric._name.removeprefix("watchpost_") + ("_total" if isinstance(metric, Counter) else "")
        labels = ",".join(sorted(metric._labelnames))
        ours.add(f"{name}{{{labels}}}" if labels else name)
    assert len(AGREED) == 40
    assert AGREED - ours == set()


def count_receivers(names: list[str]) -> None:
    """Every series that these receivers can have."""
    kinds = [*receivers.kinds()]
    for n, name in enumerate(names):
        for what, reason in product(("trylater", "refused", "unknown"), tm.DELIVERY_REASONS - {""}):
            tm.attempts.labels(name, kinds[n % len(kinds)], what, reason)
        tm.attempts.labels(name, kinds[n % len(kinds)], "delivered", "")
        for what in ("sent", "empty", "heartbeat", "merged", "suppressed", "failed"):
            tm.digests.labels(name, what)
        for state in ("ok", "failing", "paused", "open", "trial", "disabled"):
            tm.receiver_state.labels(name, state)
        tm.digest_stories.labels(name)
        tm.receiver_till.labels(name)
        tm.reduced_digests.labels(name)


def count_the_rest() -> None:
    """Every series of topics, folders, queues, scripts and pages."""
    for topic in (f"topic{n}" for n in range(20)):
        for severity in ("low", "normal", "high"):
            tm.hits.labels(topic, severity)
        for metric in (tm.stories_open, tm.hits_silenced, tm.hits_unrouted):
            metric.labels(topic)
    for kind in ("exact", "url", "near", "story"):
        tm.hits_copies.labels(kind)
    for queue in ("pushed", "articles", "outbox"):
        tm.taken_over.labels(queue)
    for folder in (f"folder{n}" for n in range(20)):
        tm.folder_lag.labels(folder)
        for what in ("new", "seen", "invalid"):
            tm.folder_files.labels(folder, what)
    for kind in receivers.kinds():
        tm.delivery_seconds.labels(kind)
    for severity in ("low", "normal", "high"):
        tm.end_to_end.labels(severity)
    for script in range(SCRIPTS):
        tm.store_seconds.labels(str(script))
    for route, method, code in product(range(30), ("GET", "POST", "other"), ("200", "403", "404", "500")):
        tm.requests.labels(str(route), method, code)


@pytest.mark.usefixtures("fresh")
async def test_five_hundred_feeds_twenty_topics_twenty_receivers_stay_within_the_budget(store: Store) -> None:
    feeds = tuple(f"feed{n}" for n in range(700))
    names = [f"receiver{n}" for n in range(20)]
    count_receivers(names)
    count_the_rest()
    await poll_store(store).sync(feeds)
    for claim in (await poll_store(store).claim(len(feeds))).feeds:
        status = {"failures": "2", "last_read": WHEN.isoformat(), "state": "dead" if claim.name == "feed1" else ""}
        await poll_store(store).commit(claim, [], memory={}, status=status, delay_ms=0)
    topics = tuple(Topic(f"topic{n}", "", parse("mali")) for n in range(20))
    await Gauges(Overview(store), ConfigSummary(feeds, (), tuple(names), topics)).measure()

    found = series()
    assert len(found) < BUDGET, len(found)
    assert sum("feed_consecutive_failures{" in one for one in found) == tm.FEEDS_BY_NAME + 1
    assert 'watchpost_feed_consecutive_failures{feed="_other"} 2.0' in found
    assert 'watchpost_feeds{state="failing"} 699.0' in found
    assert 'watchpost_feeds{state="dead"} 1.0' in found
    assert not [one for one in found if "_created" in one]


@pytest.mark.usefixtures("fresh")
async def test_gauges_of_the_store_are_measured_and_vanish_with_it(store: Store) -> None:
    await queued(store)
    await store.redis.xadd(store.keys.outbox("team"), {"d": "1"}, id="1-1")
    for dead_letter in (
        {"kind": "article"},
        {"kind": "delivery", "receiver": "team"},
        {"kind": "delivery", "receiver": "x"},
    ):
        await store.redis.xadd(store.keys.dead, dead_letter)
    await store.redis.xadd(store.keys.pushed, {"k": "content"}, id="1-1")
    await store.redis.zadd(store.keys.stories("mali"), {"s1": 9e15, "s2": 9e15, "over": 1})
    await store.prune()
    summary = ConfigSummary(
        ("rfi",), (), ("team",), (Topic("mali", "Mali", parse("mali")), Topic("gao", "Gao", parse("gao")))
    )
    await Gauges(Overview(store), summary).measure()
    found = dict(line.rsplit(" ", 1) for line in series())
    assert found['watchpost_queue_depth{queue="outbox:team"}'] == "1.0"
    assert float(found['watchpost_queue_oldest_age_seconds{queue="outbox:team"}']) > 1e9, "since 1970"
    assert found['watchpost_queue_oldest_age_seconds{queue="articles"}'] == "0.0"
    dead = {queue: found[f'watchpost_queue_dead_letters{{queue="{queue}"}}'] for queue in (*QUEUES, "_other")}
    assert dead == {"articles": "1.0", "parked": "0.0", "outbox:team": "1.0", "_other": "1.0"}
    assert found['watchpost_queue_depth{queue="pushed"}'] == "1.0"
    assert float(found['watchpost_queue_oldest_age_seconds{queue="pushed"}']) > 1e9
    assert found['watchpost_stories_open{topic="mali"}'] == "2.0"
    assert found['watchpost_stories_open{topic="gao"}'] == "0.0"
    assert found['watchpost_feeds{state="new"}'] == "1.0"

    away = Store("redis://127.0.0.1:1/0")
    await Gauges(Overview(away), summary).measure()
    assert not [line for line in series() if line.startswith(("watchpost_queue_", "watchpost_stories_"))]
    await away.close()


@pytest.mark.parametrize(
    ("visit", "label"),
    [
        (Visit("read"), "ok"),
        (Visit("unchanged"), "not_modified"),
        (Visit("failed", reason="rate_limited"), "http_error"),
        (Visit("failed", reason="dns"), "network_error"),
        (Visit("failed", reason="blocked"), "blocked"),
        (Visit("failed", reason="malformed"), "parse_error"),
        (Visit("failed", reason="unknown"), "unknown"),
    ],
)
def test_a_visit_counts_under_one_of_eight_outcomes(visit: Visit, label: str) -> None:
    assert outcome(visit) == label


def test_an_unknown_reason_makes_no_series() -> None:
    assert tm.delivery_reason("tls") == "tls"
    assert tm.delivery_reason("550 5.1.1 <w@example.org>") == "unknown"


def test_promtool_finds_nothing_wrong_with_the_exposition() -> None:
    tm.feed_fetches.labels("ok")
    text = exposition()
    assert list(text_string_to_metric_families(text))
    assert promtool("check", "metrics", told=text) == ""
