"""A recipient unsubscribes by the link in their mail: one POST, without a login, for nobody else."""

from __future__ import annotations

import email
from pathlib import Path

import httpx
import pytest

from tests.making import WHEN, digest_delivery
from tests.web.test_auth import AUTH
from tests.web.web_app import closed, pages
from watchpost.config.config import Config, HttpAccess
from watchpost.model import Delivery, Digest, Message
from watchpost.operations import factory
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.receivers import UnsubscribedAddresses

TEXT = """version: 1
public_url: https://watch.example.org
topics: {mali: Mali}
receivers:
  desk: {type: email, to: [desk@example.org, "Ida <ida@example.org>"], from: w@example.org, smtp: {host: mail.example}}
routes: [{to: desk, mode: immediate}]
"""
HERE = {"host": "watch.example.org"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "watchpost.yaml").write_text(TEXT)
    return factory.read_config(tmp_path / "watchpost.yaml", {})


async def links(store: Store, config: Config) -> dict[str, str]:
    """The path of each address's way out, as it stands in its mail."""
    digest = Digest("d", "digest", "desk", WHEN, WHEN, "UTC", "en", WHEN, (), 0, public_url=config.public_url)
    (receiver,) = factory.build_receivers(config, "i", factory.terminal(), await store.secret()).values()
    found = {}
    for message in receiver.render(digest):
        mail = email.message_from_string(message.renderings["mime"])
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = "".join(mail["List-Unsubscribe"].split()).strip("<>")
        assert link.startswith("https://watch.example.org/u/")
        found[message.address] = link.removeprefix("https://watch.example.org")
    return found


async def test_one_post_is_enough_and_what_waits_is_not_sent(store: Store, config: Config) -> None:
    ways = await links(store, config)
    assert len(set(ways.values())) == 2
    made = digest_delivery("d1", "desk")
    waiting = [
        Delivery(name, "d", "desk", Message(name, "1 story", {"mime": ""}, address=address), 1, made.created)
        for name, address in (("d1", "ida@example.org"), ("d2", "desk@example.org"))
    ]
    await closed(store, *waiting)
    access = HttpAccess(AUTH, config.access.names)
    async with (
        pages(store, access=access, config=config) as address,
        httpx.AsyncClient(headers=HERE) as client,
    ):
        page = await client.get(address + ways["ida@example.org"])
        assert page.status_code == 200
        assert "i•••@example.org" in page.text
        assert await UnsubscribedAddresses(store).of("desk") == frozenset(), "looking at the page does nothing"
        one_click = {"List-Unsubscribe": "One-Click"}
        for _ in range(2):
            assert (await client.post(address + ways["ida@example.org"], data=one_click)).status_code == 200
        assert await Overview(store).unsubscribed("desk") == {"ida@example.org"}
        assert await Overview(store).unsubscribed("other") == frozenset()
        assert (await Overview(store).depths(["desk"])).outbox == {"desk": 1}
        again = await client.post(address + ways["ida@example.org"], data={"again": "yes"})
        assert "Stop sending" in again.text
        assert await Overview(store).unsubscribed("desk") == frozenset()


async def test_a_made_up_token_is_not_valid(store: Store, config: Config) -> None:
    async with (
        pages(store, access=config.access, config=config) as address,
        httpx.AsyncClient(headers=HERE) as client,
    ):
        for token in ("0" * 32, "x", "desk@example.org"):
            assert (await client.get(f"{address}/u/{token}")).status_code == 404
            assert (await client.post(f"{address}/u/{token}")).status_code == 404
    assert await UnsubscribedAddresses(store).of("desk") == frozenset()


async def test_the_secret_is_made_once(store: Store) -> None:
    first = await store.secret()
    assert len(first) == 64
    assert await store.secret() == first
