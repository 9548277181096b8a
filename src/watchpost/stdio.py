"""The standard streams as they are at the moment of writing: a progress bar replaces them for a while."""

from __future__ import annotations

import sys
from typing import Any, Literal, TextIO, cast


def standard(name: Literal["stdout", "stderr"]) -> TextIO:
    """A stream that passes everything on to the stream that `sys` has under this name at that moment."""
    return cast("TextIO", _CurrentStream(name))


class _CurrentStream:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(sys, self._name), attribute)
