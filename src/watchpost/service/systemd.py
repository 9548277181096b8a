"""The door to systemd: what it wants to be told of a service, in datagrams to the socket that it names.

sd_notify(3) and systemd.service(5): READY, RELOADING with the monotonic clock (Type=notify-reload), STOPPING,
STATUS for people, and WATCHDOG, which is sent only while the loop runs and every role beats: a service that hangs
gets no more of them, and is started again. Without NOTIFY_SOCKET nothing is sent.
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
    """Tells the service manager that started this process, if one did."""

    def __init__(self, env: Mapping[str, str]) -> None:
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = env.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        microseconds = env.get("WATCHDOG_USEC", "")
        self._period = int(microseconds) / 1e6 if ours and microseconds.isascii() and microseconds.isdigit() else 0.0

    def tell(self, *lines: str) -> None:
        """Send these assignments in one datagram. A manager that does not listen is no reason to stop."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as plug:
                plug.setblocking(False)
                plug.sendto("\n".join(lines).encode(), self._address)

    def ready(self, status: str) -> None:
        """Started, or done with reloading."""
        self.tell("READY=1", f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends that."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self.tell("STOPPING=1", "STATUS=stopping; what is queued stays queued")

    async def watch(self, health: Health, status: Callable[[], Awaitable[str]]) -> None:
        """Until cancelled: WATCHDOG three times a period while all is well, and now and then how things stand."""
        if not self._address:
            return
        pause = min(_STATUS_SECONDS, self._period / 3) if self._period else _STATUS_SECONDS
        spoken = -_STATUS_SECONDS
        while True:
            trouble = health.trouble(self._period or None)
            if self._period and not trouble:
                self.tell("WATCHDOG=1")
            if time.monotonic() - spoken >= _STATUS_SECONDS or trouble:
                spoken = time.monotonic()
                self.tell(f"STATUS={_one_line(trouble or await _in_time(status))}")
            await asyncio.sleep(pause)


async def _in_time(status: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(_STATUS_DEADLINE_SECONDS):
            return await status()
    except TimeoutError:
        return "the queue does not answer"


def _one_line(text: str) -> str:
    return " ".join(text.split())
