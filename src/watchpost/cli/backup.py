"""`watchpost backup`: a copy of the data, of a service that runs or does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption
from watchpost.cli.output import CommandError, echo, echo_json, note
from watchpost.cli.session import open_settings
from watchpost.errors import ArchiveError, WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL

if TYPE_CHECKING:
    from watchpost.store.server.backup import Backup

app = CommandApp("docs/commands.md#start, docs/operations.md")


@app.command("backup", reads="service")
def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The tar file to write; - for stdout.")],
    without_archive: Annotated[
        bool, typer.Option("--without-archive", help="Leave out the archive, which may be large.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Copy the data of a service to a file, while it runs or not.

    watchpost backup /var/backups/watchpost.tar
    watchpost backup - | ssh other tar -x -C /var/lib/watchpost

    The file holds secrets, so only you can read it. `tar -x` restores it. A store of your own, and an archive in
    PostgreSQL, are not in it. Ends with 5 if a month of the archive cannot be copied.
    """
    from watchpost.store.server import backup as backups

    settings, troubles = open_settings(), list[str]()
    archive = () if without_archive else _archive(settings.data, troubles)
    try:
        if file == "-":
            done = backups.write(settings.data, sys.stdout.buffer, further=archive)
            sys.stdout.buffer.flush()
        else:
            done = _to_file(settings.data, Path(file), archive)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}; name a file elsewhere", FAILED) from error
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from error
    if not done.store and settings.redis_url is not None:
        note("the store is a server of your own and is not in it: copy its append-only file or its snapshot as well")
    if settings.archive_url is not None and not without_archive:
        note("the archive in PostgreSQL is not in it: copy it with pg_dump")
    for trouble in troubles:
        note(f"{trouble}; this month is not in the backup")
    if as_json and file != "-":
        echo_json({"file": file, "bytes": done.size, "files": done.files})
    elif file != "-":
        echo(f"{file}: {len(done.files)} files, {done.size:,} bytes")
    return PARTIAL if troubles else OK


def _archive(data: Path, troubles: list[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """A copy of each month of the archive, one at a time; what cannot be copied is added to `troubles`."""
    folder = data / "archive"
    if not folder.is_dir():
        return
    from watchpost.archive.sqlite import copy_of, months_in  # not imported where there is no archive

    for file in months_in(folder):
        with ExitStack() as stack:
            try:
                copy = stack.enter_context(copy_of(file))
            except ArchiveError as error:
                if file.exists():  # a month may be dropped meanwhile
                    troubles.append(str(error))
                continue
            yield f"{folder.name}/{file.name}", copy


def _to_file(data: Path, path: Path, archive: Iterable[tuple[str, IO[bytes]]]) -> Backup:
    """Write it whole or not at all. A file of that name is replaced."""
    from watchpost.store.server import backup as backups

    if path.exists() and not path.is_file():
        raise CommandError(f"{path} is not a file; name a file in it, or one that need not be there", FAILED)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            done = backups.write(data, target, further=archive)
            target.flush()
            os.fsync(target.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return done
