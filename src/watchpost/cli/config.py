"""`watchpost config show|fmt|diff|migrate`: the configuration as it is understood, laid out, and compared."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchpost.cli import output
from watchpost.cli.match import read_plan
from watchpost.cli.options import ConfigOption, DataOption, JsonOption
from watchpost.cli.output import ProgressBar, complain, note, say, tell, tell_json
from watchpost.config.config import Config
from watchpost.config.diff import Change, brief, differences, effective
from watchpost.config.editor_schema import schema_text
from watchpost.config.files import read_files
from watchpost.config.format import VERSION, formatted, migrated
from watchpost.config.settings import read_settings
from watchpost.errors import CodecError, Complaint, ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE, USAGE
from watchpost.operations import config_diff as operations_config_diff
from watchpost.operations import factory
from watchpost.operations.config_diff import Difference
from watchpost.operations.feeds.subscriptions import replace_file
from watchpost.plurals import count

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def show(config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost config show`."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    shown = effective(config)
    if as_json:
        tell_json(shown)
        return OK
    from ruamel.yaml import YAML

    yaml, out = YAML(), io.StringIO()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(shown, out)
    tell(out.getvalue().rstrip())
    return OK


def fmt(files: Sequence[Path], only_check: bool, config_path: Path | None) -> int:
    """The exit code of `watchpost config fmt`: with --check 1 if a file would change; 2 if one cannot be read."""
    return _rewrite(files, config_path, formatted, only_check, "laid out")


def migrate(files: Sequence[Path], only_check: bool, config_path: Path | None) -> int:
    """The exit code of `watchpost config migrate`: as fmt."""

    def renew(text: str, name: str) -> str:
        renewed, renamed = migrated(text, name)
        for line in renamed:
            note(f"{name}: {line}")
        return renewed

    code = _rewrite(files, config_path, renew, only_check, "rewritten")
    if code == OK:
        note(f"version {VERSION} is the newest format")
    return code


def diff(first: Path | None, second: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost config diff`: 0 the same, 1 different, 2 not readable, 4 no service to compare with.

    No file: what runs against the configured file. One: it against the configured one. Two: the first against
    the second.
    """
    old = read_plan(first, env) if first is not None else None
    new = read_plan(second, env)
    if new is None or (first is not None and old is None):
        return USAGE
    if old is not None:
        found: tuple[Difference, ...] = (Difference((), "", differences(effective(old), effective(new))),)
    else:
        try:
            running = asyncio.run(operations_config_diff.running(read_settings(data=data), new))
        except ConfigError as error:
            complain(error.complaints)
            return USAGE
        except (StoreError, CodecError) as error:
            say(f"{error}; to compare two files, name them")
            return UNREACHABLE
        if not running:
            say("no running service has said what it runs: name two files to compare them")
            return UNREACHABLE
        found = operations_config_diff.against(running, new)
    same = not any(one.changes for one in found)
    _tell_json(same, found) if as_json else _tell(found)
    return OK if same else FAILED


def _rewrite(
    files: Sequence[Path], config_path: Path | None, change: Callable[[str, str], str], only_check: bool, done: str
) -> int:
    paths = list(files)
    if not paths:
        try:
            main = read_settings(config=config_path).config
        except ConfigError as error:
            complain(error.complaints)
            return USAGE
        paths = [Path(name) for name in read_files(main).names]
    code = OK
    for path in paths:
        try:
            text = path.read_bytes().decode("utf-8")
            changed = change(text, str(path))
            if changed == text:
                continue
            if only_check:
                note(f"{path} would be {done}")
                code = max(code, FAILED)
            else:
                replace_file(path, changed)
                note(f"{path} {done}")
        except ConfigError as error:
            complain(error.complaints)
            code = USAGE
        except (OSError, UnicodeDecodeError) as error:
            say(f"{path}: {error.strerror if isinstance(error, OSError) else 'not UTF-8'}")
            code = USAGE
        except WatchpostError as error:
            say(str(error))
            code = USAGE
    return code


