"""A whole watchpost in processes of its own, with a world around it: a site with a feed, a folder, an inbox.

The oracle looks at the history from outside: what the site published, what the inbox got, what is left in the
store. Invariants (findings on redis-queue, section 4): I1 nothing published is missing; I2 one delivery id, one
content; I3 no article in two deliveries; I6 nothing is left in the queues.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import redis

from tests.flow.world import SECRET, Handler, World, titles
from watchpost.archive.packing import unpack
from watchpost.archive.sqlite import SqliteArchive
from watchpost.store.client import Store
from watchpost.store.ledger import Gap, Ledger, gaps
from watchpost.store.windows import decode_hit

_NOTED_SECONDS = 0.5  # a "yes" is in the journal after a few ms; on a busy machine later


class Rig:
    """A configuration, a data directory, a world, and the processes that were started."""

    def __init__(
        self,
        root: Path,
        *,
        route: str = "mode: immediate, group_wait: 100ms",
        lease: str = "1s",
        address: str = "127.0.0.1",
    ) -> None:
        self.root = root
        self.world = World()
        handler = type("Handler", (Handler,), {"world": self.world})
        self._http = ThreadingHTTPServer((address, 0), handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.site = f"http://{address}:{self._http.server_port}"
        self.folder = root / "drop"
        self.folder.mkdir()
        self.data = root / "data"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("WATCHPOST_")}
        self.env["HOOK_SECRET"] = SECRET
        self.processes: list[subprocess.Popen[bytes]] = []
        self.poison = 0  # dead letters that `until_quiet` sent again
        self.config = root / "watchpost.yaml"
        self.config.write_text(
            f"""
version: 1
feeds: {{world: {{url: {self.site}/feed, every: 1s, on_new: all, allow_private: [127.0.0.0/8, 10.0.0.0/8]}}}}
folders: {{drop: {{path: drop, settle: 200ms, every: 300ms}}}}
topics: {{mali: mali}}
receivers:
  inbox:
    type: webhook
    url: {self.site}/hook
    secrets: [{{env: HOOK_SECRET}}]
    timeout: 10s
    allow_private: [127.0.0.0/8, 10.0.0.0/8]
