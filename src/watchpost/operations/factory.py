"""Builds the store, the sources and the receivers that settings and configuration describe."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from watchpost import __version__, stdio
from watchpost import log as tm
from watchpost.config.config import Config, ReceiverConfig
from watchpost.config.fields import Options, Secret
from watchpost.config.loader import Progress, load
from watchpost.config.settings import Settings
from watchpost.documents.parser_process import Parser
from watchpost.errors import ArchiveError, StoreUnreachable
from watchpost.match.matcher import Plausible
from watchpost.match.routing import escalations_of
from watchpost.model import Group
from watchpost.notify import receiver as notify_receiver
from watchpost.notify import receivers
from watchpost.notify.composer import Composer, HoldingRules
from watchpost.notify.digest_builder import Installation
from watchpost.plurals import count
from watchpost.poll import source as poll_source
from watchpost.poll import sources
from watchpost.poll.http.websub import Hubs
from watchpost.store.client import Store
from watchpost.store.identity import Identity, IdentityFile, settle
from watchpost.store.overview import Overview
from watchpost.store.polling import HostPace, PollStore
from watchpost.store.receivers import CircuitBreaker
from watchpost.store.rights import require_rights
from watchpost.store.server.binary import find_binary
from watchpost.store.server.control import find_running
from watchpost.store.server.embedded import EmbeddedServer
from watchpost.store.silences import Silences
from watchpost.store.unarchived import MOST_UNARCHIVED
from watchpost.store.websub import PushStore

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive

USER_AGENT = f"watchpost/{__version__}"


def read_config(
    path: Path,
    env: Mapping[str, str],
    progress: Progress = lambda done, total: None,
    *,
    secrets_needed: bool = True,
) -> Config:
    """The configuration in a file; unless `secrets_needed`, secrets may be absent. Raises ConfigError."""
    kinds = source_options(), receiver_options()
    return load(path, sources=kinds[0], receivers=kinds[1], env=env, progress=progress, secrets_needed=secrets_needed)


def source_options() -> Mapping[str, type[Options]]:
    """The options of each kind of source."""
    return {name: kind.options for name, kind in sources.kinds().items()}


def receiver_options() -> Mapping[str, type[Options]]:
    """The options of each kind of receiver."""
    return {name: kind.options for name, kind in receivers.kinds().items()}


def build_sources(
    config: Config,
    parser: Parser,
    poll_store: PollStore | None = None,
    pushes: PushStore | None = None,
) -> tuple[poll_source.Source, ...]:
    """The sources, not yet opened. Hubs are asked to push if `pushes` and a public_url are given."""
    agent = (
        f"{USER_AGENT} (+{config.public_url})" if config.public_url else USER_AGENT
    )  # so that a site's owner can ask us
    kinds = sources.kinds()
    context = poll_source.SourceContext(
        parser=parser,
        user_agent=agent,
        plausible=Plausible(config.topics),
        body_bytes=config.limits.body_bytes,
        poll_store=poll_store,
        visit_seconds=config.limits.lease.total_seconds() * 0.6,  # another process reads the feed again after the lease
        hubs=Hubs(pushes, config.public_url, agent) if pushes is not None and config.public_url else None,
    )
    return tuple(kinds[part.kind].build(part.name, part.options, context) for part in config.sources)


def build_poll_store(config: Config, store: Store) -> PollStore:
    """What the poll role uses of the store."""
    return PollStore(
        store,
        seen_ttl_ms=_ms(config.retention.dedup),
        queue_max=config.limits.queue_max,
        lease_ms=_ms(config.limits.lease),
        archive_max=MOST_UNARCHIVED if config.archive_keep else 0,
        host_gap_ms=_ms(config.limits.host_gap),
        hosts={
            name: HostPace(_ms(config.limits.host_gap if host.gap is None else host.gap), host.at_once)
            for name, host in config.hosts.items()
        },
    )


def build_archive(settings: Settings, config: Config) -> Archive | None:
    """The archive, not yet opened; None if it is switched off. Raises ArchiveError if its library is absent."""
    if not config.archive_keep:
        return None
    if settings.archive_url is not None:
        try:
            from watchpost.archive.postgres import PostgresArchive  # an extra
        except ImportError:
            cure = "install watchpost-news[postgresql], or remove WATCHPOST_ARCHIVE_URL"
            raise ArchiveError(f"an archive in PostgreSQL needs psycopg; {cure}") from None
        return PostgresArchive(settings.archive_url.reveal())
    from watchpost.archive.sqlite import SqliteArchive  # not imported where there is no archive

    return SqliteArchive(settings.data / "archive")


def build_receivers(
    config: Config, install: str, terminal: TextIO, secret: str = ""
) -> dict[str, notify_receiver.Receiver]:
    """The receivers by name, not yet opened. Without the `secret` of the store, mails have no unsubscribe link."""
    kinds = receivers.kinds()
    context = notify_receiver.ReceiverContext(user_agent=USER_AGENT, install=install, terminal=terminal, secret=secret)
    return {part.name: kinds[part.kind].build(part.name, part.options, context) for part in config.receivers}


def build_breaker(store: Store, part: ReceiverConfig) -> CircuitBreaker:
    """The circuit breaker of a receiver; receivers at one host share its pace."""
    url = getattr(part.options, "url", None)
    host = urlsplit(url.reveal_or("")).hostname if isinstance(url, Secret) else None
    return CircuitBreaker(store, part.name, host=host or "", pace=receivers.kinds()[part.kind].pace)


def tries_of(part: ReceiverConfig) -> notify_receiver.RetryOptions:
    """The retry options of a receiver."""
    options = part.options
    return options.retry if isinstance(options, notify_receiver.DeliveryOptions) else notify_receiver.RetryOptions()


def ops_for(config: Config, part: ReceiverConfig) -> str:
    """The receiver that is notified when this one is disabled, "" for none; never the same one under another name."""
    ops = next((one for one in config.receivers if one.name == config.ops), None)
    if ops is None or ops.name == part.name:
        return ""
    same = ops.kind == part.kind and ops.options.model_dump(exclude={"retry"}) == part.options.model_dump(
        exclude={"retry"}
    )
    urls = [getattr(one.options, "url", None) for one in (ops, part)]
    same = same or (isinstance(urls[0], Secret) and urls[0] == urls[1])
    return "" if same else ops.name


def installation_of(config: Config, install: str) -> Installation:
    """What every digest says about this installation."""
    return Installation(
        timezone=config.timezone,
        language=config.language,
        install=config.install,
        public_url=config.public_url,
        seed=install,
        fingerprint=config.fingerprint,
        titles={topic.name: topic.title for topic in config.topics},
        weights={part.name: getattr(part.options, "weight", 1.0) for part in config.sources},
        publishers=config.publishers,
    )


def build_composer(
    config: Config, installation: Installation, receivers: Mapping[str, notify_receiver.Receiver], store: Store
) -> Composer:
    """The composer, for the service and for previews alike."""
    holding_rules = HoldingRules(config.quiet_hours, config.silences, config.limits.digests_per_receiver_per_hour)
    return Composer(
        receivers,
        installation,
        holding_rules,
        sources=[part.name for part in config.sources],
        overview=Overview(store),
        silences=Silences(store),
        escalations_of=partial(escalations_of, routes=config.routes),
    )


@dataclass(frozen=True, slots=True)
class Backend:
    """The store, its embedded server if there is one, the identity of this installation, and where that is on disk.

    `emptied`: the store has lost its data since the last start.
    """

    store: Store
    server: EmbeddedServer | None
    identity: Identity
    identity_file: IdentityFile
    emptied: bool = False


async def open_store(settings: Settings, config: Config, env: Mapping[str, str]) -> Backend:
    """Connect to the configured server, or start the embedded one; never falls back from one to the other.

    Raises StoreUnreachable or StoreUnfit, whose message says what to do.
    """
    server = None
    if settings.redis_url is not None:
        url = settings.redis_url.reveal()
    else:
        server = EmbeddedServer(settings.data, binary=find_binary(env), fsync=settings.redis_fsync, log=tm.log())
        await server.start()
        url = server.url
    store = Store(url, config.redis_prefix)
    if server is None:
        tm.log().info("redis.external", url=store.address)
    try:
        if server is None:
            await _reached(settings, _permitted(store))
        await _reached(settings, store.check())
        file = IdentityFile(settings.data)
        settled = await settle(store, file, new_install_id())
        store.former_secrets, store.born = settled.identity.former, settled.identity.born
    except BaseException:
        await store.close()
        if server is not None:
            await server.stop()
        raise
    return Backend(store, server, settled.identity, file, settled.emptied)


@asynccontextmanager
async def look(settings: Settings, config: Config) -> AsyncIterator[Store]:
    """The store of a running watchpost, for commands. Starts no server.

    Raises StoreUnreachable (with what to do), StoreBusy or StoreUnfit.
    """
    configured = settings.redis_url
    url = await find_running(settings.data) if configured is None else configured.reveal()
    store = Store(url, config.redis_prefix, health_checks=False)
    try:
        await _reached(settings, Overview(store).is_in_use())
        yield store
    finally:
        await store.close()


async def _permitted(store: Store) -> None:
    """Whether the user of the store may do what is needed, before anything is asked that it may not."""
    if hint := (await require_rights(store)).hint:
        tm.log().warning("redis.rights", detail=hint)


async def _reached(settings: Settings, call: Awaitable[object]) -> None:
    """The first call to the store. Adds to a StoreUnreachable what to do about it."""
    try:
        await call
    except StoreUnreachable as error:
        cure = "; start it, or correct WATCHPOST_REDIS_URL" if settings.redis_url is not None else ""
        raise StoreUnreachable(f"{error}{cure}") from error


def new_install_id() -> str:
    """A name for a new installation; the store keeps it."""
    return secrets.token_hex(4)


def consumer_name(role: str) -> str:
    """This process's name in the consumer groups."""
    return f"{role}-{platform.node() or 'host'}-{os.getpid()}"


def operator() -> str:
    """The user of this process, for the log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def terminal() -> TextIO:
    """Where the console receiver writes."""
    return stdio.standard("stdout")


def describe(config: Config, groups: tuple[Group, ...]) -> dict[str, object]:
    """Sources, topics and receivers, for the first line of the log."""
    kinds = [part.kind for part in config.sources]
    rare = [count(kinds.count("page"), "page")] if "page" in kinds else []
    rare += [count(kinds.count("mailbox"), "mailbox", "mailboxes")] if "mailbox" in kinds else []
    sources = ", ".join([count(kinds.count("feed"), "feed"), *rare])
    return {
        "version": __version__,
        "sources": f"{sources} and {count(kinds.count('folder'), 'folder')}",
        "topics": ", ".join(topic.title or topic.name for topic in config.topics) or "none",
        "receivers": ", ".join(dict.fromkeys(group.receiver for group in groups)) or "none",
        "timezone": config.timezone,
    }


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
