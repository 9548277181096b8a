"""A place for an embedded server, and the promise that none outlives its test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers import servers_on


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that does not exist yet, at a path short enough for a socket; its parent is empty."""
    place = Path(tempfile.mkdtemp(prefix="wp-")).resolve()
    yield place / "data"
    logs = {path.parent for path in place.rglob("redis.log")}
    for directory in logs | {place / "data"}:
        for pid in servers_on(directory):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(place)
