"""`watchpost doctor`: everything that a running watchpost needs, examined one by one, with cures.

It changes nothing, starts no server and sends no message. It examines only what the configuration names.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from watchpost.config.config import Config
from watchpost.config.fields import listen_address
from watchpost.config.hosts import busy_hosts
from watchpost.config.settings import Settings
from watchpost.errors import ConfigError, StoreBusy, StoreEnded, StoreError, StoreSilent, StoreUnreachable
from watchpost.operations import factory
from watchpost.operations.doctor import feeds, mailboxes, servers
from watchpost.operations.doctor.finding import Finding, of_problem
from watchpost.operations.feeds import status
from watchpost.operations.problem import notes, problems
from watchpost.operations.service_state import look_from_outside
from watchpost.operations.unread_proxy import unread_proxy
from watchpost.plurals import count
from watchpost.store.client import Store
from watchpost.store.overview import Overview
from watchpost.store.rights import require_rights
from watchpost.store.server.binary import find_binary
from watchpost.store.server.embedded import ROOM_BYTES

# This machine: directories, disk space and the clock.


_FREE_BYTES = 512 * 1024 * 1024
_CLOCK_SECONDS = 2


def data_directory(
    data: Path, *, embedded: bool = True, free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Finding:
    """The data directory, or the directory in which it will be created.

    `embedded`: it holds the store as well, so that polling pauses while the disk has less than ROOM_BYTES.
    """
    place = next((one for one in (data, *data.absolute().parents) if one.exists()), data)
    subject = "data directory"
    if not place.is_dir():
        return Finding(subject, "fail", f"{place} is not a directory", "name another one with --data or WATCHPOST_DATA")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Finding(subject, "fail", f"this user cannot write to {place}", f"chown or chmod {place}")
    free = free_bytes(place)
    if free < _FREE_BYTES:
        cure = f"free some space: polling pauses below {ROOM_BYTES // 1024**2} MiB" if embedded else "free some space"
        if embedded and free < ROOM_BYTES:
            text = f"{data}: only {free // 1024**2} MiB free, so polling pauses; {ROOM_BYTES // 1024**2} MiB are needed"
            return Finding(subject, "fail", text, "free some space")
        return Finding(subject, "warn", f"{data}: only {free // 1024**2} MiB free", cure)
    return Finding(subject, "ok", f"{data}: {free // 1024**3} GiB free")


def folders(config: Config) -> Iterator[Finding]:
    """Each folder that is a source."""
    for part in config.sources:
        if part.kind != "folder":
            continue
        path, after = Path(getattr(part.options, "path", ".")), getattr(part.options, "after", "keep")
        subject = f"folder {part.name}"
        if not path.exists():
            yield Finding(subject, "fail", f"{path} does not exist", f"mkdir -p {path}")
        elif not path.is_dir():
            yield Finding(subject, "fail", f"{path} is not a directory", "name the directory that contains the files")
        elif not os.access(path, os.R_OK | os.X_OK):
            yield Finding(subject, "fail", f"this user cannot read {path}", f"chmod +rx {path}")
        elif after != "keep" and not os.access(path, os.W_OK):
            cure = f"chmod +w {path}, or set after: keep"
            yield Finding(subject, "fail", f"this user cannot remove files from {path} (after: {after})", cure)
        else:
            yield Finding(subject, "ok", f"{path} can be read")


def file_receivers(config: Config) -> Iterator[Finding]:
    """Each receiver that writes files."""
    for part in config.receivers:
        if part.kind != "file":
            continue
        path = Path(getattr(part.options, "path", "."))
        place = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            yield Finding(
                f"receiver {part.name}", "fail", f"this user cannot write to {place}", f"chown or chmod {place}"
            )
        else:
            yield Finding(f"receiver {part.name}", "ok", f"writes to {path}")


def clock() -> Finding:
    """Whether the system synchronises its clock (NTP)."""
    try:
        command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLOCK_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return Finding("clock", "ok", "it is unknown whether this system synchronises its clock")
    if done.returncode == 0 and done.stdout.strip() == "no":
        cure = "timedatectl set-ntp true: digests and signatures need the right time"
        return Finding("clock", "warn", "not synchronised (NTP)", cure)
    return Finding("clock", "ok", "synchronised (NTP)" if done.stdout.strip() == "yes" else "in use")


_STORE_SECONDS = 8.0
_SKEW_SECONDS = 2.0
_SLOW_SECONDS = 0.05


async def examine(
    settings: Settings,
    env: Mapping[str, str],
    all_feeds: bool = False,
    progress: feeds.Progress = lambda done, total: None,
) -> AsyncIterator[Finding]:
    """Yield each finding. Of many feeds a sample is tried, or `all_feeds`; `progress` is called with counts."""
    config = None
    try:
        config = await asyncio.to_thread(factory.read_config, settings.config, env, secrets_needed=False)
        yield _configuration(settings.config, config)
        for absent in config.absent_secrets:
            yield Finding(f"secret of {absent.path}", "warn", absent.problem, _ABSENT)
    except ConfigError as error:
        more = f" (and {len(error.complaints) - 1} more)" if len(error.complaints) > 1 else ""
        cure = f"watchpost check {settings.config}"
        cure = cure if settings.config.exists() else "watchpost init, or name your file with --config"
        yield Finding("configuration", "fail", f"{error.complaints[0]}{more}", cure)
    yield data_directory(settings.data, embedded=settings.redis_url is None)
    yield await asyncio.to_thread(clock)
    if config is None:
        return
    async for finding in _store(settings, config, env):
        yield finding
    for finding in (*folders(config), *file_receivers(config)):
        yield finding
    names = await servers.names(servers.hosts(config))
    async for finding in _servers(config, names):
        yield finding
    if (unread := unread_proxy(config, env)) is not None:
        yield Finding("proxy", "warn", unread.text, unread.cure)
    async for finding in _service(settings, config):
        yield finding
    async for finding in _feeds(settings, config, names, all_feeds, progress):
        yield finding
    yield await _pages(settings.http_listen or config.listen)


_ABSENT = "a service with its own secrets needs nothing; to test what uses it from here, set it in this shell"


def _configuration(path: Path, config: Config) -> Finding:
    if config.warnings:
        text = f"{path}: {count(len(config.warnings), 'warning')}"
        return Finding("configuration", "warn", text, f"watchpost check {path}")
    counts = (len(config.sources), "source"), (len(config.topics), "topic"), (len(config.receivers), "receiver")
    return Finding("configuration", "ok", f"{path}: " + ", ".join(count(*pair) for pair in counts))


async def _embedded(settings: Settings, config: Config, env: Mapping[str, str]) -> Finding:
    try:
        binary = await asyncio.to_thread(find_binary, env)
    except StoreError as error:
        return Finding("redis", "fail", str(error), "install valkey or redis, or set WATCHPOST_REDIS_URL", True)
    try:
        async with asyncio.timeout(_STORE_SECONDS), factory.look(settings, config) as store:
            await store.check()
            await store.check_writes()
    except StoreSilent as error:
        return Finding("redis", "fail", str(error), _HANGS)
    except StoreEnded as error:
        return Finding("redis", "fail", str(error), _ENDED.format(data=settings.data))
    except StoreUnreachable:
        return Finding("redis", "ok", f"`watchpost run` will start the embedded server ({binary})")
    except TimeoutError:
        return Finding("redis", "fail", f"the embedded server gives no answer in {_STORE_SECONDS:.0f} s", _HANGS)
    except StoreBusy as error:
        return Finding("redis", "fail", str(error), _ROOM)
    except StoreError as error:
        return Finding("redis", "fail", str(error), "watchpost queue status shows whether this is over")
    return Finding("redis", "ok", "the embedded server is running")


async def _store(settings: Settings, config: Config, env: Mapping[str, str]) -> AsyncIterator[Finding]:
    if settings.redis_url is None:
        yield await _embedded(settings, config, env)
        return
    store = Store(settings.redis_url.reveal(), config.redis_prefix)
    try:
        async with asyncio.timeout(_STORE_SECONDS), store.errors():
            lacking = await require_rights(store)
            await store.check()
            await store.check_writes()
            server = await store.look()
            begun = asyncio.get_running_loop().time()
            seconds, microseconds = await store.redis.time()
            took = asyncio.get_running_loop().time() - begun
            persistence = await store.redis.info("persistence")
        yield _answer(str(server), took, bool(persistence.get("aof_enabled")))
        if lacking.channel:
            text = "its user may not use the channel, so alerts start up to a second later"
            yield Finding("rights in redis", "warn", text, lacking.rule)
        skew = abs((datetime.now(UTC) - datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)).total_seconds())
        if skew > _SKEW_SECONDS + took:
            cure = "synchronise both clocks (NTP): due times follow that of Redis, times in digests this machine's"
            yield Finding("clock of redis", "warn", f"differs by {skew:.0f} s from this machine's clock", cure)
    except TimeoutError:
        yield Finding("redis", "fail", f"{store.address}: no answer within {_STORE_SECONDS:.0f} s", _REDIS, True)
    except StoreBusy as error:  # it answers, and takes nothing
        yield Finding("redis", "fail", str(error), _ROOM, True)
    except StoreError as error:
        yield Finding("redis", "fail", str(error), _REDIS, True)
    finally:
        await store.close()


_HANGS = "restart the service: systemctl restart watchpost, or end its server and start watchpost run again"
_ENDED = "df -h {data} shows whether its disk is full, ls -ld whether it belongs to the user of the service"
_ROOM = "df -h shows whether the disk is full; make room, or raise maxmemory of the server"
_REDIS = "start the server, or correct WATCHPOST_REDIS_URL"


def _answer(shown: str, took: float, appends: bool) -> Finding:
    if not appends:
        cure = "CONFIG SET appendonly yes, and in its configuration: otherwise a restart of Redis loses the queue"
        return Finding("redis", "warn", f"{shown} writes no append-only file", cure)
    if took > _SLOW_SECONDS:
        return Finding(
            "redis", "warn", f"{shown} takes {took * 1000:.0f} ms to answer", "run it closer to this machine"
        )
    return Finding("redis", "ok", f"{shown} answers in {took * 1000:.1f} ms")


_EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))  # a proxy is often in a private network


async def _servers(config: Config, names: Mapping[str, str]) -> AsyncIterator[Finding]:
    """`names` has the reason why each host cannot be resolved, "" if it can."""
    yield servers.dns(names)
    targets, posts = servers.targets(config), servers.posts(config)
    for name, host in ({name: host for name, (host, _, _) in targets.items()} | posts).items():
        if names[host]:
            cure = f"check the spelling of the host name, and this machine's name server: getent hosts {host}"
            yield Finding(f"receiver {name}", "fail", f"{host} {names[host]}", cure, outside=True)
    permitted = {
        part.name: _EVERYWHERE if getattr(part.options, "proxy", None) else getattr(part.options, "allow_private", ())
        for part in config.receivers
    }
    asked = [
        servers.reach(name, *place, allow_private=permitted[name])
        for name, place in targets.items()
        if not names[place[0]]
    ]
    asked += [servers.mail(part) for part in config.receivers if part.name in posts and not names[posts[part.name]]]
    asked += [mailboxes.open_mailbox(part) for part in config.sources if part.kind == "mailbox"]
    for finding in await asyncio.gather(*asked):
        yield finding


async def _service(settings: Settings, config: Config) -> AsyncIterator[Finding]:
    """What a running service says of itself: the list of the page Status and of `queue status`.

    Of a store that does not answer or accepts no writes, the finding on the store speaks.
    """
    try:
        async with asyncio.timeout(_STORE_SECONDS), factory.look(settings, config) as store:
            if not await Overview(store).is_in_use():
                return  # no service has run yet
            seen = await look_from_outside(store, config)
    except (StoreSilent, StoreEnded):
        return  # a service runs
    except StoreUnreachable:
        if settings.redis_url is None and (settings.data / "appendonlydir").exists():
            cure = "systemctl start watchpost, or watchpost run; its log says why it ended"
            yield Finding("service", "fail", f"no watchpost is running on {settings.data}", cure)
        return
    except (StoreError, TimeoutError):
        return
    zone = ZoneInfo(config.timezone)
    found = [problem for problem in problems(seen, datetime.now(UTC)) if problem.subject != "store"]
    for problem in found:
        yield of_problem(problem, zone)
    for note in notes(seen):
        yield Finding(note.subject, "ok", note.said(zone), note.cure)
    if not found and not seen.problem and not seen.refused:
        yield Finding("service", "ok", f"{count(len(seen.workers), 'process', 'processes')} of watchpost running")


async def _feeds(
    settings: Settings, config: Config, names: Mapping[str, str], everything: bool, progress: feeds.Progress
) -> AsyncIterator[Finding]:
    """What a running service knows of the feeds, and what they answer now."""
    configured = status.feeds_and_pages(config)
    if not configured:
        return
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            known, trouble = await status.survey(settings, config)
    except TimeoutError:
        known, trouble = (), "no answer"
    lost = [host for host, problem in names.items() if problem]
    if names and len(lost) == len(names):  # then no other name resolves either
        lost += [host for one in configured.values() if (host := urlsplit(one.url).hostname)]
    gap = config.limits.host_gap
    for busy in busy_hosts(config.sources, gap, config.hosts):
        yield Finding("hosts", "warn", busy.problem, busy.cure)
    zone, asked = ZoneInfo(config.timezone), () if trouble else known
    trials = feeds.try_feeds(configured, asked, lost, gap, everything=everything, progress=progress, zone=zone)
    async for finding in trials:
        yield finding


async def _pages(listen: str) -> Finding:
    host, port = listen_address(listen)
    if port == 0:
        return Finding("pages", "ok", f"the system will choose a port on {host}")
    try:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), host, port)
        server.close()
    except OSError:
        return await _who_listens(host, port)
    return Finding("pages", "ok", f"{listen} is free")


async def _who_listens(host: str, port: int) -> Finding:
    place = f"{host}:{port}"
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET /healthz HTTP/1.0\r\nHost: {place}\r\n\r\n".encode())
            said = await reader.read(4096)
            writer.close()
    except (OSError, TimeoutError):
        said = b""
    if b" 200 " in said.split(b"\r\n")[0] and b"content-security-policy" in said.lower():
        return Finding("pages", "ok", f"watchpost serves them on {place}")
    return Finding("pages", "warn", f"another program uses {place}", "set another address in http.listen")
