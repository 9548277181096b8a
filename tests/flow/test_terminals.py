"""What strangers wrote in a feed, a file and its name neither controls nor reorders what a running service shows.

Every command that reads, the log as people read it, every page, and every answer of the API.
"""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from tests.flow.rig import Rig

C1 = "\u009b31m \u009d8;;https://evil.example\u009clink\u009d8;;\u009c \u0090q\u009c"
BIDI = "\u2066i\u2069 \u2067r \u2068f \u202eover \u200frl \u061cal \ufeffbom \U000e0041tag \u2028line \u2029para"
OSC = "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ \x1b]0;owned\x07 \x1b[2J"
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_PAGES = (
    *("/", "/status", "/stories", "/places", "/feeds", "/topics", "/topics/mali", "/editions", "/deliveries"),
    *("/config", "/search?q=Mali", "/search.atom?q=Mali", "/feeds/mali.atom", "/feeds/mali.json", "/status.json"),
    *("/api/v1/hits", "/api/v1/stories", "/api/v1/stories.csv", "/api/v1/hits.ndjson", "/api/v1/search?q=Mali"),
)
_COMMANDS = (
    *("feed list", "feed list --json", "feed show world", "feed show world --json", "feed show drop", "feed export"),
    *("queue status", "queue peek", "queue peek --json", "hit list", "hit list --json", "delivery list"),
    *("story export", "story export --format ndjson", "search Mali", "search Mali --json", "topic list", "doctor"),
    *("topic test mali --since 1d", "digest preview inbox", "config show", "silence list", "receiver list"),
)


def controls(text: str) -> list[str]:
    """The lines that have such a character, escaped."""
    return [ascii(line)[:300] for line in text.replace("\r\n", "\n").split("\n") if CONTROL.search(line)]


@pytest.mark.timeout(900)
def test_nothing_that_a_running_service_shows_has_a_control_character(rig: Rig) -> None:
    rig.env["WATCHPOST_LOG_FORMAT"] = "console"
    titles = [f"Mali {C1}", f"Mali {BIDI}", f"Mali {C1} {BIDI} again"]
    rig.publish(*titles)
    name = f"a{OSC}{C1}{BIDI}\nb.jsonl".replace("/", "")
    record = {
        "id": OSC,
        "title": f"Mali {OSC} {C1} {BIDI}",
        "body": f"Mali {OSC}{C1}{BIDI}",
        "outlet": OSC,
        "author": C1,
    }
    (rig.folder / f".{name}").write_text(json.dumps(record) + "\n{no JSON " + OSC + "\n")
    (rig.folder / f".{name}").rename(rig.folder / name)
    (rig.folder / f"{name}.pdf").write_bytes(b"no PDF")
    rig.start()
    rig.until(lambda: "pages at" in rig.log())
    rig.until(lambda: len(rig.world.got) >= len(titles) and not rig.left())
    shown: dict[str, str] = {}
    for words in _COMMANDS:
        done = rig.run(*words.split())
        shown[words] = done.stdout + done.stderr
    hits = json.loads(rig.ask("hit", "list", "--json").stdout)["hits"]
    for hit in hits:
        for words in ("hit show", "event show"):
            done = rig.run(*words.split(), hit["id"] if words == "hit show" else hit["story"])
            shown[f"{words} {hit['id']}"] = done.stdout + done.stderr
    done = rig.run("explain", "mali", str(rig.folder / name))
    shown["explain"] = done.stdout + done.stderr
    done = rig.run("match", str(rig.folder / name))
    shown["match"] = done.stdout + done.stderr
    shown["log"] = (rig.root / "log.txt").read_text("utf-8", "replace")
    address = re.findall(r"127\.0\.0\.1:\d+", shown["log"])[-1]
    for path in (*_PAGES, *{f"/stories/{hit['story']}" for hit in hits}):
        with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as answer:
            shown[path] = answer.read().decode()
    found = {what: lines for what, text in shown.items() if (lines := controls(text.removeprefix("\ufeff")))}
    assert not found, found  # but for the mark at the beginning of CSV, by which Excel knows UTF-8
    assert sum("Mali" in text for text in shown.values()) > len(shown) / 2
