"""Makes a data directory of long ago one of the last day: what it remembers for days is there however old it is.

Its append-only file is a list of commands with times in them: milliseconds, the ids of streams, days and hours at the
end of keys, ISO times on their own. All are moved by the same number of whole days. Articles and messages are left
as they are, byte for byte. The topics of a fixture have a `window` of 4d, so that a part of the index is a day long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

_MILLISECONDS = re.compile(rb"(?<![0-9A-Za-z])1\d{12}(?![0-9A-Za-z])")
_ISO = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
_SECONDS = re.compile(rb'(?<="at":)\d{10}(?=[.,}])')
_DAY_KEY = re.compile(rb"(?<=:)(\d{5})$")
_HOUR_KEY = re.compile(rb"(?<=:)(\d{6})$")
_DAY = timedelta(days=1)


def age_in_days(stopped: str) -> int:
    """How many whole days ago a service was stopped at that ISO time."""
    return (datetime.now(UTC) - datetime.fromisoformat(stopped)) // _DAY


def move(data: Path, days: int) -> None:
    """Move everything that the data directory remembers by so many days."""
    if not days:
        return
    for path in (data / "appendonlydir").glob("*.incr.aof"):
        path.write_bytes(b"".join(map(_packed, (_moved(words, days) for words in _commands(path.read_bytes())))))
    journals = {path: _journal(path, days) for path in data.glob("sent-*.journal")}
    for path, name in journals.items():
        path.rename(path.with_name(f"{name}.moved"))
    for path in data.glob("sent-*.moved"):
        path.rename(path.with_suffix(""))


def moved_time(text: str, days: int) -> str:
    """An ISO time, so many days later."""
    return (datetime.fromisoformat(text) + days * _DAY).isoformat()


def _journal(path: Path, days: int) -> str:
    day = datetime.strptime(path.stem.removeprefix("sent-"), "%Y%m%d").replace(tzinfo=UTC) + days * _DAY
    return f"sent-{day:%Y%m%d}.journal"


def _commands(log: bytes) -> Iterator[list[bytes]]:
    """RESP: *number, then for each word $length and the word."""
    at = 0
    while at < len(log):
        count, at = _number(log, at, b"*")
        words = []
        for _ in range(count):
            length, at = _number(log, at, b"$")
            words.append(log[at : at + length])
            at += length + 2
        yield words


def _number(log: bytes, at: int, mark: bytes) -> tuple[int, int]:
    end = log.index(b"\r\n", at)
    assert log[at : at + 1] == mark, log[at : at + 40]
    return int(log[at + 1 : end]), end + 2


def _packed(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _moved(words: list[bytes], days: int) -> list[bytes]:
    return [_moved_word(word, days) for word in words]


def _moved_word(word: bytes, days: int) -> bytes:
    if word.startswith((b"{wp}:index:", b"{wp}:ledger:", b"{wp}:count:")):
        return _DAY_KEY.sub(lambda found: b"%d" % (int(found[0]) + days), word)
    if word.startswith(b"{wp}:quota:"):
        return _HOUR_KEY.sub(lambda found: b"%d" % (int(found[0]) + 24 * days), word)
    if _ISO.fullmatch(word):
        return moved_time(word.decode(), days).encode()
    if word.startswith(b"{"):
        return _SECONDS.sub(lambda found: b"%d" % (int(found[0]) + days * 86_400), word)
    if b"{" in word or not _is_text(word):
        return word  # an article, a hit or a message, plain or packed
    return _MILLISECONDS.sub(lambda found: b"%d" % (int(found[0]) + days * 86_400_000), word)


def _is_text(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True
