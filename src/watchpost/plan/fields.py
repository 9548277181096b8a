"""The kinds of value that an operator writes: durations, sizes, secrets, networks, addresses.

Shared by the frame of the configuration (schema.py) and by the Options of each source and receiver kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, core_schema

from watchpost import redaction

Network = IPv4Network | IPv6Network

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SIZES = {"": 1, "B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2, "GB": 1000**3, "GiB": 1024**3}
_SIZE = re.compile(r"(\d+)\s*([A-Za-z]*)")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise PydanticCustomError("duration_unit", f"a duration needs a unit, e.g. {value}m (got the number {value})")
    if isinstance(value, str):
        parts = _DURATION.findall(value)
        if parts and "".join(number + unit for number, unit in parts) == value.replace(" ", ""):
            try:
                return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
            except OverflowError:
                raise PydanticCustomError("duration_long", "a duration this long cannot be counted") from None
    raise PydanticCustomError("duration", "a duration is written like 30s, 10m, 1h30m, 2d")


def _size(value: Any) -> int:
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if match is None or match[2] not in _SIZES:
        raise PydanticCustomError("size", "a size is written like 500kB or 2MiB")
    return int(match[1]) * _SIZES[match[2]]


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w)\s*)+$", "examples": ["10m"]}),
]
"""A timedelta, written with units: `90s`, `10m`, `1h30m`, `2d`."""

Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+\s*([kMG]i?B|B|KiB)?$"}]}),
]
"""A number of bytes, written as `500kB` or `2MiB`."""


class Options(BaseModel):
    """The base of every block an operator writes: an unknown key is an error, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Secret:
    """A value that has no printable form: `repr`, `str`, logs and dumps show `***`.

    In YAML it is `{env: NAME}` or `{file: PATH}`, whose path may begin with `${CREDENTIALS_DIRECTORY}/`; a literal is
    refused. Only `reveal()` gives the text; it is
    called in the very line that needs it. Looking a secret up is the loader's task: it passes a mapping of
    environment variables and a base directory in pydantic's validation context (`{"env": …, "base": …}`).
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "") -> None:
        self._value = value
        self.origin = origin
        redaction.know(value)

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.origin or '***'})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _resolve_secret,
            serialization=core_schema.plain_serializer_function_ser_schema(repr),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        one = {"type": "object", "additionalProperties": False}
        return {
            "oneOf": [
                one | {"properties": {"env": {"type": "string"}}, "required": ["env"]},
                one | {"properties": {"file": {"type": "string"}}, "required": ["file"]},
            ]
        }


_CREDENTIALS = "${CREDENTIALS_DIRECTORY}"  # systemd.exec(5): where LoadCredential= puts files; nothing else expands


def _resolve_secret(value: Any, info: core_schema.ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if not (isinstance(value, Mapping) and len(value) == 1 and set(value) <= {"env", "file"}):
        raise PydanticCustomError(
            "secret_literal", "a secret is never written into this file: use {env: NAME} or {file: PATH}"
        )
    context = info.context or {}
    ((how, where),) = value.items()
    if not isinstance(where, str) or not where:
        raise PydanticCustomError("secret_name", f"{how}: needs a name")
    if how == "env":
        environment: Mapping[str, str] = context.get("env", {})
        if where not in environment:
            raise PydanticCustomError("secret_env", f"environment variable {where} is not set")
        return Secret(environment[where], f"env {where}")
    prefix, named = _CREDENTIALS + "/", where.startswith(_CREDENTIALS + "/")
    if named and not context.get("env", {}).get("CREDENTIALS_DIRECTORY"):
        raise PydanticCustomError(
            "secret_credentials", "CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit with LoadCredential="
        )
    within = context["env"]["CREDENTIALS_DIRECTORY"] if named else context.get("base", ".")
    path = Path(within) / where.removeprefix(prefix)
    context.get("opened", set()).add(path)  # so that a change of the file is a change of the configuration
    try:
        return Secret(path.read_text(encoding="utf-8").rstrip("\r\n"), f"file {where}")
    except (OSError, UnicodeDecodeError) as error:
        raise PydanticCustomError("secret_file", f"secret file {where} cannot be read") from error
