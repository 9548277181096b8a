"""`watchpost feed read`: a feed of the running service, now."""

from __future__ import annotations

from collections.abc import Mapping

from watchpost.app import doors
from watchpost.app.deeds import PlanDeeds
from watchpost.cli.queue import Where, at
from watchpost.cli.saying import tell, tell_json, unknown
from watchpost.exit_codes import OK, USAGE
from watchpost.plan.plan import Plan
from watchpost.wire.store import Store


def read(where: Where, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `feed read`: 2 for no such feed."""

    async def work(plan: Plan, store: Store) -> int:
        answer = await PlanDeeds(plan, store).read_now(name, doors.operator())
        if answer == "NONE":
            feeds = [part.name for part in plan.sources if part.kind == "feed"]
            unknown("feed", name, feeds)
            return USAGE
        if where.as_json:
            tell_json({"feed": name, "answer": answer.lower()})
        else:
            tell(f"{name} is read at its host's next turn" if answer == "NOW" else f"{name} is read in a moment anyway")
        return OK

    return at(where, env, work)
