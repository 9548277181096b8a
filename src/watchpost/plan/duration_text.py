"""Still: a duration as an operator writes it."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration_text(value: timedelta) -> str:
    """`1h30m`, `500ms`, `0s`: fields.Duration reads it as the same."""
    if value % timedelta(seconds=1):
        return f"{value // timedelta(milliseconds=1)}ms"
    rest, text = int(value.total_seconds()), ""
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
