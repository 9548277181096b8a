"""What a person on duty does to a running service, from a command or a page: one way to do it, one line in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.config.errors import suggest
from watchpost.config.schema import moment
from watchpost.errors import FormError, StoreError, WatchpostError
from watchpost.model import SEVERITIES, derive_id
from watchpost.operations import factory
from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetter, DeadLetters, failed_since
from watchpost.store.deliveries import DeliveryAdmin, DeliveryRecord
from watchpost.store.polling import read_now
from watchpost.store.silences import Silences

# A silence out of what a person wrote, on the command line or a page: the same checks and sentences.


@dataclass(frozen=True, slots=True)
class SilenceRequest:
    """What was written: conditions ("" for none), how long (`lasting`, "2h") or `until` when, and why."""

    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    story: str = ""
    lasting: str = ""
    until: str = ""
    reason: str = ""


def silence_of(wish: SilenceRequest, config: Config, by: str, now: datetime) -> Silence:
    """The silence. Raises FormError that says of each wrong field what to write."""
    wrong = dict(_mistakes(wish, config))
    until = _until(wish, config.timezone, now, wrong)
    if until is not None and until <= now:
        wrong["lasting" if wish.lasting else "until"] = "that moment has passed"
    reason = " ".join(wish.reason.split())[:200]
    if not reason:
        wrong["reason"] = "a reason is needed"
    if wrong or until is None:
        raise FormError(wrong)
    conditions = wish.topic, wish.source, wish.severity, wish.text.strip()
    id_ = derive_id("silence", *conditions, wish.story, until.isoformat(), reason)[:8]
    return Silence(id_, until, reason, by, *conditions, story=wish.story)


def _mistakes(wish: SilenceRequest, config: Config) -> Iterator[tuple[str, str]]:
    named = (
        ("topic", "topic", wish.topic, [one.name for one in config.topics]),
        ("source", "feed or folder", wish.source, [part.name for part in config.sources]),
        ("severity", "severity", wish.severity, list(SEVERITIES)),
    )
    for field, what, name, known in named:
        if name and name not in known:
            yield field, f"no {what} '{name}'{suggest(name, known)}"
    if not any((wish.topic, wish.source, wish.severity, wish.text.strip(), wish.story)):
        yield "topic", "at least one of topic, source, severity, text is needed: else everything would be silenced"


def _until(wish: SilenceRequest, timezone: str, now: datetime, wrong: dict[str, str]) -> datetime | None:
    if bool(wish.lasting) == bool(wish.until):
        wrong["lasting"] = "say how long: either for 2h or until 2026-12-01"
        return None
    try:
        if wish.lasting:
            return now + durations.parse(wish.lasting)
        until = moment(wish.until)
        return (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if wish.lasting:
            wrong["lasting"] = f"{wish.lasting}: write a duration with its unit, like 30m, 6h or 7d"
        else:
            wrong["until"] = str(error)
    return None


# How far back somebody wants to look: 90m, 12h, 7d.


_LONGEST = timedelta(days=36_500)


def span_of(text: str) -> timedelta | None:
    """The time span, None for "". Raises WatchpostError with what to write instead."""
    if not text:
        return None
    try:
        span = durations.parse(text)
    except ValueError:
        raise WatchpostError(f"{text}: write it like 90m, 12h or 7d") from None
    if not timedelta(0) < span <= _LONGEST:
        raise WatchpostError(f"{text}: from a second to a hundred years")
    return span


FAILED, WAITING = "failed", "all"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What would be sent again: dead letters that are taken up, and deliveries that need not wait any longer."""

    dead_letters: tuple[DeadLetter, ...] = ()
    waiting: tuple[DeliveryRecord, ...] = ()

    @property
    def count(self) -> int:
        """How many messages."""
        return len(self.dead_letters) + len(self.waiting)


