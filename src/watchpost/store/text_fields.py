"""Pure: dataclasses whose fields the store keeps as texts in a hash: times, spans, numbers, flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

T = TypeVar("T")

Hours = Annotated[tuple[int, ...], 24]
Days = Annotated[tuple[int, ...], 7]
_SECONDS_MAX = 10**9


def from_fields(kind: Callable[..., T], texts: Mapping[str, str]) -> T:
    """The dataclass `kind` from a hash. A text that cannot be read counts as absent.

    A key has the field's name, or what the class variable KEYS has for it. Fields of another type than those below
    keep their default; a field that is a dataclass has its keys in the same hash.
    """
    values = dict(_absent(kind))
    for name, key, form in _fields(kind):
        if key in texts:
            values[name] = form.read(texts[key])
    for name, inner in _inner(kind):
        values[name] = from_fields(inner, texts)
    return kind(**values)


def changed_fields(before: T, after: T) -> dict[str, str]:
    """What to write to the hash so that `before` becomes `after`; "" deletes a key. Other keys stay as they are."""
    kind: Callable[..., T] = type(after)
    changed: dict[str, str] = {}
    for name, key, form in _fields(kind):
        old, new = getattr(before, name), getattr(after, name)
        if old is not new and old != new and (text := form.write(new)) != form.write(old):
            changed[key] = text
    for name, _ in _inner(kind):
        old, new = getattr(before, name), getattr(after, name)
        if old is not new:
            changed |= changed_fields(old, new)
    return changed


def keys_of(kind: Callable[..., object]) -> tuple[str, ...]:
    """The keys in the hash of a dataclass."""
    return tuple(key for _, key, _ in _fields(kind))


def read_seconds(text: str) -> timedelta | None:
    """Whole seconds as a span, at most 10^9; None for what is no number."""
    text = text.strip()
    digits = text.isascii() and text.isdigit() and len(text) < 12
    return timedelta(seconds=min(int(text), _SECONDS_MAX)) if digits else None


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _read_count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


class _Form(NamedTuple):
    """How a value is written as text. `read("")` is the value of a key that is absent."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _numbers(below: int) -> _Form:
    def read(text: str) -> tuple[int, ...]:
        numbers = (int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) < 3)
        return tuple(number for number in numbers if number < below)

    return _Form(lambda numbers: ",".join(map(str, numbers)), read)


_FORMS: Mapping[Any, _Form] = {
    str: _Form(str, str),
    bool: _Form(lambda flag: "1" if flag else "", bool),
    int: _Form(lambda number: str(number) if number else "", _read_count),
    datetime | None: _Form(lambda moment: moment.isoformat(timespec="seconds") if moment else "", _read_moment),
    timedelta | None: _Form(lambda span: str(int(span.total_seconds())) if span is not None else "", read_seconds),
    Hours: _numbers(24),
    Days: _numbers(7),
}


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, _Form], ...]:
    """Name, key and form of each field that is kept as text."""
    keys = getattr(kind, "KEYS", {})
    hints = get_type_hints(kind, include_extras=True)
    return tuple((name, keys.get(name, name), _FORMS[hint]) for name, hint in hints.items() if hint in _FORMS)


@cache
def _absent(kind: Any) -> Mapping[str, Any]:
    """The value of each field that is kept as text where its key is absent."""
    return {name: form.read("") for name, _, form in _fields(kind)}


@cache
def _inner(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((name, hint) for name, hint in get_type_hints(kind).items() if is_dataclass(hint))
