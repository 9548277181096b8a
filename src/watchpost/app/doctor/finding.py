"""Still: what an examination found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` was examined; `text` says how it is, `cure` what to do ("" where nothing is to be done).

    `outside` is true for something that does not answer: a server, not a mistake of this machine's operator.
    """

    subject: str
    level: Level
    text: str
    cure: str = ""
    outside: bool = False
