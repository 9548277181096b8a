"""`watchpost match` and `watchpost explain`: the matcher alone, on files, without a running service."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, TopicArgument, topics
from watchpost.cli.output import CommandError, ProgressBar, echo, echo_json, pick, warn
from watchpost.cli.session import load_config
from watchpost.control_characters import on_one_line
from watchpost.errors import QueryError
from watchpost.exit_codes import FAILED, NOTHING, OK, PARTIAL

if TYPE_CHECKING:
    from watchpost.events.embedding import Embedding
    from watchpost.model import Article, Hit, Topic
    from watchpost.query.explain import Explanation

app = CommandApp("docs/commands.md#match-and-explain, docs/query-language.md")


@app.command("match", reads="config")
def match_files(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Articles, feeds, JSON Lines, or folders; - is stdin."),
    ],
    query: Annotated[
        str, typer.Option("--query", "-q", metavar="QUERY", help="A query instead of the configured topics.")
    ] = "",
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", metavar="NAME", help="Only this topic; may be repeated.", autocompletion=topics),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Show only articles that match.")] = False,
    as_json: JsonOption = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 3 if nothing matches.")] = False,
) -> int:
    """Show which topics match an article.

    watchpost match article.txt inbox/
    watchpost match -q 'mali AND NOT shader' --only articles.jsonl

    No service needs to run. Ends with 5 if some files cannot be read, and with 1 if none can.
    """
    from watchpost.match.matcher import Topics
    from watchpost.match.signatures import signature
    from watchpost.match.stories import Shelf
    from watchpost.scheduler import utc_now

    wanted, shelf, events = Topics(_wanted_topics(query, topic or ())), Shelf(), _Events()
    read = failed = matched = 0
    with ProgressBar("matching") as bar:
        for name in _files(files):
            articles, unreadable = read_articles(name)
            failed += unreadable
            for number, article in enumerate(articles):
                if not sys.stdout.isatty():  # on a terminal the results show the progress
                    bar(number, len(articles))
                read += 1
                hits = wanted.match(article, utc_now())
                story = shelf.decide(signature(article), utc_now()).story
                matched += bool(hits)
                if only and not hits:
                    continue
                if as_json:
                    _echo_json(article, hits, story, events.event(article, hits, story))
                else:
                    _echo(name, article, hits)
    if failed:
        return PARTIAL if read else FAILED
    return NOTHING if exit_code and not matched else OK


@app.command("explain", reads="config")
def explain_match(
    topic: TopicArgument,
    file: Annotated[str, typer.Argument(metavar="FILE", help="An article; - is stdin.")],
    show_tree: Annotated[bool, typer.Option("--tree", help="Show every clause with what it found.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show why a topic matches an article, or why not.

    watchpost explain mali article.txt
    watchpost explain mali --tree article.txt
    watchpost explain mali --json - < article.txt

    Names the words of the topic that are in the text, and what each of them lacks. Ends with 3 if the article does not
    match.
    """
    from watchpost.match.matcher import Topics, document
    from watchpost.query.explain import explain
    from watchpost.query.shortfall import shortfalls
    from watchpost.scheduler import utc_now

    chosen = pick("topic", topic, {each.name: each for each in load_config().topics})
    alone = Topics([chosen])
    articles, unreadable = read_articles(file)
    matched = False
    for article in articles:
        hits = alone.match(article, utc_now())
        tree = explain(chosen.query, document(article))
        matched = matched or bool(hits)
        if as_json:
            facts = {"id": article.id, "topic": topic, "matches": bool(hits)}
            lacking = [{"words": [word for word, _ in each.words], "lacks": each.lacks} for each in shortfalls(tree)]
            echo_json({**facts, "lacking": lacking, "tree": _tree(tree)})
            continue
        echo(f"{'matches' if hits else 'does not match'}: {on_one_line(article.title)}")
        for line in explained_lines(tree, 1) if show_tree else _reasons(tree):
            echo(line)
        if tree.matches and not hits:
            echo("  the query matches, but the topic's exclude or languages leave the article out")
    if unreadable:
        return FAILED
    return OK if matched else NOTHING


def _wanted_topics(query: str, names: Sequence[str]) -> Sequence[Topic]:
    """A topic for the query, or the configured topics of these names, or all. A query needs no configuration."""
    if query and names:
        raise CommandError("give either --query or --topic")
    if query:
        from watchpost.model import Topic
        from watchpost.query.parser import parse

        try:
            return [Topic("query", query, parse(query))]
        except QueryError as error:
            raise CommandError(f"--query: {error}") from error
    configured = load_config().topics
    return [pick("topic", name, {topic.name: topic for topic in configured}) for name in names] or configured


