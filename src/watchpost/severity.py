"""Still: how much a topic matters. Routes ask for it, stories and editions are ordered by it."""

from __future__ import annotations

from typing import Literal

Severity = Literal["low", "normal", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high")
"""In rising order."""
