"""`watchpost topic diff` as a user types it, with another file and beside a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.cli.test_cli import ARTICLE, CONFIG
from tests.flow.rig import Rig


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG.replace("wagner AND", "opera AND"))
    (tmp_path / "old.yaml").write_text(CONFIG.replace("'mali OR bamako'", "'nothing-of-it'"))
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "talks.txt").write_text(ARTICLE)
    (tmp_path / "drop" / "ring.txt").write_text("The Ring\n\nWagner is sung this week in the park, an opera said.\n")
    return tmp_path


def test_against_another_file_over_the_configured_folders(here: Path) -> None:
    done = watchpost(here, "topic", "diff", "--against", "old.yaml")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "mali: +1 −0 (0 before, 1 now)",
        f"  + Talks in Bamako (Sample Wire, {done.stdout.split('Wire, ')[1][:10]})",
        "      Bamako, BAMAKO, Mali",
        "wagner: +0 −0 (1 before, 1 now)",
        "tried on 2 articles",
    ]


def test_one_topic_as_json(here: Path) -> None:
    done = watchpost(here, "topic", "diff", "mali", "--against", "old.yaml", "--json")
    said = json.loads(done.stdout)
    (mali,) = said["topics"]
    assert (said["articles"], mali["topic"], mali["before"], mali["now"], mali["lost"]) == (2, "mali", 0, 1, [])
    assert set(mali["gained"][0]) == {"id", "title", "source", "url", "why"}


def test_the_same_topics_change_nothing(here: Path) -> None:
    done = watchpost(here, "topic", "diff", "--against", "watchpost.yaml")
    assert (done.returncode, done.stdout) == (0, "no topic changes\ntried on 2 articles\n")
    none = watchpost(here, "topic", "diff", "--against", "old.yaml", "--since", "1m")
    assert none.returncode == 1, "the files were written just now"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere", "--against", "old.yaml"], 2, "no topic 'nowhere' on either side"),
        (["--against", "old.yaml", "--since", "soon"], 2, "write it like 12h, 7d, yesterday, 2026-11-20"),
        ([], 4, "--against FILE"),
        (["--against", "absent.yaml"], 2, "absent.yaml: no such file"),
    ],
)
def test_a_comparison_that_is_impossible_is_reported(here: Path, arguments: list[str], code: int, said: str) -> None:
    done = watchpost(here, "topic", "diff", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def test_against_what_runs_over_the_articles_that_it_saw(rig: Rig) -> None:
    rig.start()
    rig.publish("talks", "a-visit")
    rig.until(lambda: sorted(rig.world.told()) == ["a-visit", "talks"])
    rig.config.write_text(
        rig.config.read_text().replace("{mali: mali}", "{mali: mali AND visit, talk: talks NOT mali}")
    )
    done = watchpost(rig.root, "topic", "diff", "--json", "--data", "data", HOOK_SECRET=rig.env["HOOK_SECRET"])
    assert done.returncode == 1, done.stderr
    mali, talk = json.loads(done.stdout)["topics"]
    assert [(one["title"], one["why"]) for one in mali["lost"]] == [("talks", "missing: visit")]
    assert (mali["before"], mali["now"], talk["now"]) == (2, 1, 0)
