"""watchpost as a user types it: inside this process, or as a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from watchpost.cli.command import Group, LazyCommand
from watchpost.cli.main import app
from watchpost.log import set_up_log

ENV = {"PATH": "/usr/bin:/bin", "WATCHPOST_CONFIG": "watchpost.yaml"}
if "PYTHONPATH" in os.environ:  # another work tree than the installed one
    ENV["PYTHONPATH"] = os.environ["PYTHONPATH"]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def watchpost(here: Path, *args: str, stdin: str = "", **env: str) -> Done:
    """Run a command inside this process, in the directory `here`, with no environment but ENV and `env`."""
    with _surroundings(here, ENV | env):
        result = CliRunner().invoke(app, list(args), input=stdin, prog_name="watchpost", catch_exceptions=False)
    return Done(result.exit_code, result.stdout, result.stderr)


def process(here: Path, *args: str, stdin: str = "", **env: str) -> Done:
    """Run a command as a process of its own: for start-up, signals and pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "watchpost", *args],
        cwd=here,
        env=ENV | env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def commands(group: Any = None, path: str = "watchpost") -> Iterator[tuple[str, Any]]:
    """Every command with its path, "watchpost feed list"."""
    root: Any = group or typer.main.get_command(app)
    for name, lazy in root.commands.items():
        command = lazy.load() if isinstance(lazy, LazyCommand) else lazy
        if isinstance(command, Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@contextlib.contextmanager
def _surroundings(here: Path, env: dict[str, str]) -> Iterator[None]:
    """Lend the process a directory and an environment; afterwards the log writes where it wrote before."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        with contextlib.chdir(here):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        set_up_log("json", "info", sys.__stderr__)
