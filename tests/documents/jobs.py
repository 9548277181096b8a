"""Work for the parser's child process: module-level functions, some of them bad."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from pathlib import Path

from watchpost.errors import FetchError


def length(data: bytes) -> int:
    return len(data)


def process_id() -> int:
    return os.getpid()


def niceness(data: bytes) -> int:
    return os.nice(0)


def cpu_seconds() -> float:
    return time.process_time()


def environment(name: str) -> str | None:
    return os.environ.get(name)


def refuse() -> None:
    raise FetchError("not_a_feed", "this is a shopping list")


def stumble() -> None:
    raise ZeroDivisionError("of a kind that nobody expected")


def spin() -> None:
    while True:
        pass


def stay_in_native_code() -> int:
    return sum(range(10**12))  # never comes back to the interpreter, so no signal handler of Python's runs


def wait(seconds: float) -> str:
    time.sleep(seconds)
    return "waited"


def eat_memory() -> int:
    return len(bytearray(160 << 20))


def add_up(first: int) -> Generator[int, int, list[int]]:
    told = [first]
    while told[-1]:
        told.append((yield told[-1]))
    return told


def spin_when_answered() -> Generator[str, str, None]:
    yield "may I?"
    spin()


def eat_when_answered() -> Generator[str, str, int]:
    yield "may I?"
    return eat_memory()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def length_when(data: bytes, path: str) -> int:
    """The length of the data, as soon as there is a file of this name."""
    while not Path(path).exists():
        time.sleep(0.01)
    return len(data)
