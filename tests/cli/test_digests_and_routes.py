"""`digest`, `route` and `silence`: on a real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import watchpost
from tests.making import article, hit
from tests.store.ends import HOUR_MS, queued
from watchpost.model import Hit
from watchpost.store.client import Store, ensure_group
from watchpost.store.keys import MATCH
from watchpost.store.matching import Match, MatchStore, RoutedHit

CONFIG = """
version: 1
timezone: Europe/Paris
feeds: {rfi: https://www.rfi.fr/rss, ria: https://ria.ru/rss}
topics: {mali: Mali, wagner: {query: Wagner, severity: high}}
receivers: {duty: {type: console}, desk: {type: file, path: out}}
routes:
  - {when: {severity: high}, to: duty, mode: immediate, continue: true}
  - {when: {topics: [mali, wagner], feeds: rfi}, to: desk, digest: {every: 1h}}
  - {to: desk, digest: "08:00"}
quiet_hours: [{receivers: desk, from: "07:30", to: "09:00"}]
silences: [{match: {topic: mali, feed: ria}, until: 2100-01-01, reason: replays, by: anna}]
"""
DESK = "desk|every 3600 s"

Asked = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path, empty_valkey_url: str) -> Asked:
    """Runs a command in a directory with this configuration; returns what it prints, with --json as an object."""
    (tmp_path / "watchpost.yaml").write_text(CONFIG)

    def run(*words: str, code: int = 0) -> Any:
        done = watchpost(tmp_path, *words, WATCHPOST_REDIS_URL=empty_valkey_url, WATCHPOST_DATA="data")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr

    return run


def park(url: str, *hits: Hit, group: str = DESK) -> None:
    """Let these hits wait in a group."""

    async def work() -> None:
        store = Store(url)
        await ensure_group(store.redis, store.keys.articles, MATCH)
        await queued(store, *(one.article for one in hits))
        end = MatchStore(store, "m", lease_ms=60_000, hits_ttl_ms=HOUR_MS)
        by_id = {one.article.id: one for one in hits}
        for entry in await end.claims.take(100, block=False):
            read = end.read(entry)
            await end.matched([Match(entry, read, (RoutedHit(by_id[read.id], (group,)),))])
        await store.close()

    asyncio.run(work())


def sent(url: str) -> list[dict[str, Any]]:
    """What the notifier would send to the receiver desk, by format."""

    async def work() -> list[dict[str, Any]]:
        from watchpost.store.codec import MESSAGE

        store = Store(url)
        rows = await store.redis.xrange(store.keys.outbox("desk"))
        found = [await store.redis.hget(store.keys.out(fields[b"d"].decode()), "message") for _, fields in rows]
        await store.close()
        return [dict(MESSAGE.decode(one).renderings) for one in found]

    return asyncio.run(work())


def test_a_preview_is_what_is_sent_but_for_the_time(ask: Asked, empty_valkey_url: str) -> None:
    park(empty_valkey_url, hit("Convoy near Gao"), hit("Fuel in Kidal"))
    (draft,) = ask("digest", "preview", "desk", "--json")["drafts"]
    assert sent(empty_valkey_url) == [], "a preview changes nothing"
    assert ask("digest", "preview", "desk", "--json")["drafts"][0]["messages"][0]["id"] == draft["messages"][0]["id"]
    assert "2 stories" in ask("digest", "send", "desk")
    (real,) = sent(empty_valkey_url)
    assert real.keys() == draft["messages"][0]["editions"].keys()
    seen, gone = (json.loads(editions["json"]) for editions in (draft["messages"][0]["editions"], real))
    for document in (seen, gone):
        del document["timestamp"], document["data"]["window"]["to"]
    assert seen == gone
    assert ask("digest", "send", "desk", "--json")["sent"] == 0, "nothing goes twice"


def test_a_preview_shows_the_digest_and_why_it_ranks_so(ask: Asked, empty_valkey_url: str) -> None:
    park(empty_valkey_url, hit("Convoy near Gao"), hit("Old", article=article("Old", source="ria")))
    text = ask("digest", "preview", "desk", "--explain")
    assert "Convoy near Gao" in text
    assert "log(1 + 1) · 1 · " in text
    assert "Silenced: 1 hit." in text
    assert "1 hit on mali: silenced by" in text
    assert json.loads(ask("digest", "preview", "desk", "--format", "json"))["data"]["counts"]["silenced"] == 1
    unknown_format = ask("digest", "preview", "desk", "--format", "blocks", code=1)
    assert "desk has no format 'blocks'; there are html, json, text" in unknown_format
    assert "did you mean 'desk'" in ask("digest", "preview", "dsek", code=2)
    assert "would send" in ask("digest", "send", "desk", "--dry-run")
    assert sent(empty_valkey_url) == []


def test_a_preview_of_a_past_time_has_what_was_sent_already(ask: Asked, empty_valkey_url: str) -> None:
    past = "digest", "preview", "desk", "--since", "24h"
    assert "desk would be sent nothing of all since 24h" in ask(*past)
    park(empty_valkey_url, hit("Convoy near Gao", article=article("Convoy near Gao", source="rfi")))
    ask("digest", "send", "desk")
    assert ask("digest", "preview", "desk", "--json")["drafts"] == []
    park(empty_valkey_url, hit("Fuel in Kidal"), hit("Old", topic="zanzibar"), group="desk|at 08:00 daily Europe/Paris")
    drafts = ask(*past, "--json")["drafts"]
    titles = {draft["group"]: [story["title"] for story in draft["ranking"]] for draft in drafts}
    assert titles == {DESK: ["Convoy near Gao"], "desk|at 08:00 daily Europe/Paris": ["Fuel in Kidal"]}
    assert all("NEW" in draft["messages"][0]["editions"]["text"] for draft in drafts)
    assert len(sent(empty_valkey_url)) == 1, "a preview changes nothing"
    assert json.loads(ask(*past, "--format", "json").splitlines()[0])["data"]["window"]["from"] != ""
    assert "Fuel in Kidal" in ask(*past, "--explain")


def test_a_preview_of_a_past_time_goes_by_the_routes_and_severities_of_today(
    ask: Asked, empty_valkey_url: str, tmp_path: Path
) -> None:
    park(empty_valkey_url, hit("Convoy near Gao", article=article("Convoy near Gao", source="ria")), group="nobody|x")
    past = "digest", "preview", "duty", "--since", "1h", "--json"
    assert ask(*past)["drafts"] == []
    loud = CONFIG.replace("mali: Mali", "mali: {query: Mali, severity: high}").replace("silences:", "#")
    (tmp_path / "watchpost.yaml").write_text(loud.replace("receivers: desk, from", "receivers: duty, from"))
    (draft,) = ask(*past)["drafts"]
    assert [decision["reason"] for decision in draft["rulings"]] == ["new"], "no quiet hours, nothing told before"


def test_a_preview_says_how_far_it_can_look_back(ask: Asked) -> None:
    assert "hits are kept for 90 days (archive.keep)" in ask("digest", "preview", "desk", "--since", "90d")
    for wrong in ("soon", "24", "0h", "-1h", "2999-01-01", "2026-13-01"):
        assert f"--since '{wrong}' is not " in ask("digest", "preview", "desk", f"--since={wrong}", code=2)


def test_a_route_is_traced(ask: Asked) -> None:
    found = ask("route", "test", "--topic", "wagner", "--source", "rfi", "--json")
    assert [(step["takes"], step["goes_on"]) for step in found["routes"]] == [(True, True), (True, False)]
    assert [telling["receiver"] for telling in found["told"]] == ["duty", "desk"]
    text = ask("route", "test", "--topic", "mali", "--severity", "low", "--source", "ria")
    assert "routes[0]: no: severity low is not high" in text
    assert "routes[1]: no: source ria is not rfi" in text
    assert "09:00:00" in text, "the digest of 08:00 falls into quiet hours"
    assert "quiet hours hold it until then" in text
    assert "silenced by" in text
    assert "did you mean 'mali'" in ask("route", "test", "--topic", "mail", code=2)
    assert "no severity 'hihg'; did you mean 'high'?" in ask(
        "route", "test", "--topic", "mali", "--severity", "hihg", code=2
    )


def test_a_silence_is_added_listed_and_ended(ask: Asked, empty_valkey_url: str) -> None:
    park(empty_valkey_url, hit("Convoy near Gao"))
    added = ask("silence", "add", "--topic", "mali", "--for", "2h", "--reason", "noise", "--by", "ben", "--json")[
        "silence"
    ]
    assert "Nothing matched" in ask("digest", "send", "desk", "--dry-run"), "the first one, though it is empty"
    rows = ask("silence", "list", "--json")["silences"]
    assert [(row["from"], row["by"], row["active"]) for row in rows] == [
        ("configuration", "anna", True),
        ("command line", "ben", True),
    ]
    assert "noise" in ask("silence", "list")
    assert "has ended" in ask("silence", "expire", added["id"])
    assert "no active silence" in ask("silence", "expire", added["id"], code=1)
    assert "remove it there" in ask("silence", "expire", rows[0]["id"], code=1)
    assert "Convoy" in ask("digest", "send", "desk", "--dry-run")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--topic", "mali"), "give either a duration"),
        (("--topic", "mali", "--for", "2h", "--until", "2100-01-01"), "give either a duration"),
        (("--topic", "mali", "--for", "2"), "not a duration"),
        (("--topic", "mali", "--until", "tomorrow"), "write it like 2026-12-01"),
        (("--topic", "mali", "--until", "2000-01-01"), "in the future"),
        (("--topic", "mail", "--for", "2h"), "did you mean 'mali'"),
        (("--source", "rfy", "--for", "2h"), "did you mean 'rfi'"),
        (("--for", "2h"), "at least one of"),
    ],
)
def test_what_is_no_silence(ask: Asked, words: tuple[str, ...], problem: str) -> None:
    assert problem in ask("silence", "add", "--reason", "noise", *words, code=2)
