"""The manual of the commands names every command, and the `--json` of each has the shape that it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import commands, watchpost
from tests.cli.test_cli import ARTICLE, CONFIG
from tests.flow.rig import Rig
from tests.making import WHEN, article
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.cli.command import summary

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
OPML = """<opml version="2.0"><body><outline text="x" xmlUrl="https://x.example/rss" category="a"/>
<outline text="rfi" xmlUrl="https://www.rfi.fr/rss"/><outline text="bad" xmlUrl="nonsense"/></body></opml>"""
OFFLINE = {
    "check": ["broken.yaml"],
    "config check": ["broken.yaml"],
    "config show": [],
    "config diff": ["old.yaml", "watchpost.yaml"],
    "init": ["new"],
    "doctor": [],
    "match": ["drop/talks.txt"],
    "explain": ["mali", "drop/talks.txt"],
    "topic list": [],
    "topic test": ["mali", "--text", "Bamako"],
    "topic lint": [],
    "topic convert": ["--from", "factiva", "mercenar* and wc>500"],
    "topic diff": ["--against", "old.yaml"],
    "feed list": [],
    "feed show": ["rfi"],
    "feed import": ["list.opml"],
    "route test": ["--topic", "mali"],
    "search": ["bamako"],
}
"""Commands that need no service, and what follows them."""


def shapes() -> dict[str, list[Any]]:
    """What the manual shows, by command."""
    found: dict[str, list[Any]] = {}
    for heading, text in re.findall(r"^### (.*?)\n(.*?)(?=^###|\Z)", PAGE, re.DOTALL | re.MULTILINE):
        for name in re.findall(r"`watchpost ([a-z ]+)`", heading):
            found[name] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    return found


SHAPES = shapes()


def fits(shown: Any, printed: Any) -> bool:
    """Whether keys and kinds of values are those of `shown`. `NAME` stands for any key, null for any value."""
    if isinstance(shown, dict):
        if not isinstance(printed, dict):
            return False
        if set(shown) == {"NAME"}:
            return all(fits(shown["NAME"], value) for value in printed.values())
        return shown.keys() == printed.keys() and all(fits(shown[key], printed[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(printed, list) and (not shown or all(fits(shown[0], one) for one in printed))
    return shown is None or kind(shown) == kind(printed)


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def test_what_fits_a_shape() -> None:
    assert fits({"a": 1, "b": None, "c": [{"d": "x"}]}, {"a": 2.5, "b": [1], "c": []})
    for wrong in ({"a": "1"}, {"a": True}, {"a": None}, {}, {"a": 1, "b": 2}):
        assert not fits({"a": 1}, wrong), wrong
    assert not fits({"c": [{"d": "x"}]}, {"c": [{"d": "x"}, {"e": "x"}]})
    assert not fits({"NAME": 1}, {"x": 1, "y": "1"})


def test_the_tables_list_every_command_in_the_words_of_its_help() -> None:
    rows = dict(re.findall(r"^\| `(watchpost [a-z ]+)` \| (.+?) \|", PAGE, re.MULTILINE))
    assert rows == {path: summary(command) for path, command in commands()}


def test_the_manual_that_a_help_names_is_there() -> None:
    headings = {re.sub(r"\W+", "-", heading.lower()) for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}
    for path, command in commands():
        first, *others = command.epilog.removeprefix("Manual: ").split(", ")
        page, _, section = first.partition("#")
        assert page == "docs/commands.md"
        assert section in headings, path
        assert all((ROOT / other).is_file() for other in others), path


def test_every_command_with_json_has_its_shape() -> None:
    speaking = {
        path.removeprefix("watchpost ")
        for path, command in commands()
        if any("--json" in option.opts for option in command.params)
    }
    assert speaking == set(SHAPES)
    assert all(SHAPES.values())


@pytest.fixture
def here(tmp_path: Path) -> Path:
    text = CONFIG + "feeds: {rfi: {url: 'https://www.rfi.fr/rss', tags: [sahel]}}\n"
    (tmp_path / "watchpost.yaml").write_text(text)
    (tmp_path / "old.yaml").write_text(text.replace("bamako", "gao").replace("wagner AND", "embassy AND"))
    (tmp_path / "broken.yaml").write_text(CONFIG.replace("title", "titel"))
    (tmp_path / "list.opml").write_text(OPML)
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "talks.txt").write_text(ARTICLE)
    archive = SqliteArchive(tmp_path / "var" / "archive")
    archive.add([filed(article("Talks in Bamako", published=WHEN, url="https://example.org/a", lang="en"))])
    archive.close()
    return tmp_path


@pytest.mark.parametrize("name", OFFLINE)
def test_a_command_prints_what_the_manual_shows(here: Path, name: str) -> None:
    lines = watchpost(here, *name.split(), "--json", *OFFLINE[name]).stdout.splitlines()
    assert lines
    for line in lines:
        printed = json.loads(line)
        if name == "config show":  # it shows some keys of many
            assert SHAPES[name][0].keys() <= printed.keys()
            assert isinstance(printed["feeds"]["rfi"], dict)
            continue
        assert any(fits(shown, printed) for shown in SHAPES[name]), line


@dataclass(frozen=True)
class Service:
    """A running service with one message that failed for good, and one that is tried again."""

    rig: Rig
    dead: str = ""

    def story(self) -> str:
        """A story whose event is decided: that is soon after its hit is there."""
        story = str(self.ask("hit", "list")["hits"][0]["story"])
        known = {"HOOK_SECRET": self.rig.env["HOOK_SECRET"], "WATCHPOST_DATA": "data"}
        self.rig.until(lambda: watchpost(self.rig.root, "event", "show", story, **known).returncode != 1, 60)
        return story

    def ask(self, *words: str) -> Any:
        env = {"HOOK_SECRET": self.rig.env["HOOK_SECRET"], "WATCHPOST_DATA": "data"}
        done = watchpost(self.rig.root, *words, "--json", **env)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def search(self, name: str) -> str:
        """The name of a new saved search."""
        self.ask("searches", "save", name, "mali", "--since", "7d")
        return name

    def silence(self, *conditions: str) -> str:
        words = ["--topic", "mali", *conditions, "--for", "1h", "--reason", "replays"]
        return str(self.ask("silence", "add", *words)["silence"]["id"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    rig = Rig(tmp_path_factory.mktemp("service"))
    try:
        rig.world.answers = [(400, {})]
        rig.world.status = 503
        rig.start()
        rig.publish("one")
        rig.until(lambda: "delivery.dead" in rig.log(), 60)
        rig.publish("two")
        rig.until(lambda: "delivery.waits" in rig.log(), 60)
        yield Service(rig, Service(rig).ask("queue", "peek", "--dead")["letters"][0]["delivery"])
    finally:
        rig.close()


BESIDE: list[tuple[str, list[str], int]] = [
    ("queue status", [], 0),
    ("hit list", [], 0),
    ("hit show", ["HIT"], 0),
    ("event show", ["STORY"], 0),
    ("event cut", ["STORY"], 0),
    ("event join", ["STORY", "STORY"], 0),
    ("queue drain", ["--for", "1s"], 0),
    ("backup", ["ROOT/saved.tar"], 0),
    ("queue peek", [], 0),
    ("queue peek", ["--dead"], 1),
    ("queue peek", ["--articles"], 2),
    ("delivery list", [], 0),
    ("delivery show", ["DEAD"], 0),
    ("searches save", ["Sahel", "mali", "--since", "7d"], 0),
    ("searches list", [], 0),
    ("searches run", ["SEARCH"], 0),
    ("searches remove", ["SEARCH"], 0),
    ("receiver list", [], 0),
    ("receiver test", ["inbox"], 0),
    ("digest preview", ["inbox"], 0),
    ("digest send", ["inbox"], 0),
    ("silence add", ["--topic", "mali", "--text", "zanzibar", "--for", "1h", "--reason", "replays"], 0),
    ("silence list", [], 0),
    ("silence expire", ["SILENCE"], 0),
    ("feed list", [], 0),
    ("feed show", ["world"], 0),
    ("feed read", ["world"], 0),
    ("feed test", ["world"], 0),
    ("feed discover", ["SITE/feed", "--allow-private", "127.0.0.0/8"], 0),
    ("page test", ["SITE/press", "--allow-private", "127.0.0.0/8"], 0),
    ("topic diff", [], 0),
    ("topic suggest", ["mali"], 0),
    ("config diff", ["--config", "changed.yaml"], 0),
    ("queue retry", [], 0),
    ("receiver enable", ["inbox"], 0),
    ("delivery replay", ["DEAD"], 0),
    ("queue drop", ["--receiver", "inbox", "--yes"], 0),
]
"""Commands beside a running service: what follows them, and which of the shapes of the manual they have."""


@pytest.mark.parametrize(("name", "words", "shape"), BESIDE)
def test_it_does_so_beside_a_running_service(service: Service, name: str, words: list[str], shape: int) -> None:
    rig = service.rig
    (rig.root / "changed.yaml").write_text(rig.config.read_text().replace("mali: mali", "mali: mali OR gao"))
    values = {"DEAD": service.dead, "SITE": rig.site, "ROOT": str(rig.root)}
    if "SILENCE" in words:
        values["SILENCE"] = service.silence("--text", "zanzibar")
    if "SEARCH" in words or name == "searches list":  # each test may run in another process than the one before
        values["SEARCH"] = service.search(f"of {name}")
    if "HIT" in words:
        values["HIT"] = service.ask("hit", "list")["hits"][0]["id"]
    if "STORY" in words:
        values["STORY"] = service.story()
    for place, value in values.items():
        words = [word.replace(place, value) for word in words]
    printed = service.ask(*name.split(), *words)
    assert fits(SHAPES[name][shape], printed), printed
    lists = {
        "hit list": "hits",
        "delivery list": "deliveries",
        "feed list": "feeds",
        "feed test": "entries",
        "page test": "entries",
        "receiver list": "receivers",
    }
    if name in lists:
        assert printed[lists[name]]
    assert name != "config diff" or not printed["same"]


def test_a_preview_of_a_past_time_does_so_with_hits_sent_and_silenced(service: Service) -> None:
    past = "digest", "preview", "inbox", "--since", "1h"
    (draft,) = service.ask(*past)["drafts"]
    assert fits(SHAPES["digest preview"][0]["drafts"][0], draft)
    assert draft["ranking"]
    assert draft["rulings"]
    silence = service.silence()
    (draft,) = service.ask(*past)["drafts"]
    assert fits(SHAPES["digest preview"][0]["drafts"][0], draft)
    assert draft["silenced"]
    service.ask("silence", "expire", silence)


def test_every_command_is_tried() -> None:
    assert {name for name, _, _ in BESIDE} | set(OFFLINE) == set(SHAPES)
