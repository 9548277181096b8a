"""This machine: directories, disk space and the clock."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from watchpost.config.config import Config
from watchpost.operations.doctor.finding import Finding
from watchpost.store.server.embedded import ROOM_BYTES

_FREE_BYTES = 512 * 1024 * 1024
_CLOCK_SECONDS = 2


def data_directory(
    data: Path, *, embedded: bool = True, free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Finding:
    """The data directory, or the directory in which it will be created.

    `embedded`: it holds the store as well, so that polling pauses while the disk has less than ROOM_BYTES.
    """
    place = next((one for one in (data, *data.absolute().parents) if one.exists()), data)
    subject = "data directory"
    if not place.is_dir():
        return Finding(subject, "fail", f"{place} is not a directory", "name another one with --data or WATCHPOST_DATA")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Finding(subject, "fail", f"this user cannot write to {place}", f"chown or chmod {place}")
    free = free_bytes(place)
    if free < _FREE_BYTES:
        cure = f"free some space: polling pauses below {ROOM_BYTES // 1024**2} MiB" if embedded else "free some space"
        if embedded and free < ROOM_BYTES:
            text = f"{data}: only {free // 1024**2} MiB free, so polling pauses; {ROOM_BYTES // 1024**2} MiB are needed"
            return Finding(subject, "fail", text, "free some space")
        return Finding(subject, "warn", f"{data}: only {free // 1024**2} MiB free", cure)
    return Finding(subject, "ok", f"{data}: {free // 1024**3} GiB free")


def folders(config: Config) -> Iterator[Finding]:
    """Each folder that is a source."""
    for part in config.sources:
        if part.kind != "folder":
            continue
        path, after = Path(getattr(part.options, "path", ".")), getattr(part.options, "after", "keep")
        subject = f"folder {part.name}"
        if not path.exists():
            yield Finding(subject, "fail", f"{path} does not exist", f"mkdir -p {path}")
        elif not path.is_dir():
            yield Finding(subject, "fail", f"{path} is not a directory", "name the directory that contains the files")
        elif not os.access(path, os.R_OK | os.X_OK):
            yield Finding(subject, "fail", f"this user cannot read {path}", f"chmod +rx {path}")
        elif after != "keep" and not os.access(path, os.W_OK):
            cure = f"chmod +w {path}, or set after: keep"
            yield Finding(subject, "fail", f"this user cannot remove files from {path} (after: {after})", cure)
        else:
            yield Finding(subject, "ok", f"{path} can be read")


def file_receivers(config: Config) -> Iterator[Finding]:
    """Each receiver that writes files."""
    for part in config.receivers:
        if part.kind != "file":
            continue
        path = Path(getattr(part.options, "path", "."))
        place = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            yield Finding(
                f"receiver {part.name}", "fail", f"this user cannot write to {place}", f"chown or chmod {place}"
            )
        else:
            yield Finding(f"receiver {part.name}", "ok", f"writes to {path}")


def clock() -> Finding:
    """Whether the system synchronises its clock (NTP)."""
    try:
        command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLOCK_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return Finding("clock", "ok", "it is unknown whether this system synchronises its clock")
    if done.returncode == 0 and done.stdout.strip() == "no":
        cure = "timedatectl set-ntp true: digests and signatures need the right time"
        return Finding("clock", "warn", "not synchronised (NTP)", cure)
    return Finding("clock", "ok", "synchronised (NTP)" if done.stdout.strip() == "yes" else "in use")
