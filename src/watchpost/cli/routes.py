"""`watchpost route test`: which receivers are sent a hit, when, and why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, SeverityOption, SourceOption, TopicOption
from watchpost.cli.output import echo, echo_json, pick
from watchpost.cli.session import load_config

app = CommandApp("docs/commands.md#route, docs/digests.md", "watchpost route test --topic mali")


@app.command("test", reads="config")
def route_test(
    topic: TopicOption, severity: SeverityOption = "", source: SourceOption = "", as_json: JsonOption = False
) -> None:
    """Show which receivers get a hit, when and why, and why other routes do not take it.

    watchpost route test --topic mali
    watchpost route test --topic mali --severity high --source rfi

    No service needs to run.
    """
    from watchpost.model import SEVERITIES
    from watchpost.operations.route_trace import trace

    config = load_config()
    chosen = pick("topic", topic, {each.name: each for each in config.topics})
    level = pick("severity", severity, {each: each for each in SEVERITIES}) if severity else chosen.severity
    if source:
        pick("source", source, {each.name: each for each in config.sources})
    found = trace(config, topic, level, source, datetime.now(UTC))
    if as_json:
        echo_json(
            {
                "topic": topic,
                "severity": level,
                "routes": [asdict(step) for step in found.steps],
                "told": [asdict(message) | {"when": message.when.isoformat()} for message in found.notifications],
                "silences": found.silences,
            }
        )
        return
    echo(f"a hit on {topic}, severity {level}" + (f", from {source}" if source else ""))
    for step in found.steps:
        verdict = "no" if not step.takes else "takes it; the next routes may, too" if step.goes_on else "takes it"
        echo(f"  routes[{step.route}]: {verdict}: {step.why}")
    zone = ZoneInfo(config.timezone)
    for message in found.notifications:
        echo(f"{message.receiver}: {message.when.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}: {message.why}")
    if not found.notifications:
        echo("no receiver is sent it: no route takes it")
    if found.silences:
        echo(f"it is not sent now: silenced by {', '.join(found.silences)}")
