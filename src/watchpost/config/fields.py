"""The kinds of value in a configuration: durations, sizes, secrets, times of day, crontab rules, addresses.

The readers raise ValueError with a sentence that names the value and says how to write it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import core_schema

from watchpost import durations, redaction
from watchpost.errors import SecretAbsent
from watchpost.schedules import is_cron

Network = IPv4Network | IPv6Network

ADVANCED: Any = Field(json_schema_extra={"x-advanced": True})
"""Marks a key that hardly anybody needs; docs/configuration.md lists these keys in its last section."""

_SIZES = {"": 1, "B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2, "GB": 1000**3, "GiB": 1024**3}
_SIZE = re.compile(r"(\d+)\s*([A-Za-z]*)")
_HARMLESS = re.compile(r"[\w:.+ -]{1,16}")


def quoted(value: object) -> str:
    """The value in quotes, for a message; "this" for a longer one, which may be a secret in the wrong place."""
    return f"'{value}'" if _HARMLESS.fullmatch(str(value)) else "this"


def shaped(form: str, problem: str) -> BeforeValidator:
    """For a text with a `pattern`: the sentence of its error, instead of the pattern, which few people read."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.search(form, value):
            raise ValueError(f"{quoted(value)} {problem}")
        return value

    return BeforeValidator(check)


def _duration(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else durations.parse(value)


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2] not in _SIZES:
        raise ValueError(f"{quoted(value)} is not a size; write it like 500kB or 2MiB")
    return int(match[1]) * _SIZES[match[2]]


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w|y)\s*)+$", "examples": ["10m"]}),
]
"""A timedelta, written with units: `90s`, `10m`, `1h30m`, `2d`."""

Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+\s*([kMG]i?B|B|KiB)?$"}]}),
]
"""A number of bytes, written as `500kB` or `2MiB`."""


class Options(BaseModel):
    """The base of every block of the configuration. An unknown key is an error; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Secret:
    """A value without a printable form: `repr`, `str`, logs and dumps show only where it comes from.

    In YAML it is `{env: NAME}` or `{file: PATH}`; a path may begin with `${CREDENTIALS_DIRECTORY}/`. Call `reveal()`
    only in the line that needs the text. The loader passes pydantic a context that says where to look: `env` (a
    mapping), `base` (the directory of relative paths), `opened` (a set that collects the files) and `remarks` (a
    SecretRemarks). With `absent: True` in it, a secret that is not there is an error only where it is revealed.
    """

    __slots__ = ("_value", "origin", "why_absent")

    def __init__(self, value: str, origin: str = "", why_absent: str = "") -> None:
        self._value = value
        self.origin = origin
        self.why_absent = why_absent
        if not why_absent:
            redaction.know_secret(value)

    @property
    def is_absent(self) -> bool:
        """Whether this process has not got the value; `why_absent` says why."""
        return bool(self.why_absent)

    def reveal(self) -> str:
        """The secret itself. Raises SecretAbsent if this process has not got it."""
        if self.why_absent:
            raise SecretAbsent(self.why_absent)
        return self._value

    def reveal_or(self, other: str) -> str:
        """The secret itself, or `other` if this process has not got it."""
        return other if self.why_absent else self._value

    def __repr__(self) -> str:
        return f"Secret({self.origin or '***'})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return False
        if self.why_absent or other.why_absent:
            return (self.why_absent, self.origin) == (other.why_absent, other.origin)
        return other._value == self._value

    def __hash__(self) -> int:
        return hash(self.origin if self.why_absent else self._value)

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
        return {"oneOf": SECRET_SCHEMAS}


SECRET_SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "additionalProperties": False, "properties": {origin: {"type": "string"}}, "required": [origin]}
    for origin in ("env", "file")
]
_BYTE_ORDER_MARK = "\ufeff"
_CREDENTIALS = "${CREDENTIALS_DIRECTORY}/"  # systemd.exec(5): where LoadCredential= puts files; nothing else expands


def checked_secret(check: Callable[[Secret], Secret]) -> AfterValidator:
    """A validator of the text of a secret, which is skipped for a secret that is absent."""
    return AfterValidator(lambda secret: secret if secret.is_absent else check(secret))


def _header_text(secret: Secret) -> Secret:
    if not (secret.reveal().isascii() and secret.reveal().isprintable()):
        raise ValueError("this has characters that no header of HTTP can carry; only printable ASCII is allowed")
    return secret


HeaderSecret = Annotated[Secret, checked_secret(_header_text)]
"""A secret that is sent in a header of HTTP, such as a token."""


@dataclass(slots=True)
class SecretRemarks:
    """What is remarkable about the secrets of a block, by how each is written, such as ("env", "SLACK_URL").

    `absent`: why it is not there. `cleaned`: what was left out of it.
    """

    absent: dict[tuple[str, str], str] = dataclass_field(default_factory=dict)
    cleaned: dict[tuple[str, str], str] = dataclass_field(default_factory=dict)


def _resolve_secret(value: Any, info: core_schema.ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if not (isinstance(value, Mapping) and len(value) == 1 and set(value) <= {"env", "file"}):
        raise ValueError("a secret is never written in this file; use {env: NAME} or {file: PATH}")
    context = info.context or {}
    remarks: SecretRemarks = context.get("remarks") or SecretRemarks()
    ((origin, name),) = value.items()
    if not isinstance(name, str) or not name:
        raise ValueError(f"{origin} needs a name")
    try:
        written = _secret_text(origin, name, context)
    except ValueError as error:
        if not context.get("absent"):
            raise
        remarks.absent[origin, name] = str(error)
        return Secret("", f"{origin} {name}", str(error))
    text, left_out = _without_marks(written)
    if left_out:
        what = f"environment variable {name}" if origin == "env" else f"secret file {name}"
        remarks.cleaned[origin, name] = f"{what} has {left_out}, which is left out"
    return Secret(text, f"{origin} {name}")


def _secret_text(origin: str, name: str, context: Mapping[str, Any]) -> str:
    """What the variable or file holds. Raises ValueError with a sentence that contains nothing of it."""
    environment: Mapping[str, str] = context.get("env", {})
    if origin == "env":
        if name not in environment:
            raise ValueError(f"environment variable {name} is not set")
        return environment[name]
    base = context.get("base", ".")
    if name.startswith(_CREDENTIALS):
        base = environment.get("CREDENTIALS_DIRECTORY")
        if not base:
            raise ValueError("CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=")
    path = Path(base) / name.removeprefix(_CREDENTIALS)
    context.get("opened", set()).add(path)  # so that a change of the file is a change of the configuration
    try:
        data = path.read_bytes()
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"secret file {name} cannot be read") from error


def _without_marks(text: str) -> tuple[str, str]:
    """The secret without what an editor or a shell has added, and what that was ("" for one plain line end).

    Windows' editors begin a file with a byte order mark; PowerShell's `>` ends each line with CR LF.
    """
    found = ["a byte order mark"] if text.startswith(_BYTE_ORDER_MARK) else []
    text = text.removeprefix(_BYTE_ORDER_MARK)
    bare = text.rstrip("\r\n")
    if text[len(bare) :] not in ("", "\n"):
        found.append("a line end of Windows" if "\r" in text[len(bare) :] else "empty lines at its end")
    return bare, " and ".join(found)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<name>[A-Za-z0-9_.-]+)):(?P<port>[0-9]{1,5})")


def time_of_day(text: object) -> time:
    """A naive local time from `08:00` (24 hours, minutes)."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{quoted(text)} is not a time of day; write it like 08:00")
    return time(int(match[1]), int(match[2]))


