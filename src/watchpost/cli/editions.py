"""`watchpost digest preview|send`: what a receiver would be sent now, and sending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchpost.app import doors
from watchpost.app.editions import Draft, drafts
from watchpost.cli.queue import Where, at
from watchpost.cli.saying import count, note, say, tell, tell_json, unknown
from watchpost.cli.spans import span_of
from watchpost.exit_codes import FAILED, OK, PARTIAL, USAGE
from watchpost.notify.render.plain import plain
from watchpost.plan.plan import Plan
from watchpost.poll.due import words
from watchpost.wire.store import Store
from watchpost.wire.windows import AT_MOST_HITS


def preview(where: Where, receiver: str, form: str, explain: bool, since: str, env: Mapping[str, str]) -> int:
    """The exit code of `digest preview`: 1 if the receiver has no edition of that form."""

    async def work(plan: Plan, store: Store) -> int:
        span = span_of(since)
        if not _known(plan, receiver):
            return USAGE
        async with drafts(plan, store) as desk:
            found, more = await desk.over(receiver, span) if span is not None else (await desk.of(receiver), False)
        if more:
            note(f"more was found than {AT_MOST_HITS} hits: the older ones are left out")
        elif span is not None and span > plan.retention.hits:
            note(
                f"hits are kept for {words(plan.retention.hits)} (retention.hits): of what was before nothing is known"
            )
        if where.as_json:
            tell_json({"receiver": receiver, "drafts": [_facts(draft) for draft in found]})
            return OK
        messages = [message for draft in found for message in (one.message for one in draft.edition.deliveries)]
        if form:
            texts = [message.editions[form] for message in messages if form in message.editions]
            for text in texts:
                tell(text.rstrip("\n"))
            if messages and not texts:
                forms = ", ".join(sorted({name for message in messages for name in message.editions}))
                say(f"{receiver} gets no '{form}': there is {forms}")
                return FAILED
        else:
            for draft in found:
                _show(draft)
        for draft in found if explain else ():
            _explain(draft)
        if not messages:
            past = f"of the last {since} nothing would be sent to {receiver}" if since else ""
            note(past or f"nothing would be sent to {receiver} now")
        return OK

    return at(where, env, work)


def send(where: Where, receiver: str, dry_run: bool, env: Mapping[str, str]) -> int:
    """The exit code of `digest send`: 5 if a notifier was faster with some of it."""

    async def work(plan: Plan, store: Store) -> int:
        if not _known(plan, receiver):
            return USAGE
        async with drafts(plan, store) as desk:
            found = [draft for draft in await desk.of(receiver) if draft.edition.deliveries]
            sent = () if dry_run else await desk.send(found, doors.operator())
        subjects = [one.message.subject for draft in (found if dry_run else sent) for one in draft.edition.deliveries]
        if where.as_json:
            tell_json({"receiver": receiver, "sent": 0 if dry_run else len(subjects), "subjects": subjects})
        else:
            for subject in subjects:
                tell(("would send: " if dry_run else "goes now: ") + subject)
            if not subjects:
                note(f"nothing is to be sent to {receiver} now")
        return OK if dry_run or len(sent) == len(found) else PARTIAL

    return at(where, env, work)


def _known(plan: Plan, receiver: str) -> bool:
    names = [part.name for part in plan.receivers]
    if receiver not in names:
        unknown("receiver", receiver, names)
    return receiver in names


def _show(draft: Draft) -> None:
    if draft.edition.digest is not None:
        tell(draft.edition.deliveries[0].message.subject if draft.edition.deliveries else "")
        tell()
        tell(plain(draft.edition.digest).rstrip("\n"))
        tell()


def _explain(draft: Draft) -> None:
    tell(f"── {draft.group.key}: {count(len(draft.parked.hits), 'hit')}")
    if draft.edition.digest is not None:
        for number, story in enumerate(draft.edition.digest.stories, 1):
            tell(f"{number}. severity {story.severity}; {story.reckoning}  {story.lead.title}")
        tell("the score is log(1 + independent voices) · weight · freshness · strength of the match")
    for ruling in draft.edition.rulings:
        until = f" until {ruling.until:%Y-%m-%d %H:%M}Z" if ruling.until else ""
        tell(f"{count(len(ruling.hits), 'hit')}: {ruling.reason}{until}  {ruling.hits[0].article.title}")
    for (silence, topic), number in draft.edition.silenced.items():
        tell(f"{count(number, 'hit')} on {topic}: silenced by {silence}")


def _facts(draft: Draft) -> dict[str, Any]:
    digest = draft.edition.digest
    return {
        "group": draft.group.key,
        "parked": len(draft.parked.hits),
        "messages": [
            {"id": one.id, "subject": one.message.subject, "editions": dict(one.message.editions)}
            for one in draft.edition.deliveries
        ],
        "ranking": [
            {
                "story": story.id,
                "title": story.lead.title,
                "severity": story.severity,
                "score": story.score,
                "reckoning": story.reckoning,
            }
            for story in (digest.stories if digest is not None else ())
        ],
        "rulings": [
            {
                "reason": ruling.reason,
                "hits": len(ruling.hits),
                "until": ruling.until.isoformat() if ruling.until else None,
            }
            for ruling in draft.edition.rulings
        ],
        "silenced": [
            {"silence": silence, "topic": topic, "hits": count}
            for (silence, topic), count in draft.edition.silenced.items()
        ],
    }
