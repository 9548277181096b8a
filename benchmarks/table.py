"""What a benchmark found: figures with their goals, as a table for people and as JSON for comparing runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `value` is a median in `unit`; `spread` its lowest and highest round; `met` is None without a goal."""

    name: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None
    goal: str = ""
    met: bool | None = None
    note: str = ""


def median_of(name: str, rounds: Sequence[float], unit: str, note: str = "") -> Figure:
    """A row for the median of several rounds."""
    return Figure(name, statistics.median(rounds), unit, (min(rounds), max(rounds)), note=note)


def at_least(name: str, value: float, goal: float, unit: str = "×", note: str = "") -> Figure:
    """A row whose goal is a lower bound."""
    return Figure(name, value, unit, None, f"≥ {goal:g} {unit}", value >= goal, note)


def at_most(name: str, value: float, goal: float, unit: str, note: str = "") -> Figure:
    """A row whose goal is an upper bound."""
    return Figure(name, value, unit, None, f"≤ {goal:g} {unit}", value <= goal, note)


def publish(name: str, heading: str, figures: Sequence[Figure], remarks: Sequence[str] = ()) -> None:
    """Print the table, and write results/<name>.json."""
    width = max(len(figure.name) for figure in figures)
    print(f"\n{heading}\n")
    for figure in figures:
        spread = f"({_number(figure.spread[0])} - {_number(figure.spread[1])})" if figure.spread else ""
        verdict = "" if figure.met is None else f"{figure.goal:>12}  {'met' if figure.met else 'MISSED'}"
        line = f"  {figure.name:<{width}} {_number(figure.value):>9} {figure.unit:<3} {spread:<20} {verdict:<22}"
        print(f"{line} {figure.note}".rstrip())
    for remark in remarks:
        print(f"  {remark}")
    RESULTS.mkdir(exist_ok=True)
    content = {"heading": heading, "figures": [asdict(figure) for figure in figures], "remarks": list(remarks)}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"
