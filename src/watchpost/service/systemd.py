"""State changes of the service for systemd, as datagrams to the socket in NOTIFY_SOCKET; without it nothing is sent.

READY, RELOADING with the monotonic clock (Type=notify-reload), STOPPING, STATUS for people, and WATCHDOG. WATCHDOG is
sent only while the event loop runs and every role works, so that systemd restarts a service that hangs:
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from watchpost.health import Health

_STATUS_SECONDS = 10.0
_STATUS_DEADLINE_SECONDS = 2.0


class Systemd:
    """Reports to the service manager that started this process, if there is one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = env.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        microseconds = env.get("WATCHDOG_USEC", "")
        self._period = int(microseconds) / 1e6 if ours and microseconds.isascii() and microseconds.isdigit() else 0.0

    def send(self, *lines: str) -> None:
        """Send these assignments in one datagram. A manager that does not listen is ignored."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.setblocking(False)
                connection.sendto("\n".join(lines).encode(), self._address)

    def ready(self, status: str) -> None:
        """The service is ready, after a start or a reload."""
        self.send("READY=1", f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends this state."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The service is stopping."""
        self.send("STOPPING=1", "STATUS=stopping; the queue is kept")

    async def watch(self, health: Health, status: Callable[[], Awaitable[str]]) -> None:
        """Until cancelled: send WATCHDOG three times a period while all is well, and STATUS every ten seconds."""
        if not self._address:
            return
        pause = min(_STATUS_SECONDS, self._period / 3) if self._period else _STATUS_SECONDS
        reported = -_STATUS_SECONDS
        while True:
            trouble = health.trouble(self._period or None)
            if self._period and not trouble:
                self.send("WATCHDOG=1")
            if time.monotonic() - reported >= _STATUS_SECONDS or trouble:
                reported = time.monotonic()
                self.send(f"STATUS={_one_line(trouble or await _in_time(status))}")
            await asyncio.sleep(pause)


async def _in_time(status: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(_STATUS_DEADLINE_SECONDS):
            return await status()
    except TimeoutError:
        return "the queue does not answer"


def _one_line(text: str) -> str:
    return " ".join(text.split())
