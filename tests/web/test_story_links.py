"""The page that a link in mail leads to: a GET changes nothing, a button acts in the recipient's name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.making import article
from tests.notify.digests import usual
from tests.notify.test_story_links import mailer
from tests.web.test_pages import HOSTILE
from tests.web.web_app import TEXT, FixedPreviews, config_of, found, pages
from watchpost.config.passwords import hashed
from watchpost.match.routing import all_groups
from watchpost.notify.story_links import key_of, link_path
from watchpost.operations.previews import Preview
from watchpost.store.client import Store
from watchpost.store.handling import Handlings
from watchpost.store.silences import Silences
from watchpost.store.verdicts import Verdicts

CONFIG = config_of(
    "public_url: https://watch.example.org\n"
    + TEXT.replace(
        "receivers: {",
        "receivers: {mail: {type: email, actions: 7d, from: w@example.org, smtp: {host: smtp.example.org}, "
        "to: [Anna <anna@example.org>, eva@example.org]}, ",
    ).replace(
        'http: {listen: "127.0.0.1:0"}',
        'http: {listen: "127.0.0.1:0", auth: {users: {u: {env: HASH}, wall: {env: HASH}}, view: [wall]}}',
    ),
    (("HASH", hashed("a password", bytes(16))),),
)
ANNA, EVA = "anna@example.org", "eva@example.org"


async def link(
    store: Store, story: str, address: str = ANNA, receiver: str = "mail", until: timedelta = timedelta(days=1)
) -> str:
    return link_path(story, key_of(await store.secret(), receiver, address, story, datetime.now(UTC) + until))


async def test_a_scanner_that_follows_every_link_changes_nothing(store: Store) -> None:
    made = await found(store, article("Kidal"))
    path = await link(store, made.story)
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        for do in ("", "?do=acknowledge", "?do=claim", "?do=mute", "?do=not-relevant", "?done=claim"):
            for method in ("GET", "HEAD"):
                answer = await client.request(method, address + path + do)
                assert answer.status_code == 200
        empty = await client.post(address + path, content=b"List-Unsubscribe=One-Click")
        assert empty.status_code == 200
    assert [key async for key in store.redis.scan_iter(match="*handling*")] == []
    assert await Silences(store).all() == ()
    assert await Verdicts(store).of("mali") == ()


@pytest.mark.parametrize(
    ("action", "undo"),
    [
        ("acknowledge", "reopen"),
        ("claim", "release"),
        ("mute", "unmute"),
        ("relevant", "no-verdict"),
        ("not-relevant", "no-verdict"),
    ],
)
async def test_a_button_acts_in_the_name_of_the_recipient_and_can_be_undone(
    store: Store, action: str, undo: str
) -> None:
    made = await found(store, article("Kidal"))
    path = await link(store, made.story)

    async def by() -> set[str]:
        handling = (await Handlings(store, CONFIG.retention.hits).of([made.story]))[made.story]
        deeds = [deed.by for deed in (handling.claimed, handling.acknowledged) if deed is not None]
        muted = [one.by for one in await Silences(store).all() if one.until > datetime.now(UTC)]
        verdicts = [f"{one.by} {one.relevant}" for one in await Verdicts(store).of("mali")]
        return {*deeds, *muted, *verdicts}

    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}{path}?do={action}")).text
        assert re.search(rf'value="{action}">.*<button type="submit">', page), "the action asked for is the main button"
        assert ANNA in page
        done = await client.post(address + path, data={"do": action, "topic": "mali" if "rel" in action else ""})
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?done={action}")
        expected = {"relevant": f"{ANNA} True", "not-relevant": f"{ANNA} False"}.get(action, ANNA)
        assert await by() == {expected}
        page = (await client.get(address + done.headers["location"])).text
        assert 'role="status"' in page
        assert f'value="{undo}"' in page
        await client.post(address + path, data={"do": undo})
        assert await by() == set()


async def test_who_comes_second_is_told(store: Store) -> None:
    made = await found(store, article("Kidal"))
    await Handlings(store, CONFIG.retention.hits).claim(made.story, "ben", datetime.now(UTC))
    path = await link(store, made.story)
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        done = await client.post(address + path, data={"do": "claim"})
        assert done.headers["location"] == f"{path}?done=taken"
        assert "claimed by ben" in (await client.get(address + path)).text


async def test_a_story_that_is_muted_is_not_muted_again(store: Store) -> None:
    made = await found(store, article("Kidal"))
    path, other = await link(store, made.story), await link(store, made.story, address=EVA)
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        answers = [await client.post(address + one, data={"do": "mute"}) for one in (path, path, other)]
        assert [answer.headers["location"].partition("=")[2] for answer in answers] == ["mute", "mute", "taken"]
        assert [one.by for one in await Silences(store).all()] == [ANNA]
        await client.post(address + path, data={"do": "unmute"})
        await client.post(address + other, data={"do": "mute"})
        assert [one.by for one in await Silences(store).all() if one.until > datetime.now(UTC)] == [EVA]


async def test_a_link_that_is_not_ours_or_has_ended_shows_nothing_of_the_story(store: Store) -> None:
    made, other = await found(store, article("Kidal")), "0" * 32
    good = await link(store, made.story)
    wrong = [
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace(made.story, other),
        await link(store, made.story, until=timedelta(seconds=-5)),
        await link(store, made.story, address="ben@example.org"),
        await link(store, made.story, receiver="team"),
        f"/a/{made.story}/x",
        f"/a/{made.story}/{'é' * 40}",
    ]
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        for path in wrong:
            for answer in (
                await client.get(address + path),
                await client.post(address + path, data={"do": "claim"}),
            ):
                assert answer.status_code == 404
                assert "Kidal" not in answer.text
        assert (await client.get(address + f"/stories/{made.story}")).status_code == 401, "the link opens no other page"
    assert [key async for key in store.redis.scan_iter(match="*handling*")] == []


async def test_a_story_that_is_no_longer_kept_says_so(store: Store) -> None:
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        answer = await client.get(address + await link(store, "f" * 32))
        assert (answer.status_code, "no longer kept" in answer.text) == (410, True)


async def test_a_link_of_an_earlier_store_goes_on_working(store: Store) -> None:
    made = await found(store, article("Kidal"))
    path = link_path(made.story, key_of("earlier", "mail", ANNA, made.story, datetime.now(UTC) + timedelta(days=1)))
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        assert (await client.get(address + path)).status_code == 404
        store.former_secrets = ("earlier",)
        assert (await client.get(address + path)).status_code == 200


async def test_a_hostile_headline_stays_text(store: Store) -> None:
    made = await found(store, article(HOSTILE))
    async with pages(store, config=CONFIG) as address, httpx.AsyncClient() as client:
        page = (await client.get(address + await link(store, made.story))).text
        assert "<script>alert" not in page


async def test_without_the_option_there_is_no_such_page(store: Store) -> None:
    made = await found(store, article("Kidal"))
    path = await link(store, made.story)
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert (await client.get(address + path)).status_code == 404
        assert "There is no such page" in (await client.get(address + path)).text


async def test_who_may_only_view_sees_mails_without_the_keys_of_their_links(store: Store) -> None:
    (message,) = mailer(actions="7d", to=[ANNA]).render(usual())
    (group,) = all_groups(CONFIG.routes)
    previews = FixedPreviews({group.id: (Preview("1", 1, (message,)),)})
    for user, links, source in (("u", True, 200), ("wall", False, 404)):
        async with (
            pages(store, config=CONFIG, previews=previews) as address,
            httpx.AsyncClient(auth=(user, "a password"), base_url=address) as client,
        ):
            place = f"/editions/{group.id}"
            assert (await client.get(place)).status_code == 200
            assert (await client.get(f"{place}/1/source")).status_code == source
            (answer,) = (await client.get(f"/api/v1{place}")).json()["messages"]
            assert ("mime" in answer["editions"]) == links
            shown = [(await client.get(f"{place}/1/{form}")).text for form in ("html", "text")]
            assert [bool(re.search(r"/a/[^/]+/[0-9a-f]{40}", text)) for text in shown] == [links, links]
            assert all("Claim, acknowledge or mute" in text for text in shown)
