"""A feed that lists only its latest bulletin, and a file that grows by one line: a reader is sent every bulletin."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.flow.rig import Rig
from tests.flow.test_stories import editions
from tests.http_server import Answer, HttpServer
from tests.servers import valkey_server

CONFIG = """
version: 1
feeds: {{port: {{url: "{site}", on_new: all, fulltext: {fulltext}, allow_private: [127.0.0.0/8]}}}}
folders: {{drop: {{path: drop, settle: 200ms}}}}
topics: {{roads: "lorries OR market OR wells"}}
events: false  # this is about bulletins of one page
receivers: {{desk: {{type: file, path: desk}}}}
routes: [{{to: desk, mode: immediate, group_wait: 0s}}]
limits: {{host_gap: 20ms}}
"""
BULLETINS = (
    "Two lorries burned near Ansongo on Sunday.",
    "The market of Hombori opened again on Sunday.",
    "The wells of Lere were poisoned on Sunday.",
)
FRAME = (
    "<p>The harbour office writes this page from the notes of the watch, and masters of vessels may ask for more.</p>"
)


@pytest.mark.parametrize("fulltext", [False, True], ids=["summaries", "pages"])
async def test_each_bulletin_reaches_the_reader_and_the_ledger(rig: Rig, fulltext: bool) -> None:
    with valkey_server() as store:
        rig.env["WATCHPOST_REDIS_URL"] = store.url
        async with HttpServer() as http:
            rig.config.write_text(CONFIG.format(site=http.url("/feed"), fulltext=str(fulltext).lower()))
            for number, text in enumerate(BULLETINS):
                listed = "".join(f"<p>{each}</p>" for each in BULLETINS[number::-1])
                page = f"<html><body><article><h1>Bulletin</h1>{listed}{FRAME * 3}</article></body></html>"
                http.on("/bulletin", Answer(200, {"Content-Type": "text/html"}, page.encode()))
                item = f"<title>Bulletin</title><link>{http.url('/bulletin')}</link><guid>b{number}</guid>"
                item += f"<description>{text}</description>"
                feed = f"<rss version='2.0'><channel><title>Port</title><item>{item}</item></channel></rss>"
                http.on("/feed", Answer(200, {}, feed.encode()))
                line = {"id": number, "title": "Notes of the ford", "url": "https://ford.example/", "body": text}
                with (rig.folder / "ford.jsonl").open("a") as file:
                    file.write(json.dumps(line) + "\n")
                await asyncio.to_thread(rig.once)
        sent = editions(rig.root / "desk")
        assert len({story["id"] for story in sent}) == len(sent) == 2 * len(BULLETINS)
        for title in ("Bulletin", "Notes of the ford"):
            shown = " ".join(story["snippet"]["text"] for story in sent if story["title"] == title)
            assert all(text.split()[1] in shown for text in BULLETINS), shown
        hits = await asyncio.to_thread(rig.ask, "hit", "list", "--receiver", "desk", "--json")
        assert [hit["fate"] for hit in json.loads(hits.stdout)["hits"]] == ["named"] * len(sent)
        await asyncio.to_thread(rig.ask, "queue", "status")  # it ends with 0: everything is accounted for
