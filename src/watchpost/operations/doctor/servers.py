"""Servers that the configuration names: name resolution, connections, TLS and the login to mail servers.

Nothing is sent that a recipient would see, and each check has a deadline.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from watchpost import plurals
from watchpost.config.config import Config, ReceiverConfig, SourceConfig
from watchpost.config.fields import Network, Secret
from watchpost.net import BlockedAddress, connect, why_failed
from watchpost.operations.doctor.finding import Finding

DNS_SECONDS = 5.0
ANSWER_SECONDS = 8.0
_SHOWN = 5
_RESOLVERS = 32
_HOSTS_MAX = 300
_SMTP_PORTS = {"starttls": 587, "implicit": 465, "none": 25}


def hosts_of_feeds(config: Config) -> tuple[str, ...]:
    """The hosts of the configured feeds and mailboxes, each once, up to a limit."""
    hosts = (_host_of(part) for part in config.sources)
    return tuple(dict.fromkeys(host for host in hosts if host))[:_HOSTS_MAX]


def _host_of(part: SourceConfig) -> str:
    url, host = getattr(part.options, "url", ""), getattr(part.options, "host", "")
    return host or urlsplit(str(url)).hostname or ""


def targets(config: Config) -> dict[str, tuple[str, int, bool]]:
    """Host, port and whether it uses TLS, by receiver, for receivers with an HTTP address."""
    found = {}
    for part in config.receivers:
        url = getattr(part.options, "url", None)
        if (proxy := getattr(part.options, "proxy", None)) is not None:
            url = proxy.address  # the way to everything else
        parts = urlsplit(url.reveal_or("")) if isinstance(url, Secret) else None
        if parts is not None and parts.scheme in ("http", "https") and parts.hostname:
            secure = parts.scheme == "https"
            found[part.name] = (parts.hostname, parts.port or (443 if secure else 80), secure)
    return found


def posts(config: Config) -> dict[str, str]:
    """The host of the mail server, by receiver."""
    mails = [part for part in config.receivers if part.kind == "email"]
    return {part.name: str(getattr(getattr(part.options, "smtp", None), "host", "")) for part in mails}


def hosts(config: Config) -> tuple[str, ...]:
    """Every host that watchpost connects to."""
    return (*hosts_of_feeds(config), *(host for host, _, _ in targets(config).values()), *posts(config).values())


async def names(hosts: Iterable[str]) -> Mapping[str, str]:
    """Why each name cannot be resolved, "" if it can. Never takes longer than the deadline."""
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
                return  # the deadline has passed

    for _ in range(min(_RESOLVERS, len(wanted))):
        # Daemon threads: a resolver that hangs must not delay the end of the program, as a thread pool would.
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
    """All names together: if none can be resolved, the name server is at fault, not the names."""
    bad, names = [host for host, problem in found.items() if problem], plurals.count(len(found), "host name")
    if not found:
        return Finding("dns", "ok", "no host is configured")
    if not bad:
        return Finding("dns", "ok", f"{names} can be resolved")
    if len(bad) == len(found):
        cure = "check this machine's network and /etc/resolv.conf"
        cure += f"; getent hosts {bad[0]} asks once more"
        return Finding("dns", "fail", f"none of {names} can be resolved", cure, outside=True)
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    text = f"{len(bad)} of {names} cannot be resolved: {', '.join(bad[:_SHOWN])}{more}"
    return Finding(
        "dns", "warn", text, f"check their spelling: getent hosts {bad[0]}; remove hosts that no longer exist"
    )


async def reach(
    name: str,
    host: str,
    port: int,
    secure: bool,
    patience: float = ANSWER_SECONDS,
    *,
    allow_private: Sequence[Network] = (),
) -> Finding:
    """Whether a server accepts connections and has a valid certificate, by the rules of sending. Sends no request."""
    subject = f"receiver {name}"
    try:
        async with asyncio.timeout(patience):
            context = ssl.create_default_context() if secure else None
            connection = await connect(host, port, allow_private=allow_private)
            name_in_tls = host if secure else None
            _, writer = await asyncio.open_connection(sock=connection, ssl=context, server_hostname=name_in_tls)
            writer.close()
    except BlockedAddress as error:
        return Finding(subject, "fail", f"{host}:{port}: {error}", _permit(name))
    except (OSError, TimeoutError) as error:
        tls = isinstance(error, ssl.SSLError)
        cure = (
            f"its certificate is not valid on this machine: openssl s_client -connect {host}:{port}" if tls else _REACH
        )
        cure += "" if tls else f": curl -v telnet://{host}:{port}"
        return Finding(subject, "fail", f"{host}:{port}: {why_failed(error)}", cure, outside=not tls)
    return Finding(subject, "ok", f"{host}:{port} answers")


async def mail(part: ReceiverConfig, patience: float = ANSWER_SECONDS) -> Finding:
    """Whether the mail server answers, uses TLS as configured and accepts the login. Sends no mail."""
    import aiosmtplib

    smtp: Any = part.options.smtp  # type: ignore[attr-defined]  # the options of kind email
    port = smtp.port or _SMTP_PORTS[smtp.tls]
    subject, place = f"receiver {part.name}", f"{smtp.host}:{port}"
    try:
        async with asyncio.timeout(patience):
            connection = await connect(smtp.host, port, allow_private=getattr(part.options, "allow_private", ()))
    except BlockedAddress as error:
        return Finding(subject, "fail", f"{place}: {error}", _permit(part.name))
    except (OSError, TimeoutError) as error:
        return Finding(subject, "fail", f"{place}: {_answer(error)}", _SMTP_CURES["connect"], outside=True)
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        sock=connection,
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
            if smtp.password is not None and smtp.password.is_absent:
                return Finding(subject, "ok", f"{place} answers; the login was not tried")
            if smtp.username:
                stage = "login"
                await client.login(smtp.username, smtp.password.reveal() if smtp.password else "")
        return Finding(subject, "ok", f"{place} answers" + (" and accepts the login" if smtp.username else ""))
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return Finding(subject, "fail", f"{place}: {_answer(error)}", _SMTP_CURES[stage], outside=stage == "connect")
    finally:
        client.close()


def _permit(name: str) -> str:
    return (
        f"if that is meant, write allow_private at the receiver with its network, then: watchpost receiver test {name}"
    )


_REACH = "check the address, and any firewall or proxy in between"
_SMTP_CURES = {
    "connect": "check smtp.host and smtp.port, and whether a firewall blocks mail: watchpost receiver test NAME",
    "tls": "check smtp.tls: starttls for port 587, implicit for 465; a private authority needs ca_file",
    "login": "check smtp.username and the source of smtp.password",
}


def _answer(error: BaseException) -> str:
    """What a mail server answered, or why it did not. It may contain the user name, but no password."""
    code = getattr(error, "code", None)
    return f"{code} {getattr(error, 'message', '')}"[:200] if code else why_failed(error)
