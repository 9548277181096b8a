"""A whole watchpost, subscribed at a hub: confirmed, pushed, polled, and nothing told twice."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import parse_qs

import httpx

from tests.flow.world import SECRET
from tests.http_server import Answer, HttpServer

CONFIG = """
version: 1
public_url: "http://127.0.0.1:{port}"
http: {{listen: "127.0.0.1:{port}"}}
feeds: {{desk: {{url: "{site}/feed", every: 1s, on_new: all, allow_private: [127.0.0.0/8]}}}}
topics: {{mali: mali}}
receivers:
  hook: {{type: webhook, url: "{site}/hook", secrets: [{{env: HOOK_SECRET}}], allow_private: [127.0.0.0/8]}}
routes: [{{to: hook, mode: immediate, group_wait: 100ms}}]
limits: {{host_gap: 0s}}
"""


def rss(*titles: str) -> bytes:
    items = "".join(f"<item><title>{title} in Mali</title><guid>{title}</guid></item>" for title in titles)
    return f"<rss version='2.0'><channel><title>D</title>{items}</channel></rss>".encode()


def told(server: HttpServer) -> list[str]:
    bodies = [json.loads(request.body) for request in server.requests if request.target == "/hook"]
    return [story["title"].partition(" ")[0] for body in bodies for story in body["data"]["stories"]]


async def until(server: HttpServer, target: str, number: int) -> None:
    """So many requests for the path have come."""
    while sum(request.target == target for request in server.requests) < number:
        await asyncio.sleep(0.05)


async def test_what_a_hub_pushes_is_told_once_and_what_others_push_never(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with HttpServer() as site, httpx.AsyncClient() as hub:
        link = {"Link": f'<{site.url("/hub")}>; rel="hub", <{site.url("/feed")}>; rel="self"'}
        site.on("/feed", Answer(200, link, rss("one")))
        site.on("/hub", Answer(202))
        site.on("/hook", Answer(204))
        (tmp_path / "watchpost.yaml").write_text(CONFIG.format(port=port, site=site.url("").rstrip("/")))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchpost", "run", "--config", "watchpost.yaml", "--data", "data"),
            cwd=tmp_path,
            env={**os.environ, "HOOK_SECRET": SECRET},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                await until(site, "/hub", 1)
                asked = next(request for request in site.requests if request.target == "/hub")
                form = {key: value for key, (value,) in parse_qs(asked.body.decode()).items()}
                intent = {"mode": "subscribe", "topic": form["hub.topic"], "challenge": "c", "lease_seconds": "86400"}
                query = {f"hub.{key}": value for key, value in intent.items()}
                assert (await hub.get(form["hub.callback"], params=query)).text == "c"
                await until(site, "/hook", 1)

                site.on("/feed", Answer(200, link, rss("two", "one")))
                wrong = {"x-hub-signature": "sha256=" + "0" * 64}
                assert (await hub.post(form["hub.callback"], content=rss("three"), headers=wrong)).status_code == 202
                mark = hmac.new(form["hub.secret"].encode(), rss("two"), hashlib.sha256).hexdigest()
                right = {"x-hub-signature": f"sha256={mark}"}
                assert (await hub.post(form["hub.callback"], content=rss("two"), headers=right)).status_code == 204
                await until(site, "/hook", 2)
            polls = sum(request.target == "/feed" for request in site.requests)
            await asyncio.sleep(3)
            assert sum(request.target == "/feed" for request in site.requests) <= polls + 1, "it is pushed now"
            assert told(site) == ["one", "two"]
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert form["hub.secret"] not in said.decode()
