"""`watchpost topic …`: topics listed, tried, measured, and compared with those that run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.match import explained_lines, read_articles
from watchpost.cli.options import JsonOption, PrivateOption, SinceOption, TopicArgument
from watchpost.cli.options import topics as topic_names
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, note, pick, warn
from watchpost.cli.session import load_config, networks, open_config, running_service, since_moment
from watchpost.control_characters import on_one_line
from watchpost.errors import FetchError
from watchpost.exit_codes import FAILED, NOTHING, OK, PARTIAL, UNREACHABLE
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.config.config import Config
    from watchpost.match.suggestion import Proposal
    from watchpost.match.trial import ChangedHit, Effect
    from watchpost.model import Article, Topic
    from watchpost.query.document import Document

app = CommandApp(
    "docs/commands.md#topic, docs/query-language.md", "watchpost topic test mali", "watchpost topic diff --since 7d"
)

BROAD = 0.25  # a topic that matches a quarter of all articles does not select
SAMPLE_MIN = 20
_CHANGED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a topic did on a sample, per 1,000 articles: milliseconds, full evaluations and matches; and remarks."""

    topic: str
    milliseconds: float
    evaluations: float
    matches: float
    remarks: tuple[str, ...]


@app.command("list", reads="config")
def topic_list(as_json: JsonOption = False) -> None:
    """List the topics with their parsed queries.

    watchpost topic list
    """
    for topic in load_config().topics:
        query, exclude = str(topic.query.root), topic.exclude and str(topic.exclude.root)
        if as_json:
            facts = {"name": topic.name, "title": topic.title, "severity": topic.severity}
            echo_json({**facts, "query": query, "exclude": exclude})
            continue
        echo(f"{topic.name}: {topic.title}, {topic.severity}")
        echo(f"  {query}")
        if exclude is not None:
            echo(f"  excluding {exclude}")


