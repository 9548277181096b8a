"""Still: the message that tells one receiver that another one is disabled."""

from __future__ import annotations

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
    report = Report("watchpost", "watchpost", title, public_url, "en", now, now)
    story = Story(
        id=derive_id("notice", disabled, now.isoformat()),
        status="new",
        topics=(TopicMatch("watchpost", "watchpost", "high", ()),),
        snippet=Snippet(text),
        lead=report,
        reports=(report,),
        score=1.0,
    )
    return Digest(
        id=derive_id("notice-digest", disabled, now.isoformat()),
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
