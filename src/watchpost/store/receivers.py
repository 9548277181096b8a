"""What stands before every receiver: its state, its host's pace, and who is told when it is disabled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchpost.model import Delivery
from watchpost.store.client import Argument, Store
from watchpost.store.codec import MESSAGE


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """How a receiver fares: what happened since something last arrived. The default: all is well.

    `failures` in a row; `trips`: how often the breaker opened in a row; `till`: nothing goes before that, for the
    reason `why` ("rate_limited …"); `failing`: the first failure since something arrived, `early` how many there
    were within its first day; `disabled`: since then a person must act. `version` counts the changes.
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
        """Nothing went wrong since something last arrived."""
        return not self.failures and self.till is None and self.disabled is None

    def status(self, now: datetime) -> str:
        """One word for people: ok, failing, paused, open (the breaker), trial, or disabled."""
        if self.disabled is not None:
            return "disabled"
        if self.till is not None and self.till > now:
            return "open" if self.trips else "paused"
        if self.trips:
            return "trial"
        return "failing" if self.failures else "ok"


TRIAL_MS = 120_000  # a trial of a half-open receiver whose sender died is over by then


@dataclass(frozen=True, slots=True)
class Permission:
    """May a message go? `wait` is zero for yes, None for "not until a person acts"."""

    wait: timedelta | None
    state: ReceiverState

    @property
    def free(self) -> bool:
        """It may go now."""
        return self.wait == timedelta(0)


class CircuitBreaker:
    """One receiver's gate. `host` shares its pace: at most one message each `pace`, from all processes together."""

    def __init__(self, store: Store, receiver: str, *, host: str = "", pace: timedelta = timedelta(0)) -> None:
        self._store = store
        self._receiver = receiver
        self._names = [store.keys.receiver(receiver), store.keys.pace(host or receiver)]
        self._pace_ms = int(pace.total_seconds() * 1000)

    async def check(self) -> Permission:
        """How it stands; changes nothing."""
        return await self._ask("0")

    async def admit(self) -> Permission:
        """If the message may go, it goes now: the host's turn is taken, and a half-open receiver's trial."""
        return await self._ask("1")

    async def save(self, state: ReceiverState, notices: Sequence[Delivery] = ()) -> bool:
        """This is how the receiver stands now, and these messages tell of it, or neither.

        False: somebody else wrote since `state.version`; nothing was written.
        """
        args: list[Argument] = [str(state.version), *_fields(state), len(notices)]
        for notice in notices:
            args += [notice.id, notice.receiver, notice.digest, _ms(notice.created), MESSAGE.encode(notice.message)]
        return await self._write(args)

    async def clear(self) -> None:
        """All is well again, by a person's word or a good test: nothing holds the receiver any more."""
        await self._write(["", *_fields(ReceiverState()), 0])

    async def _ask(self, go: str) -> Permission:
        wait, flat = await self._store.run("gate", self._names, [self._pace_ms, go, TRIAL_MS])
        found = dict(zip(flat[::2], flat[1::2], strict=True))
        return Permission(None if wait < 0 else timedelta(milliseconds=wait), receiver_state(found))

    async def _write(self, args: Sequence[Argument]) -> bool:
        keys = self._store.keys
        names = [keys.receiver(self._receiver), keys.out(""), keys.outbox(""), keys.boxes, keys.ledger]
        answer = await self._store.run("receiver", names, args)
        return bool(answer[0] == b"OK")


def receiver_state(found: dict[bytes, bytes]) -> ReceiverState:
    """The state that a receiver hash holds; an empty one is well."""

    def number(name: bytes) -> int:
        return int(found.get(name, b"0"))

    def moment(name: bytes) -> datetime | None:
        return datetime.fromtimestamp(int(found[name]) / 1000, UTC) if name in found else None

    return ReceiverState(
        failures=number(b"failures"),
        trips=number(b"trips"),
        till=moment(b"till"),
        failing=moment(b"failing"),
        early=number(b"early"),
        disabled=moment(b"disabled"),
        why=found.get(b"why", b"").decode("utf-8", "replace"),
        version=number(b"version"),
    )


def _fields(state: ReceiverState) -> list[Argument]:
    values: dict[str, Argument] = {
        "failures": state.failures or "",
        "trips": state.trips or "",
        "till": _ms(state.till),
        "failing": _ms(state.failing),
        "early": state.early or "",
        "disabled": _ms(state.disabled),
        "why": state.why[:500],
    }
    return [len(values), *(part for pair in values.items() for part in pair)]


def _ms(moment: datetime | None) -> Argument:
    return "" if moment is None else int(moment.timestamp() * 1000)


# Who wants no more mail of a receiver: an address stays so until it says otherwise.


class UnsubscribedAddresses:
    """One hash: receiver and address → since when (ms)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.keys.unsubscribed

    async def of(self, receiver: str) -> frozenset[str]:
        """The addresses that this receiver does not write to."""
        async with self._store.errors():
            fields = await self._store.redis.hkeys(self._key)
        pairs = (field.decode("utf-8", "replace").partition("\n") for field in fields)
        return frozenset(address for name, _, address in pairs if name == receiver)

    async def add(self, receiver: str, address: str, now: datetime) -> None:
        """From now on; doing it twice changes nothing."""
        async with self._store.errors():
            await self._store.redis.hsetnx(self._key, f"{receiver}\n{address}", int(now.timestamp() * 1000))

    async def remove(self, receiver: str, address: str) -> None:
        """It is written to again."""
        async with self._store.errors():
            await self._store.redis.hdel(self._key, f"{receiver}\n{address}")
