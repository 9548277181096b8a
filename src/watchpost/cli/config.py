"""`watchpost config …` and `watchpost check`: the configuration checked, shown, formatted and compared."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption
from watchpost.cli.output import CommandError, echo, echo_json, note, report, report_complaints, warn
from watchpost.cli.session import check_config, config_option, load_config, open_config, open_settings
from watchpost.errors import CodecError, ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE, USAGE

if TYPE_CHECKING:
    from watchpost.config.diff import Change
    from watchpost.operations.config_diff import Difference

app = CommandApp(
    "docs/commands.md#config, docs/configuration.md", "watchpost config show", "watchpost config diff --config new.yaml"
)

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE", help="YAML files; without any, the configuration and all that it includes."),
]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; end with 1 if a file would change.")]
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@app.command("check")
def config_check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Configuration file [$WATCHPOST_CONFIG].")] = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="Also require every secret to be there.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Check the configuration and list every mistake.

    watchpost check
    watchpost check new.yaml
    watchpost check --secrets

    Each mistake comes with its line and what to write instead. Also runs the examples of the topics. Makes no
    connections. Warnings alone end with 0.
    """
    from dataclasses import asdict

    from watchpost.plurals import count

    try:
        config = check_config(file, secrets_needed=secrets)
        complaints = (*config.warnings, *config.absent_secrets)
    except ConfigError as error:
        config, complaints = None, error.complaints
    if as_json:
        echo_json({"ok": config is not None, "complaints": [asdict(complaint) for complaint in complaints]})
        return OK if config is not None else USAGE
    if config is not None:
        counts = (len(config.sources), "source"), (len(config.topics), "topic"), (len(config.routes), "route")
        echo("no mistakes: " + ", ".join(count(number, word) for number, word in counts))
    report_complaints(complaints)
    return OK if config is not None else USAGE


@app.command("show", reads="config")
def config_show(as_json: JsonOption = False) -> None:
    """Show the effective configuration.

    watchpost config show

    Defaults are filled in and included files merged. Secrets show only their source.
    """
    from ruamel.yaml import YAML

    from watchpost.config.diff import effective

    values = effective(load_config())
    if as_json:
        echo_json(values)
        return
    yaml, text = YAML(), io.StringIO()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(values, text)
    echo(text.getvalue().rstrip())


@app.command("fmt", reads="config")
def config_fmt(files: Files = None, check: Check = False) -> int:
    """Format the configuration files. Comments and meaning stay.

    watchpost config fmt
    watchpost config fmt --check new.yaml
    """
    from watchpost.config.format import formatted

    return _rewrite(files or (), formatted, check, "formatted")


@app.command("migrate", reads="config")
def config_migrate(files: Files = None, check: Check = False) -> int:
    """Rename the keys of earlier versions. Comments stay.

    watchpost config migrate --check
    watchpost config migrate
    """
    from watchpost.config.format import VERSION, migrated

    def migrate(text: str, name: str) -> str:
        renewed, renamed = migrated(text, name)
        for line in renamed:
            note(f"{name}: {line}")
        return renewed

    code = _rewrite(files or (), migrate, check, "migrated")
    if code == OK:
        note(f"version {VERSION} is the newest format")
    return code


@app.command("diff", reads="service")
async def config_diff(
    first: Annotated[
        Path | None, typer.Argument(metavar="OLD", help="A configuration; without it, the running one.")
    ] = None,
    second: Annotated[
        Path | None, typer.Argument(metavar="NEW", help="Another; without it, the one of --config.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show what a reload would change, and what needs a restart.

    watchpost config diff
    watchpost config diff --config new.yaml
    watchpost config diff old.yaml new.yaml

    Without files the running configuration is compared with the one on disk. Ends with 1 if they differ, and with 4
    if no service runs.
    """
    from watchpost.config.diff import differences, effective
    from watchpost.operations import config_diff as comparing

    if second is not None and config_option() is not None:
        raise CommandError("two files and --config: name only one new configuration")
    old = load_config(first) if first is not None else None
    settings, new = open_config(second)
    if old is not None:
        found: Sequence[Difference] = [comparing.Difference((), "", differences(effective(old), effective(new)))]
    else:
        try:
            running = await comparing.running(settings, new)
        except (StoreError, CodecError) as error:
            raise CommandError(f"{error}; to compare two files, name them", UNREACHABLE) from error
        if not running:
            raise CommandError("no running service has stored its configuration; name two files", UNREACHABLE)
        found = comparing.against(running, new)
    same = not any(difference.changes for difference in found)
    if as_json:
        echo_json({"same": same, "compared": [_facts(difference) for difference in found]})
    else:
        for difference in found:
            _echo_difference(difference)
    return OK if same else FAILED


@app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    watchpost config schema > watchpost.schema.json
    """
    from watchpost.config.schema import schema_text
    from watchpost.operations import factory

    echo(schema_text(factory.source_options(), factory.receiver_options()).rstrip())


def _rewrite(files: Sequence[Path], change: Callable[[str, str], str], check: bool, done: str) -> int:
    """Change each file, or only report which would change. The exit code is 2 if one cannot be read or written."""
    from watchpost.config.files import read_files
    from watchpost.operations.feeds.subscriptions import replace_file

    paths = files or [Path(name) for name in read_files(open_settings().config).names]
    code = OK
    for path in paths:
        try:
            text = path.read_bytes().decode("utf-8")
            changed = change(text, str(path))
            if changed == text:
                continue
            if check:
                note(f"{path} would be {done}")
                code = max(code, FAILED)
            else:
                replace_file(path, changed)
                note(f"{path} {done}")
        except WatchpostError as error:
            report(error)
            code = USAGE
        except (OSError, UnicodeDecodeError) as error:
            warn(f"{path}: {error.strerror if isinstance(error, OSError) else 'not UTF-8'}")
            code = USAGE
    return code


def _echo_difference(difference: Difference) -> None:
    if difference.roles:
        echo(f"{', '.join(difference.roles)}, running since {difference.since}:")
    for line in difference.refused:
        warn(f"a newer configuration was refused: {line}")
    for change in difference.changes:
        echo(f"  {_line(change)}")
    restart = [change.path for change in difference.changes if not change.live]
    if not difference.changes:
        echo("  no difference")
    elif restart:
        echo(f"  needs a restart: {', '.join(restart)}; a reload applies all else")
    else:
        echo("  a reload applies all of it")


def _line(change: Change) -> str:
    from watchpost.config.diff import brief

    line = f"{_SIGNS[change.kind]} {change.path}: "
    if change.kind == "changed":
        return f"{line}{brief(change.before)} → {brief(change.after)}"
    return line + brief(change.after if change.kind == "added" else change.before)


def _facts(difference: Difference) -> dict[str, object]:
    return {
        "roles": difference.roles,
        "since": difference.since,
        "refused": difference.refused,
        "changes": [
            {"path": change.path, "kind": change.kind, "before": change.before, "after": change.after}
            | {"live": change.live}
            for change in difference.changes
        ],
    }
