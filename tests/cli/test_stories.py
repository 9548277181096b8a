"""`watchpost story export` on a real store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cli.command import watchpost
from tests.making import article
from tests.web.web_app import found
from watchpost.store.client import Store, ensure_group
from watchpost.store.keys import MATCH

CONFIG = """
version: 1
topics: {mali: Mali}
receivers: {duty: {type: console}}
routes: [{to: duty, mode: immediate}]
"""


def test_stories_and_hits_are_printed_as_lines(tmp_path: Path, empty_valkey_url: str) -> None:
    async def furnish() -> None:
        store = Store(empty_valkey_url)
        await ensure_group(store.redis, store.keys.articles, MATCH)
        for number in range(3):
            await found(store, article(f"Report {number}", outlet=f"O{number}"), story="5" * 32)
        await store.close()

    asyncio.run(furnish())
    (tmp_path / "watchpost.yaml").write_text(CONFIG)

    def run(*words: str, code: int = 0) -> str:
        done = watchpost(tmp_path, "story", "export", *words, WATCHPOST_REDIS_URL=empty_valkey_url, WATCHPOST_DATA="x")
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr if code else done.stdout

    head, row = run("--topic", "mali").splitlines()
    assert head.removeprefix("\ufeff").startswith("id,page,headline")
    assert row.startswith("5" * 32)
    (line,) = run("--format", "ndjson", "--since", "1h").splitlines()
    assert json.loads(line)["report_count"] == 3
    assert len(run("--hits", "--format", "ndjson").splitlines()) == 3
    assert run("--format", "ndjson", "--text", "nothing") == ""
    assert "'soon' is not a time" in run("--since", "soon", code=2)
    assert "no format 'xml'" in run("--format", "xml", code=2)
