"""Still: the last look at a payload before it is frozen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


class UnfitError(ValueError):
    """A payload that its target would refuse, or that would do there what nobody meant."""


def fit(payload: str, validate: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> str:
    """The payload (JSON) itself. Raises UnfitError with the first thing that `validate` finds."""
    for problem in validate(json.loads(payload)):
        raise UnfitError(problem)
    return payload
