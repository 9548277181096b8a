"""How many files and connections this process may have open; it asks for what it needs."""

from __future__ import annotations

import contextlib

WANTED = 4096
"""400 connections to the pages, a connection for each feed that is read, and files."""

_UNKNOWN = 1024  # where the system has no such limit that can be read


def ask(wanted: int = WANTED) -> int:
    """Raise the limit to `wanted`, or as far as the system allows, and return the limit in force."""
    try:
        import resource
    except ImportError:  # not on every system
        return _UNKNOWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted if soft == unlimited else soft
    goal = wanted if hard == unlimited else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
