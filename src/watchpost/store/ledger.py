"""The ledger: what came in must be what went out and what still waits.

The scripts count in the very step that moves a thing. If a sum does not match, the store has lost something or sent it
twice, and the ledger reports a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from watchpost.store.client import Store
from watchpost.store.codec import fields_of

_EPOCH = date(1970, 1, 1)
ENDS = ("named", "copies", "left_out", "silenced", "failed")
STATES = (*ENDS, "waiting", "over", "open")


@dataclass(frozen=True, slots=True)
class Audit:
    """The totals since the ledger was started, and how much waits in the queues, read at one instant.

    `fates` are the hits of each receiver and topic by state: `came`, `waiting`, `over`, `open` and the ends of `ENDS`
    (scripts/shared/fates.lua). `parked_for` counts the hits in the groups of each receiver.
    """

    totals: Mapping[str, int] = field(hash=False)
    articles: int
    parked: int
    deliveries: int
    fates: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict, hash=False)
    parked_for: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """A sum that does not match: how much `came` to one hop, and how much `went` on or still waits there.

    Where it is about the hits of a `receiver`, and perhaps of one `topic`, these are named.
    """

    hop: str
    came: int
    went: int
    receiver: str = ""
    topic: str = ""

    @property
    def missing(self) -> int:
        """By how much the sums differ."""
        return abs(self.came - self.went)

    @property
    def command(self) -> str:
        """The command that shows more."""
        if not self.receiver:
            return "watchpost queue peek"
        topic = f" --topic {self.topic}" if self.topic else ""
        return f"watchpost hit list --receiver {self.receiver}{topic} --fate waiting"

    def __str__(self) -> str:
        return f"{self.hop}: {self.came} in, {self.went} out or waiting"


class Ledger:
    """Reads the ledger that the scripts keep. Only `open` writes, once for each installation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys

    async def open(self) -> Audit:
        """Start the ledger, if there is none; what waits in the queues is its opening balance."""
        return await self._audit("1")

    async def audit(self) -> Audit:
        """Return the totals and how much waits, at one instant."""
        return await self._audit("0")

    async def page(self, day: date) -> dict[str, int]:
        """Return what was counted on a day (UTC)."""
        async with self._store.errors():
            counts = await self._store.redis.hgetall(f"{self._keys.ledger}{(day - _EPOCH).days}")
        return {key.decode("utf-8", "replace"): int(count) for key, count in counts.items()}

    async def _audit(self, start: str) -> Audit:
        keys = self._keys
        names = [keys.ledger, keys.articles, keys.open, keys.bucket(""), keys.boxes, keys.outbox(""), keys.retry]
        names.append(keys.later)
        flat, articles, parked, deliveries, flat_fates, parked_for = await self._store.run("audit", names, [start])
        totals = {key.decode(): int(count) for key, count in fields_of(flat).items()}
        fates: dict[tuple[str, str], dict[str, int]] = {}
        for key, count in fields_of(flat_fates).items():
            receiver, topic, state = key.decode("utf-8", "replace").split("\t")
            fates.setdefault((receiver, topic), {})[state] = int(count)
        waiting = {name.decode(): int(count) for name, count in fields_of(parked_for).items()}
        return Audit(totals, int(articles), int(parked), int(deliveries), fates, waiting)


def gaps(audit: Audit) -> tuple[Gap, ...]:
    """Return the sums of articles, hits and deliveries that do not match; none if everything is accounted for."""

    def total(*names: str) -> int:
        return sum(audit.totals.get(name, 0) for name in names)

    sums = (
        Gap("articles", total("new", "requeued_articles"), total("matched", "dead_articles") + audit.articles),
        Gap("hits", total("parked", "requeued_hits"), total("told", "dead_hits") + audit.parked),
        Gap("deliveries", total("queued", "requeued"), total("sent", "dead", "dropped") + audit.deliveries),
    )
    return (*(gap for gap in sums if gap.came != gap.went), *_gaps_of_fates(audit))


def by_receiver(audit: Audit) -> dict[str, dict[str, int]]:
    """Return the hits of each receiver by state, over all topics."""
    sums: dict[str, Counter[str]] = {}
    for (receiver, _), states in audit.fates.items():
        sums.setdefault(receiver, Counter()).update(states)
    return {receiver: dict(counts) for receiver, counts in sorted(sums.items())}


def by_topic(audit: Audit) -> dict[str, dict[str, dict[str, int]]]:
    """Return the hits of each receiver and topic by state; a state that has none is 0."""
    sums: dict[str, dict[str, dict[str, int]]] = {}
    for (receiver, topic), states in sorted(audit.fates.items()):
        sums.setdefault(receiver, {})[topic] = {state: states.get(state, 0) for state in ("came", *STATES)}
    return sums


def _gaps_of_fates(audit: Audit) -> Iterator[Gap]:
    """The receivers and topics of which a hit came and has no fate, or is counted as waiting and does not wait.

    While roles of an earlier version run, what they close and send has no fate; so much is not missing.
    """
    totals = Counter(audit.totals)
    closed_before = totals["told"] + totals["dead_hits"] - totals["followed"]
    sent_before = totals["sent"] + totals["dead"] + totals["dropped"] - totals["ended"]
    for (receiver, topic), states in sorted(audit.fates.items()):
        came, went = states.get("came", 0), sum(states.get(state, 0) for state in STATES)
        if came != went:
            yield Gap(f"hits on {topic or 'unknown topics'} for {receiver}", came, went, receiver, topic)
    for receiver, states in by_receiver(audit).items():
        waiting, parked = states.get("waiting", 0), audit.parked_for.get(receiver, 0)
        if waiting > parked + closed_before:
            yield Gap(f"waiting hits for {receiver}", waiting, parked, receiver)
        unsent = states.get("open", 0)
        if unsent and not audit.deliveries and sent_before <= 0:
            yield Gap(f"hits in messages for {receiver}", unsent, 0, receiver)


def by_name(page: Mapping[str, int], kind: str) -> dict[str, dict[str, int]]:
    """Return the counts of a page for each "source" or "topic": name → what → how many."""
    counts: dict[str, dict[str, int]] = {}
    for key, count in page.items():
        prefix, _, rest = key.partition(":")
        name, _, what = rest.rpartition(":")
        if prefix == kind and name:
            counts.setdefault(name, {})[what] = count
    return counts
