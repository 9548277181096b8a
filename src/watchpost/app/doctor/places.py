"""Directories, the disk and the machine's clock: can watchpost read and write where it has to?"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from watchpost.app.doctor.finding import Finding
from watchpost.plan.plan import Plan

_ROOM_BYTES = 512 * 1024 * 1024
_CLOCK_SECONDS = 2


def data_directory(data: Path) -> Finding:
    """The directory of the queue and the journal, or the one in which it will be made."""
    place = next((one for one in (data, *data.absolute().parents) if one.exists()), data)
    subject = "data directory"
    if not place.is_dir():
        return Finding(subject, "fail", f"{place} is not a directory", "name another with --data or WATCHPOST_DATA")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Finding(subject, "fail", f"{place} cannot be written by this user", f"chown or chmod {place}")
    free = shutil.disk_usage(place).free
    if free < _ROOM_BYTES:
        cure = "make room: polling pauses when the disk is nearly full"
        return Finding(subject, "warn", f"{data}: only {free // 1024**2} MiB are free", cure)
    return Finding(subject, "ok", f"{data}: {free // 1024**3} GiB free")


def folders(plan: Plan) -> Iterator[Finding]:
    """Each watched folder."""
    for part in plan.sources:
        if part.kind != "folder":
            continue
        path, after = Path(getattr(part.options, "path", ".")), getattr(part.options, "after", "keep")
        subject = f"folder {part.name}"
        if not path.exists():
            yield Finding(subject, "fail", f"{path} does not exist", f"mkdir -p {path}")
        elif not path.is_dir():
            yield Finding(subject, "fail", f"{path} is not a directory", "name the directory in which the files lie")
        elif not os.access(path, os.R_OK | os.X_OK):
            yield Finding(subject, "fail", f"{path} cannot be read by this user", f"chmod +rx {path}")
        elif after != "keep" and not os.access(path, os.W_OK):
            cure = f"chmod +w {path}, or after: keep"
            yield Finding(subject, "fail", f"files shall leave {path} (after: {after}), which is not writable", cure)
        else:
            yield Finding(subject, "ok", f"{path} can be read")


def outboxes(plan: Plan) -> Iterator[Finding]:
    """Each receiver that writes files."""
    for part in plan.receivers:
        if part.kind != "file":
            continue
        path = Path(getattr(part.options, "path", "."))
        place = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            yield Finding(f"receiver {part.name}", "fail", f"{place} cannot be written", f"chown or chmod {place}")
        else:
            yield Finding(f"receiver {part.name}", "ok", f"writes to {path}")


def clock() -> Finding:
    """Whether the system says that its clock is set by the network."""
    try:
        command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLOCK_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return Finding("clock", "ok", "this system does not say whether its clock is set by the network")
    if done.returncode == 0 and done.stdout.strip() == "no":
        cure = "timedatectl set-ntp true: digests and signatures need the right time"
        return Finding("clock", "warn", "the clock is not set by the network", cure)
    return Finding("clock", "ok", "set by the network" if done.stdout.strip() == "yes" else "no complaint")
