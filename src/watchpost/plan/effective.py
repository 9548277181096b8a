"""A plan written out again as a configuration: defaults filled in, and each secret as where it comes from.

What comes out loads again as the same plan, but for what may be a secret in spite of being written down: the path of a
receiver's address and the value of a header, which are masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from watchpost.plan.crontab import Crontab
from watchpost.plan.duration_text import duration_text
from watchpost.plan.fields import Options, Secret
from watchpost.plan.plan import Part, Plan
from watchpost.plan.schedule_text import DAYS
from watchpost.plan.schema import SECTIONS

_NOT_SHOWN = {*SECTIONS, "include", "defaults", "feeds_from"}  # they are filled into what they speak of
_ONLY_IMMEDIATE = ("group_wait", "group_interval", "repeat_interval")


def effective(plan: Plan) -> dict[str, Any]:
    """The whole configuration as dicts, lists, texts, numbers and booleans, in the order of the manual."""
    written = plan.written
    shown: dict[str, Any] = {"version": 1}
    shown |= {key: value for key, value in _block(written.frame).items() if key not in _NOT_SHOWN}
    for key, kind in (("feeds", "feed"), ("folders", "folder")):
        shown[key] = {part.name: _source(part) for part in plan.sources if part.kind == kind}
    shown["queries"] = dict(written.queries)
    shown["topics"] = {name: _block(options) for name, options in written.topics.items()}
    shown["receivers"] = {part.name: _receiver(part) for part in plan.receivers}
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
            return duration_text(value)
        case datetime():
            return value.isoformat()
        case Crontab():
            return value.text
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
