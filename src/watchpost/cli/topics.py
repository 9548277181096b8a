"""`watchpost topic list|test|lint`: topics looked at one by one; without Redis, but for `test --since`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

from watchpost.cli.match import SUFFIXES, match_lines, read_articles, read_plan
from watchpost.cli.options import span_of
from watchpost.cli.output import ProgressBar, complain, say, tell, tell_json, unknown
from watchpost.config.config import Config
from watchpost.config.settings import read_settings
from watchpost.errors import ConfigError, FetchError, WatchpostError
from watchpost.exit_codes import FAILED, NOTHING, OK, UNREACHABLE, USAGE
from watchpost.match.matcher import document, match
from watchpost.match.trial import ChangedHit, Effect
from watchpost.model import Article, Topic
from watchpost.operations import trials
from watchpost.plurals import count
from watchpost.query.document import Document
from watchpost.query.explain import explain, missing
from watchpost.query.explain import remarks as doubts
from watchpost.query.percolator import Frequency, Percolator, vocabulary
from watchpost.scheduler import utc_now

BROAD = 0.25  # a topic that a quarter of all articles match says little
SAMPLE_MIN = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """What a topic is tried on: `files`, a `text`, the page at `url`; `explain`: clause by clause."""

    files: tuple[str, ...] = ()
    text: str = ""
    url: str = ""
    allow_private: tuple[str, ...] = ()
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What a topic did on a sample, per 1,000 articles: milliseconds of work, how many were asked about in full,
    how many matched; and what looks wrong."""

    topic: str
    milliseconds: float
    asked: float
    matches: float
    remarks: tuple[str, ...]


