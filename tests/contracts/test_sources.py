"""What every kind of source promises to the poller, tried on each one."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.http_server import Answer, HttpServer
from tests.imap_server import PASSWORD, imap_server, letter
from watchpost.config.fields import Secret
from watchpost.documents.parser_process import ParserProcess
from watchpost.poll.source import Source, SourceContext
from watchpost.poll.sources import kinds
from watchpost.poll.visit import Visit

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FEED = "<rss version='2.0'><channel><title>D</title>{}</channel></rss>"
ROW = "<p class=new><a href='/{0}'>Mali {0} and the news of it</a></p>"
ITEM = "<item><title>Mali {0}</title><guid>{0}</guid><link>https://e.org/{0}</link></item>"


@dataclass(slots=True)
class Place:
    """Somewhere outside, and a source that reads it."""

    source: Source
    bring: Callable[[int], None]
    spoil: Callable[[], None]


@pytest.fixture
def parser() -> ParserProcess:
    return ParserProcess()


@pytest.fixture(params=sorted(kinds()))
async def place(request: pytest.FixtureRequest, tmp_path: Path, parser: ParserProcess) -> AsyncIterator[Place]:
    kind = kinds()[request.param]
    context = SourceContext(parser, "watchpost/test")
    async with HttpServer() as server:
        outside = ExitStack()
        if kind.name == "feed":
            items: list[str] = []

            def bring(number: int) -> None:
                items.append(ITEM.format(number))
                server.on("/f", Answer(200, {"ETag": f'"{number}"'}, FEED.format("".join(items)).encode()))

            def spoil() -> None:
                server.on("/f", Answer(500))

            options: dict[str, object] = {"url": server.url("/f"), "allow_private": ["127.0.0.0/8"]}
        elif kind.name == "page":
            rows: list[str] = []

            def bring(number: int) -> None:
                rows.append(ROW.format(number))
                body = f"<html><body>{''.join(rows)}</body></html>"
                server.on("/p", Answer(200, {"ETag": f'"{number}"', "Content-Type": "text/html"}, body.encode()))

            def spoil() -> None:
                server.on("/p", Answer(500))

            options = {"url": server.url("/p"), "allow_private": ["127.0.0.0/8"], "items": "p.new"}
        elif kind.name == "mailbox":
            mails = outside.enter_context(imap_server())

            def bring(number: int) -> None:
                mails.deliver(letter(f"Mali {number}"))

            def spoil() -> None:
                mails.stop()

            options = {**mails.options, "password": Secret(PASSWORD)}
        else:
            drop = tmp_path / "drop"
            drop.mkdir()

            def bring(number: int) -> None:
                path = drop / f"{number}.txt"
                path.write_text(f"Mali {number} and the whole of it\n\nText number {number}.", encoding="utf-8")
                os.utime(path, (number, number))

            def spoil() -> None:
                drop.rename(tmp_path / "away")

            options = {"path": str(drop)}
        source = kind.build("desk", kind.options.model_validate(options), context)
        try:
            yield Place(source, bring, spoil)
        finally:
            await source.close()
            await parser.close()
            outside.close()


def remembered(*visits: Visit) -> dict[str, str]:
    memory: dict[str, str] = {}
    for visit in visits:
        memory |= visit.memory
    return {key: value for key, value in memory.items() if value}


async def test_what_is_new_comes_once_if_its_memory_was_kept(place: Place) -> None:
    place.bring(1)
    first = await place.source.visit({}, NOW)
    assert (first.outcome, len(first.articles), first.reason, first.more) == ("read", 1, "", False)
    second = await place.source.visit(remembered(first), NOW)
    assert (second.outcome, second.articles) == ("unchanged", ())
    place.bring(2)
    third = await place.source.visit(remembered(first, second), NOW)
    assert "Mali 2" in third.articles[-1].title


async def test_what_was_not_kept_comes_again_with_the_same_ids(place: Place) -> None:
    place.bring(1)
    first, second = await place.source.visit({}, NOW), await place.source.visit({}, NOW)
    assert [article.id for article in first.articles] == [article.id for article in second.articles]


async def test_articles_are_whole(place: Place) -> None:
    place.bring(1)
    visit = await place.source.visit({}, NOW)
    (article,) = visit.articles
    assert (article.source, article.fetched, len(article.id)) == ("desk", NOW, 32)
    assert "Mali 1" in article.title
    assert article.published is None or article.published.tzinfo is UTC
    assert pickle.loads(pickle.dumps(article)) == article


async def test_memory_is_small_text(place: Place) -> None:
    place.bring(1)
    visit = await place.source.visit({}, NOW)
    assert visit.memory
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in visit.memory.items())
    assert len(json.dumps(dict(visit.memory))) < 1000


async def test_a_source_that_cannot_be_read_says_so_and_touches_nothing(place: Place) -> None:
    place.bring(1)
    first = await place.source.visit({}, NOW)
    place.spoil()
    failed = await place.source.visit(remembered(first), NOW)
    assert (failed.outcome, failed.articles, dict(failed.memory)) == ("failed", (), {})
    assert failed.reason
    assert failed.detail
    assert "\n" not in failed.detail


async def test_strange_memory_does_no_harm(place: Place) -> None:
    place.bring(1)
    memory = {"f:1.txt": "rubbish", "url": "rubbish", "etag": "\x00", "": "", "f:": ":::::"}
    assert len((await place.source.visit(memory, NOW)).articles) == 1


async def test_a_source_knows_its_pace_and_can_be_closed_twice(place: Place) -> None:
    assert place.source.name == "desk"
    assert timedelta(0) < place.source.every <= timedelta(hours=1)
    resting = asyncio.create_task(place.source.rest())
    await asyncio.sleep(0)
    resting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resting
    await place.source.close()
    await place.source.close()


def test_these_are_the_kinds_of_source() -> None:
    assert list(kinds()) == ["feed", "folder", "mailbox", "page"]
    assert all(name == kind.name for name, kind in kinds().items())
