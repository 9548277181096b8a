"""A PostgreSQL server of its own for tests, in an empty directory and behind a socket; not run as root."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start it, stop it; yields the address of its database. Skips the test if PostgreSQL is absent, except in CI."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "/absent").parent]
    tool = tools[-1]
    if not (tool / "initdb").exists():
        message = "no PostgreSQL: `make postgresql` installs Debian's"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    owner = "nobody" if getpass.getuser() == "root" else getpass.getuser()
    root = Path(tempfile.mkdtemp(prefix="wp-pg-"))
    try:
        shutil.chown(root, owner)
        group = pwd.getpwnam(owner).pw_gid

        def run(*words: str | Path) -> None:
            with (root / "log").open("ab") as log:
                subprocess.run(words, user=owner, group=group, cwd=root, stdout=log, stderr=log, check=True)

        run(tool / "initdb", "-D", root / "data", "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        run(tool / "pg_ctl", "-D", root / "data", "-w", "-o", f"-c listen_addresses='' -k {root} -F", "start")
        try:
            yield f"postgresql://test@/postgres?host={root}"
        finally:
            run(tool / "pg_ctl", "-D", root / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)
