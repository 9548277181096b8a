"""The pace of single hosts, and hosts that cannot keep what is asked of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.test_loader import plan_of
from watchpost.config.config import SourceConfig
from watchpost.config.hosts import busy_hosts
from watchpost.config.schema import HostOptions
from watchpost.poll.feed_options import FeedOptions

SECOND = timedelta(seconds=1)


def feeds(count: int, every: str, host: str = "busy.example") -> list[SourceConfig]:
    given = {} if not every else {"every": every}
    return [
        SourceConfig(f"f{n}", "feed", FeedOptions.model_validate({"url": f"https://{host}/{n}", **given}))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "every", "gap", "busy"),
    [
        (400, "5m", None, True),
        (300, "5m", None, False),
        (301, "5m", None, True),
        (400, "5m", "750ms", False),
        (400, "5m", "0s", False),
        (400, "", None, False),
        (30_000, "", None, True),
        (20, "10s", None, True),
    ],
)
def test_a_host_is_busy_if_its_feeds_are_due_more_often_than_its_gap_allows(
    count: int, every: str, gap: str | None, busy: bool
) -> None:
    hosts = {} if gap is None else {"busy.example": HostOptions.model_validate({"gap": gap})}
    found = busy_hosts(feeds(count, every) + feeds(3, "1m", "other.example"), SECOND, hosts)
    assert [one.host for one in found] == ["busy.example"] * busy


@given(st.integers(2, 500), st.integers(1, 600))
def test_the_cure_is_one(count: int, seconds: int) -> None:
    sources = feeds(count, f"{seconds}s")
    for busy in busy_hosts(sources, SECOND, {}):
        gap = busy.cure.partition("gap: ")[2].rstrip("}")
        assert not busy_hosts(sources, SECOND, {"busy.example": HostOptions.model_validate({"gap": gap})})


def test_check_names_the_feed_the_host_and_the_cure(tmp_path: Path) -> None:
    listed = "".join(f"  - {{url: 'https://busy.example/{n}', every: 5m}}\n" for n in range(400))
    config = plan_of(tmp_path, f"version: 1\nfeeds:\n{listed}hosts: {{Busy.Example.: {{at_once: 4}}}}\n")
    assert config.hosts == {"busy.example": HostOptions(at_once=4)}
    (warning,) = [one for one in config.warnings if "busy.example" in one.problem]
    assert (warning.line, warning.severity) == (3, "warning")
    assert warning.problem == (
        "busy.example cannot be asked so often: the gap between its requests is 1 s, and its 400 feeds are due 1.3 "
        "times as often; lengthen every, or if the host allows it write hosts: {busy.example: {gap: 750ms}}"
    )


def test_a_route_or_silence_by_a_name_that_depends_on_the_order_of_a_list_is_a_warning(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        "version: 1\n"
        "feeds: [https://a.example/1, https://a.example/2, https://b.example/1]\n"
        "topics: {mali: Mali}\n"
        "receivers: {desk: {type: console}}\n"
        "routes: [{to: desk, when: {sources: [b-example, a-example-2]}, mode: immediate}]\n"
        "silences: [{match: {source: a-example}, until: 2030-01-01, reason: noise, by: ann}]\n",
    )
    found = [(one.line, one.path) for one in config.warnings if "depends on their order" in one.problem]
    assert found == [(5, "routes[0].when.sources[1]"), (6, "silences[0].match.source")]
    named = "version: 1\nfeeds: {a: https://a.example/1, b: https://a.example/2}\n"
    routes = (
        "topics: {mali: Mali}\nreceivers: {desk: {type: console}}\n"
        "routes: [{to: desk, when: {sources: a}, mode: immediate}]\n"
    )
    assert not [one for one in plan_of(tmp_path, named + routes).warnings if "order" in one.problem]
