"""Pure: the exit codes of every command; README.md lists them for scripts."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2  # a wrong command line or configuration; typer ends with it as well
NOTHING: Final = 3  # nothing found, where --exit-code asks for that
UNREACHABLE: Final = 4  # Redis, a feed or a receiver cannot be reached
PARTIAL: Final = 5  # the rest is kept and goes out later
INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it
