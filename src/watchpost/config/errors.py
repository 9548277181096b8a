"""Validation errors of pydantic as complaints: one for each mistake, at its place in the file, with the cure.

A complaint does not repeat a value, which may be a secret in the wrong place; the exceptions look like plain words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from watchpost import durations
from watchpost.config.yaml_reader import MappingEntry, MappingNode, Mark, Node, ScalarNode, SequenceNode, shown
from watchpost.errors import Complaint

_WANTED = {
    "text": ("string_type", "string_sub_type"),
    "a whole number": ("int_type", "int_parsing", "int_from_float"),
    "a number": ("float_type", "float_parsing"),
    "true or false": ("bool_type", "bool_parsing"),
    "a list": ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
    "a mapping": ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
}
_WANTED_BY_KIND = {kind: wanted for wanted, kinds in _WANTED.items() for kind in kinds}

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}

_FEW = 9
_CURES = {
    "redis.url": "the server's address comes from the environment variable WATCHPOST_REDIS_URL",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A named part of a file, like one feed: its name and path, the place of its key or list item, and its content."""

    name: str
    path: str
    mark: Mark
    node: Node

    @property
    def place(self) -> Mark:
        """Where to point if the block as a whole is wrong."""
        return MappingEntry(self.mark, self.node).place


@dataclass(frozen=True, slots=True)
class _Target:
    """What pydantic's location leads to in the file: the path, and the key with its value.

    `branch` is the first part of the location that is no key in the file, but names the branch of a union; it is at
    `union_path`.
    """

    path: str
    entry: MappingEntry
    branch: str | None = None
    union_path: str = ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that was probably meant, or ""."""
    names = sorted(name for name in known if shown(name) == name)
    return next(iter(get_close_matches(word, names, n=1, cutoff=0.6)), "")


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of `known`, or nothing."""
    name = nearest(word, known)
    return f"; did you mean '{name}'?" if name else ""


def complaints_of(
    error: ValidationError,
    block: Block,
    model: type[BaseModel],
    inherited: Collection[str] = (),
    partial: bool = False,
) -> tuple[Complaint, ...]:
    """Complaints about `block`, which `model` refused.

    `inherited`: keys that stand elsewhere, about which nothing is said here. `partial`: keys may be missing.
    """
    details = error.errors(include_url=False, include_input=False)
    complaints: list[Complaint] = []
    unions: dict[str, list[tuple[_Target, Any]]] = {}
    for detail in details:
        location, kind = tuple(detail["loc"]), detail["type"]
        if (location and location[0] in inherited) or (partial and kind == "missing"):
            continue
        if _follows_from_another(detail, details, model):
            continue
        target = _target(block, location[:-1] if kind in ("missing", "extra_forbidden") else location)
        if kind == "missing":
            complaints.append(target.entry.mark.complaint(target.path, f"the key '{location[-1]}' is missing"))
        elif kind == "extra_forbidden":
            complaints.append(_unknown_key(target, str(location[-1]), _keys(model, location[:-1])))
        elif target.branch is None:
            complaints.append(target.entry.place.complaint(target.path, _problem(detail, target.entry.node)))
        else:
            unions.setdefault(target.union_path, []).append((target, detail))
    for failed in unions.values():
        complaints.extend(_of_union(failed))
    return tuple(dict.fromkeys(complaints))


def _follows_from_another(detail: Any, details: Sequence[Any], model: type[BaseModel]) -> bool:
    """A key that is missing because it is misspelt; a list that is too short because its items are wrong."""
    location = tuple(detail["loc"])
    if detail["type"] == "missing":
        keys = _keys(model, location[:-1])
        return any(
            other["type"] == "extra_forbidden"
            and tuple(other["loc"][:-1]) == location[:-1]
            and nearest(str(other["loc"][-1]), keys) == location[-1]
            for other in details
        )
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and tuple(other["loc"][: len(location)]) == location for other in details
    )


def _target(block: Block, location: Sequence[int | str]) -> _Target:
    target = _Target(block.path, MappingEntry(block.mark, block.node))
    for part in location:
        node = target.entry.node
        if isinstance(node, MappingNode) and str(part) in node.entries:
            path = f"{target.path}.{part}" if target.path else str(part)
            target = replace(target, path=path, entry=node.entries[str(part)])
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            item = node.items[part]
            target = replace(target, path=f"{target.path}[{part}]", entry=MappingEntry(item.mark, item))
        elif target.branch is None:
            target = replace(target, branch=str(part), union_path=target.path)
    return target


