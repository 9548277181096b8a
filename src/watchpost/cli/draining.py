"""`watchpost queue drain`: waits until the running service has dealt with everything that is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic

from watchpost.app import spans
from watchpost.cli.progress import Bar
from watchpost.cli.queue import Where, at
from watchpost.cli.saying import count, say, tell, tell_json
from watchpost.errors import WatchpostError
from watchpost.exit_codes import OK, PARTIAL
from watchpost.plan.plan import Plan
from watchpost.wire.board import Board
from watchpost.wire.desk import Desk
from watchpost.wire.status import Depths
from watchpost.wire.store import Store

_LOOK_SECONDS = 0.5


def drain(where: Where, patience: str, env: Mapping[str, str]) -> int:
    """The exit code of `queue drain`: 0 when nothing is on its way, 5 if something still is after `patience`.

    On its way are pushes, articles and messages. What waits for its time stays: hits for their edition, and messages
    for a later attempt.
    """

    async def work(plan: Plan, store: Store) -> int:
        try:
            span = spans.span_of(patience)
        except WatchpostError as error:
            raise WatchpostError(f"--for {error}") from None
        names, board = [part.name for part in plan.receivers], Board(store)
        end = monotonic() + (span.total_seconds() if span is not None else 0)
        depths = await board.depths(names)
        most = _waiting(depths)
        with Bar("draining", not where.as_json) as bar:
            while (left := _waiting(depths)) and monotonic() < end:
                most = max(most, left)
                bar(most - left, most)
                await asyncio.sleep(_LOOK_SECONDS)
                depths = await board.depths(names)
        if where.as_json:
            later = {"parked": depths.parked, "retry": depths.retry}
            left_now = {"pushed": depths.pushed, "articles": depths.articles, "outbox": depths.outbox}
            tell_json({"drained": not left, **left_now, **later})
        else:
            await _tell(depths, left, Desk(store))
        return PARTIAL if left else OK

    return at(where, env, work)


def _waiting(depths: Depths) -> int:
    return depths.pushed + depths.articles + sum(depths.outbox.values())


async def _tell(depths: Depths, left: int, desk: Desk) -> None:
    later = f"{count(depths.parked, 'hit')} for a coming edition, {count(depths.retry, 'message')} for a later attempt"
    if not left:
        tell(f"nothing is on its way; what waits for its time: {later}")
        return
    now = datetime.now(UTC)
    stuck = [
        f"{depth} for {name} ({(await desk.state(name)).word(now)})" for name, depth in depths.outbox.items() if depth
    ]
    stuck += [f"{count(depths.articles, 'article')} to match"] if depths.articles else []
    stuck += [f"{count(depths.pushed, 'push', 'pushes')} to read"] if depths.pushed else []
    say(f"still on its way: {', '.join(stuck)}")
