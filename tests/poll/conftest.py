from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.poll.desk import Desk


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
async def desk(root: Path) -> AsyncIterator[Desk]:
    desk = Desk(root)
    yield desk
    await desk.source.close()
