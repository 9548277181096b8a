"""`watchpost topic list`, `topic test` and `topic lint`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from tests.flow.rig import Rig
from tests.http_server import Answer, HttpServer

CONFIG = """
version: 1
folders: {drop: drop}
topics:
  mali:
    title: Mali
    query: mali OR bamako
    exclude: shader
    examples: {match: ["Talks in Bamako."], no_match: ["A shader for Mali.", "Nothing."]}
  bare: news
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: {every: 1m}}]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "drop").mkdir()
    for n in range(24):
        word = "Mali" if n < 20 else "weather"
        (tmp_path / "drop" / f"{n}.txt").write_text(
            f"Report {n}\n\nReport {n} is about {word}, as this sentence says.\n"
        )
    return tmp_path


def test_a_topic_is_tried_on_what_a_service_has_read(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    env = {"HOOK_SECRET": rig.env["HOOK_SECRET"], "WATCHPOST_DATA": "data"}
    asked = "topic", "test", "mali", "--since", "1h"
    try:
        assert watchpost(rig.root, *asked, **env).returncode == 4
        rig.start()
        rig.publish("gao")
        rig.publish("kidal")
        rig.until(rig.quiet)
        everything = watchpost(rig.root, *asked, **env)
        assert everything.returncode == 0
        assert everything.stdout.splitlines()[-1] == "2 of 2 articles match"
        rig.config.write_text(rig.config.read_text().replace("{mali: mali}", "{mali: title:gao, none: zanzibar}"))
        one = watchpost(rig.root, *asked, **env)
        assert (one.returncode, one.stdout) == (0, "✓ gao (world)\n  gao\n1 of 2 articles matches\n")
        (line,) = watchpost(rig.root, *asked, "--json", **env).stdout.splitlines()
        assert json.loads(line)["words"] == ["gao"]
        assert watchpost(rig.root, "topic", "test", "none", "--since", "1h", **env).returncode == 3
        for wrong in (["--since", "soon"], ["--since", "1h", "--text", "Mali"]):
            assert watchpost(rig.root, "topic", "test", "mali", *wrong, **env).returncode == 2
    finally:
        rig.close()


def test_list_shows_the_queries_as_they_are_understood(desk: Path) -> None:
    assert watchpost(desk, "topic", "list").stdout.startswith(
        "mali: Mali, normal\n  mali OR bamako\n  excluding shader\n"
    )
    first = json.loads(watchpost(desk, "topic", "list", "--json").stdout.splitlines()[0])
    assert first == {
        "name": "mali", "title": "Mali", "severity": "normal", "query": "mali OR bamako", "exclude": "shader"
    }  # fmt: skip


def test_test_tries_the_topics_own_examples(desk: Path) -> None:
    done = watchpost(desk, "topic", "test", "mali")
    assert done.returncode == 0
    assert done.stdout == (
        "✓ Talks in Bamako.\n  Bamako\n"
        "✗ A shader for Mali.\n  excluded by: shader\n"
        "✗ Nothing.\n  missing: mali OR bamako\n"
    )


def test_test_tries_a_text_or_files_and_its_exit_code_says_whether_any_matched(desk: Path) -> None:
    assert watchpost(desk, "topic", "test", "mali", "--text", "In Mali").returncode == 0
    assert watchpost(desk, "topic", "test", "mali", "drop/23.txt").returncode == 3
    assert watchpost(desk, "topic", "test", "mali", "drop/0.txt", "drop/23.txt").returncode == 0
    assert watchpost(desk, "topic", "test", "mali", "nowhere.txt").returncode == 1
    assert watchpost(desk, "topic", "test", "malli").returncode == 2
    assert watchpost(desk, "topic", "test", "bare").returncode == 2


def test_lint_measures_each_topic_on_the_folders_and_remarks_on_what_looks_wrong(desk: Path) -> None:
    done = watchpost(desk, "topic", "lint")
    assert done.returncode == 1
    mali, broad, bare, *rest = done.stdout.splitlines()
    assert "833 evaluations and 833 matches in 1,000 articles" in mali
    assert broad == "  it matches 20 of 24 articles: it may be too broad"
    assert bare.startswith("bare: ")
    assert rest[:2] == [
        "  no examples: add texts that it must and must not match",
        "  it matches nothing in the sample",
    ]
    assert rest[-1] == "measured on 24 articles"


async def test_a_topic_is_tried_on_the_page_of_an_article_clause_by_clause(desk: Path) -> None:
    page = (
        f"<html><head><title>Talks</title></head><body><article><p>{'Envoys meet in Bamako today. ' * 20}</p></article>"
    )
    asked = "topic", "test", "mali", "--allow-private", "127.0.0.0/8", "--explain", "--url"
    async with HttpServer() as server:
        server.on("/talks", Answer(200, {"content-type": "text/html"}, page.encode()))
        done = await asyncio.to_thread(watchpost, desk, *asked, server.url("/talks"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "✓ Talks"
        assert "✓ bamako: “Bamako” in body" in done.stdout
        assert "✗ mali" in done.stdout
        missing = await asyncio.to_thread(watchpost, desk, *asked, server.url("/none"))
        assert missing.returncode == 1
        assert "404" in missing.stderr
        refused = await asyncio.to_thread(watchpost, desk, "topic", "test", "mali", "--url", server.url("/talks"))
        assert refused.returncode == 1
        assert "is private or reserved" in refused.stderr


def test_a_query_of_another_tool_is_converted_and_what_is_lost_is_named(tmp_path: Path) -> None:
    whole = watchpost(tmp_path, "topic", "convert", "--from", "nexis", "mercenar! W/15 mali")
    assert (whole.returncode, whole.stdout, whole.stderr) == (0, "mercenar* NEAR/15 mali\n", "")
    part = watchpost(tmp_path, "topic", "convert", "--from", "factiva", "-", stdin="gold and wc>500\n")
    assert (part.returncode, part.stdout) == (5, "gold\n")
    assert part.stderr == "watchpost: wc>500: watchpost searches no such thing; left out\n"
    wrong = watchpost(tmp_path, "topic", "convert", "--from", "google", "(mali")
    assert wrong.returncode == 2
    assert "column 1: this ( is never closed" in wrong.stderr
    unknown = watchpost(tmp_path, "topic", "convert", "--from", "ovid", "mali")
    assert unknown.returncode in (1, 2)
    assert "nexis" in unknown.stderr


def test_verdicts_lead_to_a_proposal_that_is_written_where_the_topic_is(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    env = {"HOOK_SECRET": rig.env["HOOK_SECRET"], "WATCHPOST_DATA": "data"}
    rig.config.write_text(
        rig.config.read_text().replace("topics: {mali: mali}", "topics:\n  mali: {query: mali}  # ours")
    )
    try:
        rig.start()
        rig.publish("gpu cores", "gpu driver", "gao votes", "gpu kidal")
        rig.until(rig.quiet)
        assert watchpost(rig.root, "topic", "suggest", "mali", **env).returncode == 3
        hits = json.loads(watchpost(rig.root, "hit", "list", "--json", **env).stdout)["hits"]
        assert len({hit["id"] for hit in hits}) == 4
        for hit in hits:
            word = "not-relevant" if hit["headline"].startswith("gpu") else "relevant"
            judged = watchpost(rig.root, "hit", "judge", hit["id"], word, **env)
            assert (judged.returncode, judged.stdout) == (0, f"mali: {word}: {hit['headline']}\n")
        assert watchpost(rig.root, "hit", "judge", "0" * 32, "relevant", **env).returncode == 1
        assert watchpost(rig.root, "hit", "judge", hits[0]["id"], "perhaps", **env).returncode == 2
        told = watchpost(rig.root, "topic", "suggest", "mali", "--write", **env)
        assert told.returncode == 0, told.stderr
        assert told.stdout.startswith("mali: 1 marked as relevant, 3 as not relevant\nexclude: gpu\n")
        assert "removes 3 of 3 marked as not relevant, loses 0 of 1 marked as relevant" in told.stdout
        assert "topics:\n  mali: {query: mali, exclude: 'gpu'}  # ours\n" in rig.config.read_text()
        assert watchpost(rig.root, "check", str(rig.config), **env).returncode == 0
    finally:
        rig.close()
