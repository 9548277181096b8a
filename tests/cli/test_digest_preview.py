"""`digest preview --since` on the archive, and as a PDF."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from tests.cli.command import ENV
from tests.cli.test_digests_and_routes import park
from tests.making import article, hit
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.model import Article
from watchpost.scheduler import utc_now

CONFIG = """
version: 1
feeds: {rfi: https://www.rfi.fr/rss, ria: https://ria.ru/rss}
topics: {mali: Mali, wagner: {query: Wagner, severity: high}}
receivers: {desk: {type: file, path: out}, duty: {type: console}}
routes: [{to: desk, digest: {every: 1h}, continue: true}, {to: desk, digest: "08:00"}]
"""
BODY = " ".join(f"word{number} of a long report about the river and the road" for number in range(60))

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def ago(**span: int) -> datetime:
    return utc_now() - timedelta(**span)


@pytest.fixture
def run(tmp_path: Path, empty_valkey_url: str) -> Run:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)

    def command(*words: str, path: str = "") -> subprocess.CompletedProcess[bytes]:
        env = ENV | {"WATCHPOST_REDIS_URL": empty_valkey_url, "WATCHPOST_DATA": "data"}
        env |= {"PATH": path} if path else {}
        return subprocess.run(
            [sys.executable, "-m", "watchpost", *words], cwd=tmp_path, env=env, capture_output=True, check=False
        )

    return command


def archive(folder: Path, *articles: Article) -> None:
    end = SqliteArchive(folder / "data" / "archive")
    end.add([filed(one) for one in articles])
    end.close()


def titles(done: subprocess.CompletedProcess[bytes]) -> dict[str, list[str]]:
    assert done.returncode == 0, done.stderr.decode()
    return {
        draft["group"]: sorted(story["title"] for story in draft["ranking"])
        for draft in json.loads(done.stdout)["drafts"]
    }


PREVIEW = "digest", "preview", "desk", "--json", "--since"


def test_a_topic_that_was_not_there_finds_what_was_read_then(run: Run, tmp_path: Path) -> None:
    archive(
        tmp_path,
        article("Mali votes", source="rfi", fetched=ago(days=60)),
        article("Wagner in Gao", source="ria", fetched=ago(days=20)),
        article("Nothing of that", source="ria", fetched=ago(days=2)),
    )
    assert titles(run(*PREVIEW, "80d")) == {
        "desk|every 3600 s": ["Mali votes", "Wagner in Gao"],
        "desk|at 08:00 daily UTC": ["Mali votes", "Wagner in Gao"],
    }
    assert {tuple(names) for names in titles(run(*PREVIEW, "30d")).values()} == {("Wagner in Gao",)}
    (tmp_path / "watchpost.yaml").write_text(CONFIG.replace("mali: Mali", "mali: votes OR nothing"))
    assert {tuple(names) for names in titles(run(*PREVIEW, "80d")).values()} == {
        ("Mali votes", "Nothing of that", "Wagner in Gao")
    }


def test_copies_are_one_story_and_what_one_outlet_repeats_is_left_out(run: Run, tmp_path: Path) -> None:
    first = article("Mali: the river rises", source="rfi", body=BODY, fetched=ago(days=3))
    copy = article("Mali: the river rises again", source="ria", body=BODY, fetched=ago(days=2))
    archive(tmp_path, first, copy, article("Mali votes", source="ria", body="Other words.", fetched=ago(days=1)))
    done = run(*PREVIEW, "10d")
    assert {len(names) for names in titles(done).values()} == {2}


def test_stories_keep_the_ids_that_the_service_gave_them(run: Run, tmp_path: Path, empty_valkey_url: str) -> None:
    known = article("Mali votes", source="rfi", fetched=ago(hours=5))
    made = hit("Mali votes", article=known, story="the-story-of-the-service")
    park(empty_valkey_url, made)
    archive(tmp_path, known)
    done = run(*PREVIEW, "1d")
    stories = {story["story"] for draft in json.loads(done.stdout)["drafts"] for story in draft["ranking"]}
    assert stories == {made.story}


def test_without_an_archive_the_hits_of_then_are_used(run: Run, tmp_path: Path, empty_valkey_url: str) -> None:
    archive(tmp_path, article("Mali votes", source="rfi", fetched=ago(hours=5)))
    park(empty_valkey_url, hit("Fuel in Mali"))
    (tmp_path / "watchpost.yaml").write_text(CONFIG + "archive: false\n")
    assert {tuple(names) for names in titles(run(*PREVIEW, "1d")).values()} == {("Fuel in Mali",)}


# ── as a PDF ──


def text_of(pdf: bytes) -> str:
    document: Any = pypdfium2.PdfDocument(BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_a_digest_is_printed_by_chromium(run: Run, tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on the path: apt-get install chromium")
        pytest.skip("no chromium on the path")
    archive(tmp_path, article("Mali votes <b>&amp; counts", source="rfi", fetched=ago(days=2)))
    done = run("digest", "preview", "desk", "--since", "7d", "--format", "pdf")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"%PDF-")
    text = text_of(done.stdout)
    assert text.count("Mali votes <b>&amp; counts") >= 2, "both digests are in one file"


def test_without_chromium_html_comes_with_a_sentence(run: Run, tmp_path: Path) -> None:
    archive(tmp_path, article("Mali votes", source="rfi", fetched=ago(days=2)))
    (tmp_path / "bin").mkdir()
    done = run("digest", "preview", "duty", "--since", "7d", "--format", "pdf", path=str(tmp_path / "bin"))
    assert (done.returncode, done.stdout) == (0, b""), "nothing goes to duty"
    done = run("digest", "preview", "desk", "--since", "7d", "--format", "pdf", path=str(tmp_path / "bin"))
    assert done.returncode == 5, done.stderr.decode()
    assert done.stdout.lstrip().startswith(b"<!DOCTYPE html>")
    assert b"Mali votes" in done.stdout
    assert "no Chromium on this machine" in done.stderr.decode()


def test_a_browser_that_prints_nothing_is_an_error_with_its_last_words(run: Run, tmp_path: Path) -> None:
    archive(tmp_path, article("Mali votes", source="rfi", fetched=ago(days=2)))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "chromium").write_text("#!/bin/sh\necho 'no display' >&2\n")
    (tmp_path / "bin" / "chromium").chmod(0o755)
    done = run("digest", "preview", "desk", "--since", "7d", "--format", "pdf", path=f"{tmp_path}/bin:/usr/bin:/bin")
    assert done.returncode == 1
    assert "chromium printed no PDF: no display" in done.stderr.decode()
