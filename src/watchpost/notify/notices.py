"""Pure: messages about watchpost itself: alerts for the receiver that `ops` names, and the test message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from watchpost.model import Digest, Report, Snippet, Story, TopicMatch, UnreadSource, derive_id
from watchpost.notify.digest_builder import Installation

_MOST_ERRORS = 5
_TEST_TEXT = "This is a test message from watchpost. If you can read it, the receiver works. You need not do anything."


def disabled_notice(ops: str, disabled: str, why: str, now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: which receiver is disabled, why, and the command that enables it again."""
    title = f"Receiver {disabled} is disabled"
    text = (
        f"watchpost sends nothing more to {disabled}: {why}. Its messages wait in the queue. "
        f"Once it works again, run: watchpost receiver enable {disabled}"
    )
    return _alert(ops, disabled, title, text, now, installation)


def refuses_notice(ops: str, receiver: str, why: str, now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: which receiver accepts nothing until somebody changes something, and why."""
    title = f"Receiver {receiver} accepts nothing"
    text = (
        f"{receiver} refuses whatever watchpost sends: {why}. Its messages wait, and it is tried again now and then. "
        f"Once the cause is removed, run: watchpost receiver test {receiver}"
    )
    return _alert(ops, receiver, title, text, now, installation)


def refused_notice(ops: str, errors: Sequence[str], now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: the new configuration has errors, and the old one stays in use."""
    more = f" … and {len(errors) - _MOST_ERRORS} more." if len(errors) > _MOST_ERRORS else ""
    text = f"The old one stays in use. {' '.join(errors[:_MOST_ERRORS])}{more} To see all errors, run: watchpost check"
    return _alert(ops, "configuration", "The new configuration has errors", text, now, installation)


def lost_notice(ops: str, detail: str, now: datetime, installation: Installation) -> Digest:
    """An alert for the receiver `ops`: the store lost its data, and what of it was put back."""
    text = (
        f"watchpost noticed that {detail}. Feeds are read again, and messages go on. "
        "Look at the server of the store: it must keep its data on disk and must not be emptied."
    )
    return _alert(ops, "store", "The store lost its data", text, now, installation)


def _alert(ops: str, subject: str, title: str, text: str, now: datetime, installation: Installation) -> Digest:
    report = Report("watchpost", "watchpost", title, installation.public_url, "en", now, now)
    topics = (TopicMatch("watchpost", "watchpost", "high", ()),)
    story = Story(derive_id("notice", subject, now.isoformat()), "new", topics, Snippet(text), report, (report,), 1.0)
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


def sample_digest(receiver: str, now: datetime, installation: Installation) -> Digest:
    """A test message, to try a receiver or a template: a digest with two stories and one source that was not read.

    One story has high severity and another script. The id changes with `now`, so that no receiver drops a repeat.
    """
    topics = (TopicMatch("test", "Test", "normal", ("test",)), TopicMatch("urgent", "Urgent", "high", ("works",)))
    highlights = tuple((at, at + len(word)) for word in ("test", "works") for at in [_TEST_TEXT.index(word)])
    reports = (
        _test_report("Test message from watchpost", "en", now),
        _test_report("Тестовое сообщение от watchpost", "ru", now),
    )
    stories = [
        Story(derive_id("sample", str(n)), "new", topics[: n + 1], Snippet(_TEST_TEXT, highlights), lead, reports, 1.0)
        for n, lead in enumerate(reports)
    ]
    return Digest(
        id=derive_id("sample", receiver, now.isoformat()),
        kind="digest",
        receiver=receiver,
        window_start=now - timedelta(hours=1),
        window_end=now,
        timezone=installation.timezone,
        language=installation.language,
        created=now,
        stories=tuple(reversed(stories)),
        articles=2,
        unread=(UnreadSource("test-source", "a test of this line", now - timedelta(hours=2)),),
        sources_total=2,
        public_url=installation.public_url,
        install=installation.install,
        test=True,
    )


def _test_report(title: str, lang: str, now: datetime) -> Report:
    url = f"https://example.org/test/{lang}"
    published, first_seen = now - timedelta(minutes=30), now - timedelta(minutes=20)
    return Report("test-source", f"Test outlet ({lang})", title, url, lang, published, first_seen)
