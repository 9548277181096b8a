"""`watchpost run`: settings and plan, then the service, with errors as exit codes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from watchpost import log as tm
from watchpost import tracing
from watchpost.cli import output
from watchpost.cli.output import ProgressBar, complain, note, say, tell, tell_json
from watchpost.config.config import Config
from watchpost.config.loader import Progress
from watchpost.config.settings import Settings, read_settings
from watchpost.errors import ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, INTERRUPTED, OK, UNREACHABLE, USAGE
from watchpost.operations import factory, starter
from watchpost.operations.doctor.examine import examine
from watchpost.operations.doctor.finding import Finding
from watchpost.service import lifecycle
from watchpost.service.service import Role
from watchpost.web.server import parse_listen


def run(role: Role, only_once: bool, config_path: Path | None, data: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost run`."""
    try:
        settings = read_settings(config=config_path, data=data)

        def reread() -> Config:
            return _read_plan(settings, env)

        with ProgressBar("reading the configuration") as bar:
            config = _read_plan(settings, env, bar)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE

    def on_plan(new: Config) -> None:
        tm.set_up_log(settings.log_format or new.log_format, output.log_level(settings.log_level or new.log_level))

    on_plan(config)
    for warning in config.warnings:
        tm.log().warning("warning", text=str(warning))
    settings.data.mkdir(parents=True, exist_ok=True)
    try:
        tracing.start(env)
        with ProgressBar("reading the feeds", wanted=(settings.log_format or config.log_format) != "json") as bar:
            if only_once:
                return asyncio.run(lifecycle.run(config, settings, env, role, bar))
            return asyncio.run(lifecycle.serve(config, settings, env, role, reread=reread, adopt=on_plan, progress=bar))
    except StoreError as error:
        say(str(error))
        return UNREACHABLE
    except WatchpostError as error:
        say(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        tracing.stop()


def _read_plan(settings: Settings, env: Mapping[str, str], progress: Progress = lambda done, total: None) -> Config:
    """The plan on disk, with what the environment overrides. Raises ConfigError, WatchpostError."""
    config = factory.read_config(settings.config, env, progress)
    config = replace(config, listen=settings.http_listen or config.listen)
    parse_listen(config.listen, config.access.auth.required)
    return config


# `watchpost init` and `watchpost doctor`: the first command, and the one for when something is wrong.


_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def init(directory: Path, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost init`: 1 if there is a configuration already."""
    try:
        written = starter.begin(directory, env)
    except WatchpostError as error:
        say(str(error))
        return FAILED
    if as_json:
        tell_json({"written": [str(path) for path in written]})
        return OK
    for path in written:
        tell(str(path))
    note(f"now look at {written[0]}, then: watchpost run --config {written[0]}")
    return OK


def doctor(config_path: Path | None, data: Path | None, all_feeds: bool, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost doctor`: 0 if nothing fails, 4 if a server does not answer, 1 for anything else."""
    try:
        settings = read_settings(config=config_path, data=data)
        output.open_log(settings)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    found = asyncio.run(_examine(settings, all_feeds, as_json, env))
    failed = [one for one in found if one.level == "fail"]
    if as_json:
        tell_json({"ok": not failed, "findings": [asdict(one) for one in found]})
    elif failed:
        say(f"{len(failed)} of {len(found)} fail")
    if any(not one.outside for one in failed):
        return FAILED
    return UNREACHABLE if failed else OK


async def _examine(settings: Settings, all_feeds: bool, as_json: bool, env: Mapping[str, str]) -> list[Finding]:
    found = []
    with ProgressBar("asking the feeds") as bar:
        async for finding in examine(settings, env, all_feeds, bar):
            found.append(finding)
            if not as_json:
                tell(f"{_MARKS[finding.level]}  {finding.subject}: {finding.text}")
                if finding.cure:
                    tell(f"      → {finding.cure}")
    return found
