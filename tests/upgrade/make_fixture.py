"""Makes a fixture of the version that it stands in: `python -m tests.upgrade.make_fixture NAME`, from the project.

It runs the service on feeds, a folder and receivers that are invented, stops it in the middle of its work, and writes
what a later version has to go on with: data-NAME.tar.gz (data directory, folder, outbox), data-NAME.yaml (the
configuration, with `${…}` for the ports) and data-NAME.json (what was told to whom, and what was in the store).
"""

from __future__ import annotations

import asyncio
import email
import hashlib
import json
import signal
import sys
import tarfile
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.upgrade import news
from tests.upgrade.stage import Entry, Stage, way_out

HERE = Path(__file__).parent
CONFIG = """\
version: 1
public_url: https://watch.example.org
defaults: {feed: {proxy: {url: "http://127.0.0.1:${http}"}, every: 1s, on_new: all}}
feeds:
  sahel: http://sahel.example.org/feed.rss
  north: http://north.example.org/feed.rss
  ended: http://ended.example.org/feed.rss
  troubled: http://troubled.example.org/feed.rss
  night: http://night.example.org/feed.rss
folders: {drop: {path: drop, settle: 100ms, every: 200ms}}
topics:
  wagner: {title: Wagner group, query: Wagner, severity: high, window: 4d}
  football: {query: football, window: 4d}
  mali: {title: Mali, query: Mali, window: 4d}
receivers:
  outbox: {type: file, path: outbox}
  archive: &webhook
    type: webhook
    url: "http://127.0.0.1:${http}/archive"
    secrets: [{env: HOOK_SECRET}]
    allow_private: [127.0.0.0/8]
    retry: {schedule: [36h], jitter: 0}
  desk: {<<: *webhook, url: "http://127.0.0.1:${http}/desk"}
  evening: {<<: *webhook, url: "http://127.0.0.1:${http}/evening"}
  refusing: {<<: *webhook, url: "http://127.0.0.1:${http}/refusing"}
  busy: {<<: *webhook, url: "http://127.0.0.1:${http}/busy"}
  closed: {<<: *webhook, url: "http://127.0.0.1:${http}/closed"}
  readers:
    type: email
    from: Watchpost <watch@example.org>
    to: [stays@example.org, leaves@example.org]
    smtp: {host: 127.0.0.1, port: ${smtp}, tls: none}
    allow_private: [127.0.0.0/8]
routes:
  - {when: {feeds: night}, to: desk, mode: immediate, group_wait: 100ms, group_interval: 1s, repeat_interval: 30d}
  - when: {topics: wagner}
    to: [refusing, busy, closed]
    mode: immediate
    group_wait: 100ms
    continue: true
  - {to: archive, mode: immediate, group_wait: 100ms, group_interval: 1m, repeat_interval: 30d, continue: true}
  - {to: [desk, outbox], mode: immediate, group_wait: 100ms, group_interval: 1s, repeat_interval: 30d, continue: true}
  - {to: [evening, readers], digest: {every: 20000d, empty: never}}  # the next one comes in 2079
silences:
  - {match: {text: mangoes}, until: 2099-01-01T00:00:00+00:00, reason: a letter of every spring, by: anna}
limits: {lease: 1s, host_gap: 10ms}
http: {listen: "127.0.0.1:${web}"}
"""
SHOWN = (
    "queue status",
    "queue peek --dead",
    "delivery list",
    "receiver list",
    "feed list",
    "silence list",
    "digest preview evening",
)


async def live(stage: Stage) -> dict[str, Any]:
    """The life of the service until it is stopped; returns what was told to whom, and what is left."""
    await _first_morning(stage)
    service = await stage.start()
    await stage.ready()
    await stage.until(lambda: len(_titles(stage, "desk")) == 4)
    await stage.until(lambda: all(stage.to(hook) for hook in ("refusing", "busy", "closed")))
    await _settled(stage)
    way = await _silenced(stage)
    await _second_morning(stage)
    await stage.stop(service)

    # It is killed in the moment in which a message has arrived, and only its journal knows.
    stage.feed("night", [news.BANK], etag='W/"night-2"')
    service = await stage.start(env={"WATCHPOST_CRASH_AT": "notify.journaled"})
    assert await asyncio.wait_for(service.wait(), 30) == -signal.SIGKILL, stage.log()
    assert stage.posts[-1].titles == [news.BANK.title]

    # One more article is read, and nobody looks at it any more.
    stage.feed("north", [news.TRAIN, *_north()], modified="Thu, 26 Nov 2026 08:00:00 GMT")
    service = await stage.start("poll", "--once")
    assert await service.wait() == 0, stage.log()
    return {"way_out": way, **await _what_is_left(stage)}


async def _first_morning(stage: Stage) -> None:
    stage.statuses = {"refusing": 400, "busy": 503, "closed": 410}
    first = [news.TALKS, news.LEAVING, news.COTTON]
    stage.feed("sahel", first, etag='"sahel-1"', modified="Thu, 26 Nov 2026 06:00:00 GMT")
    stage.feed("north", [news.WELLS], modified="Thu, 26 Nov 2026 05:00:00 GMT")
    stage.feed("night", [], etag='W/"night-1"')
    stage.failing("ended", 410)
    stage.failing("troubled", 503)
    (stage.root / "drop").mkdir()
    (stage.root / "drop" / "note.txt").write_text(news.NOTE, "utf-8")