def times_of_day(texts: Iterable[object]) -> tuple[time, ...]:
    """Times in the order of the day. A repeated time is refused: it would be the same digest."""
    times = sorted(time_of_day(text) for text in texts)
    if not times:
        raise ValueError("write at least one time of day, like 08:00")
    for earlier, later in pairwise(times):
        if earlier == later:
            raise ValueError(f"{later:%H:%M} is written twice; leave one out")
    return tuple(times)


def days_of_week(value: object) -> tuple[int, ...]:
    """Days (0 = Monday … 6 = Sunday) from `daily`, `mon`, `mon-fri`, or a list of days and spans.

    A span may include the weekend: `fri-mon` is Friday to Monday.
    """
    if value == "daily":
        return tuple(range(7))
    spans = value if isinstance(value, list | tuple) else [value]
    days: set[int] = set()
    for span in spans:
        ends = span.lower().split("-") if isinstance(span, str) else []
        if not 1 <= len(ends) <= 2 or any(end not in DAYS for end in ends):
            raise ValueError(f"{quoted(span)} is not a day or a span of days; write mon, mon-fri, [mon, wed] or daily")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days |= {day % 7 for day in range(first, last + 1 + (7 if last < first else 0))}
    if not days:
        raise ValueError("write at least one day, like mon")
    return tuple(sorted(days))


def listen_address(text: object) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`. Port 0 lets the system choose."""
    match = _LISTEN.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match["port"]) > 65535:
        raise ValueError("an address to listen on is written like 127.0.0.1:8080 or [::1]:8080")
    if match["six"] is not None:
        ip_address(match["six"])
    return match["six"] or match["name"], int(match["port"])


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach what listens there. A name other than localhost counts as no."""
    host, _ = listen_address(listen)
    return is_loopback_host(host)


def is_loopback_host(host: str) -> bool:
    """Whether this name or address is this machine's own. A name other than localhost counts as no."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_CRON_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of the month": "1 to 31",
    "month": "1 to 12 or jan to dec",
    "day of the week": "0 to 7 or sun to sat",
}
_CRON_FORM = 'a crontab rule is written like "0 8 * * 1-5": minute, hour, day of the month, month, day of the week'
_CRON_LONGEST = 500


def is_crontab(text: str) -> bool:
    """Whether the text is meant as a crontab rule rather than as a time of day."""
    return text.strip().startswith("@") or len(text.split()) == len(_CRON_FIELDS)


def crontab(text: object) -> str:
    """A crontab rule (crontab(5) of Debian) in one spelling: five fields, small letters, no `@daily`.

    Raises ValueError for what is none, and for a rule that never comes, like 31 February.
    """
    if not isinstance(text, str) or len(text) > _CRON_LONGEST:
        raise ValueError(_CRON_FORM)
    rule = " ".join(text.lower().split())
    if rule.startswith("@") and rule not in _NICKNAMES:
        raise ValueError(f"of the short forms there are {', '.join(_NICKNAMES)}")
    rule = _NICKNAMES.get(rule, rule)
    written = rule.split()
    if len(written) != len(_CRON_FIELDS):
        raise ValueError(_CRON_FORM)
    for index, (name, values) in enumerate(_CRON_FIELDS.items()):
        alone = ["*"] * len(_CRON_FIELDS)
        alone[index] = written[index]
        if not is_cron(" ".join(alone)):
            raise ValueError(f"the {name} is {values}, alone or as a list (1,2), a span (1-2) or a step (*/2)")
    if not is_cron(rule):
        raise ValueError("this never comes: none of these months has such a day")
    return rule
