"""The environment variables that watchpost reads; all of them begin with WATCHPOST_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from watchpost.config.fields import Secret
from watchpost.config.schema import Listen, LogFormat, LogLevel
from watchpost.errors import Complaint, ConfigError
from watchpost.sentinel_address import is_sentinel_address, sentinel_address

PREFIX = "WATCHPOST_"


def _redis_url(value: Any) -> Any:
    if isinstance(value, Secret) or value is None:
        return value
    if is_sentinel_address(value):
        sentinel_address(value)
        return Secret(value, f"env {PREFIX}REDIS_URL")
    parts = urlsplit(value)
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.hostname or parts.path):
        raise ValueError(
            "must be written like redis://host:6379/0, rediss://…, redis+sentinel://host1,host2,host3/NAME/0 or unix:///path"
        )
    return Secret(value, f"env {PREFIX}REDIS_URL")


def _lowered(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """The settings of a process. An empty variable counts as unset; None means that the configuration decides.

    `redis_url` has no printable form, because it may hold a password. `data` and `config` are relative to the working
    directory.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    redis_url: Annotated[Secret | None, BeforeValidator(_redis_url)] = None
    redis_bin: Path | None = None
    redis_fsync: Annotated[Literal["everysec", "always"], BeforeValidator(_lowered)] = "everysec"
    data: Path = Path("var")
    config: Path = Path("config/watchpost.yaml")
    log_format: Annotated[LogFormat | None, BeforeValidator(_lowered)] = None
    log_level: Annotated[LogLevel | None, BeforeValidator(_lowered)] = None
    http_listen: Listen | None = None


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
