"""The bar of a long first round, as it is seen on a terminal and not seen elsewhere."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.terminal import on_terminal
from watchpost.cli.output import ProgressBar, Verbosity, set_verbosity
from watchpost.poll.poller import FIRST_ROUND_MIN

CONFIG = """version: 1
timezone: UTC
limits: {host_gap: 0s}
defaults: {feed: {on_new: all, allow_private: [127.0.0.0/8]}}
topics: {mali: mali}
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: {every: 1m}}]
http: {listen: "127.0.0.1:0"}
"""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class _Slow(BaseHTTPRequestHandler):
    """A feed of one entry for each path, after a while: 32 are read at once, so that a bar has time to be seen."""

    def do_GET(self) -> None:
        time.sleep(0.4)
        body = (
            f'<rss version="2.0"><channel><title>x</title><item><guid>{self.path}</guid><title>Mali {self.path}</title>'
            f"<description>Talks in Mali, part {self.path}.</description></item></channel></rss>"
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    feeds = "".join(f"  f{n}: http://127.0.0.1:{server.server_port}/{n}\n" for n in range(FIRST_ROUND_MIN))
    (tmp_path / "watchpost.yaml").write_text(f"{CONFIG}feeds:\n{feeds}")
    yield tmp_path
    server.shutdown()


def test_a_first_round_shows_how_far_it_is_and_garbles_no_line(here: Path) -> None:
    code, shown = on_terminal(here, "run", "--once")
    assert code == 0, shown
    assert re.search(r"reading the feeds .* \d+/100", _CONTROL.sub("", shown))
    lines = re.split(r"[\r\n]+", _CONTROL.sub("", shown))
    read = [line for line in lines if "new article" in line]
    assert len(read) == FIRST_ROUND_MIN
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d f\d+: 1 new article", line.strip()) for line in read), read
    after = shown[shown.rindex("reading the feeds") :]
    assert "100 stories" in after, "the bar is gone before the edition comes"


def test_lines_for_machines_stay_whole(here: Path) -> None:
    lines = on_terminal(here, "run", "--once", WATCHPOST_LOG_FORMAT="json")[1].splitlines()
    assert not [line for line in lines if "reading the feeds" in line]
    read = [line for line in lines if '"source.read"' in line]
    assert len(read) == FIRST_ROUND_MIN
    assert all(json.loads(line)["new"] == 1 for line in read)


class _Impatient(ProgressBar):
    PATIENCE_SECONDS = 0.0


@pytest.mark.parametrize(
    ("terminal", "verbosity", "wanted", "seen"),
    [
        (True, "normal", True, True),
        (False, "normal", True, False),
        (True, "quiet", True, False),
        (True, "normal", False, False),
    ],
)
def test_a_bar_is_seen_on_a_terminal_if_it_is_wanted_and_more_than_errors_are(
    terminal: bool,
    verbosity: Verbosity,
    wanted: bool,
    seen: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    set_verbosity(verbosity)
    with _Impatient("reading", wanted) as bar:
        bar(1, 3)
        bar(2, 3)
    set_verbosity("normal")
    out, err = capsys.readouterr()
    assert out == ""
    assert ("reading" in err) == seen
    assert seen or not err


def test_a_bar_that_has_time_is_not_seen_before_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ProgressBar("reading") as bar:
        bar(1, 2)
    assert capsys.readouterr().err == ""
