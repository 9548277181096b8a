"""What a person on duty does to a running service, from a command or a page: one way to do it, one line in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from watchpost import telemetry as tm
from watchpost.app import doors
from watchpost.app.replaying import Replay, backlog_of
from watchpost.app.silencing import Wish, silence_of
from watchpost.errors import StoreError, WatchpostError
from watchpost.plan.plan import Plan
from watchpost.timetable import Silence
from watchpost.web.pages.replay import WAITING, Backlog
from watchpost.wire.desk import Desk
from watchpost.wire.records import Letter
from watchpost.wire.silences import Silences
from watchpost.wire.store import Store


def audit(deed: str, count: int, by: str, **facts: str) -> None:
    """A person acted: one line in the log, whatever its level."""
    tm.log().warning("operator.acted", deed=deed, count=count, by=by, **facts)


class PlanDeeds:
    """The deeds that a plan allows, on its store. All raise StoreError."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._desk = Desk(store)

    async def enable(self, receiver: str, by: str) -> int | None:
        """Let a receiver be tried again; how many messages that waited for it go now. None: no such receiver."""
        part = next((part for part in self._plan.receivers if part.name == receiver), None)
        if part is None:
            return None
        await doors.build_gate(self._store, part).clear()
        moved = await self._desk.hurry(receiver)
        audit("enable", moved, by, receiver=receiver)
        return moved

    async def hurry(self, receiver: str, by: str) -> int:
        """Messages that wait for a later attempt go now ("" for every receiver's); how many."""
        moved = await self._desk.hurry(receiver)
        audit("retry", moved, by, receiver=receiver)
        return moved

    async def take_up(
        self,
        letters: Sequence[Letter],
        by: str,
        receiver: str = "",
        deed: str = "retry",
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Take dead letters up again; how many of them something was left of."""
        done = 0
        for number, letter in enumerate(letters, 1):
            done += await self._desk.requeue(letter)
            progress(number, len(letters))
        if done:
            audit(deed, done, by, receiver=receiver)
        return done

    async def resend(self, letter: str, by: str) -> bool:
        """Take one dead letter up again, by its id; False if nothing is left of it."""
        letters = [one for one in await self._desk.letters() if one.id == letter]
        return bool(letters) and await self.take_up(letters, by, letters[0].receiver) == 1

    async def read_now(self, feed: str, by: str) -> str:
        """Read a feed at its host's next turn: "NOW"; "SOON" if that is so anyway; "NONE" for no such feed."""
        if not any(part.name == feed and part.kind == "feed" for part in self._plan.sources):
            return "NONE"
        answer = await self._desk.read_now(feed, int(self._plan.limits.lease.total_seconds() * 1000))
        audit("read", int(answer == "NOW"), by, feed=feed)
        return answer

    async def backlog(self, wanted: Mapping[str, str]) -> Backlog:
        """What `replay` would send again now. Raises FormError."""
        wish = Replay(**{name: wanted.get(name, "").strip() for name in Replay.__dataclass_fields__})
        cases = await self._desk.cases(wish.receiver) if wish.what == WAITING else ()
        return backlog_of(wish, self._plan, await self._desk.letters(), cases, datetime.now(UTC))

    async def replay(self, wanted: Mapping[str, str], by: str) -> int:
        """Send again what was given up, or has not arrived: receiver, since, what. How many. Raises FormError."""
        found = await self.backlog(wanted)
        done = sum([await self._desk.requeue(letter) for letter in found.letters])
        if found.waiting:
            done += await self._desk.hurry(only=[case.id for case in found.waiting])
        audit("replay", done, by, receiver=wanted.get("receiver", ""))
        return done

    async def silence(self, wish: Wish, by: str) -> Silence:
        """Tell nobody of these hits for a while. Raises FormError that says of each wrong field what to write."""
        now = datetime.now(UTC)
        silence = silence_of(wish, self._plan, by, now)
        await Silences(self._store).add(silence, now)
        audit("silence add", 1, by, silence=silence.id)
        return silence

    async def hush(self, wanted: Mapping[str, str], by: str) -> None:
        """As `silence`, from the fields of a form."""
        await self.silence(Wish(**{name: wanted.get(name, "").strip() for name in Wish.__dataclass_fields__}), by)

    async def expire(self, id_: str, by: str) -> Silence:
        """End a silence now. Raises WatchpostError if there is none that could be ended."""
        if any(one.id == id_ for one in self._plan.silences):
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
