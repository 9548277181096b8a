"""A copy of the data directory as a tar file, taken while the service runs or after it has ended.

The server's files are copied by their manifest. The last of them only grows, so a copy of its beginning is the store
as it was at one moment; the start of the server cuts a command that was copied in part. A rewrite replaces the files,
but what is open stays readable. The journals are copied after the store: they know all that the store calls sent.
https://valkey.io/topics/persistence/ ("Backing up AOF persistence").
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from watchpost.errors import StoreUnfit, WatchpostError
from watchpost.store.identity import FILE as IDENTITY
from watchpost.store.server import datadir

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
_MANIFEST = "appendonly.aof.manifest"
_LINE = re.compile(r"^file (\S+) seq \d+ type ([bhi])\b", re.MULTILINE)
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied: the names in the tar file, and their bytes. `store`: the server's files are among them."""

    files: tuple[str, ...]
    size: int
    store: bool


def write(
    data: Path,
    target: IO[bytes],
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
    further: Iterable[tuple[str, IO[bytes]]] = (),
) -> Backup:
    """Write a tar file of the directory `data` to `target`, which need not be seekable.

    `patience_seconds` is how long it tries again while the server replaces its files. `further` are files with their
    names in the tar file, which are opened after the store is copied, one after the other.

    Raises WatchpostError if there is nothing to copy or a file cannot be opened, StoreUnfit if the server's files and
    their manifest do not match, OSError if `target` cannot be written.
    """
    files: list[str] = []
    size = 0
    with ExitStack() as stack, tarfile.open(fileobj=target, mode="w|") as archive:
        for name, file in chain(_contents(data, stack, patience_seconds), further):
            facts = tarfile.TarInfo(name)
            facts.size, facts.mode, facts.mtime = file.seek(0, os.SEEK_END), _MODE, int(time.time())
            file.seek(0)
            archive.addfile(facts, file)
            files.append(name)
            size += facts.size
        if not files:
            raise WatchpostError(f"there is nothing to copy in {data}: name the data directory with --data")
    return Backup(tuple(files), size, any(name.startswith(f"{datadir.folder(data).name}/") for name in files))


def _contents(data: Path, stack: ExitStack, patience_seconds: float) -> Iterator[tuple[str, IO[bytes]]]:
    """The files to copy, in this order: the store, then what is known besides."""
    folder = datadir.folder(data)
    try:
        manifest, opened = _open_store(folder, stack, patience_seconds)
        for name, file in opened.items():
            yield f"{folder.name}/{name}", file
        if manifest:
            yield f"{folder.name}/{_MANIFEST}", io.BytesIO(manifest)
        for path in (data / IDENTITY, *sorted(data.glob("sent-*.journal"))):
            if path.exists():
                yield path.name, stack.enter_context(path.open("rb"))
    except OSError as error:
        raise WatchpostError(
            f"{error.filename} cannot be read ({error.strerror}): run the command as root or as the user of the service"
        ) from error


def _open_store(folder: Path, stack: ExitStack, patience_seconds: float) -> tuple[bytes, dict[str, IO[bytes]]]:
    """The manifest without files of the past, and the files that it names, all of one moment."""
    end = time.monotonic() + patience_seconds
    while True:
        try:
            text = (folder / _MANIFEST).read_bytes()
        except FileNotFoundError:
            return b"", {}
        named = _LINE.findall(text.decode("utf-8", "replace"))
        wanted = [name for name, kind in named if kind != "h" and "/" not in name]
        with ExitStack() as trial:
            try:
                opened = {name: trial.enter_context((folder / name).open("rb")) for name in wanted}
                if (folder / _MANIFEST).read_bytes() == text:
                    stack.push(trial.pop_all())
                    lines = [line for line in text.splitlines(keepends=True) if not line.rstrip().endswith(b"type h")]
                    return b"".join(lines), opened
            except FileNotFoundError:  # a rewrite has just replaced it
                pass
        if time.monotonic() > end:
            break
        time.sleep(_PAUSE_SECONDS)
    raise StoreUnfit(f"{folder / _MANIFEST} names files that are not there: read {folder.parent / 'redis.log'}")
