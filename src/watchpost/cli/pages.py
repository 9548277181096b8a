"""`watchpost page …`: a web page tried as a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, PrivateOption
from watchpost.cli.options import pages as page_names
from watchpost.cli.output import CommandError, echo, echo_json, iso_time, local_time, pick
from watchpost.cli.session import load_config, networks, open_settings
from watchpost.exit_codes import FAILED, OK
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.operations.feeds.discovery import Trial
    from watchpost.poll.sources.page import PageOptions

app = CommandApp("docs/commands.md#page, docs/web-pages.md", "watchpost page test https://ministry.example/press")

ENTRIES_SHOWN = 20


@app.command("test", reads="config")
async def page_test(
    target: Annotated[
        str, typer.Argument(metavar="URL|PAGE", help="An address or a configured page.", autocompletion=page_names)
    ],
    items: Annotated[str, typer.Option("--items", metavar="CSS", help="What an entry of the page is.")] = "",
    title: Annotated[str, typer.Option("--title", metavar="CSS", help="Where its title is.")] = "",
    date: Annotated[str, typer.Option("--date", metavar="CSS", help="Where its date is.")] = "",
    link: Annotated[str, typer.Option("--link", metavar="CSS", help="Where its link is.")] = "",
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read a web page once and show which links it would bring, and why.

    watchpost page test https://ministry.example/press
    watchpost page test https://ministry.example/press --items div.news-item --date .when

    No service needs to run. Ends with 1 if the page cannot be read or has no list of links.
    """
    from watchpost.operations.feeds import discovery
    from watchpost.poll.sources.page import PageOptions
    from watchpost.scheduler import utc_now

    allowed = networks(allow_private or ())
    selectors = {"items": items, "title": title, "date": date, "link": link}
    given = {key: value for key, value in selectors.items() if value}
    if "://" in target:
        open_settings()
        name, options, zone = "(this url)", _options({"url": target, **given}), "UTC"
    else:
        config = load_config()
        pages = {part.name: part.options for part in config.sources if isinstance(part.options, PageOptions)}
        name, options, zone = target, pick("page", target, pages), config.timezone
        options = options.model_copy(
            update={key: getattr(_options({"url": options.url, **given}), key) for key in given}
        )
    tried = await discovery.try_feed(name, options, utc_now(), allowed)
    if as_json:
        echo_json(_facts(tried))
    else:
        _echo(tried, options, ZoneInfo(zone))
    return OK if tried.ok else FAILED


def _options(values: Mapping[str, str]) -> PageOptions:
    from pydantic import ValidationError

    from watchpost.poll.sources.page import PageOptions

    try:
        return PageOptions.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise CommandError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def _facts(tried: Trial) -> dict[str, Any]:
    entries = [
        {"id": a.id, "title": a.title, "url": a.url, "published": iso_time(a.published), "lang": a.lang}
        for a in tried.entries
    ]
    listing = tried.listing
    plain = ("name", "asked", "ok", "status", "url", "reason", "detail", "cure")
    return {
        **{key: getattr(tried, key) for key in plain},
        "why": listing.why if listing else "",
        "taken": asdict(listing.taken) if listing else None,
        "others": [asdict(each) for each in listing.others] if listing else [],
        "left_out": listing.left_out if listing else 0,
        "entries": entries,
        "named": [asdict(each) for each in tried.named],
    }


def _echo(tried: Trial, options: PageOptions, zone: ZoneInfo) -> None:
    listing = tried.listing
    echo(f"{tried.asked}: " + ("can be read" if tried.ok else f"{tried.reason}: {tried.detail}"))
    if listing is not None:
        echo(f"  why:    {listing.why}")
        echo(f"  items:  {listing.taken.items or 'no simple selector finds them'}")
        for key in ("title", "date", "link"):
            echo(f"  {key + ':':7} {getattr(options, key) or 'guessed'}")
        if listing.left_out:
            echo(f"  {count(listing.left_out, 'item')} left out: without a link or a title, or listed twice")
        echo(count(len(tried.entries), "entry", "entries"))
        for article in tried.entries[:ENTRIES_SHOWN]:
            echo(f"  {local_time(article.published, zone) or 'no date':16}  {article.title}")
            echo(f"  {'':16}  {article.url}")
        if len(tried.entries) > ENTRIES_SHOWN:
            echo(f"  and {len(tried.entries) - ENTRIES_SHOWN} more")
        for other in listing.others:
            selector = f"items: {other.items}" if other.items else "no simple selector"
            echo(f"  also on this page: {count(other.count, 'link')} like “{other.example}” ({selector})")
    for feed in tried.named:
        echo(f"  the page names a feed, which is better: {feed.url}")
    if tried.cure:
        echo(f"  cure: {tried.cure}")
