from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.documents import jobs
from watchpost.documents.parser_process import BESIDE, LARGE_BYTES, InlineParser, ParserProcess, ParserProcesses
from watchpost.errors import FetchError, StoreUnreachable


@pytest.fixture
async def parser() -> AsyncIterator[ParserProcess]:
    parser = ParserProcess(limit=timedelta(seconds=0.7))
    yield parser
    await parser.close()


@pytest.fixture(params=[InlineParser, ParserProcess])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[InlineParser | ParserProcess]:
    parser: InlineParser | ParserProcess = request.param()
    yield parser
    await parser.close()


async def test_every_parser_gives_results_and_names_failures(either: InlineParser | ParserProcess) -> None:
    assert await either.run(jobs.length, b"x" * 5_000_000) == 5_000_000
    with pytest.raises(FetchError, match="shopping list") as refused:
        await either.run(jobs.refuse)
    assert refused.value.reason == "not_a_feed"
    with pytest.raises(FetchError, match="ZeroDivisionError") as stumbled:
        await either.run(jobs.stumble)
    assert stumbled.value.reason == "crashed"
    assert await either.run(jobs.length, b"xyz") == 3


async def test_a_job_may_ask_as_often_as_it_likes(either: InlineParser | ParserProcess) -> None:
    async def less(number: int) -> int:
        await asyncio.sleep(0)
        return number - 1

    assert await either.ask(jobs.add_up, less, 3) == [3, 2, 1, 0]
    assert await either.run(jobs.length, b"xyz") == 3


async def test_what_the_answer_raises_ends_the_job_and_not_the_child(either: InlineParser | ParserProcess) -> None:
    async def no_answer(number: int) -> int:
        raise StoreUnreachable("nobody answers")

    before = await either.run(jobs.process_id)
    with pytest.raises(StoreUnreachable):
        await either.ask(jobs.add_up, no_answer, 3)
    assert await either.run(jobs.process_id) == before


async def test_the_limits_hold_after_an_answer_and_waiting_for_it_is_free(parser: ParserProcess) -> None:
    async def slowly(question: str) -> str:
        await asyncio.sleep(1.0)  # longer than the wall limit
        return "yes"

    for job, reason in ((jobs.eat_when_answered, "too_large"), (jobs.spin_when_answered, "timeout")):
        with pytest.raises(FetchError) as ended:
            await parser.ask(job, slowly)
        assert ended.value.reason == reason
    assert await parser.run(jobs.length, b"x") == 1


async def test_whoever_waits_for_a_parser_that_is_closed_is_told(parser: ParserProcess) -> None:
    waiting = [asyncio.ensure_future(parser.run(jobs.stay_in_native_code)) for _ in range(2)]
    await asyncio.sleep(0.3)
    await parser.close()
    for work in waiting:
        with pytest.raises(FetchError, match="closed"):
            await work


def test_the_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHPOST_TEST_PASSWORD", "hunter2")

    async def asked() -> str | None:
        parser = ParserProcess()
        try:
            return await parser.run(jobs.environment, "WATCHPOST_TEST_PASSWORD")
        finally:
            await parser.close()

    assert asyncio.run(asked()) is None


@pytest.mark.parametrize("job", [jobs.spin, jobs.stay_in_native_code])
async def test_what_takes_too_long_is_killed_and_the_next_job_is_fine(parser: ParserProcess, job: object) -> None:
    before = await parser.run(jobs.process_id)
    with pytest.raises(FetchError) as stopped:  # it would never end
        await parser.run(job)  # type: ignore[arg-type]  # a function without arguments
    assert stopped.value.reason == "timeout"
    after = await parser.run(jobs.process_id)
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


async def test_a_busy_machine_fails_no_document() -> None:
    parser = ParserProcess(limit=timedelta(seconds=0.5))
    try:
        assert await parser.run(jobs.wait, 0.8) == "waited"  # as one waits for its turn at the processor
        with pytest.raises(FetchError) as stopped:
            await parser.run(jobs.wait, 60.0)
        assert stopped.value.reason == "timeout"
    finally:
        await parser.close()


async def test_a_memory_bomb_hurts_nobody(parser: ParserProcess) -> None:
    with pytest.raises(FetchError) as bomb:
        await parser.run(jobs.eat_memory)
    assert bomb.value.reason == "too_large"
    assert await parser.run(jobs.length, b"x") == 1


