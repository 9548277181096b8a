"""A door to an embedded server that runs already: for commands that look at a service from outside it."""

from __future__ import annotations

import os
from pathlib import Path

from watchpost.errors import StoreBusy, StoreUnreachable
from watchpost.wire.server import ping
from watchpost.wire.server.datadir import DataDirectory


async def find_running(data: Path, *, runtime_dir: Path | None = None) -> str:
    """The URL of the server that runs on the directory `data` right now. Starts nothing, writes nothing.

    `runtime_dir` as for EmbeddedServer. Raises StoreUnreachable if none runs there, StoreBusy if it is still loading.
    """
    if runtime_dir is None and (named := os.environ.get("XDG_RUNTIME_DIR")):
        runtime_dir = Path(named)
    directory = DataDirectory(data, runtime_dir)
    socket = directory.socket(make=False)
    answer = "silent" if socket is None else await ping.ask(socket)
    if answer == "silent":
        raise StoreUnreachable(
            f"no watchpost runs on {directory.path}: start it with `watchpost run`, or name its directory with --data"
        )
    if answer == "loading":
        raise StoreBusy(f"the server on {directory.path} is still reading its data: try again in a moment")
    return f"unix://{socket}"
