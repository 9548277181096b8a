"""`watchpost route test`: who would be told of a hit, when, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from watchpost.cli.match import read_plan
from watchpost.cli.options import ConfigOption, JsonOption, Severity, Source, Topic
from watchpost.cli.output import tell, tell_json, unknown
from watchpost.exit_codes import OK, USAGE
from watchpost.model import SEVERITIES
from watchpost.operations.route_trace import trace


def test(
    topic: str, severity: str, source: str, config_path: Path | None, as_json: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `route test`."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    topics = {one.name: one for one in config.topics}
    for what, name, known in (
        ("topic", topic, topics),
        ("severity", severity, dict.fromkeys(SEVERITIES)),
        ("feed or folder", source, {part.name: part for part in config.sources}),
    ):
        if name and name not in known:
            unknown(what, name, known)
            return USAGE
    wanted = next((one for one in SEVERITIES if one == severity), topics[topic].severity)
    found = trace(config, topic, wanted, source, datetime.now(UTC))
    if as_json:
        tell_json(
            {
                "topic": topic,
                "severity": wanted,
                "routes": [asdict(step) for step in found.steps],
                "told": [asdict(telling) | {"when": telling.when.isoformat()} for telling in found.tellings],
                "silences": found.silences,
            }
        )
        return OK
    tell(f"a hit on {topic}, severity {wanted}" + (f", from {source}" if source else ""))
    for step in found.steps:
        verdict = "takes it" + (", and the next ones are asked too" if step.goes_on else "") if step.takes else "no"
        tell(f"  routes[{step.route}]: {verdict}: {step.why}")
    zone = ZoneInfo(config.timezone)
    for telling in found.tellings:
        tell(f"{telling.receiver}: {telling.when.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}: {telling.why}")
    if not found.tellings:
        tell("nobody is told: no route takes it")
    if found.silences:
        tell(f"but nobody is told, for it is silenced by {', '.join(found.silences)}")
    return OK


route_app = typer.Typer(help="Routes: who is told of what, and when.", no_args_is_help=True)


@route_app.command("test")
def route_test(
    topic: Topic,
    severity: Severity = "",
    source: Source = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who would be told of a hit, when, and why; and why the other routes do not take it. Needs no service."""

    raise typer.Exit(test(topic, severity, source, config_path, as_json, os.environ))
