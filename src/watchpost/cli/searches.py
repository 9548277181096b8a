"""`watchpost searches …`: searches of the archive that are kept under a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, SeverityOption, SinceOption, SourceOption, TopicOption
from watchpost.cli.output import CommandError, echo, echo_json, echo_table
from watchpost.cli.search import LangOption, MutedOption, NumberOption, UntilOption, look_up
from watchpost.cli.session import open_config, running_service, zone_of
from watchpost.errors import FormError, NotFound
from watchpost.exit_codes import FAILED, USAGE
from watchpost.moments import with_zone

if TYPE_CHECKING:
    from watchpost.store.saved_searches import SavedSearch

app = CommandApp(
    "docs/commands.md#searches, docs/archive.md",
    'watchpost searches save Sahel "kidal OR gao" --since 7d',
    "watchpost searches run Sahel",
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A saved search.")]


@app.command("list", reads="service")
async def searches_list(as_json: JsonOption = False) -> None:
    """List the saved searches.

    watchpost searches list
    """
    from watchpost.operations.saved_searches import list_searches

    async with running_service() as (config, store):
        saved = await list_searches(store)
    if as_json:
        echo_json({"searches": [_facts(one) for one in saved]})
        return
    rows = [(one.name, _in_words(one), one.by, with_zone(one.at, zone_of(config))) for one in saved]
    echo_table(("NAME", "SEARCH", "BY", "SAVED"), rows, ("SEARCH",))


@app.command("save", reads="service")
async def searches_save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that no other search has.")],
    query: Annotated[str, typer.Argument(metavar="[QUERY]", help="As in a topic; without one, everything.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    source: SourceOption = "",
    lang: LangOption = "",
    topic: TopicOption = "",
    severity: SeverityOption = "",
    muted: MutedOption = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who saves it; without it, the user.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Save a search of the archive under a name, for everyone.

    watchpost searches save Sahel "kidal OR gao" --since 7d --lang fr

    The page Search lists it, with an Atom feed of its own. `--since 7d` means the seven days before it is run.
    """
    from watchpost.operations import factory
    from watchpost.operations.archive_search import search_form
    from watchpost.operations.saved_searches import save_search

    asked = {"q": query, "since": since, "until": until, "source": source, "lang": lang, "topic": topic}
    asked |= {"severity": severity, "muted": "" if muted is None else "yes" if muted else "no"}
    async with running_service() as (config, store):
        form = search_form(config, asked, datetime.now(UTC))
        if form.mistakes:
            raise CommandError("; ".join(form.mistakes.values()), USAGE)
        try:
            saved = await save_search(store, name, form.asked, by or factory.operator())
        except FormError as error:
            raise CommandError("; ".join(error.fields.values()), USAGE) from None
    if as_json:
        echo_json({"search": _facts(saved)})
    else:
        echo(f"saved: {saved.name}: {_in_words(saved)}")


@app.command("remove", reads="service")
async def searches_remove(name: NameArgument, as_json: JsonOption = False) -> None:
    """Delete a saved search.

    watchpost searches remove Sahel

    Ends with 1 if there is no such search.
    """
    from watchpost.operations import factory
    from watchpost.operations.saved_searches import delete_search

    async with running_service() as (_, store):
        try:
            await delete_search(store, name, factory.operator())
        except NotFound as error:
            raise CommandError(str(error), FAILED) from None
    if as_json:
        echo_json({"removed": name})
    else:
        echo(f"removed: {name}")


@app.command("run", reads="service")
async def searches_run(
    name: NameArgument,
    number: NumberOption = 20,
    before: Annotated[str, typer.Option("--before", metavar="MARK", help="Continue an earlier search here.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Search the archive with a saved search.

    watchpost searches run Sahel -n 50

    It prints what `search` prints. Ends with 1 if there is no such search, and with 3 if nothing is found.
    """
    from watchpost.operations.archive_search import search_form
    from watchpost.operations.saved_searches import find_search

    async with running_service() as (_, store):
        try:
            saved = await find_search(store, name)
        except NotFound as error:
            raise CommandError(str(error), FAILED) from None
    settings, config = open_config()
    form = search_form(config, saved.asked, datetime.now(UTC))
    if form.wanted is None:
        raise CommandError(f"the search '{saved.name}' is wrong now: {'; '.join(form.mistakes.values())}", USAGE)
    return await look_up(settings, config, form.wanted, number, before, as_json=as_json)


def _facts(saved: SavedSearch) -> dict[str, Any]:
    return {"name": saved.name, "asked": dict(saved.asked), "by": saved.by, "at": saved.at.isoformat()}


def _in_words(saved: SavedSearch) -> str:
    """The fields that are asked for: "kidal OR gao; since: 7d"."""
    return "; ".join(value if name == "q" else f"{name}: {value}" for name, value in saved.asked.items())
