"""How long people and supervisors wait: `--version`, `--help`, and `run` until /readyz says yes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.service import WATCHPOST, clean_env, place, service
from benchmarks.table import Figure, at_most, publish

ROUNDS = 11
_CONFIG = """
folders: {drop: {path: .}}
topics: {mali: mali}
receivers: {out: {type: file, path: out}}
routes: [{to: out, mode: immediate}]
"""


def run() -> None:
    """Measure, and publish the table."""
    measures: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: _seconds([sys.executable, "-c", "pass"]),
        "watchpost --version": lambda: _seconds([*WATCHPOST, "--version"]),
        "watchpost --help": lambda: _seconds([*WATCHPOST, "--help"]),
        "watchpost run, until ready": _ready,
    }
    goals = {"watchpost --version": 0.15, "watchpost --help": 0.35, "watchpost run, until ready": 1.5}
    taken = defaultdict[str, list[float]](list)
    for number in range(ROUNDS + 1):
        for name, measure in measures.items():
            seconds = measure()
            if number:  # the first round warms the file cache
                taken[name].append(seconds)
    bare = statistics.median(taken["python -c pass"])
    figures = [_figure(name, rounds, goals.get(name), bare) for name, rounds in taken.items()]
    remarks = [
        f"{ROUNDS} interleaved rounds after a warm-up, medians (lowest - highest); × is to `python -c pass`",
        "ready: an empty data directory, the embedded server started, from the start of the process to 200 of /readyz",
    ]
    publish("startup", "Start-up", figures, remarks)


def _figure(name: str, rounds: Sequence[float], goal: float | None, bare: float) -> Figure:
    value = statistics.median(rounds)
    row = at_most(name, value, goal, "s") if goal else Figure(name, value, "s")
    return replace(row, spread=(min(rounds), max(rounds)), note=f"{value / bare:.1f} ×")


def _seconds(words: Sequence[str]) -> float:
    begun = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, env=clean_env(), check=True)
    return time.monotonic() - begun


def _ready() -> float:
    with place() as root, service(root, _CONFIG) as running:
        return running.ready_seconds
