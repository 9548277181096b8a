"""The configuration written out: it says everything, loads again as the same plan, and tells no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.config.kinds import ENV, RECEIVERS, SOURCES
from watchpost.config.diff import effective
from watchpost.config.loader import load
from watchpost.operations.factory import read_config

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config"
EVERY_KIND = """
version: 1
folders: {inbox: {path: inbox, glob: "*.txt", after: keep}}
feeds: {press: {url: "https://press.example.org/rss", headers: {Authorization: {env: PRESS}, X-Desk: t0k3n}}}
topics: {mali: {query: '@capital OR Mali', languages: [fr], examples: {match: [Bamako]}}}
queries: {capital: Bamako}
receivers:
  hook: {type: webhook, url: {env: ADDRESS}, secrets: [{env: HOOK}, {file: old}]}
  chat: {type: slack, url: {env: CHAT}}
  desk: {type: email, from: Watch <w@example.org>, to: [d@example.org], smtp: {host: smtp.example.org, port: 587},
    template: {subject: "News", text: {file: text.tpl}}}
  out: {type: file, path: out}
  term: {type: console}
  phone: {type: ntfy, url: "https://ntfy.example/d3sk-t0p1c"}
routes:
  - {to: [hook, chat, term, phone], mode: immediate, continue: true}
  - {to: desk, digest: {at: ["08:00", "18:30"], days: [mon, fri]}}
  - {to: out, digest: {every: 15m, empty: never}}
  - {to: out, digest: "0 8 * * 1-5"}
quiet_hours: [{receivers: phone, from: "22:00", to: "07:00", days: mon-fri, except: {severity: high}}]
silences: [{match: {topic: mali, text: archive}, until: 2026-12-01, reason: replays, by: anna}]
"""
SECRETS = {
    "ADDRESS": "https://ingest.example.org/s3cr3t",
    "PRESS": "s3cr3t-press",
    "HOOK": "whsec_czNjcjN0LXMzY3IzdC1zM2NyM3QtczNjcjN0",
    "CHAT": "https://hooks.slack.com/services/T/B/s3cr3t",
}


def written(directory: Path, shown: object) -> Path:
    """The shown configuration as a file beside the other one."""
    file = directory / "shown.yaml"
    with file.open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump(shown, out)
    return file


def test_what_is_shown_loads_again_as_the_same_plan(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cr3t")
    (tmp_path / "full.yaml").write_text((HERE / "full.yaml").read_text("utf-8"), "utf-8")
    config = load(tmp_path / "full.yaml", sources=SOURCES, receivers=RECEIVERS, env=ENV)
    shown = effective(config)
    again = load(written(tmp_path, shown), sources=SOURCES, receivers=RECEIVERS, env=ENV)
    assert again.fingerprint == config.fingerprint
    assert effective(again) == shown


@pytest.mark.parametrize("name", ["watchpost.yaml", "minimal.yaml"])
def test_the_shipped_configurations_load_again_as_the_same(tmp_path: Path, name: str) -> None:
    config = read_config(CONFIG / name, {})
    assert read_config(written(tmp_path, effective(config)), {}).fingerprint == config.fingerprint


def test_every_kind_of_receiver_loads_again_and_no_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(SECRETS["HOOK"])
    (tmp_path / "text.tpl").write_text("News of the day")
    (tmp_path / "watchpost.yaml").write_text(EVERY_KIND)
    config = read_config(tmp_path / "watchpost.yaml", SECRETS)
    shown = effective(config)
    said = json.dumps(shown)
    assert not [secret for secret in (*SECRETS.values(), "t0k3n", "d3sk-t0p1c") if secret in said]
    assert shown["receivers"]["phone"]["url"].startswith("https://ntfy.example/***")
    shown["receivers"]["phone"]["url"] = "https://ntfy.example/d3sk-t0p1c"
    again = effective(read_config(written(tmp_path, shown), SECRETS))
    shown["receivers"]["phone"]["url"] = again["receivers"]["phone"]["url"]
    assert again == shown
    assert shown["receivers"]["hook"]["secrets"] == [{"env": "HOOK"}, {"file": "old"}]
    assert shown["feeds"]["press"]["headers"] == {"Authorization": {"env": "PRESS"}, "X-Desk": "***"}


def test_defaults_are_filled_in_and_empty_keys_left_out(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(EVERY_KIND)
    (tmp_path / "old").write_text(SECRETS["HOOK"])
    (tmp_path / "text.tpl").write_text("News of the day")
    shown = effective(read_config(tmp_path / "watchpost.yaml", SECRETS))
    assert shown["timezone"] == "UTC"
    assert shown["feeds"]["press"]["timeout"] == "20s"
    assert "every" not in shown["feeds"]["press"], "without it a feed finds its own pace"
    assert shown["topics"]["mali"]["severity"] == "normal"
    assert shown["routes"][0]["group_wait"] == "30s"
    assert shown["routes"][1]["digest"] == {"at": ["08:00", "18:30"], "days": ["mon", "fri"], "empty": "weekly"}
    assert "include" not in shown
    assert "title" not in shown["topics"]["mali"]


def test_the_plan_knows_every_file_that_a_change_could_come_from(tmp_path: Path) -> None:
    for name in ("conf.d", "lists"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf.d" / "one.yaml").write_text("topics: {gao: Gao}")
    (tmp_path / "lists" / "a.opml").write_text('<opml><body><outline xmlUrl="https://a.example/"/></body></opml>')
    (tmp_path / "old").write_text(SECRETS["HOOK"])
    (tmp_path / "text.tpl").write_text("News of the day")
    more = "include: [conf.d/*.yaml]\nfeeds_from: {opml: lists/*.opml}\n"
    (tmp_path / "watchpost.yaml").write_text(EVERY_KIND + more)
    files = read_config(tmp_path / "watchpost.yaml", SECRETS).written.files
    names = {str(path.relative_to(tmp_path)) for path in files}
    assert names == {"watchpost.yaml", "conf.d", "conf.d/one.yaml", "lists", "lists/a.opml", "old", "text.tpl"}
