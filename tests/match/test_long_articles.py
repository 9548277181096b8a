"""Long articles are matched outside of the loop, with the same result; one that takes too long costs itself alone."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from tests.loop_steps import steps
from tests.making import WHEN, article
from watchpost.documents.parser_process import ParserProcess
from watchpost.errors import FetchError
from watchpost.match.long_articles import LongArticles, is_long
from watchpost.match.matcher import Topics
from watchpost.match.signatures import signature
from watchpost.model import Topic
from watchpost.query.parser import parse

QUERIES = (
    "mali NEAR/5 wagner",
    "/ma+li/",
    "вагнер~ru OR wagner",
    "SCORE/2 (mali^2 OR gao)",
    'title:mali UNLESS "mali x"',
)
TOPICS = tuple(Topic(f"topic-{number}", "Topic", parse(query)) for number, query in enumerate(QUERIES))
REPORT = article("Mali: a report", body="Mali wagner bamako went on and on. Вагнера видели в Гао. " * 15_000)


async def test_it_finds_what_the_loop_would_and_does_not_hold_it_up() -> None:
    assert is_long(REPORT)
    found = LongArticles(TOPICS)
    try:
        await found.match(article(), WHEN)  # starts the child
        done = await steps(found.match(REPORT, WHEN))
    finally:
        await found.close()
    topics = Topics(TOPICS)
    begun = time.thread_time()
    expected = topics.match(REPORT, WHEN)
    in_the_loop = time.thread_time() - begun
    hits, signed = done.result
    assert hits == expected
    assert len(hits) == len(QUERIES)
    assert signed == signature(REPORT)
    assert done.longest_seconds < in_the_loop / 4


async def test_a_text_that_takes_too_long_is_stopped_and_the_next_is_matched() -> None:
    slow = ParserProcess(limit=timedelta(seconds=0.05))
    found = LongArticles(TOPICS)
    found._child, child = slow, found._child
    try:
        with pytest.raises(FetchError, match="too long"):
            await found.match(REPORT, WHEN)
        found._child = child
        assert (await found.match(article("Mali, Gao, wagner"), WHEN))[0]
    finally:
        await slow.close()
        await child.close()