@app.command("test", reads="service")
async def topic_test(
    name: TopicArgument,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Articles; - is stdin.")] = None,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="Try this text.")] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Try the article of this web page.")] = "",
    since: SinceOption = "",
    explain: Annotated[bool, typer.Option("--explain", help="Also show what each clause found.")] = False,
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Try a topic on its examples, a text, files, a web page or recent articles.

    watchpost topic test mali
    watchpost topic test mali --text "Talks in Bamako" --explain
    watchpost topic test mali --since 7d

    Shows the words that matched, or what is missing. --since shows the articles that match among those in the archive.
    Ends with 3 if nothing matches.
    """
    from watchpost.query.document import Document
    from watchpost.query.explain import explain as explain_query

    if since:
        if files or text or url or explain:
            raise CommandError("--since cannot be combined with files, --text, --url or --explain")
        return await _recent(name, since, as_json)
    topic = pick("topic", name, {topic.name: topic for topic in load_config().topics})
    texts, unreadable = await _texts(files or (), text, url, allow_private or ())
    if not texts and not unreadable:
        texts = [(example, Document.of({"body": example})) for example, _ in topic.examples]
        if not texts:
            raise CommandError(f"{name} has no examples: give --text, --url or a file")
    matched = 0
    for title, content in texts:
        matched += _try(topic, title, content, as_json)
        if explain and not as_json:
            for line in explained_lines(explain_query(topic.query, content), 1):
                echo(line)
    if unreadable:
        return FAILED
    return OK if matched or not (files or text or url) else NOTHING


async def _texts(
    files: Sequence[str], text: str, url: str, allow_private: Sequence[str]
) -> tuple[list[tuple[str, Document]], int]:
    """What to try a topic on, each with a title; and how many things cannot be read, which are reported."""
    from watchpost.match.matcher import document
    from watchpost.operations import trials
    from watchpost.query.document import Document
    from watchpost.scheduler import utc_now

    unreadable = 0
    texts: list[tuple[str, Document]] = []
    for file in files:
        articles, failed = read_articles(file)
        unreadable += failed
        texts += [(article.title or file, document(article)) for article in articles]
    if text:
        texts.append((text, Document.of({"body": text})))
    if url:
        allowed = networks(allow_private)
        try:
            article = await trials.article_at(url, allowed, utc_now())
            texts.append((article.title or url, document(article)))
        except FetchError as error:
            warn(f"{url}: {error.detail}")
            unreadable += 1
    return texts, unreadable


def _try(topic: Topic, title: str, text: Document, as_json: bool) -> bool:
    """Show whether a text matches the topic, and why; the words, what is missing, or what excludes it."""
    from watchpost.query.explain import explain, missing

    evidence = topic.query.evaluate(text)
    excluded = topic.exclude.evaluate(text) if topic.exclude is not None else None
    matches = evidence is not None and excluded is None
    lacking = "" if evidence is not None else missing(explain(topic.query, text))
    words = list(dict.fromkeys(item.text for item in evidence or ()))
    if as_json:
        facts = {"text": title, "matches": matches, "words": words, "missing": lacking}
        echo_json({**facts, "excluded": excluded is not None})
        return matches
    echo(f"{'✓' if matches else '✗'} {title}")
    if lacking:
        echo(f"  missing: {lacking}")
    elif excluded is not None:
        echo(f"  excluded by: {', '.join(dict.fromkeys(item.text for item in excluded))}")
    else:
        echo(f"  {', '.join(words)}")
    return matches


async def _recent(name: str, since: str, as_json: bool) -> int:
    """Try the topic on the articles of the archive or of the running service, whether they matched or not."""
    from watchpost.match.matcher import MOST_EVIDENCE, Topics, document, first_places
    from watchpost.operations import trials

    settings, config = open_config()
    topic = pick("topic", name, {topic.name: topic for topic in config.topics})
    stored = await trials.stored_articles(settings, config, since_moment(since, config))
    if stored.trouble and not stored.count:
        raise CommandError(stored.trouble, UNREACHABLE)
    matched, matcher = 0, Topics([topic])
    with ProgressBar("trying the topic") as bar:
        for article in stored.for_topics([topic], lambda done: bar(done, stored.count)):
            for evidence in matcher.evidence(document(article)).values():
                matched += 1
                words = list(dict.fromkeys(item.text for item in first_places(evidence, MOST_EVIDENCE)))
                if as_json:
                    facts = {"text": article.title, "matches": True, "words": words}
                    echo_json({**facts, "missing": "", "excluded": False})
                else:
                    echo(f"✓ {' '.join(article.title.split()) or article.url} ({article.source})")
                    echo(f"  {', '.join(words)}")
    if not as_json:
        echo(f"{matched} of {count(stored.count, 'article')} {'matches' if matched == 1 else 'match'}")
    return OK if matched else NOTHING


@app.command("lint", reads="config")
def topic_lint(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="A sample of articles; without any, the configured folders."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show what each topic costs, how much it matches, and what looks wrong.

    watchpost topic lint
    watchpost topic lint articles.jsonl

    Figures are per 1,000 articles. Ends with 1 if there is a remark on any topic.
    """
    config = load_config()
    sample = [article for file in files or _folder_files(config) for article in read_articles(file)[0]]
    costs = [_cost(topic, sample) for topic in config.topics]
    for cost in costs:
        if as_json:
            facts = {"topic": cost.topic, "sample": len(sample), "ms_per_1000": round(cost.milliseconds, 1)}
            rates = {"asked_per_1000": round(cost.evaluations, 1), "matches_per_1000": round(cost.matches, 1)}
            echo_json({**facts, **rates, "remarks": cost.remarks})
            continue
        if len(sample) >= SAMPLE_MIN:
            echo(
                f"{cost.topic}: {cost.milliseconds:.0f} ms, {cost.evaluations:.0f} evaluations and"
                f" {cost.matches:.0f} matches in 1,000 articles"
            )
        else:
            echo(f"{cost.topic}:")
        for remark in cost.remarks:
            echo(f"  {remark}")
    if not as_json:
        echo(f"measured on {count(len(sample), 'article')}")
    return FAILED if any(cost.remarks for cost in costs) else OK


