"""Guessing passwords is slow, and keeps no one who knows theirs waiting for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchpost.web.password_guesses import FORGOTTEN_SECONDS, FREE, LONGEST_OF_ADDRESS, LONGEST_OF_NAME, Guesses


def test_people_may_mistype_and_guessers_wait_longer_each_time() -> None:
    guesses = Guesses()
    waits = []
    for _ in range(12):
        waits.append(guesses.wait("a", "x", 0.0))
        guesses.failed("a", "x", 0.0)
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE:] == sorted(waits[FREE:])
    assert waits[-1] == LONGEST_OF_ADDRESS
    assert guesses.wait("a", "another", 0.0) == LONGEST_OF_ADDRESS
    assert guesses.wait("b", "x", 0.0) == LONGEST_OF_NAME
    assert guesses.wait("b", "another", 0.0) == 0.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=300))
def test_no_name_is_ever_locked_out(tries: list[tuple[str, str]]) -> None:
    guesses = Guesses()
    for address, name in tries:
        guesses.failed(address, name, 0.0)
    assert all(guesses.wait("honest", name, 0.0) <= LONGEST_OF_NAME for name in "xyz")
    assert all(guesses.wait(address, "x", FORGOTTEN_SECONDS) == 0.0 for address in "abc")
    guesses.succeeded("a")
    assert guesses.wrong("a", 0.0) == 0


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses()
    for number in range(30_000):
        guesses.failed(f"address {number}", f"name {number}", 0.0)
    assert len(guesses._addresses) == len(guesses._names) == 10_000
