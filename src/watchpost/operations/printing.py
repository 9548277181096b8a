"""Digests as PDF, printed by a Chromium of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from watchpost.errors import WatchpostError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SECONDS = 120


def find_browser() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def pdf_of(browser: str, pages: Sequence[str]) -> bytes:
    """One PDF of these HTML documents, each beginning on a page of its own. It blocks.

    The browser loads nothing from any host. Raises WatchpostError.
    """
    return _joined([_printed(browser, page) for page in pages])


def _printed(browser: str, page: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="watchpost-") as folder:
        source, target = Path(folder) / "digest.html", Path(folder) / "digest.pdf"
        source.write_text(page, "utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium has no sandbox for root
            source.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WatchpostError(f"{browser} printed no PDF: {type(error).__name__}") from None
        if not target.is_file():
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
            raise WatchpostError(f"{browser} printed no PDF: {last[:200]}")
        return target.read_bytes()


def _joined(documents: Sequence[bytes]) -> bytes:
    if len(documents) == 1:
        return documents[0]
    import pypdfium2

    whole, result = pypdfium2.PdfDocument.new(), BytesIO()
    for document in documents:
        whole.import_pages(pypdfium2.PdfDocument(document))
    whole.save(result)
    return result.getvalue()
