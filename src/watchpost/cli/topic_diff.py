"""`watchpost topic diff`: what a change of topics would have found, before it is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from watchpost.app import trials
from watchpost.app.clock import utc_now
from watchpost.cli.matching import read_articles, read_plan
from watchpost.cli.progress import Bar
from watchpost.cli.saying import complain, say, tell, tell_json
from watchpost.cli.spans import span_of
from watchpost.cli.topics import folder_files
from watchpost.errors import ConfigError, WatchpostError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE, USAGE
from watchpost.match.trying import Effect, Moved
from watchpost.model import Article
from watchpost.plan.settings import read_settings


def diff(
    name: str,
    against: Path | None,
    since: str,
    config: Path | None,
    data: Path | None,
    as_json: bool,
    env: Mapping[str, str],
) -> int:
    """The exit code of `watchpost topic diff`: 0 if nothing moves, 1 if something does, 4 without a service to ask.

    The topics on disk are set against those that run, or against those of the file `against`.
    """
    new, old = read_plan(config, env), read_plan(against, env) if against is not None else None
    if new is None or (against is not None and old is None):
        return USAGE
    try:
        span = span_of(since)
        begin = None if span is None else utc_now() - span
        running = trials.ask(read_settings(data=data), new, begin)
        before = old.topics if old is not None else running.topics
        if before is None:
            say(f"{running.trouble or 'no matcher runs'}; to compare with another file: --against FILE")
            return UNREACHABLE
        articles = [*running.articles, *_of_folders(folder_files(new), begin)]
        with Bar("trying the topics") as bar:
            tried, found = trials.compare(
                before, new.topics, name, articles, utc_now(), lambda done: bar(done, len(articles))
            )
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE
    if as_json:
        tell_json({"articles": tried, "topics": [_facts(effect) for effect in found]})
    else:
        _tell(tried, found)
    return FAILED if any(effect.gained or effect.lost for effect in found) else OK


def _of_folders(files: Sequence[str], begin: datetime | None) -> list[Article]:
    """What lies in the configured folders; of a file only the time of its last change is known."""
    recent = [one for one in files if begin is None or Path(one).stat().st_mtime >= begin.timestamp()]
    return [article for file in recent for article in read_articles(file)[0]]


def _tell(tried: int, found: Sequence[Effect]) -> None:
    for effect in found:
        tell(f"{effect.topic}: +{len(effect.gained)} −{len(effect.lost)} ({effect.before} before, {effect.now} now)")
        for sign, moved in (("+", effect.gained), ("−", effect.lost)):
            for one in moved:
                tell(f"  {sign} {_line(one.article)}")
                tell(f"      {one.why}")
    if not found:
        tell("no topic matches otherwise than before")
    tell(f"tried on {tried} articles")


def _line(article: Article) -> str:
    seen = (article.published or article.fetched).strftime("%Y-%m-%d")
    return f"{' '.join(article.title.split()) or '(no title)'} ({article.outlet or article.source}, {seen})"


def _facts(effect: Effect) -> dict[str, object]:
    return {
        "topic": effect.topic,
        "before": effect.before,
        "now": effect.now,
        "gained": [_moved(one) for one in effect.gained],
        "lost": [_moved(one) for one in effect.lost],
    }


def _moved(one: Moved) -> dict[str, str]:
    article = one.article
    return {"id": article.id, "title": article.title, "source": article.source, "url": article.url, "why": one.why}
