"""`watchpost init` and `watchpost doctor`: the first command, and the one for when something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from watchpost.app import starter
from watchpost.app.doctor.examine import examine
from watchpost.app.doctor.finding import Finding
from watchpost.cli import manner
from watchpost.cli.progress import Bar
from watchpost.cli.saying import complain, note, say, tell, tell_json
from watchpost.errors import ConfigError, WatchpostError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE, USAGE
from watchpost.plan.settings import Settings, read_settings

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


def doctor(config: Path | None, data: Path | None, all_feeds: bool, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost doctor`: 0 if nothing fails, 4 if a server does not answer, 1 for anything else."""
    try:
        settings = read_settings(config=config, data=data)
        manner.open_log(settings)
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
    with Bar("asking the feeds") as bar:
        async for finding in examine(settings, env, all_feeds, bar):
            found.append(finding)
            if not as_json:
                tell(f"{_MARKS[finding.level]}  {finding.subject}: {finding.text}")
                if finding.cure:
                    tell(f"      → {finding.cure}")
    return found
