"""How far back a command looks: --since 90m, 12h, 7d."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import WatchpostError
from watchpost.plan.fields import Duration

_LONGEST = timedelta(days=36_500)


def span_of(since: str) -> timedelta | None:
    """The time span that --since names, None for "". Raises WatchpostError with what to write instead."""
    if not since:
        return None
    try:
        span: timedelta = TypeAdapter(Duration).validate_python(since)
    except ValidationError:
        raise WatchpostError(f"--since {since}: write it like 90m, 12h or 7d") from None
    if not timedelta(0) < span <= _LONGEST:
        raise WatchpostError(f"--since {since}: from a second to a hundred years")
    return span
