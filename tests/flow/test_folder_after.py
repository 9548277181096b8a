"""Files that leave their folder, while the process is killed around COMMIT: each is told once, and gone in the end."""

from __future__ import annotations

import pytest

from tests.flow.rig import Rig


@pytest.mark.parametrize("after", ["move", "delete"])
@pytest.mark.parametrize("point", ["poll.fetched:3", "poll.committed:3"])
def test_killed_between_reading_and_leaving(rig: Rig, after: str, point: str) -> None:
    text = rig.config.read_text("utf-8")
    rig.config.write_text(text.replace("settle: 200ms", f"settle: 200ms, after: {after}"), "utf-8")
    for n in range(8):
        rig.drop(f"file-{n}")
    process = rig.start(env={"WATCHPOST_CRASH_AT": point})
    # visits go on until it is time to die
    caught = rig.until_killed(process, lambda: rig.publish(f"more-{len(rig.world.everything())}"))
    rig.start()
    rig.until(rig.answers)
    rig.until(lambda: not list(rig.folder.glob("*.txt")))
    rig.until(rig.quiet)
    rig.check(repeats=caught)
    assert len(list(rig.folder.glob(".done/*.txt"))) == (8 if after == "move" else 0)
