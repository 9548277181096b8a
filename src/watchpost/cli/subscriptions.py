"""`watchpost feed import|export`: lists of feeds from other programs, and for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from watchpost.app import doors
from watchpost.app.feeds import subscriptions
from watchpost.app.feeds.status import feeds
from watchpost.app.feeds.subscriptions import Sorted
from watchpost.cli.matching import read_plan
from watchpost.cli.saying import complain, note, say, tell, tell_json
from watchpost.errors import ConfigError, WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL, USAGE
from watchpost.plan.lists import few
from watchpost.plan.settings import read_settings

MANY = 1000


def take_in(
    file: Path, into: Path | None, dry_run: bool, config: Path | None, as_json: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `watchpost feed import`: 5 if some of the outlines are no feeds, 1 if nothing could be done."""
    plan = read_plan(config, env)
    if plan is None:
        return USAGE
    try:
        found = subscriptions.sort_out(file, plan, into)
        text = subscriptions.merged(into, found.new) if into is not None else subscriptions.yaml_of(found.new)
        _report(found, as_json)
        if into is None:
            if not as_json and found.new:
                tell(text.rstrip())
        elif dry_run or not found.new:
            note(f"{into} stays as it is")
        elif not _write(into, text, found, read_settings(config=config).config, env):
            return FAILED
    except WatchpostError as error:
        say(str(error))
        return FAILED
    return PARTIAL if found.invalid else OK


def give_out(config: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed export`."""
    plan = read_plan(config, env)
    if plan is None:
        return USAGE
    text, partly = subscriptions.export(plan)
    tell(text.rstrip())
    for name in partly:
        note(f"{name} is in the list without its headers: whoever reads the list needs them from elsewhere")
    return OK


def _report(found: Sorted, as_json: bool) -> None:
    if as_json:
        new = [
            {"name": one.name, "url": one.outline.url, "tags": one.outline.tags, "lang": one.outline.lang}
            for one in found.new
        ]
        said = {"twins": [str(one) for one in found.twins], "invalid": [str(one) for one in found.invalid]}
        tell_json({"new": new, **said})
        return
    for complaint in few((*found.invalid, *found.twins)):
        say(str(complaint))
    note(f"{len(found.new)} new, {len(found.twins)} configured already, {len(found.invalid)} that are no feeds")


def _write(into: Path, text: str, found: Sorted, config: Path, env: Mapping[str, str]) -> bool:
    """Whether the file was written. A configuration that is wrong with it gets its old file back."""
    before = subscriptions.replace_file(into, text)
    try:
        read = {one.url for one in feeds(doors.read_plan(config, env)).values()}
    except ConfigError as error:
        subscriptions.restore_file(into, before)
        complain(error.complaints)
        say(f"with these feeds the configuration would be wrong: {into} is as it was")
        return False
    note(f"{len(found.new)} feeds added to {into}")
    if not any(one.outline.url in read for one in found.new):
        note(f"{config} does not include {into} yet: add it to its include:")
    if len(found.new) > MANY:
        note("so many feeds load faster from the list itself: feeds_from: {opml: …}")
    return True
