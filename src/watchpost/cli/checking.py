"""`watchpost check` and `watchpost config schema`: everything that can be known without opening a socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from watchpost.app import doors
from watchpost.cli import manner
from watchpost.cli.progress import Bar
from watchpost.cli.saying import complain, count, tell, tell_json
from watchpost.errors import Complaint, ConfigError
from watchpost.exit_codes import OK, USAGE
from watchpost.plan.editor_schema import schema_text
from watchpost.plan.plan import Plan
from watchpost.plan.settings import read_settings


def check(file: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost check`: 2 if anything is wrong; warnings alone are 0."""
    try:
        settings = read_settings(config=file)
        manner.open_log(settings)
        with Bar("reading the configuration") as bar:
            plan = doors.read_plan(settings.config, env, bar)
    except ConfigError as error:
        return _report(error.complaints, as_json, None)
    return _report(plan.warnings, as_json, plan)


def schema() -> int:
    """Print the JSON Schema."""
    tell(schema_text(doors.source_options(), doors.receiver_options()).rstrip())
    return OK


def _report(complaints: tuple[Complaint, ...], as_json: bool, plan: Plan | None) -> int:
    if as_json:
        tell_json({"ok": plan is not None, "complaints": [asdict(complaint) for complaint in complaints]})
    elif plan is not None:
        counts = (len(plan.sources), "source"), (len(plan.topics), "topic"), (len(plan.routes), "route")
        tell("fine: " + ", ".join(count(number, word) for number, word in counts))
    if complaints and not as_json:
        complain(complaints)
    return OK if plan is not None else USAGE
