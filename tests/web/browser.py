"""Debian's Chromium, driven by playwright. Without it, tests are skipped; in CI they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

MISSING = "no chromium on the path: apt-get install chromium"


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser without a window."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield started
        finally:
            await started.close()
