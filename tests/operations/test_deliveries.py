"""Pages and commands act by the same functions and leave the same line in the log."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.making import article, digest_delivery
from tests.store.ends import poll_store
from tests.web.web_app import closed, found, pages
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.notify.rules import covers
from watchpost.operations.factory import read_config
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.overview import Overview
from watchpost.store.receivers import CircuitBreaker, ReceiverState
from watchpost.store.silences import Silences
from watchpost.web.context import summary_of

TEXT = """version: 1
feeds: {rfi: "https://feeds.example.org/rfi"}
topics: {mali: Mali}
receivers: {team: {type: file, path: out}}
routes: [{to: team, mode: immediate}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "watchpost.yaml").write_text(TEXT)
    return read_config(tmp_path / "watchpost.yaml", {})


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    tm.set_up_log("json", "warning", stream)
    return stream


def acted(log: io.StringIO) -> list[tuple[str, int, str]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [(line["deed"], line["count"], line["by"]) for line in lines if line["event"] == "operator.acted"]


async def in_trouble(store: Store) -> None:
    """The receiver is disabled, one message waits for a later attempt, one failed for good."""
    outbox = await closed(store, digest_delivery("d1"), digest_delivery("d2"))
    await outbox.create_outbox("team")
    first, second = await outbox.claims("team", "n1", 60_000).take(2, block=False)
    await outbox.retry("team", first, timedelta(hours=1), "retrying", "503")
    await outbox.dead_letter("team", second, "client_error", "404")
    await CircuitBreaker(store, "team").save(ReceiverState(5, disabled=datetime.now(UTC), why="gone"))


async def test_forms_act_and_leave_a_log_line_with_the_user(store: Store, config: Config, log: io.StringIO) -> None:
    await poll_store(store).sync(["rfi"])
    (claim,) = (await poll_store(store).claim(1)).feeds
    await poll_store(store).commit(claim, [], memory={}, status={}, delay_ms=3_600_000)
    await in_trouble(store)
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}, follow_redirects=True) as client,
    ):
        page = (await client.get(f"{address}/deliveries")).text
        assert 'action="/receivers/team/enable"' in page
        (dead_letter,) = await DeadLetters(store).all()
        assert f'action="/deliveries/{dead_letter.id}/retry"' in page
        assert "Receiver enabled" in (await client.post(f"{address}/receivers/team/enable")).text
        assert (await Overview(store).receivers(["team"]))["team"].healthy
        assert (await Overview(store).depths(["team"])).outbox == {"team": 1}, "what waited goes now"
        assert "is being sent again" in (await client.post(f"{address}/deliveries/{dead_letter.id}/retry")).text
        assert "nothing left to send" in (await client.post(f"{address}/deliveries/{dead_letter.id}/retry")).text
        assert (await Overview(store).depths(["team"])).outbox == {"team": 2}
        assert "being sent now" in (await client.post(f"{address}/deliveries/retry")).text
        assert "next turn" in (await client.post(f"{address}/feeds/rfi/read")).text
        assert [feed.name for feed in (await poll_store(store).claim(1)).feeds] == ["rfi"]
        assert "in a moment" in (await client.post(f"{address}/feeds/rfi/read")).text
        assert "no longer exists" in (await client.post(f"{address}/feeds/bbc/read")).text
        assert "no longer exists" in (await client.post(f"{address}/receivers/none/enable")).text
    who = "local user"
    assert acted(log) == [("enable", 1, who), ("retry", 1, who), ("retry", 0, who), ("read", 1, who), ("read", 0, who)]


async def test_a_story_is_muted_and_a_silence_ends(store: Store, config: Config, log: io.StringIO) -> None:
    hit = await found(store, article("Gao"))
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}, follow_redirects=True) as client,
    ):
        assert f'action="/stories/{hit.story}/mute"' in (await client.get(f"{address}/stories")).text
        muted = {"story": hit.story, "lasting": "7d", "reason": "muted", "back": "stories"}
        done = await client.post(f"{address}/silences", data=muted)
        assert (done.url.path, "Silenced: no notifications" in done.text) == ("/stories", True)
        (silence,) = await Silences(store).all()
        assert covers(silence, hit)
        assert not covers(silence, replace(hit, story="another"))
        assert hit.story in (await client.get(f"{address}/config")).text
        assert "Silence ended" in (await client.post(f"{address}/silences/{silence.id}/end")).text
        assert "no longer exists" in (await client.post(f"{address}/silences/{silence.id}/end")).text
        for wrong in ({"reason": "x", "lasting": "2h"}, {"topic": "mail", "reason": "x", "lasting": "2h"}):
            assert (await client.post(f"{address}/silences", data=wrong)).status_code == 422
        wrong = {"topic": "mali", "reason": "x", "lasting": "2"}
        assert "not a duration" in (await client.post(f"{address}/silences", data=wrong)).text
    assert [deed for deed, _, _ in acted(log)] == ["silence add", "silence expire"]


async def test_a_page_elsewhere_does_nothing(store: Store, config: Config, log: io.StringIO) -> None:
    await in_trouble(store)
    before = sorted(await store.redis.keys())
    async with pages(store, config=config) as address:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            async with httpx.AsyncClient(headers=headers) as client:
                for path in ("/receivers/team/enable", "/deliveries/retry", "/feeds/rfi/read", "/config/read"):
                    assert (await client.post(address + path)).status_code == 403
    assert not (await Overview(store).receivers(["team"]))["team"].healthy
    assert sorted(await store.redis.keys()) == before
    assert acted(log) == []


async def test_a_text_in_an_address_is_not_shown(store: Store, config: Config) -> None:
    async with pages(store, config=config) as address, httpx.AsyncClient() as client:
        assert "Trust me" not in (await client.get(f"{address}/?done=Trust me")).text


def test_the_pages_get_no_secret_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(
        TEXT.replace("{type: file, path: out}", "{type: slack, url: {env: HOOK}}").replace(
            '"https://feeds.example.org/rfi"', '{url: "https://feeds.example.org/rfi", headers: {X-Key: hunter2}}'
        )
    )
    config = read_config(tmp_path / "watchpost.yaml", {"HOOK": "https://hooks.slack.com/services/T0/B0/s3cr3t"})
    shown = repr(summary_of(config))
    assert "s3cr3t" not in shown
    assert "hunter2" not in shown
    assert "HOOK" in shown
