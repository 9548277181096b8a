"""The pages in a real browser: hostile content is inert, everything works without JavaScript and on a phone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, Response, expect

from tests.making import article
from tests.web import demo
from tests.web.browser import browser
from tests.web.test_auth import basic
from tests.web.test_pages import HOSTILE, PATHS, UPCOMING, furnish, hostile_previews
from tests.web.test_story_links import CONFIG as SIGNING
from tests.web.test_story_links import link
from tests.web.web_app import found, pages
from watchpost.archive.packing import filed
from watchpost.archive.sqlite import SqliteArchive
from watchpost.match.routing import all_groups
from watchpost.model import derive_id, story_path
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group
from watchpost.store.saved_searches import SavedSearch, SavedSearches

NODE = Path(__file__).parents[2] / ".venv" / "node" / "node_modules"
SIZES = ((360, 740), (1280, 800))
WAIT_MS = 30_000
"""How long a page may take to answer a click: a click or a key does not wait for the page that it asks for."""
# Its text is made for people, not for a machine that counts the letters of a title; and a `rel` more is no mistake.
RULES = {"extends": ["html-validate:recommended"], "rules": {"long-title": "off"}}

MORE = (
    *(f"/editions/{group.id}" for group in all_groups(demo.config().routes)),
    "/deliveries/replay?since=6h",
    "/deliveries/replay?since=6",
    "/?since=7d",
    "/feeds/sahel-courier",
    story_path(derive_id("story", "convoy")),
)


def _demo(store: Store) -> AbstractAsyncContextManager[str]:
    """The newsroom's pages."""
    return pages(store, config=demo.config(), previews=demo.previews())


def _note(answered: list[str], answer: Response) -> None:
    answered.append(answer.url)


def node(name: str) -> Path:
    """A file of an npm package. Absent: the test is skipped, in CI it fails."""
    path = NODE / name
    if not path.exists():
        message = f"no {path}: make browser"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture
async def store(empty_valkey_url: str) -> Store:
    """The real server alone: a browser is slow enough."""
    store = Store(empty_valkey_url)
    await ensure_group(store.redis, store.keys.articles, keys.MATCH)
    return store


async def watch(chromium: Browser, address: str, *, script: bool, size: tuple[int, int]) -> tuple[Page, list[str]]:
    """A page whose every complaint, dialog and foreign request is written down."""
    context = await chromium.new_context(java_script_enabled=script, viewport={"width": size[0], "height": size[1]})
    page, wrong = await context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
    page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
    return page, wrong


@pytest.mark.timeout(240)
async def test_hostile_content_is_inert_on_every_page_in_every_size(store: Store) -> None:
    await furnish(store)
    paths = (*PATHS, f"/e/{'a' * 32}", f"/stories?q={HOSTILE}", "/deliveries/replay?since=6h", "/nothing")
    async with pages(store) as address, browser() as chromium:
        for script in (True, False):
            for size in SIZES:
                page, wrong = await watch(chromium, address, script=script, size=size)
                for path in paths:
                    answer = await page.goto(address + path, wait_until="load")
                    assert answer is not None
                    assert answer.status == (404 if path == "/nothing" else 200), path
                    width = await page.locator("html").evaluate("html => html.scrollWidth") if script else size[0]
                    assert width <= size[0], f"{path} is wider than {size[0]} px"
                wrong = [text for text in wrong if "404" not in text]
                assert wrong == [], (script, size)
                await page.context.close()


@pytest.mark.timeout(120)
async def test_a_digest_in_its_frame_runs_and_loads_nothing(store: Store) -> None:
    async with pages(store, previews=hostile_previews()) as address, browser() as chromium:
        for script in (True, False):
            for size in SIZES:
                page, wrong = await watch(chromium, address, script=script, size=size)
                answered = list[str]()
                page.on("response", partial(_note, answered))
                for path in (UPCOMING, f"{UPCOMING}/1/html", f"{UPCOMING}/2/html"):
                    await page.goto(address + path, wait_until="load")
                    if script and path == UPCOMING:
                        assert await page.locator("html").evaluate("html => html.scrollWidth") <= size[0]
                frames = [url for url in answered if url.endswith("/html")]
                assert len(frames) == 3, "the first in its frame, both alone"
                assert [url for url in answered if not url.startswith(address)] == []
                prevented = ("Blocked script", "Refused to execute", "Loading the image", "Framing", "https://evil")
                assert [text for text in wrong if not text.startswith(prevented)] == [], (script, size)
                await page.context.close()


