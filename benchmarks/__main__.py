"""Benchmarks: `python -m benchmarks NAME …`; without a name, all of them."""

from __future__ import annotations

import argparse
import importlib

NAMES = (
    "startup",
    "idle",
    "queue",
    "latency",
    "delivery",
    "matching",
    "stories",
    "parsing",
    "polling",
    "schedule",
    "archive",
    "scale",
)


def main() -> None:
    """Run the benchmarks that were named, one after the other."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which; all without a name")
    names = parser.parse_args().names or NAMES
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    for name in names:
        importlib.import_module(f"benchmarks.{name}").run()


if __name__ == "__main__":
    main()
