"""Links in mails that were sent before the store lost its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchpost.errors import NotFound
from watchpost.notify.receivers.email import unsubscribe_token
from watchpost.operations import factory
from watchpost.operations.unsubscribe import find_subscription, unsubscribe
from watchpost.store.client import Store

CONFIG = """
version: 1
feeds: ["https://www.rfi.fr/en/africa/rss"]
topics: {mali: mali}
receivers: {post: {type: email, to: [a@example.org], from: w@example.org, smtp: {host: smtp.example.org}}}
routes: [{to: post, mode: immediate}]
"""


async def test_a_link_of_an_earlier_store_goes_on_working(tmp_path: Path, store: Store) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    config = factory.read_config(tmp_path / "watchpost.yaml", {})
    await store.prepare("x")
    token = unsubscribe_token("an earlier secret", "post", "a@example.org")
    with pytest.raises(NotFound):
        await find_subscription(config, store, token)
    store.former_secrets = ("an earlier secret",)
    assert (await find_subscription(config, store, token)).active
    await unsubscribe(config, store, token)
    assert not (await find_subscription(config, store, token)).active
    current = unsubscribe_token(await store.secret(), "post", "a@example.org")
    assert not (await find_subscription(config, store, current)).active, "both lead to one subscription"
