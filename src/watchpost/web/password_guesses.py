"""Pure: wrong passwords, by address and by name, and how long the next guess has to wait.

Waiting has an upper bound, and wrong guesses are forgotten: nobody can lock a name out for good.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

FREE = 3
"""So many wrong guesses cost nothing: people mistype."""

FIRST_SECONDS, LONGEST_OF_ADDRESS, LONGEST_OF_NAME = 0.25, 8.0, 2.0
"""The wait doubles with each wrong guess, up to these: a name may be guessed at from many addresses."""

FORGOTTEN_SECONDS = 900.0
_MOST = 10_000  # addresses, and names, that are remembered


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    last: float = 0.0


@dataclass(slots=True)
class Guesses:
    """What was guessed wrong lately. Times are seconds of any clock that only goes forward."""

    _addresses: OrderedDict[str, _Count] = field(default_factory=OrderedDict)
    _names: OrderedDict[str, _Count] = field(default_factory=OrderedDict)

    def wait(self, address: str, name: str, now: float) -> float:
        """The seconds that a guess from this address at this name has to wait."""
        by_address = _seconds(self.wrong(address, now), LONGEST_OF_ADDRESS)
        return max(by_address, _seconds(_wrong(self._names, name, now), LONGEST_OF_NAME))

    def wrong(self, address: str, now: float) -> int:
        """The wrong guesses from this address that are not forgotten."""
        return _wrong(self._addresses, address, now)

    def failed(self, address: str, name: str, now: float) -> int:
        """Note a wrong guess; returns how many came from the address."""
        _add(self._names, name, now)
        return _add(self._addresses, address, now)

    def succeeded(self, address: str) -> None:
        """A person at this address knows a password."""
        self._addresses.pop(address, None)


def _seconds(wrong: int, longest: float) -> float:
    return min(FIRST_SECONDS * 2 ** min(wrong - FREE, 16), longest) if wrong >= FREE else 0.0


def _wrong(counts: OrderedDict[str, _Count], key: str, now: float) -> int:
    count = counts.get(key)
    return count.wrong if count is not None and now - count.last < FORGOTTEN_SECONDS else 0


def _add(counts: OrderedDict[str, _Count], key: str, now: float) -> int:
    count = _Count(_wrong(counts, key, now) + 1, now)
    counts[key] = count
    counts.move_to_end(key)
    if len(counts) > _MOST:
        counts.popitem(last=False)
    return count.wrong
