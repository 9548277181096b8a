"""Forms with mistakes come back as they were filled in, with a sentence at each field; the others act."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.making import digest_delivery
from tests.operations.test_deliveries import TEXT, acted
from tests.web.test_pages import HOSTILE
from tests.web.web_app import closed, pages
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.errors import FormError
from watchpost.operations.deliveries import ReplayRequest, find_backlog
from watchpost.operations.factory import read_config
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.overview import Overview
from watchpost.store.silences import Silences


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "watchpost.yaml").write_text(TEXT.replace("path: out}", "path: out}, hook: {type: file, path: hook}"))
    return read_config(tmp_path / "watchpost.yaml", {})


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    tm.set_up_log("json", "warning", stream)
    return stream


async def in_trouble(store: Store) -> None:
    """Of `team` one message was given up and two wait; of `hook` one failed for good. All were made two hours ago."""
    made = datetime.now(UTC) - timedelta(hours=2)
    outbox = await closed(store, *(replace(digest_delivery(f"team-{number}"), created=made) for number in range(3)))
    await outbox.create_outbox("team")
    dead, *waiting = await outbox.claims("team", "n1", 60_000).take(3, block=False)
    await outbox.dead_letter("team", dead, "client_error", "404")
    for entry in waiting:
        await outbox.retry("team", entry, timedelta(hours=1), "retrying", "503")
    outbox = await closed(store, digest_delivery("hook-0", "hook"), group="hook|now")
    await outbox.create_outbox("hook")
    (dead,) = await outbox.claims("hook", "n1", 60_000).take(1, block=False)
    await outbox.dead_letter("hook", dead, "client_error", "404")


async def test_a_silence_with_mistakes_comes_back_as_it_was_typed(store: Store, config: Config) -> None:
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}) as client,
    ):
        typed = {"source": "rfy", "text": HOSTILE, "lasting": "2", "reason": " ", "severity": "low", "story": "5" * 32}
        answer = await client.post(f"{address}/silences", data=typed)
        assert answer.status_code == 422
        page = answer.text
        assert "<title>Please correct: Configuration" in page
        assert "no source &#39;rfy&#39;; did you mean &#39;rfi&#39;?" in page
        assert "&#39;2&#39; is not a duration; write it like 30m, 6h or 7d" in page
        assert "give a reason" in page
        for field in ("source", "lasting", "reason"):
            assert f'<a href="#{field}">' in page, "the list of mistakes leads to the field"
            tag = re.search(f'<input id="{field}"[^>]*>', page)
            assert tag is not None
            assert f'aria-invalid="true" aria-describedby="{field}-wrong"' in tag[0]
            assert f'id="{field}-wrong"' in page
        assert 'value="rfy"' in page
        assert f'value="{"5" * 32}"' in page
        assert '<option value="low" selected>' in page
        assert HOSTILE not in page
        assert "text-wrong" not in page, "nothing is wrong with that one"
        assert await Silences(store).all() == ()
        assert (await client.get(f"{address}/silences")).headers["location"] == "/config"
        empty = await client.post(f"{address}/silences", data={"lasting": "2h", "reason": "x"})
        assert "set at least one of topic, source, severity and text" in empty.text
        fine = await client.get(f"{address}/config")
        assert "aria-invalid" not in fine.text
        assert 'value="24h"' in fine.text


async def test_messages_to_send_again_are_counted_first(store: Store, config: Config, log: io.StringIO) -> None:
    await in_trouble(store)
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}, follow_redirects=True) as client,
    ):
        assert 'href="/deliveries/replay?since=6h"' in (await client.get(f"{address}/deliveries")).text
        counts = {"": 2, "what=failed": 2, "receiver=team": 1, "receiver=team&what=all": 3, "what=all&since=6h": 4}
        for query, count in counts.items():
            page = (await client.get(f"{address}/deliveries/replay?{query}")).text
            assert f"{count} message{'' if count == 1 else 's'} would be sent again" in page, query
            assert page.count('<a href="/e/') == count
        assert acted(log) == [], "no action yet"
        assert (await Overview(store).depths(["team", "hook"])).outbox == {"team": 0, "hook": 0}
        wanted = {"receiver": "team", "since": "6h", "what": "all"}
        assert (
            "The messages are being sent again" in (await client.post(f"{address}/deliveries/replay", data=wanted)).text
        )
        assert (await Overview(store).depths(["team", "hook"])).outbox == {"team": 3, "hook": 0}
        assert [one.receiver for one in await DeadLetters(store).all()] == ["hook"], "those of other receivers stay"
        assert "nothing left to send" in (await client.post(f"{address}/deliveries/replay", data=wanted)).text
        assert "Nothing to send again" in (await client.get(f"{address}/deliveries/replay?receiver=team")).text
        await client.post(f"{address}/deliveries/replay", data={"since": "6h"})
    who = "local user"
    assert acted(log) == [("replay", 3, who), ("replay", 0, who), ("replay", 1, who)]


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"since": "6"}, "since", "&#39;6&#39; is not a time; write it like 12h, 7d, yesterday"),
        ({"since": "0s"}, "since", "&#39;0s&#39; is not in the past"),
        ({"receiver": "taem"}, "receiver", "no receiver &#39;taem&#39;; did you mean &#39;team&#39;?"),
        ({"what": "some"}, "what", "write failed or all"),
    ],
)
async def test_a_replay_with_mistakes_says_why(
    store: Store, config: Config, typed: dict[str, str], field: str, sentence: str
) -> None:
    await in_trouble(store)
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}) as client,
    ):
        looked = await client.get(f"{address}/deliveries/replay", params=typed)
        acted = await client.post(f"{address}/deliveries/replay", data=typed)
        for answer in (looked, acted):
            assert answer.status_code == 422
            assert sentence in answer.text
            assert f'aria-describedby="{field}-wrong"' in answer.text
    assert len(await DeadLetters(store).all()) == 2


async def test_only_recent_messages_are_sent_again(store: Store, config: Config) -> None:
    await in_trouble(store)
    for since, count in (("6h", 4), ("1h", 2)):  # a dead letter is as old as its failure, a waiting one as its making
        backlog = await find_backlog(config, store, ReplayRequest(what="all", since=since))
        assert backlog.count == count
    with pytest.raises(FormError, match="write it like"):
        await find_backlog(config, store, ReplayRequest(since="soon"))


async def test_without_the_store_or_with_a_form_too_long_there_is_an_error_page(config: Config) -> None:
    away = Store("redis://127.0.0.1:1/0")
    async with (
        pages(away, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}) as client,
    ):
        for path in ("/deliveries/retry", "/deliveries/replay", "/silences"):
            typed = {"topic": "mali", "lasting": "2h", "reason": "x"}
            answer = await client.post(address + path, data=typed)
            assert answer.status_code == 503
            assert "<h1>The store is not available</h1>" in answer.text
        long = await client.post(f"{address}/silences", content="reason=" + "x" * 1_300_000)
        assert long.status_code == 413
    await away.close()
