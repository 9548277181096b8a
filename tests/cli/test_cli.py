"""The command line as a user types it: what it prints where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.cli.command import process, watchpost

CONFIG = """
version: 1
folders: {drop: drop}
topics:
  mali: {title: Mali, query: 'mali OR bamako', exclude: shader}
  wagner: wagner AND NOT bayreuth
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: {every: 1m}}]
"""
ARTICLE = "Talks in Bamako\n\nBAMAKO (Sample Wire) – Envoys met in Mali’s capital on Monday, an official said.\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "drop").mkdir()
    (tmp_path / "talks.txt").write_text(ARTICLE)
    return tmp_path


def test_version_and_help(here: Path) -> None:
    assert process(here, "--version").stdout.startswith("watchpost 0.")
    help_text = process(here, "--help")
    assert help_text.returncode == 0
    for command in ("run", "check", "match", "explain"):
        assert command in help_text.stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["chekc"], "Did you mean 'check'?"),
        (["feed", "lst"], "Did you mean 'list'?"),
        (["feed", "list", "--jsn"], "--json"),
        (["run", "pol"], "did you mean 'poll'?"),
        (["run", "everything"], "no role 'everything'; there are poll, match, notify, web, all"),
        (["topic", "test", "mail"], "no topic 'mail'; did you mean 'mali'?"),
        (["topic", "test", "zanzibar"], "no topic 'zanzibar'; there are mali, wagner"),
        (["feed", "show", "rfi"], "no feed 'rfi'; there "),
        (["receiver", "test", "terminl"], "no receiver 'terminl'; did you mean 'terminal'?"),
        (["check", "absent.yaml"], "`watchpost init` writes a configuration to start with"),
    ],
)
def test_a_mistyped_name_is_a_usage_error_with_a_hint(here: Path, words: list[str], hint: str) -> None:
    done = watchpost(here, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in " ".join(done.stderr.replace("│", "").split())


@pytest.mark.parametrize("words", [("topic", "list"), ("--help",)])
def test_a_result_that_cannot_be_written_is_no_crash(here: Path, words: tuple[str, ...]) -> None:
    def into(place: str) -> subprocess.CompletedProcess[bytes]:
        command = f"{sys.executable} -m watchpost {' '.join(words)} {place}"
        env = {"PATH": "/usr/bin:/bin", "WATCHPOST_CONFIG": "watchpost.yaml"}
        return subprocess.run(["sh", "-c", command], cwd=here, env=env, capture_output=True, timeout=60, check=False)

    if Path("/dev/full").exists():
        full = into("> /dev/full")
        assert full.returncode == 1
        assert full.stderr.startswith(b"watchpost: the result cannot be written: No space left on device")
        assert full.stderr.count(b"\n") == 1
    assert into("| true").stderr == b""


def test_check_reports_that_there_are_no_mistakes(here: Path) -> None:
    done = watchpost(here, "check")
    assert (done.returncode, done.stdout) == (0, "no mistakes: 1 source, 2 topics, 1 route\n")


def test_check_names_every_mistake_with_its_place(here: Path) -> None:
    broken = CONFIG.replace("to: terminal", "to: terminale").replace("title: Mali", "titel: Mali")
    (here / "watchpost.yaml").write_text(broken)
    done = watchpost(here, "check")
    assert done.returncode == 2
    assert done.stdout == ""
    first, second, *_ = done.stderr.splitlines()
    assert first.startswith("watchpost.yaml:5:10 topics.mali.titel: unknown key; did you mean 'title'?")
    assert second.startswith("watchpost.yaml:8:15 routes[0].to: ")
    assert "did you mean 'terminal'?" in second
    as_json = json.loads(watchpost(here, "check", "--json").stdout)
    assert as_json["ok"] is False
    assert as_json["complaints"][0]["line"] == 5


def test_match_shows_topics_and_words(here: Path) -> None:
    done = watchpost(here, "match", "talks.txt")
    assert done.returncode == 0
    assert done.stdout == "talks.txt: Talks in Bamako\n  mali: Bamako, BAMAKO, Mali\n"


def test_match_as_json_keeps_ids_order_and_offsets(here: Path) -> None:
    lines = [
        {"id": "a-1", "title": "Nothing", "body": "A quiet day."},
        {"id": "a-2", "title": "Wagner", "body": "Les mercenaires de Wagner à Bamako."},
    ]
    done = watchpost(here, "match", "--json", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))
    one, two = (json.loads(line) for line in done.stdout.splitlines())
    assert (one["id"], one["topics"]) == ("a-1", [])
    assert (two["id"], two["topics"]) == ("a-2", ["mali", "wagner"])
    (found,) = two["why"]["mali"]
    assert lines[1]["body"][found["start"] : found["end"]] == found["text"] == "Bamako"


def test_match_reports_a_missing_file_and_reads_the_others(here: Path) -> None:
    done = watchpost(here, "match", "nowhere.txt", "talks.txt")
    assert done.returncode == 5
    assert "nowhere.txt: No such file" in done.stderr
    assert "Talks in Bamako" in done.stdout
    assert watchpost(here, "match", "nowhere.txt").returncode == 1


def test_match_ends_with_3_on_request_if_nothing_matches(here: Path) -> None:
    (here / "quiet.txt").write_text("A quiet day\n\nNothing happened anywhere that anybody knows of today.\n")
    assert watchpost(here, "match", "quiet.txt").returncode == 0
    assert watchpost(here, "match", "--exit-code", "quiet.txt").returncode == 3


def test_explain_shows_the_tree(here: Path) -> None:
    short = watchpost(here, "explain", "mali", "talks.txt")
    assert "“Mali” (body) for mali" in short.stdout
    hit = watchpost(here, "explain", "mali", "--tree", "talks.txt")
    assert hit.returncode == 0
    assert "✓ mali: “Mali” in body" in hit.stdout
    miss = watchpost(here, "explain", "wagner", "talks.txt")
    assert miss.returncode == 3
    assert "missing: wagner" in miss.stdout
    unknown = watchpost(here, "explain", "wagnr", "talks.txt")
    assert unknown.returncode == 2
    assert "no topic 'wagnr'; did you mean 'wagner'?" in unknown.stderr


def test_run_refuses_a_broken_configuration_before_anything_starts(here: Path) -> None:
    (here / "watchpost.yaml").write_text(CONFIG.replace("version: 1", "version: 7"))
    done = watchpost(here, "run", "--once")
    assert done.returncode == 2
    assert not (here / "var").exists()


def test_run_without_its_store_ends_with_4_and_names_it(here: Path) -> None:
    done = watchpost(here, "run", "--once", WATCHPOST_REDIS_URL="redis://user:hunter2@127.0.0.1:1/0")
    assert done.returncode == 4
    assert "127.0.0.1:1/0: the connection was refused; start it, or correct WATCHPOST_REDIS_URL" in done.stderr
    for words in (("queue", "status"), ("silence", "list"), ("config", "diff")):
        looked = watchpost(here, *words, WATCHPOST_REDIS_URL="redis://nowhere.invalid:1/0")
        assert looked.returncode == 4
        assert "name cannot be resolved; start it, or correct WATCHPOST_REDIS_URL" in looked.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_run_refuses_a_public_address_without_passwords(here: Path) -> None:
    done = watchpost(here, "run", WATCHPOST_HTTP_LISTEN="0.0.0.0:8080")
    assert done.returncode == 2
    assert "0.0.0.0" in done.stderr


def test_run_once_reads_matches_and_sends(here: Path) -> None:
    (here / "drop" / "talks.txt").write_text(ARTICLE)
    done = watchpost(here, "run", "--once")
    assert done.returncode == 0, done.stderr
    assert "Talks in **Bamako**" in done.stdout
    assert "Mali" in done.stdout
    again = watchpost(here, "run", "--once")
    assert (again.returncode, again.stdout) == (0, ""), "a second run has nothing new to say"


def test_a_new_secret_signs(here: Path) -> None:
    first, second = (watchpost(here, "secret", "new", "-q") for _ in range(2))
    assert first.stdout != second.stdout
    assert (first.returncode, first.stderr) == (0, "")
    assert Webhook(first.stdout.strip()).sign("id", datetime.now(UTC), "body").startswith("v1,")
    assert "remove the old one" in watchpost(here, "secret", "new").stderr


def test_a_webhook_changes_over_to_another_secret(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(
        "version: 1\nfolders: {drop: drop}\ntopics: {mali: mali}\n"
        "receivers: {hook: {type: webhook, url: 'https://e.org/', secrets: [{env: OLD}]}, terminal: {type: console}}\n"
        "routes: [{to: [hook, terminal], digest: '08:00'}]\n"
    )
    env = {"OLD": "whsec_" + "bmV3" * 8}
    done = watchpost(tmp_path, "secret", "rotate", "hook", **env)
    assert done.stdout.startswith("whsec_")
    assert done.stdout.strip() != env["OLD"]
    assert "secrets: [{env: NEW_NAME}, {env: OLD}]" in done.stderr
    assert env["OLD"] not in done.stdout + done.stderr
    for name, why in (("terminal", "only messages of webhooks are signed"), ("hok", "did you mean 'hook'")):
        wrong = watchpost(tmp_path, "secret", "rotate", name, **env)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert why in wrong.stderr


def test_match_takes_a_query_and_a_folder_without_a_configuration(here: Path) -> None:
    (here / "watchpost.yaml").unlink()
    (here / "drop" / "rain.txt").write_text("Rain\n\nIt rains, and nobody of the embassy is out.\n")
    (here / "drop" / "talks.txt").write_text(ARTICLE)
    done = watchpost(here, "match", "-q", "bamako NEAR/5 talks", "--only", "drop")
    assert (done.returncode, done.stdout) == (0, "drop/talks.txt: Talks in Bamako\n  query: Talks, Bamako\n")
    wrong = watchpost(here, "match", "-q", "bamako talks", "drop")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "column 8: there is no operator between bamako and talks" in wrong.stderr


def test_match_can_be_limited_to_some_topics(here: Path) -> None:
    done = watchpost(here, "match", "--topic", "wagner", "--only", "--exit-code", "talks.txt")
    assert (done.returncode, done.stdout) == (3, "")
    wrong = watchpost(here, "match", "-t", "wagnr", "talks.txt")
    assert wrong.returncode == 2
    assert "no topic 'wagnr'; did you mean 'wagner'?" in wrong.stderr
