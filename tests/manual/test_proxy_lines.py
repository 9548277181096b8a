"""The lines for nginx in the manual work with Debian's nginx: paths and the name of the host arrive."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.http_server import Answer, HttpServer

PAGES = Path(__file__).parents[2] / "docs" / "pages.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
FRAME = """daemon off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{server}
}}
"""


@pytest.mark.skipif(NGINX is None and "CI" not in os.environ, reason="nginx is not installed: apt-get install nginx")
async def test_paths_and_the_name_of_the_host_arrive(tmp_path: Path) -> None:
    assert NGINX is not None
    (server,) = re.findall(r"```nginx\n(.*?)```", PAGES.read_text("utf-8"), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    async with HttpServer() as pages:
        pages.on("*", Answer(200, body=b"the page"))
        server = re.sub(r" *ssl_certificate.*\n", "", server)
        server = server.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
        server = server.replace("http://127.0.0.1:8080", pages.url("").rstrip("/"))
        (tmp_path / "nginx.conf").write_text(FRAME.format(server=server))
        command = [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
            try:
                transport = httpx.AsyncHTTPTransport(retries=8)
                async with httpx.AsyncClient(transport=transport) as client:
                    answer = await client.get(
                        f"http://127.0.0.1:{port}/stories?topic=mali", headers={"Host": "watch.example.org"}
                    )
            finally:
                running.terminate()
    assert (answer.status_code, answer.text) == (200, "the page")
    (request,) = pages.requests
    assert request.target == "/stories?topic=mali"
    assert request.headers["host"] == "watch.example.org"