def _tell(found: Sequence[Difference]) -> None:
    for one in found:
        if one.roles:
            tell(f"{', '.join(one.roles)}, as it runs since {one.since}:")
        for line in one.refused:
            say(f"the newer configuration was refused: {line}")
        for change in one.changes:
            tell(f"  {_line(change)}")
        restart = [change.path for change in one.changes if not change.live]
        if not one.changes:
            tell("  the same")
        elif restart:
            tell(f"  needs a restart: {', '.join(restart)}; all else is live at the next reload")
        else:
            tell("  all of it is live at the next reload")


def _line(change: Change) -> str:
    sign = _SIGNS[change.kind]
    if change.kind == "changed":
        return f"{sign} {change.path}: {brief(change.before)} → {brief(change.after)}"
    return f"{sign} {change.path}: {brief(change.after if change.kind == 'added' else change.before)}"


def _tell_json(same: bool, found: Sequence[Difference]) -> None:
    compared = [
        {
            "roles": one.roles,
            "since": one.since,
            "refused": one.refused,
            "changes": [
                {"path": c.path, "kind": c.kind, "before": c.before, "after": c.after, "live": c.live}
                for c in one.changes
            ],
        }
        for one in found
    ]
    tell_json({"same": same, "compared": compared})


# The commands of `watchpost config`: arguments → one call → an exit code.


config_app = typer.Typer(help="The configuration itself.", no_args_is_help=True)

Files = Annotated[list[Path] | None, typer.Argument(help="YAML files; else the configuration and what it includes.")]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something would be changed.")]


@config_app.command("check")
def config_check(
    file: Annotated[Path | None, typer.Argument(help="Configuration file [WATCHPOST_CONFIG].")] = None,
    as_json: JsonOption = False,
) -> None:
    """The same as `watchpost check`."""

    raise typer.Exit(check(file, as_json, os.environ))


@config_app.command("show")
def config_show(config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The configuration as it is understood: defaults filled in, files put together, secrets by their origin."""

    raise typer.Exit(show(config_path, as_json, os.environ))


@config_app.command("fmt")
def config_fmt(files: Files = None, check: Check = False, config_path: ConfigOption = None) -> None:
    """Lay the files out in one way. Comments stay, and so does what they say."""

    raise typer.Exit(fmt(files or [], check, config_path))


@config_app.command("diff")
def config_diff(
    first: Annotated[Path | None, typer.Argument(help="A configuration; without it, what runs.")] = None,
    second: Annotated[Path | None, typer.Argument(help="Another; without it, WATCHPOST_CONFIG.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a reload would change, and what needs a restart. Exit 1 if there is a difference."""

    raise typer.Exit(diff(first, second, data, as_json, os.environ))


@config_app.command("migrate")
def config_migrate(files: Files = None, check: Check = False, config_path: ConfigOption = None) -> None:
    """Rewrite keys of earlier versions. Comments stay."""

    raise typer.Exit(migrate(files or [], check, config_path))


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""

    raise typer.Exit(schema())


# `watchpost check` and `watchpost config schema`: everything that can be known without opening a socket.


def check(file: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost check`: 2 if anything is wrong; warnings alone are 0."""
    try:
        settings = read_settings(config=file)
        output.open_log(settings)
        with ProgressBar("reading the configuration") as bar:
            config = factory.read_config(settings.config, env, bar)
    except ConfigError as error:
        return _report(error.complaints, as_json, None)
    return _report(config.warnings, as_json, config)


def schema() -> int:
    """Print the JSON Schema."""
    tell(schema_text(factory.source_options(), factory.receiver_options()).rstrip())
    return OK


def _report(complaints: tuple[Complaint, ...], as_json: bool, config: Config | None) -> int:
    if as_json:
        tell_json({"ok": config is not None, "complaints": [asdict(complaint) for complaint in complaints]})
    elif config is not None:
        counts = (len(config.sources), "source"), (len(config.topics), "topic"), (len(config.routes), "route")
        tell("fine: " + ", ".join(count(number, word) for number, word in counts))
    if complaints and not as_json:
        complain(complaints)
    return OK if config is not None else USAGE
