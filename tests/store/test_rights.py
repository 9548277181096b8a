"""What a user of an external server must be permitted: asked at the start, named with the cure, and enough."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib import resources

import pytest

from tests.making import article, hit
from tests.store.ends import match_one, matcher, queued
from watchpost.errors import StoreUnfit
from watchpost.store.client import Store
from watchpost.store.ledger import Ledger
from watchpost.store.matching import RoutedHit
from watchpost.store.rights import ON_ONE_CHANNEL, ON_ONE_KEY, require_rights, rights, rule_for

PASSWORD = "correct horse"


@pytest.fixture
async def admin(empty_valkey_url: str) -> AsyncIterator[Store]:
    store = Store(empty_valkey_url)
    yield store
    await store.redis.execute_command("ACL", "DELUSER", "wp")
    await store.close()


def as_user(url: str) -> str:
    return f"unix://wp:{PASSWORD.replace(' ', '%20')}@{url.removeprefix('unix://')}"


async def user(admin: Store, *rules: str) -> None:
    await admin.redis.execute_command("ACL", "SETUSER", "wp", "reset", "on", f">{PASSWORD}", *rules)


def test_every_command_of_a_script_is_asked_for() -> None:
    folder = resources.files("watchpost.store") / "scripts"
    files = [file for place in (folder, folder / "shared") for file in place.iterdir() if file.name.endswith(".lua")]
    used = {name for file in files for name in re.findall(r"redis\.p?call\('([A-Z]+)'", file.read_text("utf-8"))}
    assert used <= {*ON_ONE_KEY, *ON_ONE_CHANNEL, "TIME", "XREADGROUP"}


async def test_the_documented_rule_is_enough(admin: Store, empty_valkey_url: str) -> None:
    await user(admin, *rule_for("wp", "{wp}:").split()[3:])
    store = Store(as_user(empty_valkey_url))
    await store.check()
    await store.look()
    found = await require_rights(store)
    assert (found.commands, found.channel, found.hint) == ((), False, "")
    await store.prepare("x")
    assert await store.secret()
    await store.close()


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ("~{wp}:* &{wp}:* +@all -@dangerous +info -xautoclaim", "xautoclaim"),
        ("~{wp}:* &{wp}:* +@all -@dangerous +info -@sortedset", "zadd, zcard"),
        ("~other:* &{wp}:* +@all -@dangerous +info", "del, exists"),
        ("%R~{wp}:* &{wp}:* +@all -@dangerous +info", "del, expire"),
        ("~{wp}:* &{wp}:* +@all -@dangerous", "info"),
        ("~{wp}:* &{wp}:* +@all -@dangerous -@scripting +info", "evalsha"),
    ],
)
async def test_what_is_missing_is_named_with_the_rule(
    admin: Store, empty_valkey_url: str, rules: str, missing: str
) -> None:
    await user(admin, *rules.split())
    store = Store(as_user(empty_valkey_url))
    with pytest.raises(StoreUnfit, match=rf"{missing}.*ACL SETUSER wp ~\{{wp\}}:\* &\{{wp\}}:\* \+@all"):
        await require_rights(store)
    assert not await admin.redis.keys("*"), "asking writes nothing"
    await store.close()


async def test_a_closed_channel_is_reported_and_undoes_nothing(admin: Store, empty_valkey_url: str) -> None:
    await user(admin, "~{wp}:*", "resetchannels", "+@all", "-@dangerous", "+info")
    store = Store(as_user(empty_valkey_url))
    found = await require_rights(store)
    assert (found.commands, found.channel) == ((), True)
    assert "&{wp}:*" in found.hint
    await store.prepare("x")
    await queued(store, article("a"))
    end = matcher(store)
    (entry,) = await end.claims.take(10, block=False)
    assert await match_one(end, entry, end.read(entry), RoutedHit(hit("a"), ("g",))) == (True,), "it is counted"
    assert (await Ledger(store).audit()).totals["parked"] == 1
    await store.close()


async def test_the_default_user_lacks_nothing(admin: Store) -> None:
    assert not (await rights(admin)).commands
