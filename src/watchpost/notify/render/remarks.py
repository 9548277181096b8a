"""Still: what an edition says of what it does not tell: silenced and counted hits, corrections, what comes next."""

from __future__ import annotations

from watchpost.model import Digest
from watchpost.notify.render.foreign import clean
from watchpost.notify.render.times import moment
from watchpost.notify.render.words import changes, headline, outlet, speak

_MOST = 5


def remarks(digest: Digest) -> tuple[str, ...]:
    """All that there is to remark, as sentences, in the order of their weight."""
    return tuple(text for text in (*floods(digest), corrections(digest), silenced(digest), following(digest)) if text)


def floods(digest: Digest) -> tuple[str, ...]:
    """ "Flood on Wagner: 9700 further hits were counted and are not listed."; for each topic, at most five."""
    say = speak(digest)
    return tuple(
        say.flood.format(topic=clean(topic, 60), hits=say.count(count, say.further_hit))
        for topic, count in digest.flooded[:_MOST]
    )


def silenced(digest: Digest) -> str:
    """ "Silenced: 3 hits.", or ""."""
    say = speak(digest)
    return say.silenced.format(hits=say.count(digest.silenced, say.hit)) if digest.silenced else ""


def corrections(digest: Digest) -> str:
    """What outlets changed of what was told: "Corrections: Courier: Figures corrected: 9 → 10 (Ten burn)", or ""."""
    say = speak(digest)
    told = [
        f"{outlet(story.lead)}: {', '.join(found)} ({headline(story.lead, 80)})"
        for story in digest.stories
        if (found := changes(digest, story))
    ]
    more = [say.further.format(number=len(told) - _MOST)] if len(told) > _MOST else []
    return say.corrections.format(told="; ".join([*told[:_MOST], *more])) if told else ""


def following(digest: Digest) -> str:
    """When the next one comes: "Next edition: 18:00.", or ""."""
    if digest.following is None or digest.test:
        return ""
    return speak(digest).following.format(moment=moment(digest, digest.following))