def _folder_files(config: Config) -> list[str]:
    """The files in the configured folders: a sample of what comes in."""
    from watchpost.poll.folders.scan import readable_files

    folders = [getattr(source.options, "path", None) for source in config.sources if source.kind == "folder"]
    found = [folder for folder in folders if isinstance(folder, Path) and folder.is_dir()]
    return [str(path) for folder in found for path in readable_files(folder)]


def _cost(topic: Topic, sample: Sequence[Article]) -> _Cost:
    from watchpost.match.matcher import document, match
    from watchpost.query import accents
    from watchpost.query.explain import remarks as query_remarks
    from watchpost.query.percolator import Frequency, Percolator, vocabulary
    from watchpost.scheduler import utc_now

    remarks = [*query_remarks(topic.query), *accents.remarks(topic.query, map(document, sample))]
    if not topic.examples:
        remarks.append("no examples: add texts that it must and must not match")
    if len(sample) < SAMPLE_MIN:
        remarks.append(f"too few articles for figures, {len(sample)}: give at least {SAMPLE_MIN}")
        return _Cost(topic.name, 0.0, 0.0, 0.0, tuple(remarks))
    frequency = Frequency()
    for article in sample:
        frequency.add(vocabulary(document(article)))
    percolator = Percolator({topic.name: topic.query}, frequency)
    begun = perf_counter()
    matches = sum(bool(match(article, [topic], utc_now())) for article in sample)
    seconds = perf_counter() - begun
    evaluations = sum(len(percolator.candidates(document(article))) for article in sample)
    if matches > BROAD * len(sample):
        remarks.append(f"it matches {matches} of {len(sample)} articles: it may be too broad")
    if not matches:
        remarks.append("it matches nothing in the sample")
    thousands = len(sample) / 1000
    return _Cost(topic.name, seconds * 1000 / thousands, evaluations / thousands, matches / thousands, tuple(remarks))


@app.command("convert")
def topic_convert(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The query; - is stdin.")],
    tool: Annotated[str, typer.Option("--from", metavar="TOOL", help="nexis, factiva or google.")],
    as_json: JsonOption = False,
) -> int:
    """Print a query of another search tool in this query language, and what of it cannot be said.

    watchpost topic convert --from nexis "mercenar! W/15 (mali OR niger) AND NOT opera"

    The query is on stdout, what cannot be said on stderr. Ends with 5 if something cannot be said.
    """
    from watchpost.query.conversion.converter import convert
    from watchpost.query.conversion.dialects import DIALECTS

    tool = pick("tool", tool.lower(), {name: name for name in DIALECTS})
    converted = convert(sys.stdin.read() if query == "-" else query, tool)
    if as_json:
        echo_json({"query": converted.query, "lost": converted.lost})
    else:
        echo(converted.query)
        for sentence in converted.lost:
            warn(sentence)
    return PARTIAL if converted.lost else OK


