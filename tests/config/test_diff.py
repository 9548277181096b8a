"""What is different between two configurations, key by key."""

from __future__ import annotations

from typing import Any

import pytest

from watchpost.config.diff import differences

OLD: dict[str, Any] = {
    "timezone": "UTC",
    "redis": {"prefix": "wp"},
    "feeds": {"rfi": {"url": "https://a", "every": "10m"}, "bbc": {"url": "https://b"}},
    "topics": {"mali": {"query": "Mali"}},
    "routes": [{"to": ["a"]}, {"to": ["b"]}, {"to": ["c"]}],
}


def told(new: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(change.path, change.kind, change.live) for change in differences(OLD, new)]


def test_equal_ones_differ_in_nothing() -> None:
    assert told({**OLD}) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"timezone": "Africa/Bamako"}, [("timezone", "changed", True)]),
        ({"redis": {"prefix": "desk"}}, [("redis.prefix", "changed", False)]),
        ({"topics": {}}, [("topics.mali", "removed", True)]),
        ({"topics": {"mali": {"query": "Mali", "severity": "high"}}}, [("topics.mali.severity", "added", True)]),
        (
            {"feeds": {"rfi": {"url": "https://a", "every": "5m"}, "gao": {"url": "https://c"}}},
            [("feeds.rfi.every", "changed", True), ("feeds.bbc", "removed", True), ("feeds.gao", "added", True)],
        ),
        ({"routes": [{"to": ["b"]}, {"to": ["c"]}]}, [("routes[0]", "removed", True)]),
        ({"routes": [{"to": ["a"]}, {"to": ["x"]}, {"to": ["c"]}]}, [("routes[1].to", "changed", True)]),
        ({"routes": [{"to": ["a"]}, {"to": ["b"]}, {"to": ["x"]}, {"to": ["c"]}]}, [("routes[2]", "added", True)]),
        ({"log": {"level": "debug"}}, [("log", "added", True)]),
    ],
)
def test_each_difference_has_its_path(new: dict[str, Any], expected: list[tuple[str, str, bool]]) -> None:
    assert told(OLD | new) == expected


def test_a_section_that_is_gone_is_told_by_its_names() -> None:
    assert told({key: value for key, value in OLD.items() if key != "feeds"}) == [
        ("feeds.rfi", "removed", True),
        ("feeds.bbc", "removed", True),
    ]