@pytest.mark.timeout(120)
async def test_every_page_works_without_javascript(store: Store) -> None:
    await demo.furnish(store)
    async with _demo(store) as address, browser() as chromium:
        page, wrong = await watch(chromium, address, script=False, size=SIZES[0])
        await page.goto(address)
        for name in ("Stories", "Feeds", "Topics", "Digests", "Deliveries", "Configuration", "Status", "News"):
            async with page.expect_navigation(timeout=WAIT_MS):
                await page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
            assert await page.get_by_role("heading", level=1).count() == 1
        await page.goto(f"{address}/stories")
        await page.get_by_text("Search", exact=True).first.click()
        await page.get_by_label("Words").fill("convoi")
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_role("article")).to_have_count(1, timeout=WAIT_MS)
        await page.get_by_text("Why").first.click()
        await expect(page.get_by_text("by Africa Corps")).to_have_count(0, timeout=WAIT_MS)
        await page.goto(f"{address}/topics/wagner")
        await page.get_by_role("textbox", name="Text").fill("Richard Wagner in Bayreuth")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_text("It does not match.")).to_have_count(1, timeout=WAIT_MS)
        assert wrong == []


@pytest.mark.timeout(240)
async def test_reports_come_before_forms_on_a_telephone_and_a_wide_screen_shows_the_forms(store: Store) -> None:
    await demo.furnish(store)
    story = story_path(derive_id("story", "convoy"))
    async with _demo(store) as address, browser() as chromium:
        for script in (True, False):
            page, wrong = await watch(chromium, address, script=script, size=SIZES[0])
            await page.goto(f"{address}/stories")
            box = await page.locator("article h2").first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < SIZES[0][1] / 2, "the first headline is in the upper half"
            await page.goto(address + story)
            table, note = page.get_by_role("table").first, page.get_by_text("Add a note", exact=True)
            above, below = await table.bounding_box(), await note.bounding_box()
            assert above is not None
            assert below is not None
            assert above["y"] < below["y"]
            assert not await page.get_by_label("Note", exact=True).is_visible()
            await note.click()
            await page.get_by_label("Note", exact=True).fill("by telephone")
            await page.get_by_role("button", name="Add note").click()
            await expect(page.get_by_text("by telephone")).to_have_count(1, timeout=WAIT_MS)
            await page.context.close()
            page, more = await watch(chromium, address, script=script, size=SIZES[1])
            for path, label in (("/stories", "Words"), (story, "Note"), (story, "Duration")):
                await page.goto(address + path)
                assert await page.get_by_label(label, exact=True).is_visible(), "no click is needed on a wide screen"
            assert wrong == more == []
            await page.context.close()


@pytest.mark.timeout(120)
async def test_the_first_screen_of_a_telephone_shows_headlines_and_the_keyboard_reaches_them(store: Store) -> None:
    await demo.furnish(store)
    async with _demo(store) as address, browser() as chromium:
        page, wrong = await watch(chromium, address, script=False, size=SIZES[0])
        await page.goto(address)
        tops = [await line.bounding_box() for line in await page.locator(".headline h3").all()]
        shown = [box for box in tops if box is not None and box["y"] + box["height"] <= SIZES[0][1]]
        assert len(shown) >= 3
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.closest('.headline h3') !== null"):
                break
        else:
            pytest.fail("no headline has the focus")
        await page.locator(".headline").first.get_by_role("link", name="Whole story").press("Enter")
        await expect(page.get_by_role("heading", name="Reports")).to_have_count(1, timeout=WAIT_MS)
        await page.goto(address)
        await page.get_by_text("Running, with problems").press("Enter")
        await page.get_by_role("link", name="Status: queues").press("Enter")
        await expect(page.get_by_role("heading", name="Queues")).to_have_count(1, timeout=WAIT_MS)
        await page.goto(address)
        await page.get_by_role("button", name="Mark all as seen").press("Enter")
        await expect(page.get_by_role("heading", name="Nothing new")).to_have_count(1, timeout=WAIT_MS)
        assert wrong == []


