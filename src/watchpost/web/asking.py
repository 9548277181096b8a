"""The shapes of what the API is asked for, and of what it says then. `docs/openapi.json` is made from them, too."""

from __future__ import annotations

from pydantic import BaseModel


class Wanted(BaseModel):
    """A silence that is wanted: at least one condition, `lasting` ("2h") or `until`, and a reason."""

    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    story: str = ""
    lasting: str = ""
    until: str = ""
    reason: str = ""


class Replay(BaseModel):
    """What is to be sent again: `what` is "failed" (given up) or "all" (whatever has not arrived); `since` like "6h".

    `dry_run`: only count it.
    """

    receiver: str = ""
    since: str = ""
    what: str = "failed"
    dry_run: bool = False


class Done(BaseModel):
    """What came of a deed: `done` in a word, `count` how many."""

    done: str
    count: int = 1


class Problem(BaseModel):
    """Why not."""

    problem: str
