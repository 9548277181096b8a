"""`watchpost story …`: the stories that were found."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import SeverityOption, SinceOption, SourceOption, TopicOption
from watchpost.cli.output import pick
from watchpost.cli.session import running_service

app = CommandApp("docs/commands.md#story, docs/pages.md", "watchpost story export --since 7d > stories.csv")


@app.command("export", reads="service")
async def story_export(
    topic: TopicOption = "",
    source: SourceOption = "",
    severity: SeverityOption = "",
    lang: Annotated[str, typer.Option("--lang", metavar="CODE", help="Only this language, like fr.")] = "",
    text: Annotated[str, typer.Option("--text", metavar="WORDS", help="Words in the headline or the snippet.")] = "",
    since: SinceOption = "",
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv or ndjson.")] = "csv",
    hits: Annotated[bool, typer.Option("--hits", help="A line for each hit instead of each story.")] = False,
) -> None:
    """Print stories as CSV or NDJSON, the newest first.

    watchpost story export --topic mali --since 7d > stories.csv
    watchpost story export --hits --format ndjson

    A story is whole if one of its hits fits. The page Stories and the API export the same.
    """
    import sys

    from watchpost.operations.exports import FORMATS
    from watchpost.operations.story_search import Search, StorySearch

    wanted = pick("format", form, {name: name for name in FORMATS})
    search = Search(text, topic, source, lang.lower(), severity=severity, since=since)
    what: Literal["stories", "hits"] = "hits" if hits else "stories"
    async with running_service() as (config, store):
        async for part in StorySearch(config, store).lines(search, what, wanted):
            sys.stdout.write(part)