async def _silenced(stage: Stage) -> str:
    """The readers have an edition, and one of them leaves; a topic and a story are silenced. Returns the way out."""
    await stage.ask("digest", "send", "readers")
    await stage.until(lambda: len(stage.mail.mails) == 2)
    (leaver,) = (mail for mail in stage.mail.mails if "leaves@example.org" in mail.recipients)
    way = way_out(leaver.content)
    assert await stage.page(way, b"List-Unsubscribe=One-Click") == 200
    until = ("--until", "2099-01-01", "--reason")
    await stage.ask("silence", "add", "--topic", "football", *until, "the season is long", "--by", "anna")
    (draft,) = (await stage.ask_json("digest", "preview", "evening"))["drafts"]
    (wells,) = (story["story"] for story in draft["ranking"] if story["title"] == news.WELLS.title)
    await stage.ask("silence", "add", "--story", wells, *until, "the list is on the wall", "--by", "boubacar")
    return way


async def _second_morning(stage: Stage) -> None:
    """More comes: some of it is silenced, all is parked for editions, and an update is held for the archive."""
    (stage.root / "drop" / "letter.md").write_text(news.LETTER, "utf-8")
    stage.feed("north", _north(), modified="Thu, 26 Nov 2026 07:00:00 GMT")
    await stage.until(lambda: news.CONVOY.title in _titles(stage, "desk"))
    corrected = [replace(news.TALKS, title=news.CORRECTED), news.LEAVING, news.COTTON]
    stage.feed("sahel", corrected, etag='"sahel-2"', modified="Thu, 26 Nov 2026 07:30:00 GMT")
    await stage.until(lambda: news.CORRECTED in _titles(stage, "desk"))
    await _settled(stage)


def _north() -> list[Entry]:
    return [news.CONVOY, news.WELLS, news.MATCH]


async def _settled(stage: Stage) -> None:
    """Nothing is on its way but what waits for its time, and what is meant for the receiver that is gone."""
    while True:
        status = await stage.ask_json("queue", "status")
        outbox = {name: waiting for name, waiting in status["outbox"].items() if waiting and name != "closed"}
        if not (status["articles"] or outbox):
            return


async def _what_is_left(stage: Stage) -> dict[str, Any]:
    """What the web role, which changes nothing, shows of the store, and what lies in it."""
    service = await stage.start("web")
    await stage.ready()
    shown = {}
    for words in SHOWN:
        shown[words] = await stage.ask_json(*words.split())
    for draft in shown["digest preview evening"]["drafts"]:
        del draft["messages"]  # their time is that of the preview
    with stage.client() as client:
        keys = sorted(key.decode() for key in client.scan_iter())
        of_the_process = ("{wp}:beat", "{wp}:config:")
        store = {key: _summary(client, key) for key in keys if not key.startswith(of_the_process)}
    await stage.stop(service)
    return {
        "stopped": datetime.now(UTC).isoformat(timespec="seconds"),
        "posts": [post.facts for post in stage.posts],
        "mails": [
            {"to": mail.recipients, "id": email.message_from_bytes(mail.content)["Message-ID"]}
            for mail in stage.mail.mails
        ],
        "files": {path.name: _digest(path.read_bytes()) for path in sorted((stage.root / "outbox").iterdir())},
        "shown": shown,
        "store": store,
    }


def _summary(client: Any, key: str) -> dict[str, Any]:
    """A key's type, whether it ends by itself, and what it holds: long values by their digest, long lists by number."""
    kind = client.type(key).decode()
    found = _held(client, key, kind)
    about = {"holds": found} if kind == "string" or len(found) <= 40 else {"number": len(found)}
    return {"type": kind, "ends": client.pttl(key) >= 0, **about}


def _held(client: Any, key: str, kind: str) -> Any:
    match kind:
        case "string":
            return _short(client.get(key))
        case "hash":
            return {name.decode(): _short(value) for name, value in client.hgetall(key).items()}
        case "zset":
            return {name.decode(): int(score) for name, score in client.zrange(key, 0, -1, withscores=True)}
        case "list":
            return [_short(value) for value in client.lrange(key, 0, -1)]
        case "set":
            return sorted(name.decode() for name in client.smembers(key))
    pending = sum(int(group["pending"]) for group in client.xinfo_groups(key))
    rows = [{name.decode(): _short(value) for name, value in row.items()} for _, row in client.xrange(key)]
    return [*rows, {"pending": pending}]


def _short(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return text if len(text) <= 120 else f"{len(value)} bytes, SHA-256 {_digest(value)}"


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _titles(stage: Stage, *hooks: str) -> list[str]:
    return [title for post in stage.to(*hooks) for title in post.titles]


async def make(name: str) -> None:
    """Write the three files of the fixture."""
    with tempfile.TemporaryDirectory(prefix="wp-") as directory:
        root = Path(directory).resolve()
        async with Stage(root, CONFIG) as stage:
            manifest = await live(stage)
        with tarfile.open(HERE / f"data-{name}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as packed:
            for part in ("var", "drop", "outbox"):
                packed.add(root / part, part, filter=_nobodys)
        (HERE / f"data-{name}.yaml").write_text(CONFIG, "utf-8")
        text = json.dumps({"version": name, **manifest}, indent=1, ensure_ascii=False, sort_keys=True)
        (HERE / f"data-{name}.json").write_text(text + "\n", "utf-8")


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without the maker's name, and without the server's log and the place of its socket, which name this machine."""
    if member.name.endswith((".log", ".lock", ".sock.path")):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    asyncio.run(make(sys.argv[1]))
