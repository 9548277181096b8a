"""`watchpost feed …`: the state of the feeds, one feed tried, feeds of a web page, OPML lists in and out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import FeedArgument, JsonOption, PrivateOption
from watchpost.cli.options import feeds as feed_names
from watchpost.cli.output import (
    CommandError,
    echo,
    echo_json,
    echo_table,
    exact_time,
    iso_time,
    local_time,
    note,
    pick,
    report_complaints,
    warn,
)
from watchpost.cli.session import load_config, networks, open_config, open_settings, running_service
from watchpost.control_characters import on_one_line
from watchpost.durations import in_words
from watchpost.errors import ConfigError, FetchError, WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL, UNREACHABLE
from watchpost.moments import with_zone
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.config.fields import Options
    from watchpost.operations.feeds.discovery import Trial
    from watchpost.operations.feeds.status import FeedStatus
    from watchpost.operations.feeds.subscriptions import Sorted
    from watchpost.poll.feed_options import FeedOptions
    from watchpost.store.sources import SourceStatus

app = CommandApp(
    "docs/commands.md#feed, docs/feeds.md",
    "watchpost feed list --failing",
    "watchpost feed test https://www.rfi.fr/en/rss",
)

ENTRIES_SHOWN = 20
MANY_FEEDS = 1000


@app.command("list", reads="service")
async def feed_list(
    failing: Annotated[bool, typer.Option("--failing", help="Only feeds that cannot be read.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the feeds, pages and mailboxes: their state, when each is read next, and why then.

    watchpost feed list
    watchpost feed list --failing --json

    Without a running service, shows only the configuration; --failing then ends with 4.
    """
    from watchpost.operations.feeds import status

    settings, config = open_config()
    feeds, trouble = await status.survey(settings, config)
    if trouble and failing:
        raise CommandError(trouble, UNREACHABLE)
    if trouble:
        note(f"{trouble}; the list shows only the configuration")
    feeds = status.failing(feeds) if failing else feeds
    if as_json:
        echo_json({"service": not trouble, "feeds": [_facts(feed) for feed in feeds]})
        return
    zone = ZoneInfo(config.timezone)
    echo_table(
        ("FEED", "STATE", "EVERY", "LAST READ", "NEXT VISIT", "WHY THEN", "URL"),
        (
            (
                feed.name,
                _state(feed),
                in_words(feed.every),
                with_zone(feed.last_read, zone),
                with_zone(feed.due, zone),
                feed.why,
                feed.url,
            )
            for feed in feeds
        ),
        ("URL", "WHY THEN", "EVERY", "LAST READ"),
    )
    for state, cure in status.REVIVED.items():
        if number := sum(feed.state == state for feed in feeds):
            note(f"{count(number, 'feed')} {state}: {cure}")


@app.command("show", reads="service")
async def feed_show(name: FeedArgument, as_json: JsonOption = False) -> None:
    """Show everything about a source: options, last answer, failures, next visit.

    watchpost feed show rfi
    watchpost feed show rfi --json
    """
    from watchpost.operations.feeds import status
    from watchpost.poll.feed_memory import FeedMemory
    from watchpost.scheduler import utc_now
    from watchpost.store.sources import STATUS_FIELDS, SourceStatus

    settings, config = open_config()
    part = pick("feed", name, {part.name: part for part in config.sources})
    options = part.options
    feed, record, trouble = await status.inspect(settings, config, name)
    if trouble:
        note(f"{trouble}; only the configuration is shown")
    configured = status.shown_options(options)
    memory = FeedMemory.decode(record.memory) if part.kind in ("feed", "page") else FeedMemory()
    stored = SourceStatus.decode(name, record.status)
    interval = status.interval_reasons(name, options, memory, feed.failures, utc_now())
    if as_json:
        kept = {"memory": dict(record.memory), "status": _with_next_visit(record.status)}
        echo_json({"service": not trouble, **_facts(feed), "options": configured, "interval": interval, **kept})
        return
    zone = ZoneInfo(config.timezone)
    echo(f"{name}: {_state(feed)}")
    facts = {
        "url": feed.url,
        "final url": memory.final,
        "next visit": with_zone(feed.due, zone) + (f" ({feed.why})" if feed.why else ""),
        "last visit": with_zone(feed.last_visit, zone),
        "last read": with_zone(feed.last_read, zone),
        "last new entry": with_zone(stored.last_new, zone),
        "last answer": feed.detail if not feed.failures else f"{feed.reason}: {feed.detail}",
        "entries": _entries(stored),
        "failures": f"{feed.failures} in a row{_since(feed, zone)}" if feed.failures else "",
        "cure": feed.cure,
        "etag": memory.etag,
        "last-modified": memory.modified,
    }
    if part.kind == "mailbox":
        facts |= {"last message": record.memory.get("uid", ""), "not yet marked": record.memory.get("unmarked", "")}
    others = {key.replace("_", " "): value for key, value in record.status.items() if key not in STATUS_FIELDS}
    _echo_facts(facts | others)
    echo("interval (the longest counts)")
    for reason in interval:
        echo(f"  {reason}")
    echo("options")
    _echo_facts({key: _plain(value) for key, value in configured.items() if key != "url" and value is not None})


