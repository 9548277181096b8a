"""One real article, from a file in a folder to a signed webhook, a Slack payload, an e-mail and the outbox."""

from __future__ import annotations

import asyncio
import email
import json
import os
import re
import shutil
import sys
from email.policy import default
from pathlib import Path

from standardwebhooks import Webhook

from tests.flow.world import SECRET
from tests.http_server import Answer, HttpServer
from tests.mail_server import MailServer
from tests.shared import shared
from watchpost.notify.receivers.slack import validate_slack

TITLE = "France up in arms over prospect of Russian mercenaries training soldiers in Mali"
TOPICS = {"barkhane", "mali", "wagner"}
CONFIG = """
version: 1
include: [{topics}]
folders: {{drop: drop}}
receivers:
  hook:  {{type: webhook, url: "{http}/hook", secrets: [{{env: HOOK_SECRET}}], allow_private: [127.0.0.0/8]}}
  chat:  {{type: slack, url: {{env: SLACK_URL}}, allow_private: [127.0.0.0/8]}}
  desk:
    type: email
    from: Watchpost <watch@example.org>
    to: [desk@example.org]
    smtp: {{host: 127.0.0.1, port: {smtp}, tls: none}}
    allow_private: [127.0.0.0/8]
  files: {{type: file, path: outbox}}
routes: [{{to: [hook, chat, desk, files], digest: {{every: 1h, empty: never}}}}]
"""


async def test_the_way_of_an_article(tmp_path: Path) -> None:
    (seed,) = shared("seeds").glob("*.txt")
    (tmp_path / "drop").mkdir()
    shutil.copy(seed, tmp_path / "drop")
    topics = Path(__file__).parents[2] / "config" / "topics" / "*.yaml"
    async with HttpServer() as http, MailServer() as mail:
        http.on("/hook", Answer(204))
        http.on("/chat", Answer(200, body=b"ok"))
        config = CONFIG.format(topics=topics, http=http.url("").rstrip("/"), smtp=mail.port)
        (tmp_path / "watchpost.yaml").write_text(config)
        env = {**os.environ, "HOOK_SECRET": SECRET, "SLACK_URL": http.url("/chat"), "WATCHPOST_LOG_FORMAT": "json"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchpost", "run", "--once", "--config", "watchpost.yaml", "--data", "data"),
            cwd=tmp_path,
            env=env,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        by_path = {request.target: request for request in http.requests}
        hook, chat, (dead_letter,) = by_path["/hook"], by_path["/chat"], mail.mails

    Webhook(SECRET).verify(hook.body, dict(hook.headers))
    event = json.loads(hook.body)
    assert (event["type"], event["schema"]) == ("digest.created", "watchpost/1")
    (story,) = event["data"]["stories"]
    assert story["title"] == TITLE
    assert {topic["name"] for topic in story["topics"]} == TOPICS
    assert story["sources"][0]["outlet"] == "The Southern African Times"
    text = story["snippet"]["text"]
    assert any(text[a:b] in {"Wagner", "Mali", "Barkhane"} for a, b in story["snippet"]["highlights"])

    blocks = json.loads(chat.body)
    assert validate_slack(blocks) == ()
    assert TITLE in json.dumps(blocks, ensure_ascii=False)

    message = email.message_from_bytes(dead_letter.content, policy=default)
    assert TITLE[:30] in message["subject"]
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert " ".join(TITLE.split()) in " ".join(plain.get_content().replace("**", "").split()), (
        "matched words are marked"
    )
    assert TITLE in " ".join(re.sub("</?(mark|b|strong|span)[^>]*>", "", html.get_content()).split())

    files = {path.suffix: path for path in (tmp_path / "outbox").iterdir()}
    assert set(files) == {".json", ".html", ".txt"}
    assert json.loads(files[".json"].read_text())["data"]["stories"][0]["title"] == TITLE
