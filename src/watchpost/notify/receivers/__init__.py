"""The kinds of receiver: each module of this package is one, and says so in `KIND`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from watchpost.notify.receiver import ReceiverKind


@cache
def kinds() -> Mapping[str, ReceiverKind]:
    """Every kind by its name in the configuration, sorted. Adding a file to this package adds a kind."""
    return collect(import_module(f"{__name__}.{module.name}").KIND for module in iter_modules(__path__))


def collect(found: Iterable[ReceiverKind]) -> Mapping[str, ReceiverKind]:
    """Kinds by name; raises ValueError if two share one."""
    collected: dict[str, ReceiverKind] = {}
    for kind in found:
        if kind.name in collected:
            raise ValueError(f"two kinds of receiver are named {kind.name!r}")
        collected[kind.name] = kind
    return MappingProxyType(dict(sorted(collected.items())))
