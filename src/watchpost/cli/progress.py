"""A progress bar on stderr for what takes longer than a second, if a person is watching."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any

from watchpost.cli import manner

PATIENCE_SECONDS = 1.0


class Bar:
    """`with Bar("reading feeds") as bar: work(progress=bar)`: call it with how much is done, of how much.

    It goes away when all is done, and leaves nothing behind. What is written to the terminal meanwhile, by way of
    sys.stdout and sys.stderr, passes above it.
    """

    def __init__(self, title: str, wanted: bool = True) -> None:
        """Not `wanted`: it is never shown. Beside lines for machines it would break them where the terminal ends."""
        self._title = title
        self._begun = monotonic()
        self._shown: Any = None  # rich's Progress; importing rich costs more than most commands do
        self._task: Any = None
        self._over = not wanted

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._over:
            return
        if done >= total:
            self._end()
        elif self._shown is not None:
            self._shown.update(self._task, completed=done, total=total)
        elif monotonic() - self._begun > PATIENCE_SECONDS and sys.stderr.isatty() and not manner.quiet():
            self._show(done, total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _show(self, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        console = Console(stderr=True)
        # Results that go into a pipe must not be led to the terminal with the bar.
        above = sys.stdout.isatty()
        self._shown = Progress(*columns, console=console, transient=True, refresh_per_second=4, redirect_stdout=above)
        self._task = self._shown.add_task(self._title, completed=done, total=total)
        self._shown.start()
        console.show_cursor(True)  # a process that is killed cannot bring it back

    def _end(self) -> None:
        self._over = True
        if self._shown is not None:
            self._shown.stop()
            self._shown = None
