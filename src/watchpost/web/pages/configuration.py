"""Still: the page Configuration: what is loaded, what is wrong with what lies on the disk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watchpost.web.watched import Watched


def view(watched: Watched, good: bool, when: datetime, problem: str) -> dict[str, Any]:
    """What the template shows. `good`: what was read last, at `when`, is what runs; else `problem` says why not."""
    return {
        "active": "config",
        "good": good,
        "when": when,
        "problems": problem.splitlines(),
        "warnings": watched.warnings,
        "listing": watched.listing,
        "fingerprint": watched.fingerprint,
    }
