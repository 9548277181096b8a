"""`watchpost run`: settings and plan, then the service, with errors as exit codes."""

from __future__ import annotations

import asyncio
import os
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
from watchpost.operations.config_diff import ConfigOnDisk
from watchpost.operations.doctor.examine import examine
from watchpost.operations.doctor.finding import Finding
from watchpost.operations.reloading import Reloader
from watchpost.service import lifecycle
from watchpost.service.service import Role, Service
from watchpost.web import context
from watchpost.web import server as web
from watchpost.web.reload import ReloadEndpoint


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

        doorway = web.Listener()  # from round to round

        async def on_web(made: Service, reloader: Reloader) -> None:
            await _web(made, reloader, settings, role, doorway)

        with ProgressBar("reading the feeds", wanted=(settings.log_format or config.log_format) != "json") as bar:
            if only_once:
                return asyncio.run(lifecycle.run(config, settings, env, role, bar))
            serving = lifecycle.serve(
                config, settings, env, role, on_web=on_web, reread=reread, on_plan=on_plan, progress=bar
            )
            return asyncio.run(serving)
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
    web.parse_listen(config.listen, config.access.auth.required)
    return config


async def _web(made: Service, reloader: Reloader, settings: Settings, role: str, doorway: web.Listener) -> None:
    """Pages and probes: always for `all` and `web`; for a single role only if an address was asked for."""
    if role not in ("all", "web") and not settings.http_listen:
        return

    async def told(address: str) -> None:
        tm.log().info("http.listening", listen=address)

    config = made.config
    door = ReloadEndpoint(lambda: reloader.last, lambda: reloader.ask("HTTP"))
    try:
        disk = ConfigOnDisk(reloader, role, made.store)
        web_context = context.web_context(config, made.store, made.stop, door, disk)
        await web.serve(config.listen, made.stop, web.build(web_context), told, config.access.auth.required, doorway)
    except OSError as error:
        # asyncio says in its strerror what it was about, too
        why = os.strerror(error.errno) if error.errno else str(error)
        if role == "web":
            raise WatchpostError(f"cannot listen on {config.listen}: {why}") from error
        # The pages are a convenience of `run`; the watching must not end because a port is taken.
        tm.log().warning("http.not_listening", detail=f"{config.listen}: {why}")


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
