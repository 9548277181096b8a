"""A canary in every place where a secret can stand; then everything that a running service says is searched for it."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.flow.rig import Rig

PLACES = (
    "feed_query", "feed_path", "feed_header", "feed_password", "hook_url", "hook_secret", "slack_url", "slack_token",
    "discord_url", "ntfy_token", "smtp_password", "heartbeat_url", "redis_password",
)  # fmt: skip
CANARIES = {place: f"c4nary{number:02}{place.replace('_', '').upper()}x9" for number, place in enumerate(PLACES)}


def lay_out(rig: Rig) -> None:
    """A configuration in which everything that goes to the outside fails, and each failure has something to quote."""
    c = CANARIES
    rig.env |= {
        "FEED_HEADER": c["feed_header"],
        "FEED_PASSWORD": c["feed_password"],
        "HOOK_URL": f"{rig.site}/hook/{c['hook_url']}",
        "HOOK_SECRET": f"whsec_{c['hook_secret']}AAAAAAAAAAAAAAAAAAAAAAAA",
        "SLACK_URL": f"{rig.site}/services/T1/{c['slack_url']}",
        "SLACK_TOKEN": c["slack_token"],
        "DISCORD_URL": f"{rig.site}/api/webhooks/1/{c['discord_url']}",
        "NTFY_TOKEN": c["ntfy_token"],
        "SMTP_PASSWORD": c["smtp_password"],
        "HEARTBEAT_URL": f"{rig.site}/ping?key={c['heartbeat_url']}",
    }
    allow = "allow_private: [127.0.0.0/8]"
    rig.config.write_text(f"""
version: 1
feeds:
  world: {{url: {rig.site}/feed, every: 1s, {allow}}}
  query: {{url: "http://127.0.0.1:1/feed?token={c["feed_query"]}", every: 1s, {allow}}}
  path: {{url: "http://127.0.0.1:1/private/{c["feed_path"]}/rss", every: 1s, {allow}}}
  header: {{url: "http://127.0.0.1:1/h", every: 1s, headers: {{Authorization: {{env: FEED_HEADER}}}}, {allow}}}
  basic: {{url: "http://no.such.host.invalid/h", auth: {{username: me, password: {{env: FEED_PASSWORD}}}}}}
topics: {{mali: mali}}
receivers:
  hook: {{type: webhook, url: {{env: HOOK_URL}}, secrets: [{{env: HOOK_SECRET}}], {allow}}}
  slack: {{type: slack, url: {{env: SLACK_URL}}, {allow}}}
  bot: {{type: slack, token: {{env: SLACK_TOKEN}}, channel: C1, api_url: "{rig.site}/api", {allow}}}
  discord: {{type: discord, url: {{env: DISCORD_URL}}, {allow}}}
  phone: {{type: ntfy, url: "http://127.0.0.1:1/duty", token: {{env: NTFY_TOKEN}}, {allow}}}
  desk:
    type: email
    from: watch@example.org
    to: [desk@example.org]
    smtp: {{host: 127.0.0.1, port: 1, tls: none, username: watch, password: {{env: SMTP_PASSWORD}}}}
    {allow}
routes: [{{to: [hook, slack, bot, discord, phone, desk], mode: immediate, group_wait: 100ms}}]
heartbeat: {{url: {{env: HEARTBEAT_URL}}, every: 10s, {allow}}}
http: {{listen: "127.0.0.1:0"}}
""")


def searched(what: str, text: str) -> None:
    for place, canary in CANARIES.items():
        assert canary not in text, f"{what} shows {place}"


def command(rig: Rig, *words: str) -> str:
    """What a command says, on both its outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "watchpost", *words],
        env={**rig.env, "WATCHPOST_CONFIG": str(rig.config), "WATCHPOST_DATA": str(rig.data)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def page(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_said_anywhere(rig: Rig, form: str) -> None:
    lay_out(rig)
    rig.world.status = 500
    rig.publish("canary")
    rig.start(env={"WATCHPOST_LOG_FORMAT": form, "WATCHPOST_LOG_LEVEL": "debug"})
    log = rig.root / "log.txt"

    receivers = ("hook", "slack", "bot", "discord", "phone", "desk")
    waits = ["{} did not accept", '"receiver":"{}"'][form == "json"]

    def tried() -> bool:
        said = log.read_text("utf-8").replace('": "', '":"')
        failed = set(re.findall(r'"source":"(\w+)"|(\w+) cannot be read', said))
        return all(waits.format(name) in said for name in receivers) and len(failed) >= 4

    rig.until(tried)
    listen = re.findall(r'(?:pages at http://|"listen": ?")(127\.0\.0\.1:\d+)', log.read_text())[0]
    pages = ("/", "/stories", "/feeds", "/topics", "/topics/mali", "/editions", "/deliveries", "/config")
    for path in (*pages, "/metrics", "/status.json", "/readyz", "/healthz", "/-/reload", "/nowhere"):
        text = page(f"http://{listen}{path}")
        assert text
        searched(path, text)
    for words in (
        "check",
        "feed list",
        "feed show header",
        "queue status",
        "delivery list",
        "delivery list --json",
        "receiver list",
    ):
        searched(f"watchpost {words}", command(rig, *words.split()))
    searched("the log", log.read_text("utf-8"))


def test_no_error_says_it_either(rig: Rig) -> None:
    lay_out(rig)
    rig.env["WATCHPOST_REDIS_URL"] = f"redis://:{CANARIES['redis_password']}@127.0.0.1:1/0"
    said = command(rig, "run")
    assert "127.0.0.1:1" in said
    searched("a store that is away", said)
    rig.env["HOOK_URL"] = f"ftp://{CANARIES['hook_url']}"
    rig.env["SMTP_PASSWORD"] = f"{CANARIES['smtp_password']}\x01\n"
    rig.config.write_text(rig.config.read_text().replace("every: 1s", f"every: {CANARIES['ntfy_token']}"))
    said = command(rig, "check")
    assert "receivers.hook.url" in said
    searched("a configuration with mistakes", said)
