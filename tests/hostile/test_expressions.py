"""No regular expression takes long for a text of a stranger, however the text is made."""

from __future__ import annotations

import time

import pytest

from tests.house.patterns import Pattern, patterns, table, worst_texts

_SIZES = (24, 100, 400, 1_600, 6_400, 32_000)
_SECONDS_PER_CHARACTER = 6e-6  # the square of 32,000 takes ten times as long, whatever is repeated
_SECONDS = 0.005  # less is no evidence
_TRIES = 4  # a busy machine is slow once, not each time

ALL = {pattern.key: pattern for pattern in patterns()}


def cpu_seconds(pattern: Pattern, text: str, fullmatch: bool) -> float:
    begun = time.process_time()
    pattern.run(text, fullmatch=fullmatch)
    return time.process_time() - begun


@pytest.mark.parametrize("key", [key for key in ALL if table().get(key, "own") != "own"])
def test_an_expression_takes_no_longer_than_its_text(key: str) -> None:
    pattern, bound = ALL[key], table()[key].removeprefix("fullmatch").strip()
    longest = _SIZES[-1] if bound == "any" else int(bound)
    assert pattern.compiled, "nobody can say how long it takes: its text is made when the code runs"
    for size in sorted({*(size for size in _SIZES if size < longest), min(longest, _SIZES[-1])}):
        allowed = _SECONDS + size * _SECONDS_PER_CHARACTER
        for compiled in pattern.compiled:
            for text in worst_texts(compiled, size):
                fullmatch = table()[key].startswith("fullmatch")
                if cpu_seconds(pattern, text, fullmatch) > allowed:
                    taken = min(cpu_seconds(pattern, text, fullmatch) for _ in range(_TRIES))
                    assert taken <= allowed, f"{len(text)} characters, {text[:60]!r}…{text[-6:]!r}: {taken:.3f} s"
