"""A rig per test, torn down whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A site, a folder, an inbox, and a configuration that joins them."""
    made = Rig(tmp_path)
    yield made
    made.close()
