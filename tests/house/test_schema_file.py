"""The schema that editors read is the one that the loader obeys."""

from __future__ import annotations

from pathlib import Path

from watchpost.config.schema import schema_text
from watchpost.operations.factory import receiver_options, source_options

COMMITTED = Path(__file__).parents[2] / "config" / "watchpost.schema.json"


def test_the_committed_schema_is_fresh() -> None:
    """If this fails: make schema."""
    assert COMMITTED.read_text("utf-8").strip() == schema_text(source_options(), receiver_options()).strip()
