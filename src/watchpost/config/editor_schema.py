"""The JSON Schema of the configuration file, for editors, made from the models that read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from watchpost import durations
from watchpost.config.fields import Options
from watchpost.config.format import RENAMED
from watchpost.config.schema import MainFile, Matching, RouteOptions, TopicOptions, When

Schema = dict[str, Any]

_NAMES = {"pattern": r"^[^\s/:._-][^\s/:]{0,63}$"}
_ISO_DURATION = TypeAdapter(timedelta)
_MODELS_BY_BLOCK: dict[tuple[str, ...], type[Options]] = {
    ("routes", "*", "when"): When,
    ("silences", "*", "match"): Matching,
}


def json_schema(sources: Mapping[str, type[Options]], receivers: Mapping[str, type[Options]]) -> Schema:
    """JSON Schema (draft 2020-12) of the whole file, for these kinds of source (feed, folder) and receiver.

    It describes shapes, choices and patterns. Only the loader checks what needs more than one place of the file
    (names in routes, keys that exclude each other) and what needs a parser (queries, times).
    """
    own: list[type[BaseModel]] = [MainFile, TopicOptions, RouteOptions]
    models = list(dict.fromkeys([*own, *sources.values(), *receivers.values()]))
    references, made = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Schema] = _tidied(made["$defs"])
    names = {model: references[model, "validation"]["$ref"].rsplit("/", 1)[1] for model in models}

    def reference(model: type[BaseModel]) -> Schema:
        return {"$ref": f"#/$defs/{names[model]}"}

    kinds = {kind: definitions[names[model]] for kind, model in receivers.items()}
    main = definitions.pop(names[MainFile])
    for model in set(receivers.values()):
        del definitions[names[model]]
    properties = main["properties"]
    defaults = {key: value for key, value in definitions[names[sources["feed"]]].items() if key != "required"}
    definitions["Defaults"]["properties"]["feed"] = defaults
    for renamed in RENAMED:
        keys = definitions[_MODELS_BY_BLOCK[renamed.block].__name__]["properties"]
        keys[renamed.old] = keys[renamed.new] | {"deprecated": True, "description": f"Write `{renamed.new}`."}
    feed = {"anyOf": [{"type": "string", "format": "uri"}, reference(sources["feed"])]}
    properties["feeds"] = {"anyOf": [_named(feed), {"type": "array", "items": feed}, {"type": "null"}]}
    properties["folders"] = _optional(_named(_or_text(reference(sources["folder"]))))
    properties["queries"] = _optional(_named({"type": "string"}))
    properties["topics"] = _optional(_named(_or_text(reference(TopicOptions))))
    typed = [_typed(kind, schema) for kind, schema in sorted(kinds.items())]
    properties["receivers"] = _optional(_named({"oneOf": typed}))
    properties["routes"] = _optional({"type": "array", "items": reference(RouteOptions)})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **main,
        "title": "watchpost configuration",
        "description": "What to watch, what to look for, and who gets the hits when.",
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text(sources: Mapping[str, type[Options]], receivers: Mapping[str, type[Options]]) -> str:
    """json_schema() as the text of config/watchpost.schema.json; the same kinds give the same bytes."""
    return json.dumps(json_schema(sources, receivers), indent=2, ensure_ascii=False) + "\n"


def _named(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAMES, "additionalProperties": schema}


def _optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _or_text(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "string"}, schema]}


def _typed(kind: str, schema: Schema) -> Schema:
    """The schema of a receiver kind with `type`, the key that selects it."""
    return schema | {
        "title": kind,
        "properties": {"type": {"const": kind}} | schema.get("properties", {}),
        "required": ["type", *schema.get("required", [])],
    }


def _tidied(schema: Any) -> Any:
    """Without generated titles, and with defaults only in the form in which they are written in a file."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {}
    for key, value in schema.items():
        if key == "default" and not isinstance(value, dict):
            if isinstance(value, str) and "ms|s|m|h|d|w" in str(schema.get("pattern", "")):
                tidy[key] = durations.written(_ISO_DURATION.validate_python(value))
            elif value not in (None, "") and not isinstance(value, list) and not str(value).startswith("Secret("):
                tidy[key] = value
        elif not ((key == "title" and isinstance(value, str)) or (key == "default" and "$ref" in schema)):
            tidy[key] = _tidied(value)
    return tidy
