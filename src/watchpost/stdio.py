"""The standard streams as they are when something is written: a progress bar may stand in for them for a while."""

from __future__ import annotations

import sys
from typing import Any, Literal, TextIO, cast


def standard(name: Literal["stdout", "stderr"]) -> TextIO:
    """A stream that passes everything on to what `sys` has under this name at that moment."""
    return cast("TextIO", _Current(name))


class _Current:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(sys, self._name), attribute)
