"""Still: what became of the last wish for a new configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reload:
    """`by` asked at `at`; `ok` says whether the running configuration is the newest one that was read.

    `complaints` say why not, one line each. `changes` is how many values became others, `restart` those of them that
    wait for the next start of the service, as paths.
    """

    at: datetime
    by: str
    ok: bool
    complaints: tuple[str, ...] = ()
    changes: int = 0
    restart: tuple[str, ...] = ()