@pytest.mark.timeout(120)
async def test_with_javascript_a_page_follows_what_happens(store: Store) -> None:
    async with pages(store) as address, browser() as chromium:
        page, wrong = await watch(chromium, address, script=True, size=SIZES[1])
        async with page.expect_response(lambda answer: answer.url.endswith("/live")):
            await page.goto(f"{address}/stories")
        await found(store, article("Kidal hears of it at once"))
        await page.get_by_text("Kidal hears of it at once").first.wait_for(timeout=20_000)
        assert wrong == []


@pytest.mark.timeout(120)
async def test_the_keyboard_reaches_the_content_first(store: Store) -> None:
    async with pages(store) as address, browser() as chromium:
        page, _ = await watch(chromium, address, script=True, size=SIZES[1])
        await page.goto(address)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(store: Store, scheme: str) -> None:
    axe = node("axe-core/axe.min.js").read_text("utf-8")
    await demo.furnish(store)
    async with _demo(store) as address, browser() as chromium:
        page = await chromium.new_page(color_scheme="dark" if scheme == "dark" else "light")
        for path in (
            *PATHS,
            *MORE,
            f"/e/{derive_id('delivery', 'Alert: Convoy from Gao reaches Kidal')}",
            "/nothing",
        ):
            await page.goto(address + path)
            await page.evaluate(axe)
            result = await page.evaluate("axe.run()")
            assert _serious(result["violations"]) == [], path


def _serious(violations: Sequence[dict[str, object]]) -> list[str]:
    return [f"{one['id']}: {one['nodes']}" for one in violations if one["impact"] in ("serious", "critical")]


@pytest.mark.timeout(240)
async def test_search_and_links_in_mail_fit_a_telephone_and_have_no_serious_fault(store: Store, tmp_path: Path) -> None:
    axe, tool = node("axe-core/axe.min.js").read_text("utf-8"), node(".bin/html-validate")
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps(RULES))
    archive = SqliteArchive(tmp_path / "archive")
    archive.add([filed(article(f"{HOSTILE} {number}", url=f"https://e.org/{number}")) for number in range(40)])
    made = await found(store, article(HOSTILE * 4, outlet=HOSTILE))
    await SavedSearches(store).add(SavedSearch("Gao", {"q": HOSTILE}, "anna", datetime.now(UTC)))
    paths = ("/search", "/search?q=alert", "/search?q=(", "/searches/Gao", await link(store, made.story) + "?do=claim")
    async with pages(store, config=SIGNING, archive=archive) as address, browser() as chromium:
        for scheme in ("light", "dark"):
            page, _ = await watch(chromium, address, script=True, size=SIZES[0])
            await page.set_extra_http_headers(basic("u", "a password"))
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for number, path in enumerate(paths):
                answer = await page.goto(address + path)
                assert answer is not None
                (tmp_path / f"{number}.html").write_bytes(await answer.body())
                assert await page.locator("html").evaluate("html => html.scrollWidth") <= SIZES[0][0], path
                await page.evaluate(axe)
                result = await page.evaluate("axe.run()")
                assert _serious(result["violations"]) == [], path
            await page.context.close()
    archive.close()
    done = subprocess.run([tool, "--formatter=text", "*.html"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(120)
async def test_html_validate_finds_no_mistake(store: Store, tmp_path: Path) -> None:
    tool = node(".bin/html-validate")
    await demo.furnish(store)
    await furnish(store)
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps(RULES))
    async with (
        _demo(store) as address,
        httpx.AsyncClient() as client,
    ):
        for number, path in enumerate((*PATHS, *MORE, f"/e/{'a' * 32}", "/nothing")):
            (tmp_path / f"{number}.html").write_text((await client.get(address + path)).text, "utf-8")
        tried = await client.post(f"{address}/topics/mali/try", data={"text": HOSTILE}, headers={"origin": address})
        (tmp_path / "tried.html").write_text(tried.text, "utf-8")
        typed = {"text": HOSTILE, "reason": ""}
        refused = await client.post(f"{address}/silences", data=typed, headers={"origin": address})
        assert refused.status_code == 422
        (tmp_path / "refused.html").write_text(refused.text, "utf-8")
    found_by = subprocess.run([tool, "--formatter=text", "*.html"], cwd=tmp_path, capture_output=True, text=True)
    assert found_by.returncode == 0, found_by.stdout
