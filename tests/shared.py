"""Where the test data that is not part of the project lies: beside it, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[2] / "shared"


def shared(path: str) -> Path:
    """A file or folder of the shared test data. Absent: the test is skipped, in CI it fails."""
    found = _SHARED / path
    if not found.exists():
        message = f"the shared test data is not beside the project: no ../shared/{path}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found
