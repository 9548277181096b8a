"""A poller of one folder on a real disk: it commits what visits bring, and keeps all that was announced."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import Failure
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import folder
from watchpost.poll.visit import Visit

PROSE = "Mali has defended its right to make sovereign decisions about how it deals with insurgents. "
SETTLE = timedelta(milliseconds=200)


class Desk:
    """A poller of one folder: it commits what visits bring, and keeps all that was announced."""

    def __init__(self, root: Path, **options: object) -> None:
        given = {"path": str(root), "settle": SETTLE, "every": timedelta(milliseconds=200), **options}
        self.options = folder.KIND.options.model_validate(given)
        self.memory: dict[str, str] = {}
        self.titles: list[str] = []
        self.ids: list[str] = []
        self.bodies: list[str] = []
        self.failures: list[Failure] = []
        self.restart()

    async def again(self) -> None:
        """A new process: what was committed is all that it knows."""
        await self.source.close()
        self.restart()

    def restart(self) -> None:
        self.source = folder.KIND.build("desk", self.options, SourceContext(InlineParser(), "watchpost/test"))

    async def visit(self, now: datetime | None = None) -> Visit:
        visit = await self.source.visit(dict(self.memory), now or datetime.now(UTC))
        self.failures += visit.failures
        for article in visit.articles:
            self.titles.append(article.title)
            self.ids.append(article.id)
            self.bodies.append(article.body)
        if visit.outcome != "failed":
            self.memory = {key: value for key, value in {**self.memory, **visit.memory}.items() if value}
        return visit

    async def read_up(self, now: datetime | None = None) -> Visit:
        while (visit := await self.visit(now)).more:
            pass
        return visit

    async def until(self, articles: int = 0, failures: int = 0) -> None:
        """Visit and rest like the poller, until so much has come."""
        async with asyncio.timeout(10):
            await self.read_up()
            while len(self.titles) < articles or len(self.failures) < failures:
                await self.source.rest()
                await self.read_up()

    async def quiet(self) -> None:
        """Two rounds in which nothing may come."""
        before = len(self.titles), len(self.failures)
        for _ in range(3):
            await self.source.rest()
            await self.read_up()
        assert (len(self.titles), len(self.failures)) == before


def write(path: Path, text: str | bytes = PROSE, age: float = 60) -> Path:
    """A file that nobody has written to for `age` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    moment = datetime.now(UTC).timestamp() - age
    os.utime(path, (moment, moment))
    return path


def line(number: int) -> str:
    return json.dumps({"id": f"n{number}", "title": f"Title {number}", "body": PROSE}) + "\n"
