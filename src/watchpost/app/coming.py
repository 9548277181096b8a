"""The coming editions as the pages show and send them: by the drafts that the commands have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

from watchpost.app.editions import Draft, drafts
from watchpost.match.routing import all_groups
from watchpost.plan.plan import Plan
from watchpost.web.pages.editions import id_of
from watchpost.web.pages.previews import Preview, Ranked, seen
from watchpost.wire.silences import Silences
from watchpost.wire.store import Store
from watchpost.wire.windows import HELD

_NONE: Mapping[str, str] = MappingProxyType({})
_WHY = {
    "interval": "held back because their story was told a moment ago",
    "known": "no news of their story",
    "quiet": "held back by quiet hours",
    "limit": "held back because the receiver got enough in this hour",
}


class PlanEditions:
    """The coming editions of a plan, for the pages. All raise StoreError."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._groups = {id_of(group): group for group in all_groups(plan.routes)}

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        """What the group of that id would be sent now; nothing for one that there is not. Changes nothing."""
        group = self._groups.get(id_)
        if group is None:
            return ()
        async with drafts(self._plan, self._store, group.receiver) as desk:
            found = await desk.of(group.receiver, group.key)
        reasons: dict[str, str] = {}
        if any(draft.edition.silenced for draft in found):
            known = (*self._plan.silences, *await Silences(self._store).all())
            reasons = {silence.id: silence.reason for silence in known}
        return tuple(preview_of(draft, self._plan.timezone, reasons) for draft in found)

    async def send(self, id_: str, saw: str | None, by: str) -> int | None:
        """Send that now; how many messages. None if somebody closed a window since the previews that were seen."""
        group = self._groups.get(id_)
        if group is None:
            return None
        async with drafts(self._plan, self._store, group.receiver) as desk:
            found = await desk.of(group.receiver, group.key)
            if saw is not None and seen([preview_of(draft) for draft in found]) != saw:
                return None
            due = [draft for draft in found if draft.edition.deliveries]
            sent = await desk.send(due, by)
        if len(sent) < len(due):
            return None
        return sum(len(draft.edition.deliveries) for draft in sent)


def preview_of(draft: Draft, timezone: str = "UTC", reasons: Mapping[str, str] = _NONE) -> Preview:
    """A draft as a page shows it: times in this zone, silences with their reasons (by id)."""
    edition = draft.edition
    stories = edition.digest.stories if edition.digest is not None else ()
    return Preview(
        draft.parked.turn,
        len(draft.parked.hits),
        tuple(delivery.message for delivery in edition.deliveries),
        tuple(Ranked(story.lead.title, story.severity, story.reckoning) for story in stories),
        tuple(_kept(draft, ZoneInfo(timezone), reasons)),
        draft.group.key.endswith(HELD),
    )


def _kept(draft: Draft, zone: ZoneInfo, reasons: Mapping[str, str]) -> Iterator[str]:
    for ruling in draft.edition.rulings:
        if not ruling.told:
            until = f" until {ruling.until.astimezone(zone):%d %b %H:%M}" if ruling.until else ""
            yield f"{_hits(len(ruling.hits))}, {_WHY[ruling.reason]}{until}: {ruling.hits[0].article.title}"
    for (silence, topic), count in draft.edition.silenced.items():
        yield f"{_hits(count)} on {topic}, silenced: {reasons.get(silence) or silence}"


def _hits(count: int) -> str:
    return "1 hit" if count == 1 else f"{count} hits"
