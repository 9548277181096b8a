"""Deliveries that did not arrive: count them, send them again, enable their receiver.

The command line, the pages and the API all do it here. Every function raises StoreError if the store is away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from watchpost import durations
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.config.errors import suggest
from watchpost.errors import FormError, NotFound
from watchpost.operations import factory
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetter, DeadLetters, failed_since
from watchpost.store.deliveries import DeliveryAdmin, DeliveryRecord

FAILED, ALL = "failed", "all"


class ReplayRequest(BaseModel):
    """What to send again. `receiver`: "" for all; `since`: as `durations.since` reads it, "" for any age.

    `what`: "failed" for what failed for good, "all" for that and everything that waits for another attempt.
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    receiver: str = ""
    since: str = ""
    what: str = FAILED


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a replay would send: dead letters, and deliveries that wait for a later attempt."""

    dead_letters: tuple[DeadLetter, ...] = ()
    waiting: tuple[DeliveryRecord, ...] = ()

    @property
    def count(self) -> int:
        """How many messages."""
        return len(self.dead_letters) + len(self.waiting)


async def find_backlog(config: Config, store: Store, request: ReplayRequest) -> Backlog:
    """What `replay` would send now. Raises FormError."""
    after = _after(request, config)
    waiting = await DeliveryAdmin(store).records(request.receiver) if request.what == ALL else ()
    return Backlog(
        tuple(
            letter
            for letter in failed_since(await DeadLetters(store).all(), after)
            if request.receiver in ("", letter.receiver)
        ),
        tuple(record for record in waiting if _waits(record, after)),
    )


async def replay(config: Config, store: Store, request: ReplayRequest, by: str) -> int:
    """Send again what failed for good or still waits; returns how many messages. Raises FormError."""
    backlog = await find_backlog(config, store, request)
    dead_letters = DeadLetters(store)
    done = sum([await dead_letters.requeue(letter) for letter in backlog.dead_letters])
    if backlog.waiting:
        done += await DeliveryAdmin(store).retry_now(only=[record.id for record in backlog.waiting])
    tm.operator_acted("replay", done, by, receiver=request.receiver)
    return done


async def retry_waiting(config: Config, store: Store, by: str, receiver: str = "") -> int:
    """Send now what waits for a later attempt ("": for every receiver); returns how many messages.

    A receiver that is paused until the next attempt is tried at once; one that is disabled stays so.
    """
    moved = await DeliveryAdmin(store).retry_now(receiver)
    for part in config.receivers:
        if receiver in ("", part.name):
            breaker = factory.build_breaker(store, part)
            state = (await breaker.check()).state
            if state.till is not None and state.disabled is None and await breaker.save(replace(state, till=None)):
                moved += await DeliveryAdmin(store).waiting(part.name)
    tm.operator_acted("retry", moved, by, receiver=receiver)
    return moved


async def send_again(
    store: Store,
    letters: Sequence[DeadLetter],
    by: str,
    *,
    receiver: str = "",
    deed: str = "retry",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Queue the messages of these dead letters again; returns how many still existed.

    `deed` and `receiver` go into the log line; `progress` is called with how many of how many are done.
    """
    dead_letters, done = DeadLetters(store), 0
    for number, letter in enumerate(letters, 1):
        done += await dead_letters.requeue(letter)
        progress(number, len(letters))
    if done:
        tm.operator_acted(deed, done, by, receiver=receiver)
    return done


async def send_letter_again(store: Store, id_: str, by: str) -> None:
    """Queue the message of one dead letter again. Raises NotFound if it no longer exists."""
    letters = [letter for letter in await DeadLetters(store).all() if letter.id == id_]
    if not letters or not await send_again(store, letters, by, receiver=letters[0].receiver):
        raise NotFound("this message no longer exists: it was sent again already, or is too old")


async def enable_receiver(config: Config, store: Store, name: str, by: str) -> int:
    """Let a receiver be tried again, now; returns how many messages waited for it. Raises NotFound."""
    part = next((part for part in config.receivers if part.name == name), None)
    if part is None:
        raise NotFound(f"no receiver '{name}'{suggest(name, [part.name for part in config.receivers])}")
    await factory.build_breaker(store, part).clear()
    await DeliveryAdmin(store).retry_now(name)
    waiting = await DeliveryAdmin(store).waiting(name)  # also what was held in its place
    tm.operator_acted("enable", waiting, by, receiver=name)
    return waiting


def _after(request: ReplayRequest, config: Config) -> datetime | None:
    """How far back the request reaches. Raises FormError with a sentence for each wrong field."""
    mistakes: dict[str, str] = {}
    after = None
    names = [part.name for part in config.receivers]
    if request.receiver and request.receiver not in names:
        mistakes["receiver"] = f"no receiver '{request.receiver}'{suggest(request.receiver, names)}"
    try:
        after = durations.since(request.since, datetime.now(UTC), ZoneInfo(config.timezone)) if request.since else None
    except ValueError as error:
        mistakes["since"] = str(error)
    if request.what not in (FAILED, ALL):
        mistakes["what"] = f"write {FAILED} or {ALL}"
    if mistakes:
        raise FormError(mistakes)
    return after


def _waits(record: DeliveryRecord, after: datetime | None) -> bool:
    if record.due is None or record.state == "dead":
        return False
    return after is None or (record.created is not None and record.created >= after)
