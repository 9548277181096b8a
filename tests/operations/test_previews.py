"""The next digest on its page: the exact texts that are sent, harmless to the reader, and sent once."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import httpx
import pytest

from tests.making import article
from tests.operations.test_deliveries import acted
from tests.web.test_auth import USERS, basic
from tests.web.web_app import found, pages
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.match.routing import all_groups
from watchpost.model import Delivery, derive_id
from watchpost.operations.factory import read_config
from watchpost.operations.previews import DigestPreviews
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore

TEXT = """version: 1
topics: {mali: Mali}
receivers:
  team: {type: file, path: out}
  desk: {type: email, to: [desk@example.org, ida@example.org], from: w@example.org, smtp: {host: mail.example}}
routes: [{to: [team, desk], digest: "08:00"}]
"""
ATTACK = "<script>alert(1)</script><img src=https://evil.example/x> {{7*7000007}}"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "watchpost.yaml").write_text(TEXT)
    return read_config(tmp_path / "watchpost.yaml", {})


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    tm.set_up_log("json", "warning", stream)
    return stream


async def parked(store: Store, config: Config, *titles: str) -> dict[str, str]:
    """Let hits with these titles wait for both receivers; returns the address of each receiver's page."""
    groups = {group.receiver: group for group in all_groups(config.routes)}
    for group in groups.values():
        for title in titles:
            about = article(title, id=derive_id("article", group.key, title), url="javascript:alert(1)")
            await found(store, about, group=group.key)
    return {name: f"/editions/{group.id}" for name, group in groups.items()}


async def queued(store: Store, receiver: str) -> tuple[Delivery, ...]:
    """The deliveries in the outbox."""
    outbox = DeliveryStore(store, kept_ms=3_600_000)
    await outbox.create_outbox(receiver)
    entries = await outbox.claims(receiver, "n1", 60_000).take(10, block=False)
    found = [await outbox.delivery(entry) for entry in entries]
    return tuple(one for one in found if one is not None)


async def early_in_the_minute(store: Store) -> None:
    """Digests show times by the minute: both texts must be made within the same one."""
    second = (await DeliveryStore(store, kept_ms=1).now()).second
    await asyncio.sleep(61 - second if second > 55 else 0)


def shown_version(page: str) -> str:
    """The version in the form on the page."""
    there = re.search(r'name="seen" value="([^"]+)"', page)
    assert there is not None
    return there[1]


async def test_the_page_shows_exactly_what_is_then_sent(store: Store, config: Config, log: io.StringIO) -> None:
    places = await parked(store, config, ATTACK, "Gao")
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient(headers={"origin": address}, follow_redirects=True) as client,
    ):
        listed = (await client.get(f"{address}/editions")).text
        await early_in_the_minute(store)
        for receiver, place in places.items():
            assert f'href="{place}"' in listed
            page = (await client.get(address + place)).text
            assert '<iframe src="' + place in page
            assert ATTACK not in page
            assert len(page.encode()) < 100_000
            html = await client.get(f"{address}{place}/1/html")
            plain = await client.get(f"{address}{place}/1/text")
            answer = await client.post(f"{address}{place}/send", data={"seen": shown_version(page)})
            assert "Digest sent" in answer.text
            first, *others = await queued(store, receiver)
            assert len(others) == (receiver == "desk"), "a mail for each reader"
            if receiver == "team":
                assert html.text == first.message.renderings["html"]
                assert plain.text == first.message.renderings["text"]
            policy = html.headers["content-security-policy"]
            assert "sandbox" in policy
            assert "default-src 'none'" in policy
            assert plain.headers["content-type"] == "text/plain; charset=utf-8"
            assert f"No hits are waiting for {receiver}" in (await client.get(address + place)).text
    assert acted(log) == [("digest send", 1, "local user")] * 2


async def test_a_mail_is_shown_as_it_will_be_sent(store: Store, config: Config) -> None:
    place = (await parked(store, config, "Gao"))["desk"]
    previews = DigestPreviews(config, store)
    viewer = basic("bob", "correct horse: battery")
    async with (
        pages(store, config=config, previews=previews, access=USERS) as address,
        httpx.AsyncClient(headers=viewer) as client,
    ):
        page = (await client.get(address + place)).text
        assert "2 of 2 to ida@example.org" in page
        assert "Send now" not in page, "a viewer cannot act"
        await early_in_the_minute(store)
        source = (await client.get(f"{address}{place}/2/source")).text
        (preview,) = await previews.preview(place.removeprefix("/editions/"))
        moment = re.compile(r"^Date: .*$", re.MULTILINE)
        assert moment.sub("", source) == moment.sub("", preview.messages[1].renderings["mime"])
        assert "To: ida@example.org" in source
        assert "Gao" in (await client.get(f"{address}{place}/1/html")).text
        for wrong in ("/3/html", "/0/html", "/1/json", "/1/..%2fhtml", "/x/html"):
            assert (await client.get(address + place + wrong)).status_code == 404
        assert (await client.get(f"{address}/editions/none")).status_code == 404
        assert (await client.get(f"{address}/editions/none/1/html")).status_code == 404


async def test_exactly_the_shown_digest_is_sent_or_nothing(store: Store, config: Config, log: io.StringIO) -> None:
    place = (await parked(store, config, "Gao"))["team"]
    async with (
        pages(
            store,
            config=config,
            access=USERS,
        ) as address,
        httpx.AsyncClient(headers={"origin": address, **basic("anna", "correct horse: battery")}) as client,
    ):
        saw = shown_version((await client.get(address + place)).text)
        looks = basic("bob", "correct horse: battery")
        assert "Send now" not in (await client.get(address + place, headers=looks)).text
        assert (await client.post(f"{address}{place}/send", data={"seen": saw}, headers=looks)).status_code == 403
        for wrong in ({"seen": "7"}, {}):
            answer = await client.post(f"{address}{place}/send", data=wrong)
            assert answer.headers["location"] == f"{place}?done=moved"
        assert (await client.post(f"{address}{place}/send", data={"seen": saw})).headers["location"].endswith("=told")
        again = await client.post(f"{address}{place}/send", data={"seen": saw}, follow_redirects=True)
        assert "Nothing sent" in again.text, "a second press of the button"
        assert (await client.post(f"{address}/editions/none/send")).headers["location"].endswith("=none")
    assert len(await queued(store, "team")) == 1
    assert acted(log) == [("digest send", 1, "anna")]


async def test_hits_not_sent_now_are_shown_with_their_reason(store: Store, config: Config, tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(
        TEXT.replace('digest: "08:00"', "mode: immediate")
        + 'quiet_hours: [{receivers: team, from: "00:00", to: "13:00"}, '
        '{receivers: team, from: "12:00", to: "01:00"}]\n'
        + "silences: [{match: {text: Kidal}, until: 2099-01-01T00:00:00+00:00, reason: talks, by: anna}]\n"
    )
    config = read_config(tmp_path / "watchpost.yaml", {})
    place = (await parked(store, config, "Gao", "Kidal"))["team"]
    async with (
        pages(store, config=config) as address,
        httpx.AsyncClient() as client,
    ):
        page = (await client.get(address + place)).text
        assert "Nothing to send to team now" in page
        assert re.search(r"1 hit, held back by quiet hours until .*: Gao", page)
        assert "1 hit on mali, silenced: talks" in page
