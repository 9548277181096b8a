"""The kinds of source: every module of this package that has a KIND."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from watchpost.poll.source import SourceKind


def kinds() -> Mapping[str, SourceKind]:
    """Every kind by its name, in order of names. Two of one name are a mistake in this package: ValueError."""
    found: dict[str, SourceKind] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        kind = getattr(importlib.import_module(module.name), "KIND", None)
        if isinstance(kind, SourceKind):
            if kind.name in found:
                raise ValueError(f"two modules of {__name__} call their kind {kind.name!r}")
            found[kind.name] = kind
    return dict(sorted(found.items()))