def _with_next_visit(status: Mapping[str, str]) -> dict[str, str]:
    """The stored fields of a status, with the sentence on the next visit that 0.1.0 kept: scripts may read it."""
    if not (next_at := status.get("next_at")):
        return dict(status)
    moment = datetime.fromisoformat(next_at).astimezone(UTC)
    return {**status, "next_visit": f"{moment:%Y-%m-%d %H:%M:%S} UTC, {status.get('next_why', '')}"}


@app.command("read", reads="service")
async def feed_read(name: FeedArgument, as_json: JsonOption = False) -> None:
    """Make the running service read a feed, page or mailbox now.

    watchpost feed read rfi

    The service reads it as soon as its host is free.
    """
    from watchpost.operations import factory
    from watchpost.operations.feeds import status

    async with running_service() as (config, store):
        pick("feed", name, status.visited(config))
        answer = await status.read_now(config, store, name, factory.operator())
    if as_json:
        echo_json({"feed": name, "answer": answer.lower()})
    else:
        echo(f"{name} is read at the next turn of its host" if answer == "NOW" else f"{name} is due in a moment anyway")


@app.command("test", reads="config")
async def feed_test(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL|FEED", help="An address, or a configured feed, page or mailbox.", autocompletion=feed_names
        ),
    ],
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read a feed, page or mailbox once and show what it contains.

    watchpost feed test https://www.rfi.fr/en/rss
    watchpost feed test rfi

    Shows the answer, the entries, and problems with their cures. No service needs to run. Ends with 1 if the feed
    cannot be read.
    """
    from watchpost.operations.feeds import discovery, status
    from watchpost.scheduler import utc_now

    allowed = networks(allow_private or ())
    if "://" in target:
        open_settings()
        name, zone = "(this url)", "UTC"
        options: Options = _options_for(target)
    else:
        config = load_config()
        name, zone, options = target, config.timezone, pick("feed", target, status.visited(config)).options
    tried = await discovery.try_source(name, options, utc_now(), allowed)
    if as_json:
        echo_json(_trial_facts(tried))
    else:
        _echo_trial(tried, ZoneInfo(zone))
    return OK if tried.ok else FAILED


@app.command("discover")
async def feed_discover(
    url: Annotated[str, typer.Argument(metavar="URL", help="A web page.")],
    guess: Annotated[bool, typer.Option("--guess", help="If the page names no feed, try the usual places.")] = False,
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Find the feeds of a web page.

    watchpost feed discover https://www.rfi.fr/
    watchpost feed discover --guess https://example.org/

    Each feed is read once and printed as a line for the configuration. A page that has no feed and lists links is
    printed as a page. Ends with 1 if no feed can be read.
    """
    from watchpost.operations.feeds import discovery
    from watchpost.scheduler import utc_now

    allowed, options = networks(allow_private or ()), _options_for(url)
    open_settings()
    try:
        candidates, page = await discovery.discover_at(options.url, allowed, utc_now(), guess=guess)
    except FetchError as error:
        raise CommandError(f"{url}: {error.detail}", FAILED) from error
    readable = [candidate for candidate in candidates if not candidate.problem]
    if as_json:
        feeds = [asdict(candidate) | {"newest": iso_time(candidate.newest)} for candidate in candidates]
        echo_json({"url": url, "feeds": feeds, "page": asdict(page) if page else None})
        return OK if readable else FAILED
    for candidate in candidates:
        if candidate.problem:
            warn(f"{candidate.url} cannot be read: {candidate.problem}")
    if not readable and page is not None:
        note(f"{url} names no feed that can be read, but lists {page.entries} links like “{page.example}”:")
        echo(discovery.yaml_of_page(page).rstrip())
        return FAILED
    if not readable:
        cure = "" if guess else "; --guess tries the usual places"
        raise CommandError(f"{url} names no feed that can be read{cure}", FAILED)
    echo(discovery.yaml_of(readable).rstrip())
    return OK