# What is to be sent again, out of what a person wrote on a page: the same choice that `delivery replay` makes.


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What was written: a receiver ("" for all), how far back ("6h", "" for ever), `what`: FAILED, or WAITING too."""

    receiver: str = ""
    since: str = ""
    what: str = FAILED


def backlog_of(
    wish: ReplayRequest,
    config: Config,
    dead_letters: Sequence[DeadLetter],
    cases: Sequence[DeliveryRecord],
    now: datetime,
) -> Backlog:
    """What it means, of these dead letters and deliveries. Raises FormError."""
    wrong: dict[str, str] = {}
    span: timedelta | None = None
    names = [part.name for part in config.receivers]
    if wish.receiver and wish.receiver not in names:
        wrong["receiver"] = f"no receiver '{wish.receiver}'{suggest(wish.receiver, names)}"
    try:
        span = span_of(wish.since)
    except WatchpostError as error:
        wrong["since"] = str(error)
    if wish.what not in (FAILED, WAITING):
        wrong["what"] = f"either {FAILED} or {WAITING}"
    if wrong:
        raise FormError(wrong)
    after = None if span is None else now - span
    return Backlog(
        tuple(one for one in failed_since(dead_letters, after) if wish.receiver in ("", one.receiver)),
        tuple(one for one in cases if wish.what == WAITING and _waits(one, wish.receiver, after)),
    )


def _waits(case: DeliveryRecord, receiver: str, after: datetime | None) -> bool:
    if case.due is None or case.state == "dead" or receiver not in ("", case.receiver):
        return False
    return after is None or (case.created is not None and case.created >= after)


def audit(deed: str, count: int, by: str, **facts: str) -> None:
    """A person acted: one line in the log, whatever its level."""
    tm.log().warning("operator.acted", deed=deed, count=count, by=by, **facts)


class Actions:
    """The deeds that a plan allows, on its store. All raise StoreError."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._desk = DeliveryAdmin(store)
        self._dead_letters = DeadLetters(store)

    async def enable(self, receiver: str, by: str) -> int | None:
        """Let a receiver be tried again; how many messages that waited for it go now. None: no such receiver."""
        part = next((part for part in self._config.receivers if part.name == receiver), None)
        if part is None:
            return None
        await factory.build_breaker(self._store, part).clear()
        moved = await self._desk.retry_now(receiver)
        audit("enable", moved, by, receiver=receiver)
        return moved

    async def hurry(self, receiver: str, by: str) -> int:
        """Messages that wait for a later attempt go now ("" for every receiver's); how many."""
        moved = await self._desk.retry_now(receiver)
        audit("retry", moved, by, receiver=receiver)
        return moved

    async def take_up(
        self,
        dead_letters: Sequence[DeadLetter],
        by: str,
        receiver: str = "",
        deed: str = "retry",
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Take dead letters up again; how many of them something was left of."""
        done = 0
        for number, dead_letter in enumerate(dead_letters, 1):
            done += await self._dead_letters.requeue(dead_letter)
            progress(number, len(dead_letters))
        if done:
            audit(deed, done, by, receiver=receiver)
        return done

    async def resend(self, dead_letter: str, by: str) -> bool:
        """Take one dead letter up again, by its id; False if nothing is left of it."""
        dead_letters = [one for one in await self._dead_letters.all() if one.id == dead_letter]
        return bool(dead_letters) and await self.take_up(dead_letters, by, dead_letters[0].receiver) == 1

    async def read_now(self, feed: str, by: str) -> str:
        """Read a feed at its host's next turn: "NOW"; "SOON" if that is so anyway; "NONE" for no such feed."""
        if not any(part.name == feed and part.kind == "feed" for part in self._config.sources):
            return "NONE"
        answer = await read_now(self._store, feed, int(self._config.limits.lease.total_seconds() * 1000))
        audit("read", int(answer == "NOW"), by, feed=feed)
        return answer

    async def backlog(self, wanted: Mapping[str, str]) -> Backlog:
        """What `replay` would send again now. Raises FormError."""
        wish = ReplayRequest(**{name: wanted.get(name, "").strip() for name in ReplayRequest.__dataclass_fields__})
        cases = await self._desk.records(wish.receiver) if wish.what == WAITING else ()
        return backlog_of(wish, self._config, await self._dead_letters.all(), cases, datetime.now(UTC))

    async def replay(self, wanted: Mapping[str, str], by: str) -> int:
        """Send again what was given up, or has not arrived: receiver, since, what. How many. Raises FormError."""
        found = await self.backlog(wanted)
        done = sum([await self._dead_letters.requeue(dead_letter) for dead_letter in found.dead_letters])
        if found.waiting:
            done += await self._desk.retry_now(only=[case.id for case in found.waiting])
        audit("replay", done, by, receiver=wanted.get("receiver", ""))
        return done

    async def silence(self, wish: SilenceRequest, by: str) -> Silence:
        """Tell nobody of these hits for a while. Raises FormError that says of each wrong field what to write."""
        now = datetime.now(UTC)
        silence = silence_of(wish, self._config, by, now)
        await Silences(self._store).add(silence, now)
        audit("silence add", 1, by, silence=silence.id)
        return silence

    async def holding_rules(self, wanted: Mapping[str, str], by: str) -> None:
        """As `silence`, from the fields of a form."""
        await self.silence(
            SilenceRequest(**{name: wanted.get(name, "").strip() for name in SilenceRequest.__dataclass_fields__}), by
        )

    async def expire(self, id_: str, by: str) -> Silence:
        """End a silence now. Raises WatchpostError if there is none that could be ended."""
        if any(one.id == id_ for one in self._config.silences):
            raise WatchpostError(f"{id_} stands in the configuration: take it out there")
        ended = await Silences(self._store).expire(id_, datetime.now(UTC))
        if ended is None:
            raise WatchpostError(f"no silence {id_} that has not ended")
        audit("silence expire", 1, by, silence=id_)
        return ended

    async def unhush(self, silence: str, by: str) -> bool:
        """End a silence now; False if there is none that could be ended."""
        try:
            await self.expire(silence, by)
        except StoreError:
            raise
        except WatchpostError:
            return False
        return True
