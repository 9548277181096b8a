"""A first configuration, written for this machine. It overwrites nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from watchpost.config.schema import schema_text
from watchpost.errors import WatchpostError
from watchpost.operations import factory

_ARTICLE = """A truce, to try watchpost with

This file came with the configuration. It speaks of a truce in Mali, so it matches the topic "example". Delete it once
you have seen that.
"""
_COMMENT_COLUMN = 31


def begin(
    directory: Path, env: Mapping[str, str], localtime: Path = Path("/etc/localtime"), data: Path | None = None
) -> tuple[Path, ...]:
    """Write watchpost.yaml, its schema for editors, and a folder with one article; return the files.

    Digests go to the directory `digests` in `data`, or beside the configuration if it is None. `localtime` shows the
    time zone of this machine. If one of the files exists, nothing is written and WatchpostError is raised.
    """
    text = (resources.files("watchpost.operations") / "starter.yaml").read_text("utf-8")
    zone = time_zone(env, localtime)
    file = directory / "watchpost.yaml"
    values = {"@FILE@": str(file), "@TIMEZONE@": zone, "@LANGUAGE@": language(env)}
    values["@DIGESTS@"] = _in_yaml(data / "digests") if data is not None else "digests"
    values["@PAD@"] = " " * max(1, _COMMENT_COLUMN - len(f"timezone: {zone}"))
    for mark, value in values.items():
        text = text.replace(mark, value)
    files = {
        file: text,
        directory / "watchpost.schema.json": schema_text(factory.source_options(), factory.receiver_options()),
        directory / "inbox" / "example.txt": _ARTICLE,
    }
    existing = [str(path) for path in files if path.exists()]
    if existing:
        raise WatchpostError(f"already exists: {', '.join(existing)}; name another directory")
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as new:
                new.write(content)
    except OSError as error:
        raise WatchpostError(f"{error.filename or directory} cannot be written: {error.strerror}") from error
    return tuple(files)


def _in_yaml(path: Path) -> str:
    """A path as a value in a block in braces, in quotes if it has signs of YAML in it."""
    text = str(path)
    return text if all(char.isalnum() or char in "/._- " for char in text) else json.dumps(text, ensure_ascii=False)


def time_zone(env: Mapping[str, str], localtime: Path) -> str:
    """The IANA name of this machine's time zone; UTC if it is unknown."""
    linked = localtime.resolve().parts
    name = "/".join(linked[linked.index("zoneinfo") + 1 :]) if "zoneinfo" in linked else ""
    for candidate in (env.get("TZ", "").lstrip(":"), name):
        try:
            return ZoneInfo(candidate).key.removeprefix("Etc/")
        except (ValueError, OSError, KeyError):
            continue
    return "UTC"


def language(env: Mapping[str, str]) -> str:
    """The language of digests: fr if the locale is French, else en."""
    locale = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    return "fr" if locale.startswith("fr") else "en"
