"""One story, told once: copies that come later open no alert, and the digest says what they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.match.newsroom import REPORT, SIBLING

CONFIG = """
version: 1
folders: {drop: drop}
topics: {mali: "lorries OR capital"}
events: false  # this is about copies of one text
receivers: {duty: {type: file, path: duty}, desk: {type: file, path: desk}}
routes:
  - {to: duty, mode: immediate, continue: true}
  - {to: desk, digest: {every: 1h}}
"""


def run(root: Path, name: str, *articles: tuple[str, str, tuple[str, ...]]) -> None:
    lines = [
        {"id": f"{outlet} {title}", "source": outlet, "title": title, "body": "\n\n".join(paragraphs)}
        for outlet, title, paragraphs in articles
    ]
    (root / "drop" / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    watchpost_once(root)


def watchpost_once(root: Path) -> None:
    """Read everything, match it, and send what is to be sent."""
    words = ["run", "--once", "--config", "watchpost.yaml", "--data", "data"]
    done = subprocess.run([sys.executable, "-m", "watchpost", *words], cwd=root, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def editions(folder: Path) -> list[dict[str, Any]]:
    """All stories told so far, edition after edition."""
    bodies = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    bodies.sort(key=lambda body: body["timestamp"])
    return [story for body in bodies for story in body["data"]["stories"]]


def test_a_copy_opens_no_alert_and_the_digest_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    agency = ("DAKAR (AFP) – " + REPORT[0], *REPORT[1:])
    run(tmp_path, "first", ("Courier", "Nine lorries burn", agency), ("Paper", "Pumps run dry", SIBLING))
    assert len(editions(tmp_path / "duty")) == 2
    run(tmp_path, "second", ("Copyist", "Fuel runs out", REPORT[:-1]))
    assert len(editions(tmp_path / "duty")) == 2, "a copy opens no alert"
    last = editions(tmp_path / "desk")[-1]
    assert (last["status"], last["source_count"], last["independent_count"]) == ("continuing", 2, 1)
    run(tmp_path, "third", ("Signer", "No fuel", (*REPORT, "With reporting by Reuters")))
    assert len(editions(tmp_path / "duty")) == 2
    last = editions(tmp_path / "desk")[-1]
    assert (last["status"], last["change"]["sources"], last["independent_count"]) == ("updated", 1, 2)
    assert last["id"] == next(
        told["id"] for told in editions(tmp_path / "desk") if told["title"] == "Nine lorries burn"
    )
