"""`watchpost run`: settings and plan, then the service, with errors as exit codes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from watchpost import telemetry as tm
from watchpost import tracing
from watchpost.app import doors, lifecycle, once, pages
from watchpost.app.disk import PlanOnDisk
from watchpost.app.reloading import Reloads
from watchpost.app.service import Role, Service
from watchpost.cli import manner
from watchpost.cli.progress import Bar
from watchpost.cli.saying import complain, say
from watchpost.errors import ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, INTERRUPTED, UNREACHABLE, USAGE
from watchpost.plan.load import Progress
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings, read_settings
from watchpost.web import server as web
from watchpost.web.reload import Door


def run(role: Role, only_once: bool, config: Path | None, data: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost run`."""
    try:
        settings = read_settings(config=config, data=data)

        def reread() -> Plan:
            return _read_plan(settings, env)

        with Bar("reading the configuration") as bar:
            plan = _read_plan(settings, env, bar)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE

    def on_plan(new: Plan) -> None:
        tm.set_up_log(settings.log_format or new.log_format, manner.log_level(settings.log_level or new.log_level))

    on_plan(plan)
    for warning in plan.warnings:
        tm.log().warning("warning", text=str(warning))
    settings.data.mkdir(parents=True, exist_ok=True)
    try:
        tracing.start(env)

        doorway = web.Doorway()  # from round to round

        async def on_web(made: Service, reloads: Reloads) -> None:
            await _web(made, reloads, settings, role, doorway)

        with Bar("reading the feeds", wanted=(settings.log_format or plan.log_format) != "json") as bar:
            if only_once:
                return asyncio.run(once.run(plan, settings, env, role, bar))
            serving = lifecycle.serve(
                plan, settings, env, role, on_web=on_web, reread=reread, on_plan=on_plan, progress=bar
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


def _read_plan(settings: Settings, env: Mapping[str, str], progress: Progress = lambda done, total: None) -> Plan:
    """The plan on disk, with what the environment overrides. Raises ConfigError, WatchpostError."""
    plan = doors.read_plan(settings.config, env, progress)
    plan = replace(plan, listen=settings.http_listen or plan.listen)
    web.parse_listen(plan.listen, plan.access.guarded)
    return plan


async def _web(made: Service, reloads: Reloads, settings: Settings, role: str, doorway: web.Doorway) -> None:
    """Pages and probes: always for `all` and `web`; for a single role only if an address was asked for."""
    if role not in ("all", "web") and not settings.http_listen:
        return

    async def told(address: str) -> None:
        tm.log().info("http.listening", listen=address)

    plan = made.plan
    door = Door(lambda: reloads.last, lambda: reloads.ask("HTTP"))
    try:
        disk = PlanOnDisk(reloads, role, made.store)
        house = pages.house(plan, made.store, made.stop, door, disk)
        await web.serve(plan.listen, made.stop, web.build(house), told, plan.access.guarded, doorway)
    except OSError as error:
        # asyncio says in its strerror what it was about, too
        why = os.strerror(error.errno) if error.errno else str(error)
        if role == "web":
            raise WatchpostError(f"cannot listen on {plan.listen}: {why}") from error
        # The pages are a convenience of `run`; the watching must not end because a port is taken.
        tm.log().warning("http.not_listening", detail=f"{plan.listen}: {why}")
