"""Pure: what is kept of a mailbox from one visit to the next, and which messages are new; the store keeps texts.

Source of the rules: RFC 9051, 2.3.1.1. Within one UIDVALIDITY, UIDs only rise, and none is used twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watchpost.poll.newness import OnNew
from watchpost.store.text_fields import changed_fields

TRIES = 5
"""A message that could not be fetched at so many visits is passed over and counted."""

_OVERLAP = timedelta(days=2)
_MARKS_MAX = 4000  # characters


@dataclass(frozen=True, slots=True)
class Selected:
    """A mailbox as the server opened it. `next_uid` is above all UIDs that it has."""

    validity: int
    next_uid: int
    messages: int


@dataclass(frozen=True, slots=True)
class MailboxMemory:
    """What is kept of the mailbox `place` and its UIDVALIDITY.

    All messages up to `uid` are dealt with. Those up to `first` are new only if they came at `since` or later.
    `read` is when the mailbox was last read. The messages `unmarked` (an IMAP sequence set) are committed and not
    marked yet; `mark_problem` is why. The message `stuck` could not be fetched at so many `tries`.
    """

    place: str = ""
    validity: int = 0
    uid: int = 0
    first: int = 0
    since: datetime | None = None
    read: datetime | None = None
    unmarked: str = ""
    mark_problem: str = ""
    stuck: int = 0
    tries: int = 0

    def opened(self, place: str, selected: Selected, on_new: OnNew, now: datetime) -> MailboxMemory:
        """The memory with which to read a mailbox that the server has just opened.

        A mailbox that was never read follows `on_new`. If the server numbered its messages anew, those that came
        before the last reading are known; a few days overlap, and COMMIT drops what it has seen.
        """
        if (self.place, self.validity) == (place, selected.validity):
            return self
        last = selected.next_uid - 1
        if self.place == place and self.read is not None:
            since = max(self.read - _OVERLAP, self.since or self.read - _OVERLAP)
            return MailboxMemory(place, selected.validity, first=last, since=since)
        if on_new == "all":
            return MailboxMemory(place, selected.validity)
        if on_new == "baseline":
            return MailboxMemory(place, selected.validity, uid=last, first=last, since=now)
        return MailboxMemory(place, selected.validity, first=last, since=now - on_new)

    def is_old(self, uid: int, moment: datetime | None) -> bool:
        """Whether a message of this moment (None: unknown) came before those that are new."""
        return uid <= self.first and self.since is not None and moment is not None and moment < self.since

    def after_failure(self, uid: int) -> MailboxMemory:
        """After the message `uid` could not be fetched."""
        return replace(self, stuck=uid, tries=self.tries + 1 if self.stuck == uid else 1)

    def after_reading(self, uid: int, marks: Iterable[int], now: datetime) -> MailboxMemory:
        """After all messages up to `uid` were dealt with; `marks` are those to be marked once they are committed."""
        new = sequence_set(marks)
        unmarked = ",".join(filter(None, (self.unmarked, new)))
        if len(unmarked) > _MARKS_MAX:  # marking has failed for long: the oldest ones stay as they are
            unmarked = unmarked[-_MARKS_MAX:].partition(",")[2]
        passed = uid >= self.stuck
        return replace(
            self,
            uid=max(uid, self.uid),
            read=now,
            unmarked=unmarked,
            stuck=0 if passed else self.stuck,
            tries=0 if passed else self.tries,
        )

    def changes_since(self, before: MailboxMemory) -> dict[str, str]:
        """The fields to write to the store; "" deletes one."""
        return changed_fields(before, self)


def sequence_set(uids: Iterable[int]) -> str:
    """UIDs as an IMAP sequence set (RFC 9051, 9): `3,5:9`; "" for none."""
    spans: list[list[int]] = []
    for uid in sorted(set(uids)):
        if spans and uid == spans[-1][1] + 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in spans)
