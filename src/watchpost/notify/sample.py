"""Still: an edition in which nothing happened, to try a receiver or a template with. Marked as a test throughout."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchpost.model import Digest, Report, Snippet, Story, TopicMatch, Unread, derive_id

_TEXT = "This is a test of watchpost. If you can read it, the receiver works; nobody has to do anything."


def sample_digest(
    receiver: str,
    now: datetime,
    *,
    timezone: str = "UTC",
    language: str = "en",
    install: str = "watchpost",
    public_url: str = "",
) -> Digest:
    """A digest for `receiver` with two stories, one of high severity in a second script, and one source not read.

    The same arguments give the same digest; its id changes with `now`, so that no receiver drops it as a repeat.
    """
    topics = (TopicMatch("test", "Test", "normal", ("test",)), TopicMatch("urgent", "Urgent", "high", ("works",)))
    reports = (
        _report("A test message of watchpost", "en", now),
        _report("Пробное сообщение watchpost", "ru", now),
    )
    at, works = _TEXT.index("test"), _TEXT.index("works")
    stories = tuple(
        Story(
            id=derive_id("sample", str(number)),
            status="new",
            topics=topics[: number + 1],
            snippet=Snippet(_TEXT, ((at, at + 4), (works, works + 5))),
            lead=report,
            reports=reports,
            score=1.0,
        )
        for number, report in reversed(tuple(enumerate(reports)))
    )
    return Digest(
        id=derive_id("sample", receiver, now.isoformat()),
        kind="digest",
        receiver=receiver,
        window_start=now - timedelta(hours=1),
        window_end=now,
        timezone=timezone,
        language=language,
        created=now,
        stories=stories,
        articles=2,
        unread=(Unread("test-source", "a test of this line", now - timedelta(hours=2)),),
        sources_total=2,
        public_url=public_url,
        install=install,
        test=True,
    )


def _report(title: str, lang: str, now: datetime) -> Report:
    return Report(
        source="test-source",
        outlet=f"Test outlet ({lang})",
        title=title,
        url=f"https://example.org/test/{lang}",
        lang=lang,
        published=now - timedelta(minutes=30),
        first_seen=now - timedelta(minutes=20),
    )
