"""A host whose only way out is a proxy with a login: feeds, messages and the heartbeat go through it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.http_server import CERTIFICATE, Answer, HttpServer
from tests.proxy_server import ProxyServer

FEED = """<rss version="2.0"><channel><title>Paper</title><item><title>{title}</title><guid>{title}</guid>
<description>A long enough report about Mali, and about nothing else.</description></item></channel></rss>"""
CONFIG = """version: 1
defaults: {{feed: {{every: 1s, on_new: all, proxy: {{url: {{env: HTTPS_PROXY}}}}}}}}
feeds:
  paper: {{url: "http://paper.test/feed"}}
  secure: {{url: "https://localhost:{secure}/feed", allow_private: [127.0.0.0/8]}}
  inside: {{url: "http://10.9.8.7/feed"}}
  moved: {{url: "http://paper.test/moved"}}
topics: {{mali: mali}}
receivers:
  hook:
    type: webhook
    url: https://localhost:{secure}/hook
    allow_private: [127.0.0.0/8]
    proxy: {{url: {{env: HTTPS_PROXY}}}}
routes: [{{to: hook, mode: immediate, group_wait: 100ms}}]
heartbeat: {{url: "http://switch.test/ping", every: 10s, proxy: {{url: {{env: HTTPS_PROXY}}}}}}
http: {{listen: "127.0.0.1:0"}}
"""


@pytest.mark.timeout(400)
async def test_everything_goes_through_the_proxy_and_no_bare_private_address_does(tmp_path: Path) -> None:
    async with HttpServer() as site, HttpServer(tls=True) as secure:
        site.on("/feed", Answer(200, {}, FEED.format(title="plain").encode()))
        site.on("/moved", Answer(302, {"Location": "http://169.254.169.254/latest/meta-data"}))
        site.on("/ping", Answer(200))
        secure.on("/feed", Answer(200, {}, FEED.format(title="encrypted").encode()))
        secure.on("/hook", Answer(200))
        async with ProxyServer({"paper.test": site.port, "switch.test": site.port}, login="me:hush") as proxy:
            config = tmp_path / "watchpost.yaml"
            config.write_text(CONFIG.format(secure=secure.port))
            env = {key: value for key, value in os.environ.items() if not key.startswith("WATCHPOST_")}
            env |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(CERTIFICATE)}
            words = ["-m", "watchpost", "run", "--config", str(config), "--data", str(tmp_path / "data")]
            with (tmp_path / "log.txt").open("wb") as log:
                service = await asyncio.create_subprocess_exec(sys.executable, *words, env=env, stdout=log, stderr=log)
            try:
                async with asyncio.timeout(120):
                    while not _complete(site, secure, tmp_path):
                        await asyncio.sleep(0.2)
            finally:
                service.terminate()
                await service.wait()
        logged = (tmp_path / "log.txt").read_text()
        assert set(proxy.asked) == {
            ("GET", "paper.test"),
            ("GET", "switch.test"),
            ("CONNECT", "localhost"),
        }, "neither the bare private address nor what a redirect names is asked of the proxy"
        assert proxy.refused == 0
        assert "hush" not in logged


def _complete(site: HttpServer, secure: HttpServer, place: Path) -> bool:
    posted = b"".join(request.body for request in secure.requests if request.target == "/hook")
    logged = (place / "log.txt").read_text()
    blocked = all(f'"source": "{name}", ' in logged and "blocked" in logged for name in ("inside", "moved"))
    beaten = any(request.target == "/ping" for request in site.requests)
    return blocked and beaten and all(title in posted for title in (b"plain", b"encrypted"))
