"""The programs of Debian's package `prometheus`: on the PATH, or beside the Python that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`. Where it is not installed, the test is skipped; on CI it fails."""
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which(name, path=places)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed: .ci/run installs it")
        pytest.skip(f"{name} is not installed (Debian: the package prometheus)")
    return found


def promtool(*arguments: str | Path, told: str = "") -> str:
    """Run it, with `told` on its standard input; returns what it said. Fails if it finds a mistake."""
    words = [program("promtool"), *map(str, arguments)]
    done = subprocess.run(words, input=told, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
