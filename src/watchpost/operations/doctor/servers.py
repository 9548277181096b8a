"""Servers that the configuration names: do their names resolve, do they answer, does the mail server let us in?

Only what is configured is asked, nothing is sent that anybody would see, and each question has a deadline.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from watchpost.config.config import Config, ReceiverConfig
from watchpost.config.fields import Secret
from watchpost.operations.doctor.finding import Finding

DNS_SECONDS = 5.0
ANSWER_SECONDS = 8.0
_SHOWN = 5
_RESOLVERS = 32
_HOSTS_MAX = 300
_SMTP_PORTS = {"starttls": 587, "implicit": 465, "none": 25}


def hosts_of_feeds(config: Config) -> tuple[str, ...]:
    """The hosts of the configured feeds, each once; of very many the first ones stand for all."""
    urls = (getattr(part.options, "url", "") for part in config.sources if part.kind == "feed")
    return tuple(dict.fromkeys(host for url in urls if (host := urlsplit(str(url)).hostname)))[:_HOSTS_MAX]


def targets(config: Config) -> dict[str, tuple[str, int, bool]]:
    """receiver → host, port and whether it speaks TLS, for those that have an address of HTTP."""
    found = {}
    for part in config.receivers:
        url = getattr(part.options, "url", None)
        parts = urlsplit(url.reveal()) if isinstance(url, Secret) else None
        if parts is not None and parts.scheme in ("http", "https") and parts.hostname:
            secure = parts.scheme == "https"
            found[part.name] = (parts.hostname, parts.port or (443 if secure else 80), secure)
    return found


def posts(config: Config) -> dict[str, str]:
    """receiver → host of its mail server."""
    mails = [part for part in config.receivers if part.kind == "email"]
    return {part.name: str(getattr(getattr(part.options, "smtp", None), "host", "")) for part in mails}


def hosts(config: Config) -> tuple[str, ...]:
    """Every host that is asked for something."""
    return (*hosts_of_feeds(config), *(host for host, _, _ in targets(config).values()), *posts(config).values())


async def names(hosts: Iterable[str]) -> Mapping[str, str]:
    """What is wrong with each of these names; "" if it resolves. Never takes longer than the deadline."""
    wanted = list(dict.fromkeys(hosts))
    loop, answers, left = asyncio.get_running_loop(), asyncio.Queue[tuple[str, str]](), iter(wanted)

    def resolve() -> None:
        while (host := next(left, None)) is not None:
            try:
                socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
                problem = ""
            except (OSError, UnicodeError):
                problem = "cannot be resolved"
            try:
                loop.call_soon_threadsafe(answers.put_nowait, (host, problem))
            except RuntimeError:
                return  # too late: nobody waits any more

    for _ in range(min(_RESOLVERS, len(wanted))):
        # A resolver that hangs must not hold the program back when it ends, as a pool of threads would.
        threading.Thread(target=resolve, daemon=True).start()
    found = dict.fromkeys(wanted, "no answer from the name server")
    try:
        async with asyncio.timeout(DNS_SECONDS):
            for _ in wanted:
                host, problem = await answers.get()
                found[host] = problem
    except TimeoutError:
        pass
    return found


def dns(found: Mapping[str, str]) -> Finding:
    """All names together: if none resolves it is the name server, not the names."""
    bad = [host for host, problem in found.items() if problem]
    if not found:
        return Finding("dns", "ok", "no host is configured")
    if not bad:
        return Finding("dns", "ok", f"{len(found)} names resolve")
    if len(bad) == len(found):
        cure = "check this machine's network and /etc/resolv.conf"
        return Finding("dns", "fail", f"none of {len(found)} names resolves", cure, outside=True)
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    text = f"{len(bad)} of {len(found)} names do not resolve: {', '.join(bad[:_SHOWN])}{more}"
    return Finding("dns", "warn", text, "check their spelling; take out what is no more")


async def reach(name: str, host: str, port: int, secure: bool, patience: float = ANSWER_SECONDS) -> Finding:
    """Whether something listens there, and has a certificate for its name. Sends no request."""
    subject = f"receiver {name}"
    try:
        async with asyncio.timeout(patience):
            context = ssl.create_default_context() if secure else None
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
    except ssl.SSLError as error:
        problem = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        return Finding(
            subject, "fail", f"{host}:{port}: {problem}", "its certificate is not valid here: tell its owner"
        )
    except (OSError, TimeoutError) as error:
        return Finding(subject, "fail", f"{host}:{port}: {_why(error)}", _REACH, outside=True)
    return Finding(subject, "ok", f"{host}:{port} answers")


async def mail(part: ReceiverConfig, patience: float = ANSWER_SECONDS) -> Finding:
    """Whether the mail server answers, speaks TLS as configured and takes the login. Sends no mail."""
    import aiosmtplib

    smtp: Any = part.options.smtp  # type: ignore[attr-defined]  # the options of kind email
    port = smtp.port or _SMTP_PORTS[smtp.tls]
    subject, place = f"receiver {part.name}", f"{smtp.host}:{port}"
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=port,
        use_tls=smtp.tls == "implicit",
        start_tls=False,
        tls_context=ssl.create_default_context(cafile=str(smtp.ca_file) if smtp.ca_file else None),
        timeout=patience,
    )
    stage = "connect"
    try:
        async with asyncio.timeout(patience):
            await client.connect()
            if smtp.tls == "starttls":
                stage = "tls"
                await client.starttls()
            if smtp.username:
                stage = "login"
                await client.login(smtp.username, smtp.password.reveal() if smtp.password else "")
        return Finding(subject, "ok", f"{place} answers" + (" and takes the login" if smtp.username else ""))
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return Finding(subject, "fail", f"{place}: {_said(error)}", _SMTP_CURES[stage], outside=stage == "connect")
    finally:
        client.close()


_REACH = "check the address, and what stands between: firewall, proxy"
_SMTP_CURES = {
    "connect": "check smtp.host and smtp.port, and whether a firewall forbids mail",
    "tls": "check smtp.tls: starttls goes with 587, implicit with 465; an own authority needs ca_file",
    "login": "check smtp.username and where smtp.password comes from",
}


def _said(error: BaseException) -> str:
    """What a mail server answered; nothing that we sent is in it but the name of the user."""
    code = getattr(error, "code", None)
    return f"{code} {getattr(error, 'message', '')}"[:200] if code else _why(error)


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return "the connection was refused"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    return getattr(error, "strerror", None) or type(error).__name__


# Directories, the disk and the machine's clock: can watchpost read and write where it has to?


_ROOM_BYTES = 512 * 1024 * 1024
_CLOCK_SECONDS = 2


def data_directory(data: Path) -> Finding:
    """The directory of the queue and the journal, or the one in which it will be made."""
    place = next((one for one in (data, *data.absolute().parents) if one.exists()), data)
    subject = "data directory"
    if not place.is_dir():
        return Finding(subject, "fail", f"{place} is not a directory", "name another with --data or WATCHPOST_DATA")
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Finding(subject, "fail", f"{place} cannot be written by this user", f"chown or chmod {place}")
    free = shutil.disk_usage(place).free
    if free < _ROOM_BYTES:
        cure = "make room: polling pauses when the disk is nearly full"
        return Finding(subject, "warn", f"{data}: only {free // 1024**2} MiB are free", cure)
    return Finding(subject, "ok", f"{data}: {free // 1024**3} GiB free")


def folders(config: Config) -> Iterator[Finding]:
    """Each watched folder."""
    for part in config.sources:
        if part.kind != "folder":
            continue
        path, after = Path(getattr(part.options, "path", ".")), getattr(part.options, "after", "keep")
        subject = f"folder {part.name}"
        if not path.exists():
            yield Finding(subject, "fail", f"{path} does not exist", f"mkdir -p {path}")
        elif not path.is_dir():
            yield Finding(subject, "fail", f"{path} is not a directory", "name the directory in which the files lie")
        elif not os.access(path, os.R_OK | os.X_OK):
            yield Finding(subject, "fail", f"{path} cannot be read by this user", f"chmod +rx {path}")
        elif after != "keep" and not os.access(path, os.W_OK):
            cure = f"chmod +w {path}, or after: keep"
            yield Finding(subject, "fail", f"files shall leave {path} (after: {after}), which is not writable", cure)
        else:
            yield Finding(subject, "ok", f"{path} can be read")


def outboxes(config: Config) -> Iterator[Finding]:
    """Each receiver that writes files."""
    for part in config.receivers:
        if part.kind != "file":
            continue
        path = Path(getattr(part.options, "path", "."))
        place = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            yield Finding(f"receiver {part.name}", "fail", f"{place} cannot be written", f"chown or chmod {place}")
        else:
            yield Finding(f"receiver {part.name}", "ok", f"writes to {path}")


def clock() -> Finding:
    """Whether the system says that its clock is set by the network."""
    try:
        command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLOCK_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return Finding("clock", "ok", "this system does not say whether its clock is set by the network")
    if done.returncode == 0 and done.stdout.strip() == "no":
        cure = "timedatectl set-ntp true: digests and signatures need the right time"
        return Finding("clock", "warn", "the clock is not set by the network", cure)
    return Finding("clock", "ok", "set by the network" if done.stdout.strip() == "yes" else "no complaint")