@app.command("import", reads="config")
def feed_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML file.")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Add the feeds to this YAML file, not to stdout.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is new; write nothing.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Turn an OPML file into lines for the configuration.

    watchpost feed import list.opml
    watchpost feed import list.opml --into config/feeds.yaml --dry-run

    Feeds that are already configured are left out. Ends with 5 if some outlines are not feeds.
    """
    from watchpost.operations.feeds import subscriptions

    settings, config = open_config()
    try:
        outlines = subscriptions.sort_out(file, config, into)
        text = subscriptions.yaml_of(outlines.new) if into is None else subscriptions.merged(into, outlines.new)
        _report_import(outlines, as_json)
        if into is None:
            if not as_json and outlines.new:
                echo(text.rstrip())
        elif dry_run or not outlines.new:
            note(f"{into} is unchanged")
        else:
            _add_feeds(into, text, outlines, settings.config)
    except ConfigError:
        raise
    except WatchpostError as error:
        raise CommandError(str(error), FAILED) from error
    return PARTIAL if outlines.invalid else OK


@app.command("export", reads="config")
def feed_export(
    opml: Annotated[bool, typer.Option("--opml", help="As OPML 2.0, the only format.")] = True,
) -> None:
    """Print the configured feeds as OPML, for other programs.

    watchpost feed export > feeds.opml

    Headers and secrets are left out.
    """
    from watchpost.operations.feeds import subscriptions

    text, without_headers = subscriptions.export(load_config())
    echo(text.rstrip())
    for name in without_headers:
        note(f"{name} is in the list without its headers: another program needs them, too")


def _options_for(url: str) -> FeedOptions:
    from pydantic import ValidationError

    from watchpost.poll.feed_options import FeedOptions

    try:
        return FeedOptions.model_validate({"url": url})
    except ValidationError as error:
        raise CommandError(error.errors(include_input=False, include_url=False)[0]["msg"]) from None


def _facts(feed: FeedStatus) -> dict[str, Any]:
    times = {key: iso_time(getattr(feed, key)) for key in ("last_read", "last_visit", "due", "failing_since")}
    words = {"state": _state_word(feed), "every_seconds": feed.every.total_seconds(), "every": in_words(feed.every)}
    return asdict(feed) | words | times


def _state_word(feed: FeedStatus) -> str:
    """The state as the commands have it; pages and the API say "new"."""
    return "never read" if feed.state == "new" else feed.state


def _state(feed: FeedStatus) -> str:
    if feed.state == "failing":
        return f"failing {feed.failures}×: {feed.reason}"
    if feed.state in ("dead", "gone"):
        since = f" since {exact_time(feed.failing_since)[:10]}" if feed.failing_since is not None else ""
        return f"{feed.state}{since}" + (f": {feed.reason}" if feed.state == "dead" else "")
    return _state_word(feed)


def _since(feed: FeedStatus, zone: ZoneInfo) -> str:
    return f" since {with_zone(feed.failing_since, zone)}" if feed.failing_since is not None else ""


def _entries(stored: SourceStatus) -> str:
    """What the last visit brought, "" if it failed."""
    if stored.outcome == "unchanged":
        return "unchanged since the visit before"
    if stored.outcome != "read":
        return ""
    known = stored.entries - stored.entries_new
    return f"{count(stored.entries, 'entry', 'entries')}, {stored.entries_new} new and {known} known"


def _plain(value: Any) -> str:
    """A value as the configuration has it."""
    if isinstance(value, bool | float):
        return f"{value:g}" if isinstance(value, float) else str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


def _echo_facts(facts: Mapping[str, str]) -> None:
    for key, value in facts.items():
        if value:
            echo(f"  {key + ':':18} {value}")


def _trial_facts(tried: Trial) -> dict[str, Any]:
    entries = [
        {"id": a.id, "title": a.title, "url": a.url, "published": iso_time(a.published), "lang": a.lang}
        for a in tried.entries
    ]
    plain = ("name", "asked", "ok", "status", "url", "moved_to", "bytes", "form", "encoding", "reason", "detail")
    lists = {key: [asdict(each) for each in getattr(tried, key)] for key in ("failures", "named")}
    next_visit = {"next_visit": iso_time(tried.next_visit), "why": tried.why, "cure": tried.cure}
    facts = {key: getattr(tried, key) for key in plain}
    return {**facts, "headers": dict(tried.headers), "entries": entries, **lists, **next_visit}


def _echo_trial(tried: Trial, zone: ZoneInfo) -> None:
    echo(f"{tried.asked}: " + ("can be read" if tried.ok else f"{tried.reason}: {tried.detail}"))
    size = f"{tried.bytes:,} bytes" if tried.bytes else ""
    _echo_facts(
        {
            "answer": ", ".join(filter(None, (f"HTTP {tried.status}" if tried.status else "", size))),
            "final url": tried.url if tried.url != tried.asked else "",
            "moved for good to": tried.moved_to,
            **tried.headers,
            "format": ", ".join(filter(None, (tried.form, tried.encoding))),
            "note": tried.detail if tried.ok else "",
            "next visit": f"{with_zone(tried.next_visit, zone)} ({tried.why})",
        }
    )
    for failure in tried.failures:
        echo(on_one_line(f"  problem: {failure.item}: {failure.detail}"))
    if tried.ok:
        echo(count(len(tried.entries), "entry", "entries"))
        for article in tried.entries[:ENTRIES_SHOWN]:
            date = local_time(article.published, zone) or "no date"
            echo(f"  {date:16}  {article.id}  {on_one_line(article.title or article.url)}")
        if len(tried.entries) > ENTRIES_SHOWN:
            echo(f"  and {len(tried.entries) - ENTRIES_SHOWN} more")
    for link in tried.named:
        echo(on_one_line(f"  the page names {link.url}" + (f" ({link.title})" if link.title else "")))
    _echo_facts({"cure": tried.cure})


def _report_import(outlines: Sorted, as_json: bool) -> None:
    from watchpost.config.opml import few

    if as_json:
        new = [
            {"name": feed.name, "url": feed.outline.url, "tags": feed.outline.tags, "lang": feed.outline.lang}
            for feed in outlines.new
        ]
        echo_json({"new": new, "twins": [*map(str, outlines.twins)], "invalid": [*map(str, outlines.invalid)]})
        return
    for complaint in few((*outlines.invalid, *outlines.twins)):
        warn(str(complaint))
    counts = len(outlines.new), len(outlines.twins), len(outlines.invalid)
    note("{} new, {} configured already, {} that are no feeds".format(*counts))


def _add_feeds(into: Path, text: str, outlines: Sorted, config_path: Path) -> None:
    """Write the file; if the configuration is wrong with it, restore it and raise CommandError."""
    from watchpost.operations import factory
    from watchpost.operations.feeds import subscriptions
    from watchpost.operations.feeds.status import feeds

    before = subscriptions.replace_file(into, text)
    try:
        urls = {feed.url for feed in feeds(factory.read_config(config_path, os.environ)).values()}
    except ConfigError as error:
        subscriptions.restore_file(into, before)
        report_complaints(error.complaints)
        raise CommandError(f"with these feeds the configuration would be wrong; {into} is unchanged", FAILED) from error
    note(f"{count(len(outlines.new), 'feed')} added to {into}")
    if not any(feed.outline.url in urls for feed in outlines.new):
        note(f"{config_path} does not include {into} yet: add it to its include:")
    if len(outlines.new) > MANY_FEEDS:
        note("so many feeds load faster from the list itself: feeds_from: {opml: …}")
