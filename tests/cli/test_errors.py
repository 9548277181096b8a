"""What a command raises ends as a message and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main

from tests.cli.command import watchpost
from watchpost.cli.command import Command
from watchpost.cli.main import app
from watchpost.cli.output import CommandError
from watchpost.errors import Complaint, ConfigError, StoreUnreachable, WatchpostError

MINIMAL = "receivers: {out: {type: file, path: out}}\nroutes: [{to: out, digest: '08:00'}]\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (CommandError("no such topic"), 2, "watchpost: no such topic\n"),
        (CommandError("not sent", 1), 1, "watchpost: not sent\n"),
        (WatchpostError("odd"), 2, "watchpost: odd\n"),
        (StoreUnreachable("no Redis at redis://u:hunter2@h/"), 4, "watchpost: no Redis at redis://***@h/\n"),
        (
            ConfigError((Complaint("a.yaml", 2, 1, "x", "unknown key"),)),
            2,
            "a.yaml:2:1 x: unknown key\n1 error, 0 warnings\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_ends_with_its_message_and_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    root = typer.main.get_group(app)
    root.add_command(Command("fail", callback=fail))
    with pytest.raises(SystemExit) as ended:
        root.main(["fail"])
    assert ended.value.code == code
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_what_a_command_returns_is_its_exit_code(returned: int | None, code: int) -> None:
    root = typer.main.get_group(app)
    root.add_command(Command("end", callback=lambda: returned))
    with pytest.raises(SystemExit) as ended:
        root.main(["end"])
    assert ended.value.code == code


def test_a_data_directory_that_cannot_be_is_one_sentence_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text("version: 1\n" + MINIMAL)
    (tmp_path / "file").write_text("")
    done = watchpost(tmp_path, "run", "--once", "--data", "file/data", WATCHPOST_CONFIG="watchpost.yaml")
    assert done.returncode == 4
    assert done.stderr.endswith("let this user write there, or choose another one with --data\n")
    assert "Traceback" not in done.stderr
