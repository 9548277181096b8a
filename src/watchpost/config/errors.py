"""What pydantic says, said to the operator: one complaint per mistake, at its place, with a cure.

Values are never repeated, because one of them may be a secret; the exception is a misspelt choice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError

from watchpost import durations
from watchpost.config.yaml_reader import MappingEntry, MappingNode, Mark, Node, ScalarNode, SequenceNode
from watchpost.errors import Complaint

_WANTED = {
    "text": ("string_type", "string_sub_type"),
    "a whole number": ("int_type", "int_parsing", "int_from_float"),
    "a number": ("float_type", "float_parsing"),
    "true or false": ("bool_type", "bool_parsing"),
    "a list": ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
    "a mapping": ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
}
_MISMATCH = {kind: wanted for wanted, kinds in _WANTED.items() for kind in kinds}

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}

_CURES = {
    "redis.url": "the server's address comes from the environment variable WATCHPOST_REDIS_URL",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a file under its own name: where its key (or list item) stands, and what it holds."""

    name: str
    path: str
    mark: Mark
    node: Node

    @property
    def place(self) -> Mark:
        """Where to point at when the block as a whole is wrong."""
        return MappingEntry(self.mark, self.node).place


@dataclass(frozen=True, slots=True)
class _Spot:
    path: str
    entry: MappingEntry  # what was reached, and where its key stands
    fork: str | None = None  # the first part of pydantic's path that is not a key here: a branch of a union
    fork_path: str = ""


