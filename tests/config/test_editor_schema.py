"""The schema for editors says yes to what loads, and no to the mistakes that a schema can see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.config.kinds import RECEIVERS, SOURCES
from watchpost.config.schema import json_schema, schema_text
from watchpost.config.yaml_reader import plain, read_yaml

HERE = Path(__file__).parent
SCHEMA = json_schema(SOURCES, RECEIVERS)
KNOWN = {
    *("$schema", "$defs", "$ref", "title", "description", "default", "examples", "format", "deprecated", "x-advanced"),
    *("type", "const", "enum", "pattern", "minimum", "maximum", "anyOf", "oneOf"),
    *("properties", "required", "additionalProperties", "propertyNames", "items", "minItems"),
}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def fits(value: Any, schema: Any) -> bool:
    """Does the value fit? Knows the keywords of JSON Schema 2020-12 that our schema uses, and no others."""
    if isinstance(schema, bool):
        return schema
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema and not fits(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]):
        return False
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind == "integer")):
        return False
    checks = [
        "const" not in schema or value == schema["const"],
        "enum" not in schema or value in schema["enum"],
        "anyOf" not in schema or any(fits(value, one) for one in schema["anyOf"]),
        "oneOf" not in schema or sum(fits(value, one) for one in schema["oneOf"]) == 1,
    ]
    if isinstance(value, str):
        checks.append(re.search(schema.get("pattern", ""), value) is not None)
    if isinstance(value, int | float):
        checks.append(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if isinstance(value, list):
        checks += [fits(item, schema.get("items", True)) for item in value]
        checks.append(len(value) >= schema.get("minItems", 0))
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        checks += [key in value for key in schema.get("required", [])]
        checks += [fits(key, schema.get("propertyNames", True)) for key in value]
        for key, one in value.items():
            checks.append(fits(one, properties.get(key, schema.get("additionalProperties", True))))
    return all(checks)


def tree_of(text: str) -> Any:
    """The plain values of a YAML text."""
    tree, complaints = read_yaml(text, "a.yaml")
    assert tree is not None
    assert complaints == ()
    return plain(tree)


@pytest.mark.parametrize("name", ["minimal.yaml", "full.yaml"])
def test_the_examples_fit(name: str) -> None:
    assert fits(tree_of((HERE / name).read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "timezone: UTC",
        "version: 2",
        "version: 1\ntopcs: {}",
        "version: 1\ntopics: {mali: {querry: Mali}}",
        "version: 1\ntopics: {mali: {query: Mali, severity: hihg}}",
        "version: 1\ntopics: {mali: {query: Mali, languages: [french]}}",
        "version: 1\ntopics: {two words: Mali}",
        "version: 1\nfeeds: {a: {every: 5m}}",
        "version: 1\nfeeds: {a: {url: 'https://a', every: 5}}",
        "version: 1\nfeeds: [{url: 'https://a', evry: 5m}]",
        "version: 1\ndefaults: {feed: {evry: 5m}}",
        "version: 1\nreceivers: {team: {url: {env: SLACK}}}",
        "version: 1\nreceivers: {team: {type: slack, url: https://chat.example}}",
        "version: 1\nreceivers: {team: {type: slak, url: {env: SLACK}}}",
        "version: 1\nreceivers: {team: {type: console, url: {env: SLACK}}}",
        "version: 1\nroutes: {to: team}",
        "version: 1\nroutes: [{digest: '08:00'}]",
        "version: 1\nroutes: [{to: [], digest: '08:00'}]",
        "version: 1\nroutes: [{to: team, digest: 8}]",
        "version: 1\nlimits: {queue_max: 0}",
        "version: 1\nhttp: {auth: {users: {ops: hunter2}}}",
    ],
)
def test_mistakes_do_not_fit(text: str) -> None:
    assert not fits(tree_of(text), SCHEMA)


def test_defaults_are_written_as_an_operator_writes_them() -> None:
    properties = SCHEMA["$defs"]["Retention"]["properties"]
    assert properties["dedup"]["default"] == "30d"
    assert SCHEMA["$defs"]["RouteOptions"]["properties"]["group_wait"]["default"] == "30s"
    assert SCHEMA["$defs"]["Feed"]["properties"]["every"]["default"] == "10m"


def test_the_text_is_json_and_always_the_same() -> None:
    text = schema_text(SOURCES, RECEIVERS)
    assert json.loads(text) == SCHEMA
    assert text == schema_text(SOURCES, dict(reversed(RECEIVERS.items())))
