"""What is different between two configurations, written out in full, and what it takes to make it so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from difflib import SequenceMatcher
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel

from watchpost import durations
from watchpost.config.config import Config, Part
from watchpost.config.fields import DAYS, Options, Secret
from watchpost.config.schema import SECTIONS

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


# A plan written out again as a configuration: defaults filled in, and each secret as where it comes from.
#
# What comes out loads again as the same plan, but for what may be a secret in spite of being written down: the path of
# a
# receiver's address and the value of a header, which are masked.


_NOT_SHOWN = {*SECTIONS, "include", "defaults", "feeds_from"}  # they are filled into what they speak of
_ONLY_IMMEDIATE = ("group_wait", "group_interval", "repeat_interval")


def effective(config: Config) -> dict[str, Any]:
    """The whole configuration as dicts, lists, texts, numbers and booleans, in the order of the manual."""
    written = config.written
    shown: dict[str, Any] = {"version": 1}
    shown |= {key: value for key, value in _block(written.frame).items() if key not in _NOT_SHOWN}
    for key, kind in (("feeds", "feed"), ("folders", "folder")):
        shown[key] = {part.name: _source(part) for part in config.sources if part.kind == kind}
    shown["queries"] = dict(written.queries)
    shown["topics"] = {name: _block(options) for name, options in written.topics.items()}
    shown["receivers"] = {part.name: _receiver(part) for part in config.receivers}
    shown["routes"] = [_route(options) for options in written.routes]
    return {key: value for key, value in shown.items() if value not in ({}, [])}


def _source(part: Part) -> dict[str, Any]:
    """A feed or folder. A feed without `every` finds its own pace, and must not get one by being shown."""
    shown = _block(part.options)
    if part.kind == "feed" and "every" not in part.options.model_fields_set:
        shown.pop("every", None)
    return shown


def _receiver(part: Part) -> dict[str, Any]:
    return {"type": part.kind} | _block(part.options)


def _route(options: Options) -> dict[str, Any]:
    """A route; a default is left out where writing it would be an error."""
    shown = _block(options)
    if "mode" not in shown:
        shown = {key: value for key, value in shown.items() if key not in _ONLY_IMMEDIATE}
        digest = shown.get("digest")
        if isinstance(digest, dict) and "at" not in digest:
            digest.pop("days", None)
    return shown


def _block(options: BaseModel) -> dict[str, Any]:
    shown = {}
    for name, info in type(options).model_fields.items():
        if isinstance(own := getattr(options, name), Secret) and own == info.default:
            continue  # an address that nobody wrote would only be masked
        value = _plain(name, own)
        if value not in (None, "", [], {}):  # these say the same as no key at all
            shown[info.alias or name] = value
    return shown


def _plain(name: str, value: Any) -> Any:
    match value:
        case BaseModel():
            return _block(value)
        case Secret():
            how, _, where = value.origin.partition(" ")
            return {how: where} if how in ("env", "file") else _masked(value.reveal(), where)
        case timedelta():
            return durations.written(value)
        case datetime():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case Mapping() if name == "headers":  # a literal may be a secret all the same
            return {str(key): "***" if isinstance(one, str) else _plain("", one) for key, one in value.items()}
        case Mapping():
            return {str(key): _plain("", one) for key, one in value.items()}
        case tuple() if name == "days":
            return [DAYS[day] for day in value]
        case tuple() | list() | frozenset():
            return [_plain("", one) for one in value]
        case bool() | int() | float() | str() | None:
            return value
    file = getattr(value, "name", None)  # a template, as notify reads it: from a file, or written in its place
    text = getattr(value, "text", None)
    if isinstance(file, str) and isinstance(text, str):
        return text if file.startswith("template.") else {"file": file}
    return str(value)


def _masked(address: str, mark: str) -> str:
    """Of an address only the host; `mark` changes with the rest."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}/***{mark}"
