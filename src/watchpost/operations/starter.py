"""A configuration to begin with, written for this machine. It asks nothing, and it overwrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from watchpost.config.editor_schema import schema_text
from watchpost.errors import WatchpostError
from watchpost.operations import factory

_ARTICLE = """A truce to try watchpost on

This file came with the configuration. It says the word truce, so the topic "example" finds it. Delete it when you
have seen that.
"""
_COMMENT_COLUMN = 31


def begin(directory: Path, env: Mapping[str, str], localtime: Path = Path("/etc/localtime")) -> tuple[Path, ...]:
    """Writes watchpost.yaml, its schema for editors, and a folder with one article; returns what was written.

    `localtime` tells the zone of this machine. Raises WatchpostError, having written nothing, if any of it is there
    already.
    """
    text = (resources.files("watchpost.operations") / "starter.yaml").read_text("utf-8")
    zone = time_zone(env, localtime)
    file = directory / "watchpost.yaml"
    said = {"@FILE@": str(file), "@TIMEZONE@": zone, "@LANGUAGE@": language(env)}
    said["@PAD@"] = " " * max(1, _COMMENT_COLUMN - len(f"timezone: {zone}"))
    for mark, value in said.items():
        text = text.replace(mark, value)
    files = {
        file: text,
        directory / "watchpost.schema.json": schema_text(factory.source_options(), factory.receiver_options()),
        directory / "inbox" / "example.txt": _ARTICLE,
    }
    there = [str(path) for path in files if path.exists()]
    if there:
        raise WatchpostError(f"already there, and left as it is: {', '.join(there)}; name another directory")
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as new:
                new.write(content)
    except OSError as error:
        raise WatchpostError(f"{error.filename or directory} cannot be written: {error.strerror}") from error
    return tuple(files)


def time_zone(env: Mapping[str, str], localtime: Path) -> str:
    """The zone of this machine by its IANA name; UTC if it does not say."""
    linked = localtime.resolve().parts
    name = "/".join(linked[linked.index("zoneinfo") + 1 :]) if "zoneinfo" in linked else ""
    for guess in (env.get("TZ", "").lstrip(":"), name):
        try:
            return ZoneInfo(guess).key.removeprefix("Etc/")
        except (ValueError, OSError, KeyError):
            continue
    return "UTC"


def language(env: Mapping[str, str]) -> str:
    """fr where the locale is French, else en: these are the languages of digests."""
    spoken = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    return "fr" if spoken.startswith("fr") else "en"