def _files(names: Sequence[str]) -> Iterator[str]:
    """The files; of a folder those that a folder source would read by their names."""
    for name in names:
        if name != "-" and Path(name).is_dir():
            from watchpost.poll.folders.scan import readable_files

            try:
                yield from map(str, readable_files(Path(name)))
            except OSError as error:
                raise CommandError(f"{on_one_line(name)}: {error.strerror}") from error
        else:
            yield name


def read_articles(name: str) -> tuple[tuple[Article, ...], int]:
    """The articles of a file ("-": stdin), and how many things in it cannot be read; each is reported."""
    from watchpost.documents.parse import read_document
    from watchpost.scheduler import utc_now

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        warn(f"{on_one_line(name)}: {error.strerror}")
        return (), 1
    reading = read_document(name, data, utc_now())
    for failure in reading.failures:
        warn(
            on_one_line(
                f"{name}: {failure.item}: {failure.detail}" if failure.item != name else f"{name}: {failure.detail}"
            )
        )
    return reading.articles, len(reading.failures)


class _Events:
    """Decides which event the stories of hits belong to, as the service does, with the embedding if it is installed."""

    def __init__(self) -> None:
        from watchpost.events.joining import Events

        self._events = Events()
        self._embedding: Embedding | None = None
        self._ready = False

    def event(self, article: Article, hits: Sequence[Hit], story: str) -> str:
        """The event of a story; that of an article without a hit is its story. Raises WatchpostError."""
        from watchpost.events import embedding
        from watchpost.events.joining import Report
        from watchpost.events.witnesses import embedded_text, witnesses
        from watchpost.match.matcher import countries_of

        if not hits:
            return story
        if not self._ready:
            self._embedding, self._ready = embedding.installed(), True
        vector = self._embedding.vector(embedded_text(article)) if self._embedding else b""
        said = witnesses(article, countries_of(hit.evidence for hit in hits), vector)
        joined = self._events.decide(story, said)
        self._events.add(Report(story, joined.event, said, joined.certain))
        return joined.event


def _echo_json(article: Article, hits: Sequence[Hit], story: str, event: str) -> None:
    why = {
        hit.topic: [{"field": e.field, "start": e.start, "end": e.end, "text": e.text} for e in hit.evidence]
        for hit in hits
    }
    places = [
        {"name": one.name, "country": one.country, "role": "event" if one.event else "mention"}
        for one in (hits[0].places if hits else ())
    ]
    echo_json({"id": article.id, "topics": list(why), "story": story, "event": event, "why": why, "places": places})


def _echo(name: str, article: Article, hits: Sequence[Hit]) -> None:
    echo(f"{on_one_line(name)}: {on_one_line(article.title) or '(no title)'}")
    for hit in hits:
        words = dict.fromkeys(" ".join(item.text.split()) for item in hit.evidence)
        echo(f"  {hit.topic}: {', '.join(words)}")
    if not hits:
        echo("  no topic")


def _tree(tree: Explanation) -> dict[str, object]:
    return {
        "clause": tree.text,
        "matches": tree.matches,
        "evidence": [[item.field, item.start, item.end, item.text] for item in tree.evidence],
        "children": [_tree(child) for child in tree.children],
    }


def _reasons(tree: Explanation) -> Iterator[str]:
    """Why the query matches, or what it lacks, in at most ten lines."""
    from watchpost.query.explain import missing, other_forms
    from watchpost.query.shortfall import MOST, shorten, shortfalls

    if tree.matches:
        found = dict.fromkeys(f"“{item.text}” ({item.field}) for {shorten(item.clause)}" for item in tree.evidence)
        yield from (f"  {line}" for line in list(found)[:MOST])
        if len(found) > MOST:
            yield f"  and {len(found) - MOST} more"
        return
    lacking = shortfalls(tree)
    yield from (f"  {shortfall}" for shortfall in lacking)
    if not lacking:
        forms = other_forms(tree)[:MOST]
        yield "  none of its words is in the text" + (" as the query writes it" if forms else "")
        yield from (f"  {line}" for line in forms or [f"missing: {shorten(missing(tree))}"])
    yield "  --tree shows every clause"


def explained_lines(tree: Explanation, depth: int) -> Iterator[str]:
    """Each clause of a query, whether it matches and what it found, indented by `depth`."""
    from watchpost.query.explain import shorten

    words = dict.fromkeys(f"“{item.text}” in {item.field}" for item in tree.evidence) if not tree.children else ()
    evidence = f": {', '.join(list(words)[:4])}" if words else ""
    yield f"{'  ' * depth}{'✓' if tree.matches else '✗'} {shorten(tree.text)}{evidence}"
    for child in tree.children:
        yield from explained_lines(child, depth + 1)
