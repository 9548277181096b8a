"""One value where a list may stand."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import core_schema

T = TypeVar("T")


def listed(value: Any) -> Any:
    """The list; of one value a list of one."""
    return value if isinstance(value, list | tuple) else [value]


class _OrOne:
    """Tells editors that a list of one may be written without its brackets."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        items = handler(schema)
        return {"anyOf": [items["items"], items]}


Several = Annotated[tuple[T, ...], Field(min_length=1), BeforeValidator(listed), _OrOne()]
"""One value, or a list of them."""
