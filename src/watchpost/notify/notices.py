"""Pure: messages about watchpost itself, for the receiver that the operator named for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchpost.model import Digest, Report, Snippet, Story, TopicMatch, derive_id


def disabled_notice(
    ops: str, disabled: str, why: str, now: datetime, timezone: str, language: str, install: str, public_url: str
) -> Digest:
    """An alert for the receiver `ops`: `disabled` is sent nothing more, why, and what to do. Once each time."""
    title = f"watchpost: the receiver {disabled} is disabled"
    text = (
        f"Nothing more is sent to {disabled}: {why}. What is meant for it waits in the queue. "
        f"When it is in order again: watchpost receiver enable {disabled}"
    )
    return _alert(ops, disabled, title, text, now, timezone, language, install, public_url)


def refused_notice(
    ops: str, complaints: Sequence[str], now: datetime, timezone: str, language: str, install: str, public_url: str
) -> Digest:
    """An alert for the receiver `ops`: a new configuration was refused, and why."""
    title = "watchpost: the new configuration is not used"
    more = f" … and {len(complaints) - _TOLD} more." if len(complaints) > _TOLD else ""
    text = f"The one before it goes on. {' '.join(complaints[:_TOLD])}{more} All of it: watchpost check"
    return _alert(ops, "configuration", title, text, now, timezone, language, install, public_url)


_TOLD = 5


def _alert(
    ops: str,
    subject: str,
    title: str,
    text: str,
    now: datetime,
    timezone: str,
    language: str,
    install: str,
    public_url: str,
) -> Digest:
    report = Report("watchpost", "watchpost", title, public_url, "en", now, now)
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
        timezone=timezone,
        language=language,
        created=now,
        stories=(story,),
        articles=0,
        public_url=public_url,
        install=install,
    )
