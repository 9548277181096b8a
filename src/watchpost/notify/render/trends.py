"""Still: how much there is about a topic, as bars and in words."""

from __future__ import annotations

from watchpost.model import Digest
from watchpost.notify.render.foreign import clean
from watchpost.notify.render.words import sections, speak
from watchpost.trend import Trend, bars

_MOST = 3


def trend_line(digest: Digest, topic: str) -> str:
    """ "▂▂▁▃▅▂▁▁▁▁▂▂▃█  12, usually 4: SPIKE 3.0×" for a topic by name; "" where nothing is counted of it.

    A bar is a day, the last one today so far; the numbers are of the edition's hours and of the same hours before.
    """
    told = trend_words(digest, topic)
    return f"{bars(days(digest, topic))}  {told}" if told else ""


def trend_words(digest: Digest, topic: str) -> str:
    """ "12, usually 4: SPIKE 3.0×": the same without its bars, for where they are a picture."""
    trend = digest.trends.get(topic)
    return "" if trend is None or not any(trend.days) else _numbers(digest, trend)


def days(digest: Digest, topic: str) -> tuple[int, ...]:
    """The numbers that the bars stand for; empty where there are none."""
    trend = digest.trends.get(topic)
    return trend.days if trend is not None and any(trend.days) else ()


def spikes(digest: Digest) -> str:
    """ "Much more than usual: Wagner 12 (usually 4).", or ""; at most three topics, in the edition's order."""
    say = speak(digest)
    told = [
        say.spike_of.format(topic=clean(section.title, 60), count=trend.count, usual=_plain(trend.usual))
        for section in sections(digest.stories)
        if (trend := digest.trends.get(section.name)) is not None and trend.spike and trend.usual is not None
    ]
    more = [say.further.format(number=len(told) - _MOST)] if len(told) > _MOST else []
    return say.spikes.format(topics=", ".join([*told[:_MOST], *more])) if told else ""


def _numbers(digest: Digest, trend: Trend) -> str:
    say = speak(digest)
    if trend.usual is None:
        return say.count_only.format(count=trend.count)
    told = say.count_usual.format(count=trend.count, usual=_plain(trend.usual))
    if not trend.spike:
        return told
    return (
        f"{told}{say.spike.format(times=say.decimal(trend.count / trend.usual))}"
        if trend.usual
        else told + say.spike_new
    )


def _plain(number: float | None) -> str:
    return f"{number or 0:.0f}"
