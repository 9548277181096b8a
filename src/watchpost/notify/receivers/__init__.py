"""The kinds of receiver: each module of this package is one, and names it in `KIND`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from watchpost.notify.receiver import ReceiverKind


@cache
def kinds() -> Mapping[str, ReceiverKind]:
    """Every kind by its name in the configuration, sorted. A file added to this package adds a kind."""
    return collect(import_module(f"{__name__}.{module.name}").KIND for module in iter_modules(__path__))


def collect(kinds: Iterable[ReceiverKind]) -> Mapping[str, ReceiverKind]:
    """The kinds by name. Raises ValueError if two have the same one."""
    by_name: dict[str, ReceiverKind] = {}
    for kind in kinds:
        if kind.name in by_name:
            raise ValueError(f"two kinds of receiver are named {kind.name!r}")
        by_name[kind.name] = kind
    return MappingProxyType(dict(sorted(by_name.items())))
