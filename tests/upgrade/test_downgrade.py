"""Back to an earlier version and forward again: what waits goes on to wait, nothing is lost, nothing is sent twice.

The earlier version is of the day before, and needs no package that this one lacks. Its code comes from the history of
this repository, so that the test is skipped in a copy without one.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EARLIER = "3926965"
CONFIG = """
version: 1
folders: {{inbox: {{path: in, every: 1s}}}}
topics: {{mali: Mali}}
receivers:
  files: {{type: file, path: out}}
  hook: {{type: webhook, url: "http://127.0.0.1:{port}/", allow_private: [127.0.0.0/8]}}
routes:
  - {{to: files, mode: immediate, group_wait: 0s, continue: true}}
  - {{to: hook, mode: immediate, group_wait: 0s, continue: true}}
  - {{to: files, digest: {{every: 30d}}}}
http: {{listen: "127.0.0.1:0"}}
"""


class Hook:
    """A webhook that refuses until it is `open`; `got` has the id and the bytes of each message that it accepted."""

    def __init__(self) -> None:
        self.is_open, self.got = False, list[tuple[str, bytes]]()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if hook.is_open:
                    hook.got.append((self.headers["webhook-id"], body))
                self.send_response(200 if hook.is_open else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The source of the earlier version."""
    command = ["git", "-C", str(ROOT), "archive", EARLIER, "src"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        pytest.skip("no git here")
    if done.returncode:
        pytest.skip(f"the history with {EARLIER} is not here")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(tmp_path / "earlier", filter="data")
    return tmp_path / "earlier" / "src"


def command(source: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watchpost", *words, "--config", "watchpost.yaml", "--data", "data"],
        cwd=place,
        env=environment(source),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(source: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHPOST_")}
    return kept | {"PYTHONPATH": str(source)}


def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


@contextmanager
def service(source: Path, place: Path) -> Iterator[Callable[[], str]]:
    """A service of that version; gives its log. It ends in peace, and its ledger must match before that."""
    log = place / "log.txt"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "watchpost", "run", "--config", "watchpost.yaml", "--data", "data"],
            cwd=place,
            env=environment(source),
            stdout=output,
            stderr=output,
        )
    try:
        yield log.read_text
        until(lambda: command(source, place, "queue", "status").returncode == 0, log.read_text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(600)
def test_an_earlier_version_goes_on_and_the_present_one_after_it(tmp_path: Path, earlier: Path, hook: Hook) -> None:
    present, place, names = ROOT / "src", tmp_path / "place", ("truce", "hostage", "locusts")
    (place / "in").mkdir(parents=True)
    (place / "watchpost.yaml").write_text(CONFIG.format(port=hook.server.server_address[1]))
    for number, (name, source) in enumerate(zip(names, (present, earlier, present), strict=True), 1):
        with service(source, place) as log:
            text = f"Mali: a {name} near Gao\n\nThe report number {number} on the {name} was read in Mali on Monday.\n"
            (place / "in" / f"{name}.txt").write_text(text)
            until(lambda number=number: len(list((place / "out").glob("*.txt"))) == number, log)  # type: ignore[misc]
            if source is present and number > 1:
                hook.is_open = True
                assert command(source, place, "receiver", "enable", "hook").returncode == 0, log()
                assert command(source, place, "queue", "retry").returncode == 0, log()
                until(lambda: all(any(each.encode() in body for _, body in hook.got) for each in names), log)
    sent = "\n".join(path.read_text() for path in (place / "out").glob("*.txt"))
    assert [sent.count(f"a {name} near Gao") for name in names] == [1, 1, 1]
    assert len({id_ for id_, _ in hook.got}) == len(hook.got), "no message came twice"
    assert [sum(f"a {name} near Gao".encode() in body for _, body in hook.got) for name in names] == [1, 1, 1]
    assert "dead" not in command(present, place, "queue", "status").stdout
