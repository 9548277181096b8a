"""`watchpost init`, `watchpost doctor` and `watchpost run`: from an empty directory to a running service."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from watchpost.cli import output
from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, note, pick, warn
from watchpost.cli.session import open_settings, read_settings, zone_of
from watchpost.errors import StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE

if TYPE_CHECKING:
    from watchpost.config.config import Config
    from watchpost.config.loader import Progress
    from watchpost.config.settings import Settings

app = CommandApp("docs/commands.md#start")

Role = Literal["poll", "match", "notify", "web", "all"]
ROLES: tuple[Role, ...] = ("poll", "match", "notify", "web", "all")
_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def _roles(incomplete: str) -> list[str]:
    return [role for role in ROLES if role.startswith(incomplete)]


@app.command("init")
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write it.")] = Path("config"),
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Where the service may write: digests go there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a commented configuration to start with.

    watchpost init
    watchpost init /etc/watchpost --data /var/lib/watchpost

    Writes watchpost.yaml, its schema for editors, and a folder with an example article. Overwrites nothing: ends with
    1 if one of the files exists.
    """
    from watchpost.operations import starter

    try:
        written = starter.begin(directory, os.environ, data=data.absolute() if data is not None else None)
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from error
    if as_json:
        echo_json({"written": [str(path) for path in written]})
        return
    for path in written:
        echo(str(path))
    note(f"read {written[0]}, then start: watchpost run --config {written[0]}")


@app.command("doctor", reads="service")
async def doctor(
    all_feeds: Annotated[bool, typer.Option("--all-feeds", help="Read every feed, not a sample of 50.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Find out what is wrong, and how to fix it.

    watchpost doctor
    watchpost doctor --all-feeds --json

    Checks the configuration, Redis, the clock, name servers, mail servers, folders, receivers and feeds. Sends
    nothing. Ends with 4 if only servers do not answer, with 1 if anything else fails.
    """
    from watchpost.operations.doctor.examine import examine

    settings = open_settings()
    findings = []
    with ProgressBar("reading the feeds") as bar:
        async for finding in examine(settings, os.environ, all_feeds, bar):
            findings.append(finding)
            if not as_json:
                echo(f"{_MARKS[finding.level]}  {finding.subject}: {finding.text}")
                if finding.cure:
                    echo(f"      → {finding.cure}")
    failed = [finding for finding in findings if finding.level == "fail"]
    if as_json:
        echo_json({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    elif failed:
        warn(f"{len(failed)} of {len(findings)} checks failed")
    if any(not finding.outside for finding in failed):
        return FAILED
    return UNREACHABLE if failed else OK


@app.command("run", reads="service")
def run(
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE",
            help="One part in its own process: poll, match, notify or web.",
            autocompletion=_roles,
        ),
    ] = "all",
    once: Annotated[bool, typer.Option("--once", help="Read every source once, deliver everything, and end.")] = False,
) -> int:
    """Run the service: read sources, match articles, send digests and alerts.

    watchpost run
    watchpost run --once
    watchpost run poll --config /etc/watchpost/watchpost.yaml

    Ctrl-C or SIGTERM ends it, SIGHUP reloads the configuration. With --once, ends with 5 if something is still to be
    sent.
    """
    from watchpost import log, tracing
    from watchpost.operations.unread_proxy import unread_proxy
    from watchpost.service import lifecycle
    from watchpost.store.server.datadir import make_private

    wanted = pick("role", role, {name: name for name in ROLES})
    settings = read_settings()
    with ProgressBar("reading the configuration") as bar:
        config = _load(settings, bar)

    def use(new: Config) -> None:
        form, level = settings.log_format or new.log_format, output.log_level(settings.log_level or new.log_level)
        log.set_up_log(form, level, zone=zone_of(new))

    use(config)
    for warning in config.warnings:
        log.log().warning("warning", text=str(warning))
    if (unread := unread_proxy(config, os.environ)) is not None:
        log.log().warning("warning", text=f"{unread.text}; {unread.cure}")
    if mode := make_private(settings.data):
        log.log().warning("data.narrowed", path=str(settings.data), mode=mode)
    try:
        tracing.start(os.environ)
        with ProgressBar("reading the feeds", wanted=(settings.log_format or config.log_format) != "json") as bar:
            if once:
                return asyncio.run(lifecycle.run(config, settings, os.environ, wanted, bar))
            return asyncio.run(
                lifecycle.serve(
                    config, settings, os.environ, wanted, reread=lambda: _load(settings), adopt=use, progress=bar
                )
            )
    except StoreError:
        raise
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from error
    finally:
        tracing.stop()


def _load(settings: Settings, progress: Progress = lambda done, total: None) -> Config:
    """The configuration on disk, with what the environment overrides. Raises ConfigError, WatchpostError."""
    from watchpost.operations import factory
    from watchpost.web.server import parse_listen

    config = factory.read_config(settings.config, os.environ, progress)
    access = replace(config.access, auth=settings.with_login(config.access.auth))
    config = replace(config, listen=settings.http_listen or config.listen, access=access)
    parse_listen(config.listen, config.access.auth.required)
    return config