def shown(text: str) -> str:
    """The text if it looks like a name; "…" for what may be an address, or a secret in a wrong place."""
    return text if re.fullmatch(r"[\w ./+-]{0,40}", text) and "//" not in text else "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that was probably meant, or ""."""
    return next(
        iter(get_close_matches(word, sorted(name for name in known if shown(name) == name), n=1, cutoff=0.6)), ""
    )


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of `known`, or nothing."""
    close = nearest(word, known)
    return f"; did you mean '{close}'?" if close else ""


def complaints_of(
    error: ValidationError,
    block: Block,
    model: type[BaseModel],
    inherited: Collection[str] = (),
    partial: bool = False,
) -> tuple[Complaint, ...]:
    """Complaints about `block`, which `model` refused.

    Nothing is said about the `inherited` keys, which stand elsewhere, and with `partial` about missing ones.
    """
    single: list[Complaint] = []
    unions: dict[str, list[tuple[_Spot, Any]]] = {}
    details = error.errors(include_url=False, include_input=False)
    misspelt = {
        (*detail["loc"][:-1], nearest(str(detail["loc"][-1]), _keys(model, detail["loc"][:-1])))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    for detail in details:
        if detail["type"] == "missing" and tuple(detail["loc"]) in misspelt:
            continue  # it is there, under a misspelt name
        if detail["type"] == "too_short" and any(_inside(one["loc"], detail["loc"]) for one in details):
            continue  # pydantic does not count the items that are wrong
        if (detail["loc"] and detail["loc"][0] in inherited) or (partial and detail["type"] == "missing"):
            continue
        location, key_error = tuple(detail["loc"]), detail["type"] in ("missing", "extra_forbidden")
        spot = _walk(block, location[:-1] if key_error else location)
        if detail["type"] == "missing":
            problem = f"the key '{location[-1]}' is missing"
            single.append(spot.entry.mark.complaint(spot.path, problem))
        elif detail["type"] == "extra_forbidden":
            single.append(_unknown_key(spot, str(location[-1]), _keys(model, location[:-1])))
        elif spot.fork is None:
            single.append(spot.entry.place.complaint(spot.path, _problem(detail, spot)))
        else:
            unions.setdefault(spot.fork_path, []).append((spot, detail))
    for found in unions.values():
        single.extend(_of_union(found))
    return tuple(dict.fromkeys(single))


def _inside(location: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    return len(location) > len(outer) and tuple(location[: len(outer)]) == tuple(outer)


def _walk(block: Block, location: Sequence[int | str]) -> _Spot:
    spot = _Spot(block.path, MappingEntry(block.mark, block.node))
    for part in location:
        step: tuple[str, MappingEntry] | None = None
        node = spot.entry.node
        if isinstance(node, MappingNode) and str(part) in node.entries:
            step = (f"{spot.path}.{part}" if spot.path else str(part), node.entries[str(part)])
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            item = node.items[part]
            step = (f"{spot.path}[{part}]", MappingEntry(item.mark, item))
        if step is not None:
            spot = _Spot(*step, spot.fork, spot.fork_path)
        elif spot.fork is None:
            spot = _Spot(spot.path, spot.entry, str(part), spot.path)
    return spot


def _of_union(found: list[tuple[_Spot, Any]]) -> Iterator[Complaint]:
    """Every branch of a union complains; keep those of the branch that was meant."""
    branches: dict[str | None, list[tuple[_Spot, Any]]] = {}
    for spot, detail in found:
        branches.setdefault(spot.fork, []).append((spot, detail))
    meant = [
        errors
        for errors in branches.values()
        if all(spot.path != spot.fork_path or detail["type"] not in _MISMATCH for spot, detail in errors)
    ]
    if meant:
        for spot, detail in min(meant, key=len):
            yield spot.entry.place.complaint(spot.path, _problem(detail, spot))
        return
    spot = found[0][0]
    wanted = dict.fromkeys(_MISMATCH[detail["type"]] for _, detail in found if detail["type"] in _MISMATCH)
    yield spot.entry.place.complaint(spot.fork_path, _mismatch(" or ".join(wanted), spot.entry.node))


def _unknown_key(spot: _Spot, key: str, known: Iterable[str]) -> Complaint:
    node = spot.entry.node
    mark = node.entries[key].mark if isinstance(node, MappingNode) and key in node.entries else spot.entry.mark
    path = f"{spot.path}.{shown(key)}" if spot.path else shown(key)
    cure = f"; {_CURES[path]}" if path in _CURES else suggest(key, known)
    return mark.complaint(path, f"unknown key{cure}")


def _problem(detail: Any, spot: _Spot) -> str:
    kind, context, node = detail["type"], detail.get("ctx", {}), spot.entry.node
    if kind in _MISMATCH:
        return _mismatch(_MISMATCH[kind], node)
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", context["expected"])
        return choice(node, choices) if choices else f"must be {context['expected']}"
    if kind == "timezone" and isinstance(node, ScalarNode):
        return f"no time zone '{shown(node.text)}'{suggest(node.text, available_timezones())}"
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith("ip_"):
        return "an address or network is written like 10.0.0.8 or 10.0.0.0/8"
    if kind == "string_pattern_mismatch":
        return f"must look like {context['pattern']}"
    if kind in _BOUNDS:
        sign, words = _BOUNDS[kind]
        return f"must be {words} {_bound(context[sign])}"
    if kind == "too_short" and context.get("actual_length") == 0:
        return "must not be empty"
    return re.sub(r"^(Input|Value|String|Tuple|List|Dictionary) should ", "must ", str(detail["msg"]))


def _bound(value: object) -> object:
    """A bound as an operator would write it; pydantic names one of a duration by its constructor."""
    parts = re.findall(r"(days|seconds|microseconds)=(\d+)", str(value))
    return durations.written(timedelta(**{unit: int(number) for unit, number in parts})) if parts else value


def choice(node: Node, choices: Sequence[str]) -> str:
    """`'hihg' is not one of low, normal, high; did you mean 'high'?`"""
    if len(choices) == 1:
        return f"must be {choices[0]}"
    text = node.text if isinstance(node, ScalarNode) else ""
    if shown(text) != text or not text:
        return f"must be one of {', '.join(choices)}"
    return f"{text!r} is not one of {', '.join(choices)}{suggest(text, choices)}"


def _mismatch(wanted: str, node: Node) -> str:
    match node:
        case MappingNode():
            return f"{wanted} is needed, this is a mapping"
        case SequenceNode():
            return f"{wanted} is needed, this is a list"
        case ScalarNode(value=None):
            return f"{wanted} is needed, this is empty"
        case ScalarNode(value=bool() | int() | float()) if wanted == "text":
            return "text is needed: put it in quotes"
        case ScalarNode(value=str()):
            return f"{wanted} is needed, this is text"
    return f"{wanted} is needed"


def _keys(model: type[BaseModel], location: Sequence[int | str]) -> set[str]:
    """The keys that an operator may write at `location` of a block read by `model`."""
    models = {model}
    for part in location:
        inner: set[type[BaseModel]] = set()
        for one in models:
            for name, info in one.model_fields.items():
                if part in (info.alias or name, name):
                    inner |= set(_models(info.annotation))
        models = inner or models  # a list index or a union tag changes nothing
    return {info.alias or name for one in models for name, info in one.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
