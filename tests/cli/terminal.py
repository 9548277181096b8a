"""watchpost on a terminal of its own, as a person sees it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.command import ENV


def on_terminal(here: Path, *args: str, **env: str) -> tuple[int, str]:
    """The exit code, and everything that is shown; stdout, stderr and stdin are one terminal of 100 columns."""
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        [sys.executable, "-m", "watchpost", *args],
        cwd=here,
        env=ENV | terminal | env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:  # Linux's way to say that nobody has the terminal open any more
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=60), shown.decode("utf-8", "replace")
