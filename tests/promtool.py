"""promtool, of Debian's `prometheus` package: on the PATH, or beside the Python that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def promtool(*arguments: str | Path, told: str = "") -> str:
    """Run it, with `told` on its standard input; returns what it said. Fails if it finds a mistake.

    Where it is not installed the test is skipped; on CI that is a failure.
    """
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = shutil.which("promtool", path=places)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is not installed: .ci/run installs it")
        pytest.skip("promtool is not installed (Debian: the package prometheus)")
    done = subprocess.run([program, *map(str, arguments)], input=told, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
