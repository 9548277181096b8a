"""Receivers: whether they may be sent to (circuit breaker, pauses, pace), and who has unsubscribed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchpost.model import Delivery
from watchpost.store.client import Store, json_argument
from watchpost.store.codec import MESSAGE, delivery_facts, fields_of, from_ms_or_none, text_of, to_ms


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """What happened to a receiver since a message last arrived. The default: nothing went wrong.

    `failures` in a row; `trips`: how often the circuit breaker opened in a row; `till`: nothing is sent before then,
    for the reason `why` ("rate_limited …"); `failing`: the first failure, `early` how many there were within a day of
    it; `disabled`: since then an operator must act. `version` counts the changes.
    """

    failures: int = 0
    trips: int = 0
    till: datetime | None = None
    failing: datetime | None = None
    early: int = 0
    disabled: datetime | None = None
    why: str = ""
    version: int = 0

    @property
    def healthy(self) -> bool:
        """Whether nothing went wrong since a message last arrived."""
        return not self.failures and self.till is None and self.disabled is None

    def status(self, now: datetime) -> str:
        """Return one word: ok, failing, paused, open (the circuit breaker), trial (it is half open), or disabled."""
        if self.disabled is not None:
            return "disabled"
        if self.till is not None and self.till > now:
            return "open" if self.trips else "paused"
        if self.trips:
            return "trial"
        return "failing" if self.failures else "ok"


TRIAL_MS = 120_000  # the trial of a half-open receiver is over by then, even if its sender died


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a message may go. `wait` is zero for yes, None for "not until an operator acts"."""

    wait: timedelta | None
    state: ReceiverState

    @property
    def free(self) -> bool:
        """Whether it may go now."""
        return self.wait == timedelta(0)


class CircuitBreaker:
    """The circuit breaker of one receiver. All processes together send to `host` at most one message each `pace`."""

    def __init__(self, store: Store, receiver: str, *, host: str = "", pace: timedelta = timedelta(0)) -> None:
        self._store = store
        self._receiver = receiver
        self._names = [store.keys.receiver(receiver), store.keys.pace(host or receiver)]
        self._pace_ms = int(pace.total_seconds() * 1000)

    async def check(self) -> Permission:
        """Return whether a message may go; change nothing."""
        return await self._run("0")

    async def admit(self) -> Permission:
        """Return whether a message may go; if so, claim the host's turn for it, and a half-open receiver's trial."""
        return await self._run("1")

    async def save(self, state: ReceiverState, notices: Sequence[Delivery] = ()) -> bool:
        """Store the receiver's new state and queue the messages that report it, or neither.

        Return False if the state has changed since `state.version`; then nothing was written.
        """
        return await self._write(str(state.version), state, notices)

    async def clear(self) -> None:
        """Reset the receiver, because an operator says so or a test message arrived: nothing holds it any more."""
        await self._write("", ReceiverState(), ())

    async def _run(self, go: str) -> Permission:
        wait, flat = await self._store.run("gate", self._names, [self._pace_ms, go, TRIAL_MS])
        return Permission(None if wait < 0 else timedelta(milliseconds=wait), receiver_state(fields_of(flat)))

    async def _write(self, version: str, state: ReceiverState, notices: Sequence[Delivery]) -> bool:
        keys = self._store.keys
        names = [keys.receiver(self._receiver), keys.out(""), keys.outbox(""), keys.boxes, keys.ledger]
        argument = json_argument(version=version, fields=_fields(state), deliveries=delivery_facts(notices))
        messages = [MESSAGE.encode(notice.message) for notice in notices]
        return bool((await self._store.run("receiver", names, [argument, *messages]))[0] == b"OK")


def receiver_state(fields: Mapping[bytes, bytes]) -> ReceiverState:
    """Return the state that a receiver's hash holds; an empty hash is a healthy receiver."""

    def number(name: bytes) -> int:
        return int(fields.get(name, b"0"))

    return ReceiverState(
        failures=number(b"failures"),
        trips=number(b"trips"),
        till=from_ms_or_none(fields.get(b"till")),
        failing=from_ms_or_none(fields.get(b"failing")),
        early=number(b"early"),
        disabled=from_ms_or_none(fields.get(b"disabled")),
        why=text_of(fields, b"why"),
        version=number(b"version"),
    )


def _fields(state: ReceiverState) -> dict[str, int | str]:
    """The fields to write; "" deletes one."""
    times = {"till": state.till, "failing": state.failing, "disabled": state.disabled}
    counts = {"failures": state.failures, "trips": state.trips, "early": state.early}
    return (
        {name: "" if moment is None else to_ms(moment) for name, moment in times.items()}
        | {name: count or "" for name, count in counts.items()}
        | {"why": state.why[:500]}
    )


class UnsubscribedAddresses:
    """The addresses that unsubscribed from receivers, until they subscribe again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.unsubscribed  # one hash: receiver, a line break, address → since when (ms)

    async def of(self, receiver: str) -> frozenset[str]:
        """Return the addresses that this receiver must not write to."""
        async with self._store.errors():
            fields = await self._store.redis.hkeys(self._key)
        pairs = (field.decode("utf-8", "replace").partition("\n") for field in fields)
        return frozenset(address for name, _, address in pairs if name == receiver)

    async def add(self, receiver: str, address: str, now: datetime) -> None:
        """Unsubscribe an address; doing it twice changes nothing."""
        async with self._store.errors():
            await self._store.redis.hsetnx(self._key, f"{receiver}\n{address}", to_ms(now))

    async def remove(self, receiver: str, address: str) -> None:
        """Subscribe an address again."""
        async with self._store.errors():
            await self._store.redis.hdel(self._key, f"{receiver}\n{address}")
