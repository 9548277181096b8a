"""A progress bar on stderr for what takes longer than a second, if a person is watching."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any

from watchpost.cli import manner

PATIENCE_SECONDS = 1.0


class Bar:
    """`with Bar("reading feeds") as bar: work(progress=bar)`: call it with how much is done, of how much."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begun = monotonic()
        self._shown: Any = None  # rich's Progress; importing rich costs more than most commands do
        self._task: Any = None

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._shown is None and monotonic() - self._begun > PATIENCE_SECONDS and _watched():
            from rich.console import Console
            from rich.progress import Progress

            self._shown = Progress(console=Console(stderr=True), transient=True)
            self._task = self._shown.add_task(self._title, total=total)
            self._shown.start()
        if self._shown is not None:
            self._shown.update(self._task, completed=done, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()


def _watched() -> bool:
    return sys.stderr.isatty() and not manner.quiet()