def show(config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost topic list`."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    for topic in config.topics:
        if as_json:
            facts = {"name": topic.name, "title": topic.title, "severity": topic.severity}
            tell_json({**facts, "query": str(topic.query.root), "exclude": topic.exclude and str(topic.exclude.root)})
        else:
            tell(f"{topic.name}: {topic.title}, {topic.severity}")
            tell(f"  {topic.query.root}")
            if topic.exclude is not None:
                tell(f"  excluding {topic.exclude.root}")
    return OK


def test(name: str, asked: Tried, config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost topic test`: 0 if what was tried matches (or all examples hold), 3 if not."""
    config = read_plan(config_path, env)
    topic = _topic(config, name)
    if topic is None:
        return USAGE
    tried, broken = [], 0
    for file in asked.files:
        articles, failed = read_articles(file)
        broken += failed
        tried += [(article.title or file, document(article)) for article in articles]
    if asked.text:
        tried.append((asked.text, Document.of({"body": asked.text})))
    if asked.url:
        article = _page(asked)
        broken += article is None
        tried += [(article.title or asked.url, document(article))] if article is not None else []
    if not tried and not broken:
        tried = [(example, Document.of({"body": example})) for example, _ in topic.examples]
        if not tried:
            say(f"{name} has no examples: give a --text, a --url or a file")
            return USAGE
    matched = 0
    for title, about in tried:
        matched += _try(topic, title, about, as_json)
        if asked.explain and not as_json:
            for line in match_lines(explain(topic.query, about), 1):
                tell(line)
    if broken:
        return FAILED
    return OK if matched or not (asked.files or asked.text or asked.url) else NOTHING


def recent_articles(
    name: str, since: str, config_path: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `watchpost topic test --since`: 3 if nothing matches, 4 without a service that could be asked.

    Tried on the last articles that the running service has matched, whatever came of them (retention.articles).
    """
    config = read_plan(config_path, env)
    topic = _topic(config, name)
    if config is None or topic is None:
        return USAGE
    try:
        span = span_of(since)
        at_hand = trials.ask(read_settings(config=config_path, data=data), config, utc_now() - span if span else None)
    except ConfigError as error:
        complain(error.complaints)
        return USAGE
    except WatchpostError as error:
        say(str(error))
        return USAGE
    if at_hand.trouble:
        say(at_hand.trouble)
        return UNREACHABLE
    found = 0
    for article in at_hand.articles:
        for hit in match(article, [topic], utc_now()):
            found += 1
            words = list(dict.fromkeys(item.text for item in hit.evidence))
            if as_json:
                tell_json({"text": article.title, "matches": True, "words": words, "missing": "", "excluded": False})
            else:
                tell(f"✓ {' '.join(article.title.split()) or article.url} ({article.source})")
                tell(f"  {', '.join(words)}")
    if not as_json:
        tell(f"{found} of {count(len(at_hand.articles), 'article')}" + (" match" if found != 1 else " matches"))
    return OK if found else NOTHING


def lint(files: Sequence[str], config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost topic lint`: 0, or 1 if any topic has a remark."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    sample = [article for file in files or folder_files(config) for article in read_articles(file)[0]]
    prices = [_price(topic, sample) for topic in config.topics]
    for price in prices:
        if as_json:
            facts = {"topic": price.topic, "sample": len(sample), "ms_per_1000": round(price.milliseconds, 1)}
            rates = {"asked_per_1000": round(price.asked, 1), "matches_per_1000": round(price.matches, 1)}
            tell_json({**facts, **rates, "remarks": price.remarks})
            continue
        if len(sample) >= SAMPLE_MIN:
            tell(
                f"{price.topic}: {price.milliseconds:.0f} ms, {price.asked:.0f} asked and {price.matches:.0f} matches"
                " in 1,000 articles"
            )
        else:
            tell(f"{price.topic}:")
        for remark in price.remarks:
            tell(f"  {remark}")
    if not as_json:
        tell(f"measured on {count(len(sample), 'article')}")
    return FAILED if any(price.remarks for price in prices) else OK


def _topic(config: Config | None, name: str) -> Topic | None:
    if config is None:
        return None
    found = next((topic for topic in config.topics if topic.name == name), None)
    if found is None:
        unknown("topic", name, [topic.name for topic in config.topics])
    return found


def _page(asked: Tried) -> Article | None:
    from watchpost.operations.feeds.discovery import network_list
    from watchpost.operations.trials import article_at

    try:
        return asyncio.run(article_at(asked.url, network_list(asked.allow_private), utc_now()))
    except FetchError as error:
        say(f"{asked.url}: {error.detail}")
    except ValueError:
        say("--allow-private takes an address or network: 10.0.0.8 or 10.0.0.0/8")
    return None


def _try(topic: Topic, title: str, about: Document, as_json: bool) -> bool:
    evidence = topic.query.evaluate(about)
    excluded = topic.exclude.evaluate(about) if topic.exclude is not None else None
    matches = evidence is not None and excluded is None
    lacking = "" if evidence is not None else missing(explain(topic.query, about))
    words = list(dict.fromkeys(item.text for item in evidence or ()))
    if as_json:
        tell_json(
            {"text": title, "matches": matches, "words": words, "missing": lacking, "excluded": excluded is not None}
        )
        return matches
    tell(f"{'✓' if matches else '✗'} {title}")
    if lacking:
        tell(f"  missing: {lacking}")
    elif excluded is not None:
        tell(f"  left out by exclude: {', '.join(dict.fromkeys(item.text for item in excluded))}")
    else:
        tell(f"  {', '.join(words)}")
    return matches


def folder_files(config: Config) -> list[str]:
    """The files in the configured folders: the nearest thing to a sample of what comes in."""
    folders = [getattr(part.options, "path", None) for part in config.sources if part.kind == "folder"]
    files = [path for folder in folders if isinstance(folder, Path) for path in sorted(folder.rglob("*"))]
    return [str(path) for path in files if path.suffix.lower() in SUFFIXES]


def _price(topic: Topic, sample: Sequence[Article]) -> Price:
    remarks = [*doubts(topic.query)]
    if not topic.examples:
        remarks.append("it has no examples: write down what it must and must not match")
    if len(sample) < SAMPLE_MIN:
        remarks.append(f"a sample of {count(len(sample), 'article')} says nothing: give files")
        return Price(topic.name, 0.0, 0.0, 0.0, tuple(remarks))
    frequency = Frequency()
    for article in sample:
        frequency.add(vocabulary(document(article)))
    percolator = Percolator.build({topic.name: topic.query}, frequency)
    begun = perf_counter()
    found = sum(bool(match(article, [topic], utc_now())) for article in sample)
    spent = perf_counter() - begun
    asked = sum(len(percolator.candidates(document(article))) for article in sample)
    if found > BROAD * len(sample):
        remarks.append(f"it matches {found} of {len(sample)} articles: is it too broad, or is the sample about it?")
    if not found:
        remarks.append("it matches nothing in the sample")
    thousandth = len(sample) / 1000
    return Price(topic.name, spent * 1000 / thousandth, asked / thousandth, found / thousandth, tuple(remarks))


# `watchpost topic diff`: what a change of topics would have found, before it is live.


def diff(
    name: str,
    against: Path | None,
    since: str,
    config_path: Path | None,
    data: Path | None,
    as_json: bool,
    env: Mapping[str, str],
) -> int:
    """The exit code of `watchpost topic diff`: 0 if nothing moves, 1 if something does, 4 without a service to ask.

    The topics on disk are set against those that run, or against those of the file `against`.
    """
    new, old = read_plan(config_path, env), read_plan(against, env) if against is not None else None
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
        with ProgressBar("trying the topics") as bar:
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


def _moved(one: ChangedHit) -> dict[str, str]:
    article = one.article
    return {"id": article.id, "title": article.title, "source": article.source, "url": article.url, "why": one.why}
