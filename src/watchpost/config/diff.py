"""A configuration written out in full, and the differences between two of them."""

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
from watchpost.config.config import Config, SourceConfig
from watchpost.config.fields import DAYS, Options, Secret
from watchpost.config.schema import SECTIONS, SOURCE_SECTIONS

Kind = Literal["added", "removed", "changed"]

_LONGEST = 200

NAMED = (*(section for section, _ in SOURCE_SECTIONS.values()), "queries", "entities", "topics", "receivers")

NEEDS_RESTART = ("redis",)
"""The sections that a reload does not change; they need a restart of the service."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the values before and after, None where there is none."""

    path: str
    kind: Kind
    before: Any
    after: Any

    @property
    def live(self) -> bool:
        """Whether a reload is enough; else the service needs a restart."""
        return self.path.split(".")[0] not in NEEDS_RESTART

    @property
    def topic(self) -> bool:
        """Whether it may change what matches."""
        return self.path.split(".")[0] in ("topics", "queries", "entities")


def brief(value: Any) -> str:
    """A value in one line, cut if it is long."""
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """How `new` differs from `old`: one change for each value, or for a whole block that is new or removed.

    Both are written out as effective() does. The number of a route is its place in the new list, that of a removed
    one its place in the old list.
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
    """Routes have no names: two lists are compared as texts are, by their longest common runs."""
    matcher = SequenceMatcher(None, [repr(route) for route in old], [repr(route) for route in new], autojunk=False)
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


_NOT_SHOWN = {*SECTIONS, "include", "defaults", "feeds_from"}  # their values stand in the blocks that they apply to
_ONLY_IMMEDIATE = ("group_wait", "group_interval", "repeat_interval")


def effective(config: Config) -> dict[str, Any]:
    """The whole configuration as dicts, lists, texts, numbers and booleans, in the order of the manual.

    Defaults are filled in, and a secret is its origin ({env: NAME}). It loads again as the same configuration, except
    for values that may be secrets although they are in the file: addresses of receivers and headers are masked.
    """
    written = config.written
    blocks: dict[str, Any] = {"version": 1}
    blocks |= {key: value for key, value in _block(written.main).items() if key not in _NOT_SHOWN}
    for kind, (section, _) in SOURCE_SECTIONS.items():
        blocks[section] = {source.name: _source(source) for source in config.sources if source.kind == kind}
    blocks["queries"] = dict(written.queries)
    blocks["entities"] = {name: _block(options) for name, options in written.entities.items()}
    blocks["topics"] = {name: _block(options) for name, options in written.topics.items()}
    blocks["receivers"] = {one.name: {"type": one.kind} | _block(one.options) for one in config.receivers}
    blocks["routes"] = [_route(options) for options in written.routes]
    return {key: value for key, value in blocks.items() if value not in ({}, [])}


def _source(source: SourceConfig) -> dict[str, Any]:
    """A source. A feed or page without `every` finds its own interval, and must not get one by being written out."""
    block = _block(source.options)
    if source.kind in ("feed", "page") and "every" not in source.options.model_fields_set:
        block.pop("every", None)
    return block


def _route(options: Options) -> dict[str, Any]:
    """A route, without the defaults that would be an error if they were written."""
    block = _block(options)
    if "mode" not in block:
        block = {key: value for key, value in block.items() if key not in _ONLY_IMMEDIATE}
        digest = block.get("digest")
        if isinstance(digest, dict) and "at" not in digest:
            digest.pop("days", None)
    return block


def _block(options: BaseModel) -> dict[str, Any]:
    block = {}
    for name, info in type(options).model_fields.items():
        if isinstance(own := getattr(options, name), Secret) and own == info.default:
            continue  # an address that is not in the file would only be masked
        value = _plain(name, own)
        if value not in (None, "", [], {}):  # these mean the same as no key at all
            block[info.alias or name] = value
    return block


def _plain(name: str, value: Any) -> Any:
    match value:
        case BaseModel():
            return _block(value)
        case Secret():
            origin, _, name = value.origin.partition(" ")
            return {origin: name} if origin in ("env", "file") else _masked(value.reveal_or(""), name)
        case timedelta():
            return durations.written(value)
        case datetime():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case Mapping() if name == "headers":  # the text of a header may be a secret
            return {str(key): "***" if isinstance(each, str) else _plain("", each) for key, each in value.items()}
        case Mapping():
            return {str(key): _plain("", each) for key, each in value.items()}
        case tuple() if name == "days":
            return [DAYS[day] for day in value]
        case tuple() | list() | frozenset():
            return [_plain("", each) for each in value]
        case bool() | int() | float() | str() | None:
            return value
    file = getattr(value, "name", None)  # a template of a receiver: from a file, or written in its place
    text = getattr(value, "text", None)
    if isinstance(file, str) and isinstance(text, str):
        return text if file.startswith("template.") else {"file": file}
    return str(value)


def _masked(address: str, mark: str) -> str:
    """An address of which only the host is readable; `mark` changes with the rest."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}/***{mark}"
