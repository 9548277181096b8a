"""Backup, restoring, moving: the lines of the manual, word for word, with a real service before and after them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.flow.rig import Rig
from watchpost.archive.packing import unpack
from watchpost.archive.sqlite import SqliteArchive

MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
SECTION = MANUAL.partition("\n## Backup\n")[2].partition("\n## ")[0]
BACKUP, MOVE, RESTORE = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
DIGESTS = "mode: immediate, group_wait: 100ms, continue: true}, {to: inbox, digest: '08:00'"


SYSTEMCTL = """#!/bin/sh
case $1 in
stop)
  pid=$(cat {root}/pid) && kill -TERM $pid
  while grep -q '^State:.[^Z]' /proc/$pid/status 2>/dev/null; do sleep 0.05; done ;;
start) echo "${{ON:-old}}" > {root}/started ;;
esac
"""


class Machines:
    """The old machine and the new one, for lines of a shell: the rig's service is the one that systemctl means."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.data = {"old": rig.data, "new": rig.root / "new"}
        self.programs = rig.root / "bin"
        self.programs.mkdir()
        place = f"--config {shlex.quote(str(rig.config))} --data {shlex.quote(str(rig.data))}"
        programs = {
            "watchpost": f'#!/bin/sh\nexec {sys.executable} -m watchpost "$@" {place}\n',
            "systemctl": SYSTEMCTL.format(root=rig.root),
            "ssh": '#!/bin/sh\nON=new; export ON; shift; exec "$@"\n',
            "scp": f'#!/bin/sh\ntest "NEW:$1" = "$2"; exec test "$1" = {rig.root}/saved.tar\n',
        }
        for name, text in programs.items():
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def follow(self, lines: str) -> None:
        """Do what the lines say; each must succeed. The service that they start is the rig's from now on."""
        root = self.rig.root
        (root / "pid").write_text(str(self.rig.processes[-1].pid))
        for there, here in {
            "/var/lib/private/watchpost": self.data["old"],
            "/var/lib/watchpost": self.data["new"],
            "/var/backups/watchpost.tar": root / "saved.tar",
        }.items():
            lines = lines.replace(there, str(here))
        env = {**self.rig.env, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-eu", "-c", lines], env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (lines, done.stdout, done.stderr)
        if (started := root / "started").exists():
            self.rig.data = self.data[started.read_text().strip()]
            self.rig.start()


def parked(rig: Rig) -> int:
    return int(json.loads(rig.ask("queue", "status", "--json").stdout)["parked"])


def digest(rig: Rig) -> list[str]:
    """Send the digest now, and give the headlines in it."""
    with rig.world.lock:
        known = {id_ for id_, _ in rig.world.got}
    rig.ask("digest", "send", "inbox")
    rig.until(lambda: {id_ for id_, _ in rig.world.got} > known)
    (body,) = {body for id_, body in rig.world.got if id_ not in known}
    return sorted(story["title"] for story in json.loads(body)["data"]["stories"])


def archived(rig: Rig) -> list[str]:
    """The headlines of everything in the archive."""
    archive = SqliteArchive(rig.data / "archive")
    return sorted(unpack(record.packed).title for record in archive.newest_first(None))


def started(root: Path) -> tuple[Rig, Machines]:
    """A service that has sent two alerts, holds both for a digest, and has one message that nobody accepted yet."""
    rig = Rig(root, route=DIGESTS)
    rig.start()
    rig.publish("one", "two")
    rig.until(lambda: {"one", "two"} <= set(rig.world.told()))
    rig.until(lambda: parked(rig) == 2)
    rig.world.status = 503
    rig.publish("three")
    rig.until(lambda: "delivery.waits" in rig.log())
    return rig, Machines(rig)


def test_a_machine_that_takes_over_sends_what_waited_and_nothing_twice(tmp_path: Path) -> None:
    rig, machines = started(tmp_path)
    try:
        machines.follow(MOVE)
        rig.world.status = 200
        rig.until(rig.answers)
        rig.ask("queue", "retry")
        rig.publish("four")
        rig.until(lambda: set(rig.world.told()) == {"one", "two", "three", "four"})
        rig.until(lambda: parked(rig) == 4)
        assert digest(rig) == ["four", "one", "three", "two"]
        told = [id_ for id_, _ in rig.world.got]
        assert len(told) == len(set(told)), "no message came twice"
        assert (rig.data.stat().st_mode & 0o777) == 0o700
        rig.ask("queue", "status")  # it ends with 1 if a sum does not match
    finally:
        rig.close()


def test_a_backup_of_a_running_service_is_continued_and_the_journal_prevents_repeats(tmp_path: Path) -> None:
    rig, machines = started(tmp_path)
    try:
        machines.follow(BACKUP)
        rig.world.status = 200
        rig.ask("queue", "retry")
        rig.until(lambda: "three" in rig.world.told())
        rig.publish("later")
        rig.until(lambda: "later" in rig.world.told())
        before = [id_ for id_, _ in rig.world.got]
        rig.close_server()
        machines.follow(RESTORE)
        rig.until(rig.answers)
        rig.publish("four")
        rig.until(lambda: "four" in rig.world.told())
        rig.until(lambda: rig.left().keys() <= {"open", "buckets"})
        after = [id_ for id_, _ in rig.world.got][len(before) :]
        assert not set(after) & set(before), "what had arrived after the backup is not sent again"
        assert digest(rig) == ["four", "later", "one", "three", "two"]
        rig.until(lambda: archived(rig) == ["four", "later", "one", "three", "two"])
    finally:
        rig.close()
