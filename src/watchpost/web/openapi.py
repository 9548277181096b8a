"""The description of the API for machines (OpenAPI 3.1): made from its table of calls and its shapes."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from watchpost.web import asking
from watchpost.web.api import CALLS, ROOT, Call


def document() -> dict[str, Any]:
    """The whole document; its version is that of the API, not of the program."""
    models = (
        {call.gives for call in CALLS if call.gives} | {call.takes for call in CALLS if call.takes} | {asking.Problem}
    )
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault(ROOT + call.path, {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchpost",
            "version": "1",
            "description": "What the pages show and do. Where `http.auth` is configured, a program shows one of its "
            "`tokens` (Bearer); POST needs one that may act. What only looks is open to users, too (HTTP Basic).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"token": []}, {"basic": []}, {}],
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _operation(call: Call) -> dict[str, Any]:
    words = re.sub(r"[{}]", "", call.path).strip("/").replace("/", "_")
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", call.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in call.query
    ]
    operation: dict[str, Any] = {"operationId": f"{call.method.lower()}_{words}", "summary": call.summary}
    if parameters:
        operation["parameters"] = parameters
    if call.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(call.takes)}
    good = _content(call.gives) if call.gives else {"application/json": {"schema": {"type": "object"}}}
    operation["responses"] = {
        "200": {"description": "Done." if call.method == "POST" else "As asked.", "content": good}
    }
    if call.method == "POST":
        operation["security"] = [{"token": []}, {}]
        operation["responses"] |= {
            "404": {"description": "Nothing of that name.", "content": _content(asking.Problem)},
            "422": {"description": "What to write instead.", "content": _content(asking.Problem)},
        }
    operation["responses"]["503"] = {"description": "The store is away.", "content": _content(asking.Problem)}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
