"""How far back a command looks: --since 90m, 12h, 7d."""

from __future__ import annotations

from datetime import timedelta

from watchpost.app import spans
from watchpost.errors import WatchpostError


def span_of(since: str) -> timedelta | None:
    """The time span that --since names, None for "". Raises WatchpostError with what to write instead."""
    try:
        return spans.span_of(since)
    except WatchpostError as error:
        raise WatchpostError(f"--since {error}") from None
