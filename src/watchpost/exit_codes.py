"""Pure: the exit codes of every command; docs/commands.md lists them."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2  # a mistake in the command line or the configuration; typer ends with it, too
NOTHING: Final = 3  # nothing found, where a command says so
UNREACHABLE: Final = 4  # Redis, a feed or a receiver cannot be reached, or no service runs
PARTIAL: Final = 5  # done in part; the rest is kept
INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it
