"""`watchpost receiver list|test|enable`: who is told, and how they stand."""

from __future__ import annotations

import asyncio
import base64
import getpass
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import typer

from watchpost.cli import output
from watchpost.cli.match import read_plan
from watchpost.cli.options import ConfigOption, DataOption, JsonOption, Name
from watchpost.cli.output import complain, note, say, table, tell, tell_json, unknown
from watchpost.cli.queue import StoreOptions, at
from watchpost.config import passwords
from watchpost.config.config import Config, ReceiverConfig
from watchpost.config.settings import Settings, read_settings
from watchpost.errors import ConfigError, StoreError, WatchpostError
from watchpost.exit_codes import FAILED, OK, USAGE
from watchpost.model import Delivered, Delivery, Outcome
from watchpost.notify.digest import deliveries_of
from watchpost.notify.notices import sample_digest
from watchpost.operations import factory
from watchpost.operations.deliveries import enable_receiver
from watchpost.plurals import count
from watchpost.store.client import Store
from watchpost.store.overview import Overview


def show(where: StoreOptions, env: Mapping[str, str]) -> int:
    """The exit code of `receiver list`."""

    async def work(config: Config, store: Store) -> int:
        names, now = [part.name for part in config.receivers], datetime.now(UTC)
        depths, states, rows = await Overview(store).depths(names), await Overview(store).receivers(names), []
        facts: list[dict[str, object]] = []
        for part in config.receivers:
            state = states[part.name]
            till = f"{state.till:%H:%M:%S}Z" if state.till and state.till > now else ""
            waiting = depths.outbox[part.name]
            until = state.till.isoformat() if till and state.till else None
            facts.append(
                {"name": part.name, "type": part.kind, "state": state.status(now), "until": until}
                | {"waiting": waiting, "why": state.why}
            )
            rows.append((part.name, part.kind, state.status(now), till, str(waiting), state.why))
        if where.as_json:
            tell_json({"receivers": facts})
        else:
            table(("NAME", "TYPE", "STATE", "UNTIL", "WAITING", "WHY"), rows, below=("WHY",))
        return OK

    return at(where, env, work)


def enable(where: StoreOptions, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `receiver enable`."""

    async def work(config: Config, store: Store) -> int:
        part = part_of(config, name)
        if part is None:
            return USAGE
        moved = await enable_receiver(config, store, name, factory.operator())
        if where.as_json:
            tell_json({"enabled": name, "retried": moved})
        else:
            waited = f"{count(moved, 'message')} that waited for it go now" if moved else "nothing waited for it"
            tell(f"{name} is enabled; {waited}")
        return OK

    return at(where, env, work)


def test(where: StoreOptions, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `receiver test`: 1 if the message did not arrive. Needs no running service.

    Where one runs, a good test enables the receiver again.
    """
    try:
        settings = read_settings(config=where.config_path, data=where.data)
        output.open_log(settings)
        config = factory.read_config(settings.config, env)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE
    part = part_of(config, name)
    if part is None:
        return USAGE
    results = asyncio.run(_try(config, part, settings))
    good = all(isinstance(outcome, Delivered) for _, outcome, _ in results)
    if where.as_json:
        facts = [
            {"id": one.id, "outcome": _word(outcome), "detail": outcome.detail, "milliseconds": round(took * 1000)}
            for one, outcome, took in results
        ]
        tell_json({"receiver": name, "ok": good, "messages": facts})
    else:
        for one, outcome, took in results:
            tell(f"{_word(outcome)} after {took * 1000:.0f} ms: {one.message.subject}: {outcome.detail}")
    return OK if good else FAILED


async def _try(config: Config, part: ReceiverConfig, settings: Settings) -> list[tuple[Delivery, Outcome, float]]:
    receiver = factory.build_receivers(config, "test", factory.terminal())[part.name]
    digest = sample_digest(part.name, datetime.now(UTC), factory.installation_of(config, "test"))
    results = []
    for delivery in deliveries_of(digest, receiver.render(digest)):
        begun = perf_counter()
        outcome = await receiver.send(delivery)
        results.append((delivery, outcome, perf_counter() - begun))
    if all(isinstance(outcome, Delivered) for _, outcome, _ in results):
        try:
            async with factory.look(settings, config) as store:
                if not (await Overview(store).receivers([part.name]))[part.name].healthy:
                    await enable_receiver(config, store, part.name, factory.operator())
        except StoreError:
            pass  # nothing runs here: then nothing is held either
    return results


def part_of(config: Config, name: str) -> ReceiverConfig | None:
    """The receiver of that name; None after it was said that there is none."""
    part = next((part for part in config.receivers if part.name == name), None)
    if part is None:
        unknown("receiver", name, [part.name for part in config.receivers])
    return part


def _word(outcome: Outcome) -> str:
    return {"Delivered": "delivered", "TryLater": "not now", "Refused": "refused", "Unknown": "unknown"}[
        type(outcome).__name__
    ]


# `watchpost secret hash|token|new|rotate`: what may lie on a disk instead of a password, what programs show, keys.


SHORTEST = 10


def make_token() -> int:
    """The exit code of `secret token`: 256 bits that nobody can guess, in 43 characters."""
    tell(secrets.token_urlsafe(32))
    return OK


def make_new() -> int:
    """The exit code of `secret new`. What it prints is a key for Standard Webhooks: 32 bytes that nobody has chosen."""
    tell(_key())
    note(
        "to replace a secret: add this one to the webhook's `secrets`, give it to the other side, take the old one out"
    )
    return OK


def make_next(receiver: str, config_path: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `secret rotate`: the key on stdout, what to do with it on stderr. Changes nothing itself."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    part = part_of(config, receiver)
    if part is None:
        return USAGE
    if part.kind != "webhook":
        say(f"{receiver} is a receiver of type {part.kind}: only messages of webhooks are signed")
        return USAGE
    tell(_key())
    old = ", ".join(f"{{{secret.origin.replace(' ', ': ', 1)}}}" for secret in getattr(part.options, "secrets", ()))
    note(f"1. put it into an environment variable or a file, and first of all into the secrets of {receiver}:")
    note(f"   secrets: [{{env: NEW_NAME}}{', ' + old if old else ''}], then reload: all of them sign")
    note("2. give it to the other side, which may take either now")
    note("3. take the old one out and reload")
    return OK


def _key() -> str:
    """As Standard Webhooks want it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def make_hash() -> int:
    """The exit code of `secret hash`. A person is asked twice without an echo; in a pipe the first line is taken."""
    if sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if password != getpass.getpass("once more: "):
            say("these are two different passwords")
            return USAGE
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST:
        say(f"a password has at least {SHORTEST} characters")
        return USAGE
    tell(passwords.hashed(password, secrets.token_bytes(16)))
    return OK


receiver_app = typer.Typer(help="Who is told, and how they stand.", no_args_is_help=True)


@receiver_app.command("list")
def receiver_list(config_path: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every receiver, how it stands, and what waits for it."""
    from watchpost.cli import queue

    raise typer.Exit(show(queue.StoreOptions(config_path, data, as_json), os.environ))


@receiver_app.command("test")
def receiver_test(
    name: Name, config_path: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Send one message that is clearly marked as a test, and say what the other side answers."""
    from watchpost.cli import queue

    raise typer.Exit(test(queue.StoreOptions(config_path, data, as_json), name, os.environ))


@receiver_app.command("enable")
def receiver_enable(
    name: Name, config_path: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Send again to a receiver that is disabled or paused: what waits for it goes at once."""
    from watchpost.cli import queue

    raise typer.Exit(enable(queue.StoreOptions(config_path, data, as_json), name, os.environ))
