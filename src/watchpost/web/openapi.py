"""The description of the API (OpenAPI 3.1), made from its table of calls; `make schema` writes docs/openapi.json."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from watchpost.web.api import CALLS, ROOT, Call
from watchpost.web.schemas import Problem


def document() -> dict[str, Any]:
    """The whole description. Its version is that of the API, not of the program."""
    models = {model for call in CALLS for model in (call.gives, call.takes) if model} | {Problem}
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
            "description": "What the pages show and do. With `http.auth` a program sends one of its `tokens` (Bearer); "
            "POST needs a token that may act. GET is open to users as well (HTTP Basic).",
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
    name = re.sub(r"[{}]", "", call.path).strip("/").replace("/", "_")
    parameters = [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
        for part in re.findall(r"{(\w+)}", call.path)
    ]
    parameters += [
        {"name": part, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for part, meaning in call.query
    ]
    operation: dict[str, Any] = {"operationId": f"{call.method.lower()}_{name}", "summary": call.summary}
    if parameters:
        operation["parameters"] = parameters
    if call.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(call.takes)}
    good = _content(call.gives) if call.gives else {"application/json": {"schema": {"type": "object"}}}
    operation["responses"] = {"200": {"description": "OK", "content": good}}
    if call.method == "POST":
        operation["security"] = [{"token": []}, {}]
        operation["responses"] |= {
            "404": {"description": "This does not exist, or no longer.", "content": _content(Problem)},
            "422": {"description": "The body has mistakes; the answer says which.", "content": _content(Problem)},
        }
    operation["responses"]["503"] = {"description": "The store is not available.", "content": _content(Problem)}
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