def _of_union(failed: list[tuple[_Target, Any]]) -> Iterator[Complaint]:
    """Every branch of a union fails; the complaints of the branch that was meant, which has the right type."""
    branches: dict[str | None, list[tuple[_Target, Any]]] = {}
    for target, detail in failed:
        branches.setdefault(target.branch, []).append((target, detail))
    meant = [
        errors
        for errors in branches.values()
        if all(target.path != target.union_path or detail["type"] not in _WANTED_BY_KIND for target, detail in errors)
    ]
    if meant:
        for target, detail in min(meant, key=len):
            yield target.entry.place.complaint(target.path, _problem(detail, target.entry.node))
        return
    target = failed[0][0]
    wanted = dict.fromkeys(_WANTED_BY_KIND[detail["type"]] for _, detail in failed if detail["type"] in _WANTED_BY_KIND)
    yield target.entry.place.complaint(target.union_path, _wrong_type(" or ".join(wanted), target.entry.node))


def _unknown_key(target: _Target, key: str, known: Collection[str]) -> Complaint:
    node = target.entry.node
    mark = node.entries[key].mark if isinstance(node, MappingNode) and key in node.entries else target.entry.mark
    path = f"{target.path}.{shown(key)}" if target.path else shown(key)
    return mark.complaint(path, unknown_key(key, known, _CURES.get(path, "")))


def unknown_key(key: str, known: Collection[str], cure: str = "") -> str:
    """`unknown key; did you mean 'match'?`; if none is alike, what keys there are, or where they are listed."""
    if cure:
        return f"unknown key; {cure}"
    if hint := suggest(key, known):
        return f"unknown key{hint}"
    few = f"known here: {', '.join(sorted(known))}"
    return f"unknown key; {few if len(known) <= _FEW else 'docs/configuration.md lists all keys'}"


def _problem(detail: Any, node: Node) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _WANTED_BY_KIND:
        return _wrong_type(_WANTED_BY_KIND[kind], node)
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", context["expected"])
        return choice(node, choices) if choices else f"must be {context['expected']}"
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith("ip_"):
        return "an address or network is written like 10.0.0.8 or 10.0.0.0/8"
    if kind == "string_pattern_mismatch":
        return f"must look like {context['pattern']}"
    if kind in _BOUNDS:
        sign, words = _BOUNDS[kind]
        return f"must be {words} {_bound(context[sign])}"
    if kind in ("too_short", "string_too_short") and not context.get("actual_length"):
        return "must not be empty"
    return re.sub(r"^(Input|Value|String|Tuple|List|Dictionary) should ", "must ", str(detail["msg"]))


def _bound(value: object) -> object:
    """A bound as it is written in a file; pydantic shows one of a duration as `datetime.timedelta(seconds=1)`."""
    parts = re.findall(r"(days|seconds|microseconds)=(\d+)", str(value))
    return durations.written(timedelta(**{unit: int(number) for unit, number in parts})) if parts else value


def choice(node: Node, choices: Sequence[str]) -> str:
    """`'hihg' is not one of low, normal, high; did you mean 'high'?`"""
    if len(choices) == 1:
        return f"must be {choices[0]}"
    text = node.text if isinstance(node, ScalarNode) else ""
    if shown(text) != text or not text:
        return f"must be one of {', '.join(choices)}"
    return f"'{text}' is not one of {', '.join(choices)}{suggest(text, choices)}"


def _wrong_type(wanted: str, node: Node) -> str:
    match node:
        case MappingNode():
            return f"this is a mapping; write {wanted}"
        case SequenceNode():
            return f"this is a list; write {wanted}"
        case ScalarNode(value=None):
            return f"this is empty; write {wanted}"
        case ScalarNode(value=bool() | int() | float()) if wanted == "text":
            return "this is not text; put it in quotes"
        case ScalarNode(value=str()):
            return f"this is text; write {wanted}"
    return f"write {wanted}"


def _keys(model: type[BaseModel], location: Sequence[int | str]) -> set[str]:
    """The keys that may stand at `location` of a block read by `model`."""
    models = {model}
    for part in location:
        inner: set[type[BaseModel]] = set()
        for outer in models:
            for name, info in outer.model_fields.items():
                if part in (info.alias or name, name):
                    inner |= set(_models(info.annotation))
        models = inner or models  # a list index or the branch of a union leads to no other model
    return {info.alias or name for each in models for name, info in each.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
