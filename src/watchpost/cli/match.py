"""`watchpost match` and `watchpost explain`: the matcher alone, on files, without Redis."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchpost.cli import output
from watchpost.cli.output import ProgressBar, complain, say, tell, tell_json, unknown
from watchpost.config.config import Config
from watchpost.config.settings import read_settings
from watchpost.documents.parse import read_document
from watchpost.errors import ConfigError, QueryError
from watchpost.exit_codes import FAILED, NOTHING, OK, PARTIAL, USAGE
from watchpost.match.matcher import Topics, document
from watchpost.match.signatures import signature
from watchpost.match.stories import Shelf
from watchpost.model import Article, Hit, Topic
from watchpost.operations import factory
from watchpost.query.explain import Explanation, missing, shorten
from watchpost.query.explain import explain as explain_query
from watchpost.query.parser import parse
from watchpost.scheduler import utc_now

SUFFIXES = frozenset({".txt", ".md", ".html", ".htm", ".eml", ".pdf", ".docx", ".jsonl", ".xml", ".rss", ".atom"})


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """What is looked for: a query of one's own, or the configured topics, or those of them that are named.

    `only`: articles that do not match are not shown.
    """

    query: str = ""
    topics: tuple[str, ...] = ()
    only: bool = False


def match(
    files: Sequence[str],
    asked: MatchRequest,
    config_path: Path | None,
    as_json: bool,
    exit_code: bool,
    env: Mapping[str, str],
) -> int:
    """The exit code of `watchpost match`: 5 if some of the files could not be read, 1 if none could."""
    chosen = _chosen(asked, config_path, env)
    if chosen is None:
        return USAGE
    topics, shelf = Topics(chosen), Shelf()
    read = failed = matched = 0
    with ProgressBar("matching") as bar:
        for name in _spread(files):
            articles, broken = read_articles(name)
            failed += broken
            for number, article in enumerate(articles):
                if not sys.stdout.isatty():  # on a terminal the results themselves are the progress
                    bar(number, len(articles))
                read += 1
                hits = topics.match(article, utc_now())
                story = shelf.decide(signature(article), utc_now()).story
                matched += bool(hits)
                if asked.only and not hits:
                    continue
                _show_json(article, hits, story) if as_json else _show(name, article, hits)
    if failed:
        return PARTIAL if read else FAILED
    return NOTHING if exit_code and not matched else OK


def explain(topic: str, file: str, config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost explain`: 0 if the article matches, 3 if not."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    found = next((each for each in config.topics if each.name == topic), None)
    if found is None:
        unknown("topic", topic, [each.name for each in config.topics])
        return USAGE
    alone = Topics([found])
    articles, broken = read_articles(file)
    matched = False
    for article in articles:
        hits = alone.match(article, utc_now())
        tree = explain_query(found.query, document(article))
        matched = matched or bool(hits)
        if as_json:
            tell_json({"id": article.id, "topic": topic, "matches": bool(hits), "tree": _tree(tree)})
            continue
        tell(f"{'matches' if hits else 'does not match'}: {article.title}")
        for line in match_lines(tree, 1):
            tell(line)
        if not tree.matches:
            tell(f"  missing: {missing(tree)}")
        elif not hits:
            tell("  the query matches, but the topic's exclude or languages leave the article out")
    if broken:
        return FAILED
    return OK if matched else NOTHING


def _chosen(asked: MatchRequest, config_path: Path | None, env: Mapping[str, str]) -> Sequence[Topic] | None:
    """The topics to match, or None after what is wrong with them has been said. A query needs no configuration."""
    if asked.query and asked.topics:
        say("give either --query or --topic")
        return None
    if asked.query:
        try:
            return [Topic("query", asked.query, parse(asked.query))]
        except QueryError as error:
            say(f"--query: {error}")
            return None
    config = read_plan(config_path, env)
    if config is None:
        return None
    names = {topic.name: topic for topic in config.topics}
    strange = [name for name in asked.topics if name not in names]
    for name in strange:
        unknown("topic", name, names)
    return None if strange else [names[name] for name in asked.topics] or config.topics


def _spread(files: Sequence[str]) -> Iterator[str]:
    """The files; of a folder those in it whose names end as articles do."""
    for name in files:
        if name != "-" and Path(name).is_dir():
            found = sorted(path for path in Path(name).rglob("*") if path.is_file())
            yield from (str(path) for path in found if path.suffix.lower() in SUFFIXES)
        else:
            yield name


def read_plan(config_path: Path | None, env: Mapping[str, str]) -> Config | None:
    """The plan, or None after its mistakes have been said."""
    try:
        settings = read_settings(config=config_path)
        output.open_log(settings)
        with ProgressBar("reading the configuration") as bar:
            return factory.read_config(settings.config, env, bar)
    except ConfigError as error:
        complain(error.complaints)
        return None


def read_articles(name: str) -> tuple[tuple[Article, ...], int]:
    """The articles of one file; what could not be read is said, and counted."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        say(f"{name}: {error.strerror}")
        return (), 1
    reading = read_document(name, data, utc_now())
    for failure in reading.failures:
        say(f"{name}: {failure.item}: {failure.detail}" if failure.item != name else f"{name}: {failure.detail}")
    return reading.articles, len(reading.failures)


def _show_json(article: Article, hits: Sequence[Hit], story: str) -> None:
    why = {
        hit.topic: [{"field": e.field, "start": e.start, "end": e.end, "text": e.text} for e in hit.evidence]
        for hit in hits
    }
    tell_json({"id": article.id, "topics": list(why), "story": story, "why": why})


def _show(name: str, article: Article, hits: Sequence[Hit]) -> None:
    tell(f"{name}: {article.title or '(no title)'}")
    for hit in hits:
        words = dict.fromkeys(" ".join(item.text.split()) for item in hit.evidence)
        tell(f"  {hit.topic}: {', '.join(words)}")
    if not hits:
        tell("  no topic")


def _tree(tree: Explanation) -> dict[str, object]:
    return {
        "clause": tree.text,
        "matches": tree.matches,
        "evidence": [[item.field, item.start, item.end, item.text] for item in tree.evidence],
        "children": [_tree(child) for child in tree.children],
    }


def match_lines(tree: Explanation, depth: int) -> Iterator[str]:
    """Each clause of a query, its verdict and what it found, indented by `depth`."""
    words = dict.fromkeys(f"“{item.text}” in {item.field}" for item in tree.evidence) if not tree.children else ()
    found = f": {', '.join(list(words)[:4])}" if words else ""
    yield f"{'  ' * depth}{'✓' if tree.matches else '✗'} {shorten(tree.text)}{found}"
    for child in tree.children:
        yield from match_lines(child, depth + 1)