@app.command("suggest", reads="service")
async def topic_suggest(
    name: TopicArgument,
    write: Annotated[
        bool, typer.Option("--write", help="Write the first proposal into the file of the topic.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Propose a change of a topic out of the verdicts on its hits, and show the effect.

    watchpost topic suggest mali
    watchpost topic suggest mali --write

    The effect is that on all verdicts and on the latest 2,000 articles that the store keeps. --write keeps comments; a
    reload makes the change effective. Ends with 3 if there is nothing to propose, and with 4 if no service runs.
    """
    from watchpost.operations import suggestions

    async with running_service() as (config, store):
        topic = pick("topic", name, {topic.name: topic for topic in config.topics})
        found, verdicts = await suggestions.proposals(config, store, topic)
    marked = sum(verdict.relevant for verdict in verdicts)
    if as_json:
        facts = {"topic": name, "relevant": marked, "not_relevant": len(verdicts) - marked}
        echo_json({**facts, "proposals": [_proposal_facts(proposal) for proposal in found]})
    else:
        echo(f"{name}: {marked} marked as relevant, {len(verdicts) - marked} as not relevant")
        for proposal in found:
            _echo_proposal(proposal)
    if not found:
        note("there is nothing to propose; `watchpost hit judge` and the page of the topic take verdicts")
        return NOTHING
    if write:
        file = suggestions.write(config, name, found[0])
        note(f"written: {file}; `watchpost config diff` shows the change, a reload makes it effective")
    return OK


def _echo_proposal(proposal: Proposal) -> None:
    label = (
        f"unless of entity {proposal.entity}"
        if proposal.entity
        else "query"
        if proposal.kind == "unless"
        else "exclude"
    )
    lines = on_one_line(proposal.text) if proposal.kind != "unless" else proposal.text
    echo(f"{label}: {lines}")
    echo(f"  {proposal}")
    for article in proposal.changed[:_CHANGED_SHOWN]:
        echo(f"  ± {on_one_line(' '.join(article.title.split()) or article.url)} ({article.outlet or article.source})")


def _proposal_facts(proposal: Proposal) -> dict[str, object]:
    facts: dict[str, object] = {"kind": proposal.kind, "entity": proposal.entity, "text": proposal.text}
    effect = {"removed": proposal.removed, "wrong": proposal.wrong, "lost": proposal.lost, "right": proposal.right}
    return {**facts, **effect, "changed": [{"id": one.id, "title": one.title} for one in proposal.changed]}


@app.command("diff", reads="service")
async def topic_diff(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="Only this topic.", autocompletion=topic_names)] = "",
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Compare with this configuration, not with the running one."),
    ] = None,
    since: SinceOption = "",
    as_json: JsonOption = False,
) -> int:
    """Show which articles a change of topics would gain or lose.

    watchpost topic diff
    watchpost topic diff mali --against old.yaml --since 7d

    The topics on disk are compared with those that run, on the articles of the archive and on the configured folders.
    Ends with 1 if anything changes, and with 4 if no service runs.
    """
    from watchpost.operations import trials

    settings, config = open_config()
    other = load_config(against) if against is not None else None
    begin = since_moment(since, config)
    stored = await trials.stored_articles(settings, config, begin)
    before = other.topics if other is not None else stored.topics
    if before is None:
        trouble = stored.trouble or "no matcher runs"
        raise CommandError(f"{trouble}; to compare with another file: --against FILE", UNREACHABLE)
    in_folders = {article.id: article for article in _folder_articles(config, begin)}
    tried = stored.count + len(in_folders)
    with ProgressBar("trying the topics") as bar:
        effects = trials.compare(
            before,
            config.topics,
            name,
            lambda topics: chain(stored.for_topics(topics, lambda done: bar(done, tried)), in_folders.values()),
        )
    if as_json:
        echo_json({"articles": tried, "topics": [_effect_facts(effect) for effect in effects]})
    else:
        for effect in effects:
            _echo_effect(effect)
        if not effects:
            echo("no topic changes")
        echo(f"tried on {count(tried, 'article')}")
    return FAILED if any(effect.gained or effect.lost for effect in effects) else OK


def _folder_articles(config: Config, begin: datetime | None) -> Iterator[Article]:
    """The articles in the configured folders, of files that have changed since `begin`."""
    for file in _folder_files(config):
        if begin is None or Path(file).stat().st_mtime >= begin.timestamp():
            yield from read_articles(file)[0]


def _echo_effect(effect: Effect) -> None:
    echo(f"{effect.topic}: +{len(effect.gained)} −{len(effect.lost)} ({effect.before} before, {effect.now} now)")
    for sign, hits in (("+", effect.gained), ("−", effect.lost)):
        for hit in hits:
            article = hit.article
            day = f"{article.published or article.fetched:%Y-%m-%d}"
            title = " ".join(article.title.split()) or "(no title)"
            echo(f"  {sign} {on_one_line(title)} ({article.outlet or article.source}, {day})")
            echo(f"      {hit.why}")


def _effect_facts(effect: Effect) -> dict[str, object]:
    return {
        "topic": effect.topic,
        "before": effect.before,
        "now": effect.now,
        "gained": [_hit_facts(hit) for hit in effect.gained],
        "lost": [_hit_facts(hit) for hit in effect.lost],
    }


def _hit_facts(hit: ChangedHit) -> dict[str, str]:
    article = hit.article
    return {"id": article.id, "title": article.title, "source": article.source, "url": article.url, "why": hit.why}
