"""robots.txt as RFC 9309 has it."""

from __future__ import annotations

import tracemalloc

import pytest

from watchpost.poll.http.robots import ALLOW_ALL, BYTES_MAX, DISALLOW_ALL, RobotsCache, product, read_robots

SITE = "https://example.org"


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("", "/a", True),
        ("Disallow: /private", "/private/letter", False),
        ("Disallow: /private", "/Private", True),
        ("Disallow:", "/a", True),
        ("Disallow: /", "/", False),
        ("Disallow: /news\nAllow: /news/world", "/news/world/1", True),
        ("Allow: /news\nDisallow: /news/world", "/news/world/1", False),
        ("Disallow: /same\nAllow: /same", "/same", True),
        ("Disallow: /*?print=", "/a/b?print=1", False),
        ("Disallow: /*?print=", "/a/b", True),
        ("Disallow: /*.pdf$", "/a.pdf", False),
        ("Disallow: /*.pdf$", "/a.pdf?x", True),
        ("Disallow: /*.pdf$", "/a.pdf/b.pdf", False),
        ("Disallow: /exact$", "/exact", False),
        ("Disallow: /exact$", "/exactly", True),
        ("Disallow: /a*b*c", "/a-b-c-d", False),
        ("Disallow: /a*b*c", "/a-c-b", True),
        ("Disallow: /b*b$", "/b", True),
        ("Disallow: /%7ejoe", "/~joe/a", False),
        ("Disallow: /caf%c3%a9", "/café", False),
        ("Disallow: /a%2fb", "/a%2Fb", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("disallow : /x # not this", "/x", False),
        ("Crawl-delay: 5\nnonsense\nDisallow: /x", "/x", False),
    ],
)
def test_the_longest_pattern_that_fits_decides(rules: str, path: str, allowed: bool) -> None:
    assert read_robots(f"User-agent: *\n{rules}\n".encode(), "watchpost").allow(SITE + path) is allowed


def test_our_own_group_counts_alone_and_all_its_parts_together() -> None:
    body = b"""\xef\xbb\xbfUser-Agent: *
Disallow: /all

user-agent: Watchpost
User-agent: other
Disallow: /ours

User-agent: watchpost
Disallow: /too
"""
    robots = read_robots(body, "watchpost")
    assert [robots.allow(f"{SITE}/{path}") for path in ("all", "ours", "too")] == [True, False, False]
    assert [read_robots(body, "third").allow(f"{SITE}/{path}") for path in ("all", "ours")] == [False, True]


def test_the_protocol_is_read_as_far_as_the_bound() -> None:
    padding = b"# " + b"x" * 998 + b"\n"
    body = b"User-agent: *\nDisallow: /near\n" + padding * (BYTES_MAX // 1000 + 1) + b"Disallow: /far\n"
    robots = read_robots(body, "watchpost")
    assert (robots.allow(f"{SITE}/near"), robots.allow(f"{SITE}/far")) == (False, True)


def test_hostile_patterns_cost_nothing() -> None:
    body = b"User-agent: *\n" + b"Disallow: /" + b"a*" * 900 + b"b$\n"
    assert read_robots(body * 200, "watchpost").allow(SITE + "/" + "a" * 1900)


def test_many_readers_with_many_rules_do_not_fill_the_memory() -> None:
    readers = b"".join(b"User-agent: a%d\n" % number for number in range(4_000))
    rules = b"".join(b"Disallow: /%d\n" % number for number in range(4_000))
    tracemalloc.start()
    try:
        assert read_robots(readers + rules, "watchpost").allow(SITE + "/1")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_name_that_begins_ours_is_not_ours() -> None:
    assert read_robots(b"User-agent: watch\nDisallow: /", "watchpost").allow(SITE)


def test_everything_and_nothing() -> None:
    assert ALLOW_ALL.allow(SITE)
    assert not DISALLOW_ALL.allow(SITE)


def test_we_are_called_by_the_name_in_our_user_agent() -> None:
    assert product("watchpost/1.2 (+https://example.org)") == "watchpost"
    assert product("") == ""


def test_what_a_site_allows_is_remembered_for_a_while_and_of_so_many_sites() -> None:
    cache = RobotsCache()
    cache.put(("a",), DISALLOW_ALL, until=10)
    assert (cache.get(("a",), 9), cache.get(("a",), 10), cache.get(("b",), 0)) == (DISALLOW_ALL, None, None)
    for number in range(2000):
        cache.put((number,), ALLOW_ALL, until=10)
    assert (cache.get(("a",), 0), cache.get((0,), 0)) == (None, ALLOW_ALL)
