"""`watchpost backup`: a copy of the data, of a service that runs or does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption
from watchpost.cli.output import CommandError, echo, echo_json, note
from watchpost.cli.session import open_settings
from watchpost.errors import WatchpostError
from watchpost.exit_codes import FAILED

if TYPE_CHECKING:
    from watchpost.store.server.backup import Backup

app = CommandApp("docs/commands.md#start, docs/operations.md")


@app.command("backup", reads="service")
def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The tar file to write; - for stdout.")],
    as_json: JsonOption = False,
) -> None:
    """Copy the data of a service to a file, while it runs or not.

    watchpost backup /var/backups/watchpost.tar
    watchpost backup - | ssh other tar -x -C /var/lib/watchpost

    The file holds secrets, so only you can read it. `tar -x` restores it. A store of your own is not in it.
    """
    from watchpost.store.server import backup as backups

    settings = open_settings()
    try:
        if file == "-":
            done = backups.write(settings.data, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            done = _to_file(settings.data, Path(file))
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}; name a file elsewhere", FAILED) from error
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from error
    if not done.store and settings.redis_url is not None:
        note("the store is a server of your own and is not in it: copy its append-only file or its snapshot as well")
    if as_json and file != "-":
        echo_json({"file": file, "bytes": done.size, "files": done.files})
    elif file != "-":
        echo(f"{file}: {len(done.files)} files, {done.size:,} bytes")


def _to_file(data: Path, path: Path) -> Backup:
    """Write it whole or not at all. A file of that name is replaced."""
    from watchpost.store.server import backup as backups

    if path.exists() and not path.is_file():
        raise CommandError(f"{path} is not a file; name a file in it, or one that need not be there", FAILED)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            done = backups.write(data, target)
            target.flush()
            os.fsync(target.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return done
