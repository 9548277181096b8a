"""The embedding: an optional part, whose files are checked before it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from watchpost.errors import WatchpostError
from watchpost.events import embedding
from watchpost.events.witnesses import alike


def test_texts_about_like_things_have_like_vectors() -> None:
    encoder = embedding.installed()
    assert encoder is not None
    one, other, third = map(encoder.vector, ("The market burnt down", "Le marché a brûlé", "A cup final ends 2-1"))
    assert alike(one, other) > alike(one, third) + 0.2
    assert len(one) == 512
    assert encoder.vector("") == encoder.vector("")


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / embedding.MODULE
    (package / "resources").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name in embedding.FILES:
        (package / name).write_bytes(b"other weights")
    run = "from watchpost.events import embedding; embedding.installed()"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert WatchpostError.__name__ in done.stderr
    assert "install the pinned version again" in done.stderr


def test_nothing_is_imported_until_it_is_used() -> None:
    run = (
        "import sys, watchpost.events.joining, watchpost.events.embedding, watchpost.cli.match, watchpost.match.worker;"
        f"sys.exit('numpy' in sys.modules or {embedding.MODULE!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", run], check=False).returncode == 0
