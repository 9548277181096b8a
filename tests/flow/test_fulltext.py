"""A feed that shows headlines, and pages that hold the text: what is matched is the page."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.flow.world import SECRET
from tests.http_server import Answer, HttpServer

CONFIG = """
version: 1
feeds: {{desk: {{url: "{http}/feed", fulltext: true, on_new: all, allow_private: [127.0.0.0/8]}}}}
topics: {{mali: "Mali AND lorries", wagner: "Wagner"}}
receivers:
  hook: {{type: webhook, url: "{http}/hook", secrets: [{{env: HOOK_SECRET}}], allow_private: [127.0.0.0/8]}}
routes: [{{to: hook, digest: {{every: 1h, empty: never}}}}]
limits: {{host_gap: 50ms}}
"""
ITEM = "<item><title>{0}</title><guid>{0}</guid><link>{1}</link></item>"
TEXT = (
    "<p>Three lorries were found empty on the road north of Gao early on Monday, two drivers said by telephone.</p>"
    "<p>Nobody has claimed the attack, and the governor's office would not say who had been guarding the convoy.</p>"
)
MENU = "<nav><ul><li><a href='/w'>Wagner Group</a></li><li><a href='/m'>Mali lorries</a></li></ul></nav>"
PAGE = f"<html><body>{MENU}<article><h1>News</h1>{TEXT}</article></body></html>".encode()


async def test_what_the_page_says_is_matched_and_its_menu_is_not(tmp_path: Path) -> None:
    async with HttpServer() as http:
        items = "".join(ITEM.format(*pair) for pair in [("Mali: a convoy", "/a"), ("Football", "/b")])
        http.on("/feed", Answer(200, {}, f"<rss version='2.0'><channel>{items}</channel></rss>".encode()))
        http.on("/a", Answer(200, {"Content-Type": "text/html"}, PAGE))
        http.on("/hook", Answer(204))
        (tmp_path / "watchpost.yaml").write_text(CONFIG.format(http=http.url("").rstrip("/")))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchpost", "run", "--once", "--config", "watchpost.yaml", "--data", "data"),
            cwd=tmp_path,
            env={**os.environ, "HOOK_SECRET": SECRET},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert [request.target for request in http.requests] == ["/feed", "/robots.txt", "/a", "/hook"]
        (story,) = json.loads(http.requests[-1].body)["data"]["stories"]
    assert story["title"] == "Mali: a convoy"
    assert [topic["name"] for topic in story["topics"]] == ["mali"]
    assert "lorries" in story["snippet"]["text"]
