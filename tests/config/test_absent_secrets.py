"""A secret that this process has not got: a warning where it is only named, an error where it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import watchpost
from watchpost.errors import ConfigError, SecretAbsent
from watchpost.operations import factory

CONFIG = """version: 1
feeds:
  wire: {url: "https://wire.example.org/rss", headers: {Authorization: {env: WIRE}}, proxy: {url: {env: PROXY}}}
  paper: {url: "https://paper.example.org/rss", auth: {username: me, password: {file: absent/paper}}}
topics: {ferry: ferry}
receivers:
  team: {type: slack, url: {env: SLACK_URL}}
  bot: {type: slack, token: {env: TOKEN}, channel: "#desk"}
  room: {type: discord, url: {file: "${CREDENTIALS_DIRECTORY}/discord"}}
  people: {type: teams, url: {env: TEAMS_URL}}
  chat: {type: mattermost, url: {env: CHAT_URL}}
  phone: {type: ntfy, url: {env: NTFY_URL}, token: {env: TOKEN}}
  hook: {type: webhook, url: {env: HOOK_URL}, secrets: [{env: KEY}], headers: {X-Key: {env: KEY}}}
  other: {type: apprise, url: {env: APPRISE_URL}}
  desk:
    type: email
    from: watch@example.org
    to: [desk@example.org]
    smtp: {host: smtp.example.org, username: watch, password: {env: SMTP_PASSWORD}}
    dkim: {domain: example.org, selector: s, key: {file: absent/key}}
http: {auth: {users: {eve: {env: EVE}}, tokens: {job: {token: {env: JOB}}}}}
heartbeat: {url: {env: BEAT}, every: 5m}
routes: [{to: team, mode: immediate}]
"""
PATHS = {
    *("feeds.wire.headers.Authorization", "feeds.wire.proxy.url", "feeds.paper.auth.password", "receivers.team.url"),
    *("receivers.bot.token", "receivers.room.url", "receivers.people.url", "receivers.chat.url", "receivers.phone.url"),
    *("receivers.phone.token", "receivers.hook.url", "receivers.hook.secrets[0]", "receivers.hook.headers.X-Key"),
    *("receivers.other.url", "receivers.desk.smtp.password", "receivers.desk.dkim.key", "http.auth.users.eve"),
    *("http.auth.tokens.job.token", "heartbeat.url"),
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "a.txt").write_text("The ferry\n\nThe ferry sank.\n")
    return tmp_path


def test_every_kind_of_secret_may_be_absent_and_is_named_at_its_place(here: Path) -> None:
    config = factory.read_config(here / "watchpost.yaml", {}, secrets_needed=False)
    assert {one.path for one in config.absent_secrets} >= PATHS
    assert all(one.line and one.severity == "warning" for one in config.absent_secrets)
    with pytest.raises(ConfigError) as caught:
        factory.read_config(here / "watchpost.yaml", {})
    strict = {(one.path, one.line, one.column) for one in caught.value.complaints}
    assert {(one.path, one.line, one.column) for one in config.absent_secrets} >= strict


def test_what_needs_the_value_gets_an_error_and_never_an_empty_text(here: Path) -> None:
    config = factory.read_config(here / "watchpost.yaml", {}, secrets_needed=False)
    built = factory.build_receivers(config, "test", factory.terminal())  # previews need them
    assert set(built) == {"team", "bot", "room", "people", "chat", "phone", "hook", "other", "desk"}
    url = next(one for one in config.receivers if one.name == "team").options.url  # type: ignore[attr-defined]
    with pytest.raises(SecretAbsent, match="SLACK_URL is not set"):
        url.reveal()
    assert url.reveal_or("") == ""


@pytest.mark.parametrize(
    "line",
    [
        "match a.txt",
        "explain ferry a.txt",
        "topic list",
        "topic lint",
        "topic test ferry --text ferry",
        "route test --topic ferry",
        "config show",
        "check",
        "feed export",
    ],
)
def test_what_only_looks_or_matches_needs_no_secret(line: str, here: Path) -> None:
    done = watchpost(here, *line.split())
    assert done.returncode in (0, 1), done.stderr
    assert "receivers.team.url: warning: environment variable SLACK_URL is not set" in done.stderr
    assert "error" not in done.stderr.replace("0 errors", "")
    assert "warning" not in watchpost(here, "-q", *line.split()).stderr


@pytest.mark.parametrize("line", ["check --secrets", "run", "run --once"])
def test_what_must_have_the_secrets_says_which_are_missing(line: str, here: Path) -> None:
    done = watchpost(here, *line.split())
    assert done.returncode == 2
    assert "receivers.team.url: environment variable SLACK_URL is not set" in done.stderr
    assert "feeds.paper.auth.password: secret file absent/paper cannot be read" in done.stderr


@pytest.mark.parametrize("name", ["team", "bot", "room", "people", "chat", "phone", "hook", "other", "desk"])
def test_a_test_message_ends_with_the_name_of_what_is_missing(name: str, here: Path) -> None:
    done = watchpost(here, "receiver", "test", name)
    assert done.returncode == 2
    assert "is not set" in done.stderr.splitlines()[-1] or "cannot be read" in done.stderr.splitlines()[-1]


def test_a_file_that_cannot_be_read_is_absent(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    (tmp_path / "watchpost.yaml").write_text(CONFIG.replace("{env: SLACK_URL}", "{file: key}"))
    config = factory.read_config(tmp_path / "watchpost.yaml", {}, secrets_needed=False)
    assert "secret file key cannot be read" in [one.problem for one in config.absent_secrets]
