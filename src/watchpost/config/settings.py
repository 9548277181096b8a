"""The environment variables that watchpost reads; all of them begin with WATCHPOST_."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from watchpost.config.fields import Secret
from watchpost.config.passwords import is_hash
from watchpost.config.schema import Auth, Listen, LogFormat, LogLevel, is_login_name
from watchpost.errors import Complaint, ConfigError
from watchpost.sentinel_address import is_sentinel_address, sentinel_address

PREFIX = "WATCHPOST_"


_SCHEMES = ("redis", "rediss", "unix")
_OURS = frozenset({"decode_responses", "encoding", "encoding_errors", "parser_class", "retry", "redis_connect_func"})
_FORM = (
    "must be written like redis://host:6379/0, rediss://…, redis+sentinel://host1,host2,host3/NAME/0 or unix:///path"
)
_ENCODE = "a user name or password must have its special characters percent-encoded: %2F for /, %23 for #, %3F for ?"
_PORT = "must have a port from 1 to 65535 after its host, and an IPv6 address in []"


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 6


def _is_seconds(value: str) -> bool:
    return 0 < len(value) <= 12 and all(part.isascii() and part.isdecimal() for part in value.split(".", 1))


def _is_switch(value: str) -> bool:
    return value.lower() in ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0")


def _is_text(value: str) -> bool:
    return bool(value) and value.isprintable()


_FILE_PARAMETERS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_PARAMETERS: dict[str, Callable[[str], bool]] = {
    "db": _is_number,
    "protocol": lambda value: value in ("2", "3"),
    **dict.fromkeys(("client_name", "username", "password"), _is_text),
    **dict.fromkeys(("max_connections", "health_check_interval"), _is_number),
    **dict.fromkeys(("socket_timeout", "socket_connect_timeout"), _is_seconds),
    **dict.fromkeys(("socket_keepalive", "retry_on_timeout", "ssl_check_hostname"), _is_switch),
    **dict.fromkeys(_FILE_PARAMETERS, _is_text),
    "ssl_cert_reqs": lambda value: value in ("required", "optional", "none"),
}
"""The parameters of redis-py that a URL may have, each with what tells its values; those of TLS need rediss."""

_FORM = (
    "must be written like redis://host:6379/0, rediss://…, redis+sentinel://host1,host2,host3/NAME/0 or unix:///path"
)
_ENCODE = "a user name or password must have its special characters percent-encoded: %2F for /, %23 for #, %3F for ?"
_PORT = "must have a port from 1 to 65535 after its host, and an IPv6 address in []"
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def _redis_url(value: Any) -> Any:
    if isinstance(value, Secret) or value is None:
        return value
    value = value.strip().removeprefix("\ufeff")
    if is_sentinel_address(value):
        sentinel_address(value)
    else:
        _check_address(value)
    return Secret(value, f"env {PREFIX}REDIS_URL")


def _check_address(url: str) -> None:
    """Whether redis-py can read the URL. Raises ValueError with a sentence that contains no part of it.

    What cannot be read is often a password with a special character, so even the part that is wrong is not shown.
    """
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not separator or scheme.lower() not in _SCHEMES:
        raise ValueError(_FORM)
    if "#" in rest or "@" in rest[len(authority) :]:  # the password ended the part that should contain it
        raise ValueError(_ENCODE)
    if any(char <= " " or char == "\x7f" for char in url):
        raise ValueError(f"must not contain spaces or control characters; {_FORM}")
    if scheme.lower() != "unix" and "," in authority.rpartition("@")[2]:
        raise ValueError("must name one server; the way to name several is redis+sentinel://host1,host2,host3/NAME/0")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ValueError(f"{_PORT}; {_ENCODE}" if "@" in authority else _PORT) from None
    if port == 0:
        raise ValueError(_PORT)
    if not (parts.path if scheme.lower() == "unix" else host):
        raise ValueError(_FORM)
    if scheme.lower() != "unix" and parts.path not in ("", "/") and not parts.path[1:].isdecimal():
        raise ValueError("must end with the number of a database, as in redis://host:6379/0")
    _check_parameters(dict(parse_qsl(parts.query, keep_blank_values=True)), is_secure=scheme.lower() == "rediss")


def _check_parameters(given: Mapping[str, str], *, is_secure: bool) -> None:
    """Raises ValueError for a parameter that watchpost does not pass on to redis-py, or a value that is none of its."""
    known = {name: is_fit for name, is_fit in _PARAMETERS.items() if is_secure or not name.startswith("ssl_")}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"has a parameter that is not known here; known are {', '.join(sorted(known))}")
        if name in _FILE_PARAMETERS and not os.access(value, os.R_OK):
            raise ValueError(f"names a file with {name} that cannot be read")
        if not known[name](value):
            raise ValueError(f"has a value for {name} that cannot be read; write it as redis-py does")


def _archive_url(value: Any) -> Any:
    if isinstance(value, Secret) or value is None:
        return value
    value = value.strip().removeprefix("\ufeff")
    if not value.lower().startswith(("postgresql://", "postgres://")):
        raise ValueError("must be written like postgresql://user:password@host:5432/database")
    return Secret(value, f"env {PREFIX}ARCHIVE_URL")


_LOGIN_FORM = "must be written like NAME:HASH; `watchpost secret hash` makes the hash of a password"


def _http_login(value: Any) -> Any:
    if isinstance(value, Secret) or value is None:
        return value
    name, separator, kept = value.strip().removeprefix("\ufeff").partition(":")
    if not separator or not is_login_name(name) or not is_hash(kept):
        raise ValueError(_LOGIN_FORM)
    return Secret(f"{name}:{kept}", f"env {PREFIX}HTTP_LOGIN")


def _lowered(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """The settings of a process. An empty variable counts as unset; None means that the configuration decides.

    `redis_url`, `archive_url` and `http_login` (a name and the hash of a password) have no printable form. `data` and
    `config` are relative to the working directory.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    redis_url: Annotated[Secret | None, BeforeValidator(_redis_url)] = None
    archive_url: Annotated[Secret | None, BeforeValidator(_archive_url)] = None
    redis_bin: Path | None = None
    redis_fsync: Annotated[Literal["everysec", "always"], BeforeValidator(_lowered)] = "everysec"
    data: Path = Path("var")
    config: Path = Path("config/watchpost.yaml")
    log_format: Annotated[LogFormat | None, BeforeValidator(_lowered)] = None
    log_level: Annotated[LogLevel | None, BeforeValidator(_lowered)] = None
    http_listen: Listen | None = None
    http_login: Annotated[Secret | None, BeforeValidator(_http_login)] = None

    def with_login(self, auth: Auth) -> Auth:
        """Who may use the pages: those of the configuration, and the one of WATCHPOST_HTTP_LOGIN, who may act."""
        if self.http_login is None:
            return auth
        name, _, kept = self.http_login.reveal().partition(":")
        return auth.model_copy(update={"users": {**auth.users, name: Secret(kept, self.http_login.origin)}})


def read_settings(**overrides: Any) -> Settings:
    """The settings of this process. `overrides` (fields of Settings that are not None) come before the environment.

    Raises ConfigError with one complaint for each bad variable.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        complaints: dict[str, Complaint] = {}
        for detail in error.errors(include_url=False, include_input=False):
            variable = PREFIX + str(detail["loc"][0]).upper()
            context = detail.get("ctx", {})
            if detail["type"] == "literal_error":
                problem = f"must be {context['expected']}"
            else:
                problem = str(context.get("error", detail["msg"]))
            complaints.setdefault(variable, Complaint("environment", 0, 0, variable, problem))
        raise ConfigError(tuple(complaints.values())) from None
