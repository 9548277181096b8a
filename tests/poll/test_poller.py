"""How far the first round is: what is told of it, and when it is over."""

from __future__ import annotations

from watchpost.poll.poller import FIRST_ROUND_MIN, FirstRound

MANY = [f"feed-{number}" for number in range(FIRST_ROUND_MIN)]


def test_each_visit_of_the_round_is_told_once_and_those_that_are_not_in_it_never() -> None:
    told: list[tuple[int, int]] = []
    opening = FirstRound(lambda done, total: told.append((done, total)))
    opening.visited("feed-0")
    assert not opening.begun
    opening.begin(MANY)
    assert opening.begun
    for name in ("feed-0", "feed-0", "other", "feed-1"):
        opening.visited(name)
    assert told == [(1, 100), (2, 100)]
    for name in MANY:
        opening.visited(name)
    assert told[-1] == (100, 100)
    assert len(told) == 100
    opening.claimed({}, 1.0, idle=True)
    assert len(told) == 100, "it was over already"


def test_a_short_round_is_not_told() -> None:
    told: list[tuple[int, int]] = []
    opening = FirstRound(lambda done, total: told.append((done, total)))
    opening.begin(MANY[1:])
    for name in MANY:
        opening.visited(name)
    opening.claimed({}, 1.0, idle=True)
    assert told == []


def test_a_round_waits_for_the_turns_of_busy_hosts_and_not_for_what_another_poller_has_read() -> None:
    told: list[tuple[int, int]] = []
    opening = FirstRound(lambda done, total: told.append((done, total)))
    opening.begin(MANY)
    opening.claimed({"feed-7": 60_000}, 100.0, idle=False)
    opening.claimed({}, 120.0, idle=True)
    assert told == [], "feed-7 has its turn at 160"
    opening.claimed({}, 164.0, idle=True)
    assert told == []
    opening.claimed({}, 166.0, idle=False)
    assert told == [], "something is being read"
    opening.claimed({}, 166.0, idle=True)
    assert told == [(100, 100)]
    opening.visited("feed-7")
    assert told == [(100, 100)]