routes: [{{to: inbox, {route}}}]
limits: {{lease: {lease}, digests_per_receiver_per_hour: 100000, hits_per_topic_per_hour: 100000}}
http: {{listen: "127.0.0.1:0"}}
"""
        )

    def publish(self, *titles: str) -> None:
        """The site's feed has these articles from now on."""
        with self.world.lock:
            self.world.published.extend(titles)

    def drop(self, title: str) -> None:
        """A file in the folder, as a careful program drops it: written aside, then renamed."""
        scratch = self.folder / f".{title}.tmp"
        scratch.write_text(f"{title}\n\n{title} is about Mali and nothing else, it says in this sample text.\n")
        scratch.rename(self.folder / f"{title}.txt")
        with self.world.lock:
            self.world.dropped.append(title)

    def ask(self, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`watchpost …`, as an operator types it; it ends with this exit code."""
        done = self.run(*words, env=env)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`watchpost …`, whatever its exit code."""
        place = ["--config", str(self.config), "--data", str(self.data)]
        return subprocess.run(
            [sys.executable, "-m", "watchpost", *words, *place],
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def start(
        self, *args: str, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """`watchpost run …` in a process of its own; its output goes to a log file. `prefix` begins the command."""
        log = (self.root / "log.txt").open("ab")
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "watchpost", "run", "--config", self.config, "--data", self.data, *args],
            env={**self.env, **(env or {})},
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        return process

    def once(self, *, code: int = 0) -> None:
        """`watchpost run --once`, to its end."""
        process = self.start("--once")
        assert process.wait(60) == code, self.log()

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s for nothing\n{self.log()}"
            time.sleep(0.05)

    def until_quiet(self, seconds: float, url: str = "") -> None:
        """Wait until everything is told and nothing is on its way; AssertionError says what still is, and who runs.

        What random kills made poison, by ending three workers in a row that had it, is sent again, as a person would.
        """
        end = time.monotonic() + seconds
        while not self.quiet(url):
            left = self.left(url)
            if time.monotonic() >= end:
                missing = sorted(set(self.world.everything()) - set(self.world.told()))
                runs = [process.pid for process in self.processes if process.poll() is None]
                raise AssertionError(
                    f"not quiet after {seconds} s: not told {missing}, left {left}, running {runs}, "
                    f"the feed was asked {time.monotonic() - self.world.fetches[-1]:.0f} s ago\n{self.log()}"
                )
            if "dead" in left:
                env = {"WATCHPOST_REDIS_URL": url} if url else {}
                letters = json.loads(self.ask("queue", "peek", "--dead", "--json", env=env).stdout)["letters"]
                assert {letter["reason"] for letter in letters} == {"poison"}, letters
                self.ask("queue", "retry", "--dead", env=env)
                self.poison += len(letters)
            time.sleep(0.05)

    def log(self) -> str:
        """What all processes said."""
        path = self.root / "log.txt"
        return path.read_text("utf-8", "replace")[-6000:] if path.exists() else ""

    @property
    def server_pid(self) -> int:
        """The process id of the embedded server."""
        with self.client() as client:
            return int(client.info("server")["process_id"])

    def client(self, url: str = "") -> redis.Redis:
        """A client of the store that the processes use."""
        return redis.Redis.from_url(url or self.url())

    def url(self) -> str:
        """The embedded server's address."""
        recorded = self.data / "redis.sock.path"
        return f"unix://{recorded.read_text().strip() if recorded.exists() else self.data / 'redis.sock'}"

    def in_flight(self, moment: float) -> int:
        """1 if a delivery had come just before that moment (monotonic): who died then may not have noted the "yes"."""
        with self.world.lock:
            return int(
                any(0 <= moment - when <= _NOTED_SECONDS for when, _, status in self.world.posts if status == 200)
            )

    def until_killed(self, process: subprocess.Popen[bytes], work: Callable[[], None]) -> int:
        """Give it work until it dies at its point; how many deliveries may arrive twice.

        One process plays all roles: what kills its poller may catch its sender between the "yes" and the journal, too.
        """

        def dies() -> bool:
            if process.poll() is None:
                work()
            return process.poll() is not None

        self.until(dies)
        caught = self.in_flight(time.monotonic())
        assert process.returncode == -signal.SIGKILL, self.log()
        return caught

    def check(self, *, repeats: int = 0, twice: int = 0, url: str = "") -> None:
        """The oracle: I1, I2, I3, I6. `repeats` is how many deliveries may have arrived twice.

        `twice` is how many articles may be in two deliveries: a store that loses what it had confirmed makes such. It
        may then compose a delivery anew, under the same id and a little later: it must name the same articles.
        """
        published = self.world.everything()
        with self.world.lock:
            got = list(self.world.got)
        contents: dict[str, set[bytes | tuple[str, ...]]] = {}
        for id_, body in got:
            contents.setdefault(id_, set()).add(titles(body) if twice else body)
        unlike = {id_: bodies for id_, bodies in contents.items() if len(bodies) > 1}
        assert not unlike, f"I2: one delivery id, two contents: {unlike}"
        told = self.world.told()
        assert sorted(set(told)) == sorted(published), f"I1: missing or unknown\n{self.log()}"
        doubled = sorted(title for title, count in Counter(told).items() if count > 1)
        assert len(told) - len(set(told)) <= twice, f"I3: told in two deliveries: {doubled}"
        assert len(got) - len(contents) <= repeats, f"{len(got) - len(contents)} repeats"
        with suppress(AssertionError):  # the archive writes what was told a moment later
            self.until(lambda: not self.left(url))
        assert not self.left(url), f"I6: left over {self.left(url)}"
        assert not asyncio.run(self._gaps(url or self.url())), "the sums of the ledger do not meet"

    def check_archive(self) -> None:
        """Every article is in the archive, once."""
        archive = SqliteArchive(self.data / "archive")
        found = [unpack(one.packed).title for one in archive.newest_first(None)]
        assert sorted(found) == sorted(self.world.everything()), self.log()

    def check_events(self) -> None:
        """Every story was decided once, and its event, and why, are there."""

        def decided() -> bool:
            with self.client() as client:
                return int(client.xlen("{wp}:unjoined")) == 0

        self.until(decided, 120)
        with self.client() as client:
            hits = [decode_hit(fields[b"h"]) for _, fields in client.xrange("{wp}:history")]
            decisions = [(fields[b"s"].decode(), fields[b"e"]) for _, fields in client.xrange("{wp}:joined")]
            assert sorted(story for story, _ in decisions) == sorted({hit.story for hit in hits}), self.log()
            for story, event in decisions:
                assert client.hget(f"{{wp}}:event:{story}", "event") == event
                assert client.zscore(f"{{wp}}:events:{event.decode()}", story) is not None

    async def _gaps(self, url: str) -> tuple[Gap, ...]:
        store = Store(url)
        try:
            return gaps(await Ledger(store).audit())
        finally:
            await store.close()

    def quiet(self, url: str = "") -> bool:
        """Everything is told, and nothing is on its way any more."""
        return set(self.world.told()) >= set(self.world.everything()) and not self.left(url)

    def left(self, url: str = "") -> dict[str, int]:
        """What still lies in the queues, as the store says it."""
        with self.client(url) as client:
            names = ("{wp}:articles", "{wp}:unarchived", "{wp}:outbox:inbox")
            streams = [name for name in names if client.exists(name)]
            found: dict[str, Any] = {
                **{name: client.xlen(name) for name in streams},
                "retry": client.zcard("{wp}:retry"),
                "open": client.hlen("{wp}:open"),
                "dead": client.xlen("{wp}:dead"),
                "out": len(client.keys("{wp}:out:*")),
                "buckets": len(client.keys("{wp}:bucket:*")),
                "pending": sum(int(group["pending"]) for name in streams for group in client.xinfo_groups(name)),
            }
        return {name: count for name, count in found.items() if count}

    def answers(self) -> bool:
        """Is the embedded server there?"""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False

    def close_server(self) -> None:
        """Kill the embedded server, if it still runs."""
        with suppress(redis.exceptions.RedisError, OSError):
            os.kill(self.server_pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill everything that was started, the embedded server too."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.close_server()
        self._http.shutdown()
        self._http.server_close()
