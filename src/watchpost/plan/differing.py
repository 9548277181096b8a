"""Still: what is different between two configurations, written out in full, and what it takes to make it so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

Kind = Literal["added", "removed", "changed"]

_LONGEST = 200

NAMED = ("feeds", "folders", "queries", "topics", "receivers")

NEEDS_RESTART = ("redis",)
"""What a running service keeps until it ends. Everything else is taken over at a reload."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` are the values on both sides, None where there is none."""

    path: str
    kind: Kind
    before: Any
    after: Any

    @property
    def live(self) -> bool:
        """True if a reload is enough, False if the service must be started again."""
        return self.path.split(".")[0] not in NEEDS_RESTART

    @property
    def topic(self) -> bool:
        """True if it may change what matches."""
        return self.path.split(".")[0] in ("topics", "queries")


def brief(value: Any) -> str:
    """A value of either side in one line, cut where it is long."""
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What `new` says otherwise than `old`: a key for each value, a whole block where one came or went.

    Both are written out as effective() does. Routes are told by their place in the new list; of a removed one it
    is that in the old list.
    """
    return tuple(_of_mapping("", old, new))


def _of_mapping(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*old, *new)):
        inner = f"{path}.{key}" if path else key
        if not path and key == "routes":
            yield from _of_routes(old.get(key, ()), new.get(key, ()))
        elif not path and key in NAMED:
            yield from _of_mapping(key, old.get(key, {}), new.get(key, {}))
        elif key not in old:
            yield Change(inner, "added", None, new[key])
        elif key not in new:
            yield Change(inner, "removed", old[key], None)
        elif isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            yield from _of_mapping(inner, old[key], new[key])
        elif old[key] != new[key]:
            yield Change(inner, "changed", old[key], new[key])


def _of_routes(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    """Routes have no names: those that stand in both lists in the same order are the same."""
    matcher = SequenceMatcher(None, [repr(one) for one in old], [repr(one) for one in new], autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = min(old_to - old_from, new_to - new_from)
        for step in range(pairs):
            yield from _of_mapping(f"routes[{new_from + step}]", old[old_from + step], new[new_from + step])
        for index in range(old_from + pairs, old_to):
            yield Change(f"routes[{index}]", "removed", old[index], None)
        for index in range(new_from + pairs, new_to):
            yield Change(f"routes[{index}]", "added", None, new[index])
