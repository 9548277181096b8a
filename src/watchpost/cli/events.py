"""`watchpost event …`: which stories are one event, and how to correct it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption
from watchpost.cli.output import CommandError, echo, echo_json, echo_table
from watchpost.cli.session import running_service
from watchpost.errors import NotFound
from watchpost.exit_codes import FAILED

if TYPE_CHECKING:
    from watchpost.operations.events import ShownEvent

app = CommandApp("docs/commands.md#event, docs/events.md", "watchpost event show 2a4907032ebdaffbad2a2b9683299e81")

StoryArgument = Annotated[str, typer.Argument(metavar="STORY", help="The id of a story.")]


@app.command("show", reads="service")
async def event_show(story: StoryArgument, as_json: JsonOption = False) -> None:
    """Show the event of a story, with its stories and why they were joined.

    watchpost event show 2a4907032ebdaffbad2a2b9683299e81
    """
    from watchpost.operations.events import event_of

    async with running_service() as (_, store):
        with _known():
            _show(await event_of(store, story), as_json)


@app.command("cut", reads="service")
async def event_cut(story: StoryArgument, as_json: JsonOption = False) -> None:
    """Take a story out of its event; it is an event of its own from then on.

    watchpost event cut 2a4907032ebdaffbad2a2b9683299e81
    """
    from watchpost.operations import factory
    from watchpost.operations.events import cut

    async with running_service() as (_, store):
        with _known():
            _show(await cut(store, story, factory.operator()), as_json)


@app.command("join", reads="service")
async def event_join(
    story: StoryArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The id of a story of the event that it joins.")],
    as_json: JsonOption = False,
) -> None:
    """Put a story into the event of another one.

    watchpost event join 2a4907032ebdaffbad2a2b9683299e81 6b0e3c8d51f44a0f9e3b7c2d1a908172
    """
    from watchpost.operations import factory
    from watchpost.operations.events import join

    async with running_service() as (_, store):
        with _known():
            _show(await join(store, story, other, factory.operator()), as_json)


@contextmanager
def _known() -> Iterator[None]:
    """End with 1 if no event is known of a story."""
    try:
        yield
    except NotFound as error:
        raise CommandError(str(error), FAILED) from error


def _show(event: ShownEvent, as_json: bool) -> None:
    if as_json:
        stories = [
            {"id": story, "like": one.like or None, "reasons": list(one.reasons), "by": one.by or None}
            for story, one in event.stories
        ]
        echo_json({"event": event.id, "stories": stories})
        return
    echo(f"event {event.id}")
    echo_table(["STORY", "WHY"], [[story, ", ".join(one.reasons)] for story, one in event.stories])
