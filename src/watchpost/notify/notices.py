"""Pure: alerts about watchpost itself, for the receiver that the configuration names in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchpost.model import Digest, Report, Snippet, Story, TopicMatch, derive_id
from watchpost.notify.digest import Installation

_MOST_ERRORS = 5


def disabled_notice(ops: str, disabled: str, why: str, now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: which receiver is disabled, why, and the command that enables it again."""
    title = f"Receiver {disabled} is disabled"
    text = (
        f"watchpost sends nothing more to {disabled}: {why}. Its messages wait in the queue. "
        f"Once it works again, run: watchpost receiver enable {disabled}"
    )
    return _alert(ops, disabled, title, text, now, installation)


def refused_notice(ops: str, errors: Sequence[str], now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: the new configuration has errors, and the old one stays in use."""
    more = f" … and {len(errors) - _MOST_ERRORS} more." if len(errors) > _MOST_ERRORS else ""
    text = f"The old one stays in use. {' '.join(errors[:_MOST_ERRORS])}{more} To see all errors, run: watchpost check"
    return _alert(ops, "configuration", "The new configuration has errors", text, now, installation)


def _alert(ops: str, subject: str, title: str, text: str, now: datetime, installation: Installation) -> Digest:
    report = Report("watchpost", "watchpost", title, installation.public_url, "en", now, now)
    story = Story(
        id=derive_id("notice", subject, now.isoformat()),
        status="new",
        topics=(TopicMatch("watchpost", "watchpost", "high", ()),),
        snippet=Snippet(text),
        lead=report,
        reports=(report,),
        score=1.0,
    )
    return Digest(
        id=derive_id("notice-digest", subject, now.isoformat()),
        kind="alert",
        receiver=ops,
        window_start=now,
        window_end=now,
        timezone=installation.timezone,
        language=installation.language,
        created=now,
        stories=(story,),
        articles=0,
        public_url=installation.public_url,
        install=installation.install,
    )
