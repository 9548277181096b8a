"""How far back somebody wants to look: 90m, 12h, 7d."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from watchpost.errors import WatchpostError
from watchpost.plan.fields import Duration

_LONGEST = timedelta(days=36_500)


def span_of(text: str) -> timedelta | None:
    """The time span, None for "". Raises WatchpostError with what to write instead."""
    if not text:
        return None
    try:
        span: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise WatchpostError(f"{text}: write it like 90m, 12h or 7d") from None
    if not timedelta(0) < span <= _LONGEST:
        raise WatchpostError(f"{text}: from a second to a hundred years")
    return span
