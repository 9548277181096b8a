"""`watchpost run poll`, with a watch on its event loop: CONFIG DATA FILE.

FILE gets the longest time, in ms, by which a sleep of 5 ms came late, since the start or the last SIGUSR1.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from watchpost import log as tm
from watchpost.config.settings import read_settings
from watchpost.operations import factory
from watchpost.service import lifecycle

_NAP_SECONDS = 0.005


def main() -> None:
    """Run until SIGTERM."""
    config_path, data, told = map(Path, sys.argv[1:])
    settings = read_settings(config=config_path, data=data)
    config = factory.read_config(config_path, os.environ)
    tm.set_up_log("json", "ERROR")
    settings.data.mkdir(parents=True, exist_ok=True)

    async def watch() -> None:
        worst = 0.0

        def begin_again() -> None:
            nonlocal worst
            worst = 0.0

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, begin_again)
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(_NAP_SECONDS)
            late = time.perf_counter() - begun - _NAP_SECONDS
            if late > worst:
                worst = late
                told.write_text(f"{1000 * worst:.1f}")

    async def serve() -> None:
        watching = asyncio.ensure_future(watch())
        await lifecycle.serve(config, settings, os.environ, "poll", reread=lambda: config)
        watching.cancel()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
