"""The table of metrics in docs/operations.md, as values."""

from __future__ import annotations

import re
from pathlib import Path

_MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"


def documented() -> dict[str, dict[str, frozenset[str]]]:
    """Metric without its prefix → label → the values that it may have; none, if they are names of the configuration.

    A row may describe several metrics: then ";" separates their labels. A label's values follow its ":".
    """
    table = _MANUAL.read_text("utf-8").partition("## Metrics")[2].partition("## Health")[0]
    found: dict[str, dict[str, frozenset[str]]] = {}
    for named, labelled in re.findall(r"^\| (`[^|]+?) \|([^|]*)\|", table, re.MULTILINE):
        names, parts = re.findall(r"`(\w+)`", named), labelled.replace("`", "").split(";")
        each = [[part] for part in parts] if len(parts) == len(names) else [parts] * len(names)
        for name, own in zip(names, each, strict=True):
            found[name] = {}
            for part in own:
                labels, _, values = part.partition(":")
                for label in filter(None, map(str.strip, labels.split(","))):
                    found[name][label] = frozenset()
                if values:
                    found[name][labels.split(",")[-1].strip()] = frozenset(map(str.strip, values.split(",")))
    return found
