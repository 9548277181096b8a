"""`watchpost config …` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.cli.test_cli import CONFIG

UNTIDY = (
    CONFIG.replace("topics:\n", "topics:   # what we watch\n")
    .replace("  mali: {", "      mali: {")
    .replace("  wagner:", "      wagner:")
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "drop").mkdir()
    return tmp_path


def test_check_is_a_command_of_config_too(here: Path) -> None:
    assert watchpost(here, "config", "check").stdout == watchpost(here, "check").stdout


def test_show_fills_defaults_in_and_can_be_read_again(here: Path) -> None:
    done = watchpost(here, "config", "show")
    assert done.returncode == 0
    assert "severity: normal" in done.stdout
    (here / "shown.yaml").write_text(done.stdout)
    again = watchpost(here, "config", "show", "--config", "shown.yaml")
    assert again.stdout == done.stdout
    as_json = json.loads(watchpost(here, "config", "show", "--json").stdout)
    assert as_json["topics"]["mali"]["exclude"] == "shader"
    assert as_json["receivers"] == {"terminal": {"type": "console", "color": "auto"}}


def test_show_has_the_source_of_a_secret_and_not_its_value(here: Path) -> None:
    text = CONFIG.replace("{terminal: {type: console}}", "{terminal: {type: slack, url: {env: CHAT}}}")
    (here / "watchpost.yaml").write_text(text)
    done = watchpost(here, "config", "show", "--json", CHAT="https://hooks.slack.com/services/T/B/hunter2")
    assert json.loads(done.stdout)["receivers"]["terminal"]["url"] == {"env": "CHAT"}
    assert "hunter2" not in done.stdout + done.stderr


def test_fmt_reports_what_it_would_do_and_does_it_once(here: Path) -> None:
    file = here / "watchpost.yaml"
    file.write_text(UNTIDY)
    only = watchpost(here, "config", "fmt", "--check")
    assert (only.returncode, only.stdout) == (1, "")
    assert "watchpost.yaml would be formatted" in only.stderr
    assert file.read_text() == UNTIDY
    assert watchpost(here, "config", "fmt").returncode == 0
    assert "# what we watch" in file.read_text()
    assert watchpost(here, "config", "fmt", "--check").returncode == 0
    assert watchpost(here, "check").returncode == 0


def test_fmt_takes_the_included_files_along_and_leaves_what_it_cannot_read(here: Path) -> None:
    (here / "conf.d").mkdir()
    (here / "conf.d" / "gao.yaml").write_text("topics:\n      gao: gao\n")
    (here / "watchpost.yaml").write_text(CONFIG + "include: conf.d/*.yaml\n")
    assert watchpost(here, "config", "fmt").returncode == 0
    assert (here / "conf.d" / "gao.yaml").read_text() == "topics:\n  gao: gao\n"
    (here / "broken.yaml").write_text("topics: [\n")
    done = watchpost(here, "config", "fmt", "broken.yaml", "nowhere.yaml")
    assert done.returncode == 2
    assert "broken.yaml:2:1" in done.stderr
    assert "nowhere.yaml: No such file" in done.stderr
    assert (here / "broken.yaml").read_text() == "topics: [\n"


def test_migrate_leaves_the_newest_format_as_it_is(here: Path) -> None:
    done = watchpost(here, "config", "migrate")
    assert (done.returncode, done.stderr) == (0, "watchpost: version 1 is the newest format\n")
    assert (here / "watchpost.yaml").read_text() == CONFIG


def test_migrate_renames_deprecated_keys_in_their_place(here: Path) -> None:
    old = CONFIG + "silences:\n  - {match: {feed: rfi}, until: 2099-01-01, reason: replays, by: anna}   # until then\n"
    (here / "watchpost.yaml").write_text(old)
    done = watchpost(here, "config", "migrate")
    assert "silences[0].match.feed → silences[0].match.source" in done.stderr
    assert (here / "watchpost.yaml").read_text() == old.replace("{feed: rfi}", "{source: rfi}")


def test_diff_of_two_files(here: Path) -> None:
    other = CONFIG.replace("bamako'", "gao'").replace("version: 1", "version: 1\nredis: {prefix: desk}")
    (here / "other.yaml").write_text(other)
    same = watchpost(here, "config", "diff", "watchpost.yaml", "watchpost.yaml")
    assert (same.returncode, same.stdout) == (0, "  no difference\n")
    done = watchpost(here, "config", "diff", "watchpost.yaml", "other.yaml")
    assert done.returncode == 1
    assert done.stdout == (
        "  ~ redis.prefix: wp → desk\n"
        "  ~ topics.mali.query: mali OR bamako → mali OR gao\n"
        "  needs a restart: redis.prefix; a reload applies all else\n"
    )
    as_json = json.loads(watchpost(here, "config", "diff", "--json", "watchpost.yaml", "other.yaml").stdout)
    assert as_json["same"] is False
    assert [(one["path"], one["live"]) for one in as_json["compared"][0]["changes"]] == [
        ("redis.prefix", False),
        ("topics.mali.query", True),
    ]


def test_diff_takes_the_new_configuration_by_config(here: Path) -> None:
    (here / "other.yaml").write_text(CONFIG.replace("bamako'", "gao'"))
    same = watchpost(here, "config", "diff", "watchpost.yaml", "--config", "watchpost.yaml")
    assert (same.returncode, same.stdout) == (0, "  no difference\n")
    for words in (("watchpost.yaml", "--config", "other.yaml"), ("--config", "other.yaml", "watchpost.yaml")):
        done = watchpost(here, "config", "diff", *words)
        assert (done.returncode, done.stdout.splitlines()[0]) == (
            1,
            "  ~ topics.mali.query: mali OR bamako → mali OR gao",
        )
    running = watchpost(here, "config", "diff", "--config", "other.yaml")
    assert running.returncode == 4, "the file is read, and no service runs"
    both = watchpost(here, "config", "diff", "watchpost.yaml", "other.yaml", "--config", "other.yaml")
    assert (both.returncode, both.stdout) == (2, "")
    assert "name only one new configuration" in both.stderr


def test_diff_without_a_running_service_ends_with_4(here: Path) -> None:
    done = watchpost(here, "config", "diff")
    assert (done.returncode, done.stdout) == (4, "")
    assert "no watchpost is running" in done.stderr
    (here / "watchpost.yaml").write_text("version: 7")
    assert watchpost(here, "config", "diff").returncode == 2
