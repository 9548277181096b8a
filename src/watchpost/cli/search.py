"""`watchpost search`: everything that was read, searched with the query language of the topics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import SINCE_FORMS, JsonOption, SeverityOption, SinceOption, SourceOption, TopicOption
from watchpost.cli.output import CommandError, echo, echo_json, exact_time, note, pick
from watchpost.cli.session import open_config, since_moment
from watchpost.exit_codes import NOTHING, OK, USAGE

if TYPE_CHECKING:
    from watchpost.archive.search import FoundArticle, Wanted
    from watchpost.config.config import Config
    from watchpost.config.settings import Settings
    from watchpost.model import Severity
    from watchpost.schedules import Silence

UntilOption = Annotated[str, typer.Option("--until", metavar="WHEN", help=f"Only what was read before: {SINCE_FORMS}.")]
LangOption = Annotated[str, typer.Option("--lang", metavar="CODE", help="Only this language, like fr.")]
MutedOption = Annotated[
    bool | None, typer.Option("--muted/--not-muted", help="Only hits that a silence covers, or without them.")
]
NumberOption = Annotated[int, typer.Option("-n", metavar="N", min=1, help="Show at most this many.")]

app = CommandApp("docs/commands.md#search, docs/archive.md", 'watchpost search "country:ML AND ferry" --since 30d')


@app.command("search", reads="service")
async def search(
    query: Annotated[str, typer.Argument(metavar="[QUERY]", help="As in a topic; without one, everything.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    source: SourceOption = "",
    lang: LangOption = "",
    topic: TopicOption = "",
    severity: SeverityOption = "",
    muted: MutedOption = None,
    number: NumberOption = 20,
    before: Annotated[str, typer.Option("--before", metavar="MARK", help="Continue an earlier search here.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Search everything that was read.

    watchpost search '"Africa Corps" NEAR/10 Gao' --since 30d
    watchpost search 'title:mali' --lang fr --until 2026-11-01

    It finds what a topic with this query would match, the newest first. --topic and --severity take the topics of the
    configuration. Ends with 3 if nothing is found.
    """
    from watchpost.archive.archive import ReadBetween
    from watchpost.archive.search import Wanted
    from watchpost.config.routes import parsed
    from watchpost.errors import QueryError
    from watchpost.model import SEVERITIES

    settings, config = open_config()
    if topic:
        pick("topic", topic, {one.name: one for one in config.topics})
    if severity:
        pick("severity", severity, dict.fromkeys(SEVERITIES))
    try:
        wanted = Wanted(
            parsed(query, config.written) if query.strip() else None,
            ReadBetween.of(since_moment(since, config), since_moment(until, config, "--until")),
            source,
            lang.lower(),
            topic,
            cast('Severity | Literal[""]', severity),
            muted,
        )
    except QueryError as error:
        raise CommandError(f"QUERY: {error}", USAGE) from None
    return await look_up(settings, config, wanted, number, before, as_json=as_json)


async def look_up(
    settings: Settings, config: Config, wanted: Wanted, number: int, before: str, *, as_json: bool
) -> int:
    """Print what is found, `number` articles from the mark `before` on; the code to end with. Raises CommandError."""
    from watchpost.archive.archive import Mark
    from watchpost.archive.search import Search
    from watchpost.operations import factory
    from watchpost.scheduler import utc_now

    archive = factory.build_archive(settings, config)
    if archive is None:
        raise CommandError("there is no archive: `archive:` is switched off in the configuration", USAGE)
    mark = Mark.read(before) if before else None
    if before and mark is None:
        raise CommandError(f"--before '{before}' is not a mark; take the one that an earlier search printed", USAGE)
    looking = Search(wanted, config.topics, await _silences(settings, config), now=utc_now())
    try:
        page = await asyncio.to_thread(looking.page, archive, number, mark)
    finally:
        archive.close()
    if as_json:
        echo_json({"articles": [_facts(one) for one in page.found], "more": str(page.more) if page.more else ""})
    else:
        for one in page.found:
            _show(one)
        if not page.found:
            note("nothing found")
        if page.more is not None:
            note(f"older articles: add --before {page.more}")
    return OK if page.found else NOTHING


async def _silences(settings: Settings, config: Config) -> tuple[Silence, ...]:
    """The silences of the configuration, and those of the service if one runs."""
    from watchpost.errors import StoreError
    from watchpost.operations import factory
    from watchpost.store.silences import Silences

    try:
        async with factory.look(settings, config) as store:
            return (*config.silences, *await Silences(store).all())
    except StoreError:
        return config.silences


def _facts(one: FoundArticle) -> dict[str, Any]:
    about = one.article
    words = [{"field": item.field, "start": item.start, "end": item.end, "text": item.text} for item in one.evidence]
    return {
        "id": about.id,
        "mark": str(one.mark),
        "title": about.title,
        "url": about.url,
        "source": about.source,
        "outlet": about.outlet,
        "lang": about.lang,
        "published": about.published.isoformat() if about.published else None,
        "read": about.fetched.isoformat(),
        "snippet": one.snippet().text,
        "why": words,
        "topics": [hit.topic for hit in one.hits],
        "muted": one.muted,
    }


def _show(one: FoundArticle) -> None:
    about = one.article
    echo(" ".join(about.title.split()) or "(no headline)")
    facts = [exact_time(about.fetched), about.outlet or about.source]
    facts += [f"topics: {', '.join(hit.topic for hit in one.hits)}"] if one.hits else []
    facts += ["muted"] if one.muted else []
    echo(f"  {' · '.join(facts)}")
    echo(f"  {one.snippet().text}")
    if about.url:
        echo(f"  {about.url}")
