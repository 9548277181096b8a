"""`python -m tests.web.screenshots DIR [all]`: three pages of the demo as pictures; with `all` each, in each size."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.servers import valkey_server
from tests.web import demo
from tests.web.browser import browser
from tests.web.web_app import pages
from watchpost.match.routing import all_groups
from watchpost.model import derive_id, story_path
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group

SIZES = {"": (1280, 860), "-360": (360, 780)}
STORY = story_path(derive_id("story", "convoy"))
GROUPS = all_groups(demo.config().routes)
PAGES = {
    "news": "/",
    "story": STORY,
    "status": "/status",
    "stories": "/stories",
    "places": "/places",
    "feeds": "/feeds",
    "feed": "/feeds/sahel-courier",
    "topics": "/topics",
    "topic": "/topics/mali",
    "digests": "/editions",
    "replay": "/deliveries/replay?since=6h",
    "mistakes": "/deliveries/replay?since=6",
    "upcoming": f"/editions/{GROUPS[1].id}",
    "deliveries": "/deliveries",
    "config": "/config",
}
IN_README = ("news", "story", "topic")
TRIED = {"title": "Convoy reaches Kidal", "text": "Mali’s army entered Kidal on Tuesday, drivers from Gao say."}


async def take(folder: Path, everything: bool) -> None:
    """news.png, story.png and topic.png, or every page."""
    folder.mkdir(parents=True, exist_ok=True)
    with valkey_server() as server:
        store = Store(server.url)
        await ensure_group(store.redis, store.keys.articles, keys.MATCH)
        await demo.furnish(store)
        for role in ("poll", "match", "notify"):
            await store.heartbeat(role, f'{{"role": "{role}", "version": ""}}')
        async with (
            pages(store, config=demo.config(), previews=demo.previews()) as address,
            browser() as chromium,
        ):
            for scheme in ("light", "dark") if everything else ("light",):
                for suffix, (width, height) in SIZES.items() if everything else [("", SIZES[""])]:
                    page = await chromium.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme="dark" if scheme == "dark" else "light",
                    )
                    for name, path in PAGES.items():
                        if not everything and name not in IN_README:
                            continue
                        await page.goto(address + path)
                        if name == "topic":
                            await page.get_by_role("textbox", name="Headline").fill(TRIED["title"])
                            await page.get_by_role("textbox", name="Text").fill(TRIED["text"])
                            await page.get_by_role("button", name="Try it").click()
                            await page.evaluate("scrollTo(0, 0)")
                        ending = f"{suffix}-{scheme}" if everything else ""
                        await page.screenshot(path=folder / f"{name}{ending}.png", full_page=everything)
                    await page.close()
        await store.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), "all" in sys.argv[2:]))