async def test_a_crash_is_a_failure_of_one_job(parser: ParserProcess) -> None:
    with pytest.raises(FetchError) as crash:
        await parser.run(jobs.die)
    assert crash.value.reason == "crashed"
    assert await parser.run(jobs.length, b"x") == 1


@pytest.mark.parametrize(("job", "reason"), [(jobs.spin, "timeout"), (jobs.die, "crashed")])
async def test_what_ends_the_child_takes_no_other_job_along(
    parser: ParserProcess, job: Callable[[], None], reason: str
) -> None:
    asked, dead = asyncio.Event(), asyncio.Event()

    async def late(number: int) -> int:
        asked.set()
        await dead.wait()
        return number - 1

    waiting = asyncio.create_task(parser.ask(jobs.add_up, late, 2))
    await asked.wait()
    guilty = asyncio.create_task(parser.run(job))
    behind = asyncio.create_task(parser.run(jobs.length, b"x"))
    with pytest.raises(FetchError) as ended:
        await guilty
    dead.set()
    assert ended.value.reason == reason
    assert (await waiting, await behind) == ([2, 1, 0], 1)


async def test_a_child_that_cannot_begin_is_a_failure_and_no_endless_loop(
    monkeypatch: pytest.MonkeyPatch, parser: ParserProcess
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FetchError) as failed:
        await parser.run(jobs.length, b"x")
    assert failed.value.reason == "crashed"
    monkeypatch.undo()
    assert await parser.run(jobs.length, b"x") == 1


async def test_a_child_is_replaced_after_so_many_jobs() -> None:
    parser = ParserProcess(jobs_per_child=3)
    try:
        children = [await parser.run(jobs.process_id) for _ in range(7)]
    finally:
        await parser.close()
    assert [children.count(child) for child in dict.fromkeys(children)] == [3, 3, 1]


async def test_the_loop_stays_free_while_a_job_runs(parser: ParserProcess) -> None:
    await parser.run(jobs.process_id)
    work = asyncio.ensure_future(parser.run(jobs.spin))
    ticks = 0
    while not work.done():
        await asyncio.sleep(0.01)
        ticks += 1
    with pytest.raises(FetchError):
        await work
    assert ticks > 20


async def test_a_cancelled_job_does_not_hold_up_the_next(parser: ParserProcess) -> None:
    await parser.run(jobs.process_id)
    work = asyncio.ensure_future(parser.run(jobs.stay_in_native_code))
    await asyncio.sleep(0.1)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await asyncio.wait_for(parser.run(jobs.length, b"x"), 10) == 1


async def test_the_parent_imports_no_parser_of_foreign_formats() -> None:
    code = (
        "import sys, watchpost.poll.sources as s; s.kinds(); import watchpost.documents.parser_process;"
        "heavy = {'lxml', 'feedparser', 'fastfeedparser', 'trafilatura', 'pypdfium2', 'charset_normalizer'};"
        "print(heavy & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_killed_parent_leaves_no_child_behind() -> None:
    code = (
        "import asyncio, os, signal\n"
        "from tests.documents import jobs\n"
        "from watchpost.documents.parser_process import ParserProcess\n"
        "async def main():\n"
        "    print(await ParserProcess().run(jobs.process_id), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    child, end = int(run.stdout), time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if "State:\tZ" in Path(f"/proc/{child}/status").read_text():  # dead; its new parent has not looked yet
            return
        time.sleep(0.02)
    pytest.fail("the parser's child outlived its parent")


async def test_no_small_document_waits_for_a_large_one(tmp_path: Path) -> None:
    parsers = ParserProcesses(limit=timedelta(seconds=60))  # of the processor; by the clock more
    done = tmp_path / "done"
    try:
        large = asyncio.ensure_future(parsers.run(jobs.length_when, b"x" * (LARGE_BYTES + 1), str(done)))
        async with asyncio.timeout(100):
            assert await parsers.run(jobs.length, b"x" * LARGE_BYTES) == LARGE_BYTES
        assert not large.done()
        done.touch()
        assert await large == LARGE_BYTES + 1
    finally:
        await parsers.close()


async def test_what_computes_for_long_gets_what_the_rest_leaves_of_the_cores() -> None:
    parsers = ParserProcesses()
    try:
        assert await parsers.run(jobs.niceness, b"x" * LARGE_BYTES) == os.nice(0)
        assert await parsers.run(jobs.niceness, b"x" * (LARGE_BYTES + 1)) == min(19, os.nice(0) + BESIDE)
    finally:
        await parsers.close()
