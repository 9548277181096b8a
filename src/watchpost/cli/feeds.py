"""`watchpost feed list|show|test|discover`: how the feeds fare, and what one would bring."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from watchpost.cli import options as cli_options
from watchpost.cli import output
from watchpost.cli.match import read_plan
from watchpost.cli.options import ConfigOption, DataOption, JsonOption, PrivateOption
from watchpost.cli.output import complain, note, say, table, tell, tell_json, unknown
from watchpost.cli.queue import StoreOptions, at
from watchpost.config.config import Config
from watchpost.config.fields import Network
from watchpost.config.opml import few
from watchpost.config.settings import Settings, read_settings
from watchpost.durations import in_words
from watchpost.errors import ConfigError, FetchError, NotFound, WatchpostError
from watchpost.exit_codes import FAILED, OK, PARTIAL, UNREACHABLE, USAGE
from watchpost.operations import factory
from watchpost.operations.feeds import discovery, status, subscriptions
from watchpost.operations.feeds.discovery import Candidate, Trial
from watchpost.operations.feeds.status import REVIVED, FeedStatus, feeds, parts, read_now
from watchpost.operations.feeds.subscriptions import Sorted
from watchpost.plurals import count
from watchpost.poll.feed_memory import FeedMemory
from watchpost.poll.feed_options import FeedOptions
from watchpost.scheduler import utc_now
from watchpost.store.client import Store
from watchpost.store.sources import STATUS_FIELDS, SourceState, SourceStatus


def show_all(failing: bool, config_path: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed list`: 4 if nobody can say which feeds are failing."""
    settings, config = _settings(config_path, data), read_plan(config_path, env)
    if settings is None or config is None:
        return USAGE
    found, trouble = asyncio.run(status.survey(settings, config))
    if trouble:
        if failing:
            say(trouble)
            return UNREACHABLE
        note(f"{trouble}; this is what the configuration says")
    shown = status.failing(found) if failing else found
    if as_json:
        tell_json({"service": not trouble, "feeds": [_facts(one) for one in shown]})
        return OK
    zone = ZoneInfo(config.timezone)
    rows = [
        (one.name, _state(one), in_words(one.every), _time(one.last_read, zone), _time(one.due, zone), one.why, one.url)
        for one in shown
    ]
    heads = "FEED", "STATE", "EVERY", "LAST READ", "NEXT VISIT", "WHY THEN", "URL"
    table(heads, rows, below=("URL", "WHY THEN", "EVERY", "LAST READ"))
    for state, revived in REVIVED.items():
        if number := sum(one.state == state for one in shown):
            note(f"{count(number, 'feed')} {state}: {revived}")
    return OK


def show(name: str, config_path: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed show`."""
    settings, config = _settings(config_path, data), read_plan(config_path, env)
    options = _configured(name, config) if config is not None else None
    if settings is None or config is None or options is None:
        return USAGE
    fare, record, trouble = asyncio.run(status.inspect(settings, config, name))
    if trouble:
        note(f"{trouble}; this is what the configuration says")
    shown = status.shown_options(options)
    memory, kept = FeedMemory.decode(record.memory), SourceStatus.decode(name, record.status)
    made_of = parts(name, options.every, options.paced, memory, fare.failures, utc_now())
    if as_json:
        stored = {"memory": dict(record.memory), "status": dict(record.status)}
        tell_json({"service": not trouble, **_facts(fare), "options": shown, "interval": made_of, **stored})
        return OK
    zone = ZoneInfo(config.timezone)
    tell(f"{name}: {_state(fare)}")
    facts = {
        "url": fare.url,
        "answers from": memory.final,
        "next visit": _time(fare.due, zone) + (f" ({fare.why})" if fare.why else ""),
        "last visit": _time(fare.last_visit, zone),
        "last read": _time(fare.last_read, zone),
        "last news": _time(kept.last_new, zone),
        "last answer": fare.detail if not fare.failures else f"{fare.reason}: {fare.detail}",
        "it brought": _brought(kept),
        "failures": _failures(fare, zone),
        "what helps": fare.cure,
        "etag": memory.etag,
        "last-modified": memory.modified,
    }
    facts |= {key.replace("_", " "): value for key, value in record.status.items() if key not in STATUS_FIELDS}
    _tell_facts(facts)
    tell("interval (what is longest counts)")
    for part in made_of:
        tell(f"  {part}")
    tell("options")
    _tell_facts({key: _plainly(value) for key, value in shown.items() if key != "url" and value is not None})
    return OK


def test(target: str, allowed: Sequence[str], config_path: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed test`: 1 if the feed cannot be read."""
    networks, settings = _networks(allowed), _settings(config_path, None)
    if networks is None or settings is None:
        return USAGE
    output.open_log(settings)
    if "://" in target:
        name, options, zone = "(this url)", _of_url(target), "UTC"
    else:
        config = read_plan(config_path, env)
        name, options = target, _configured(target, config) if config is not None else None
        zone = config.timezone if config is not None else "UTC"
    if options is None:
        return USAGE
    tried = asyncio.run(discovery.try_feed(name, options, utc_now(), networks))
    tell_json(_trial_facts(tried)) if as_json else _tell_trial(tried, ZoneInfo(zone))
    return OK if tried.ok else FAILED


def discover(url: str, guess: bool, allowed: Sequence[str], as_json: bool) -> int:
    """The exit code of `watchpost feed discover`: 1 if the page has no feed that can be read."""
    networks, settings = _networks(allowed), _settings(None, None)
    options = _of_url(url)
    if networks is None or options is None or settings is None:
        return USAGE
    output.open_log(settings)
    try:
        found = asyncio.run(discovery.look_around(options.url, networks, utc_now(), guess=guess))
    except FetchError as error:
        say(f"{url}: {error.detail}")
        return FAILED
    good = [one for one in found if not one.problem]
    if as_json:
        tell_json({"url": url, "feeds": [_candidate_facts(one) for one in found]})
        return OK if good else FAILED
    for one in found:
        if one.problem:
            say(f"{one.url} cannot be read: {one.problem}")
    if not good:
        say(f"{url} names no feed that can be read" + ("" if guess else "; --guess asks for the usual places"))
        return FAILED
    tell(discovery.yaml_of(good).rstrip())
    return OK


def _settings(config_path: Path | None, data: Path | None) -> Settings | None:
    try:
        return read_settings(config=config_path, data=data)
    except ConfigError as error:
        complain(error.complaints)
        return None


def _configured(name: str, config: Config) -> FeedOptions | None:
    known = status.feeds(config)
    if name not in known:
        unknown("feed", name, known)
    return known.get(name)


def _of_url(url: str) -> FeedOptions | None:
    try:
        return FeedOptions.model_validate({"url": url})
    except ValidationError as error:
        say(error.errors(include_input=False, include_url=False)[0]["msg"])
        return None


def _networks(texts: Sequence[str]) -> tuple[Network, ...] | None:
    try:
        return discovery.network_list(texts)
    except ValueError:
        say("--allow-private takes an address or network: 10.0.0.8 or 10.0.0.0/8")
        return None


def _facts(one: FeedStatus) -> dict[str, Any]:
    times = {key: _iso(getattr(one, key)) for key in ("last_read", "last_visit", "due", "failing_since")}
    named = {"state": _word(one.state), "every_seconds": one.every.total_seconds(), "every": in_words(one.every)}
    return asdict(one) | named | times


def _candidate_facts(one: Candidate) -> dict[str, Any]:
    return asdict(one) | {"newest": _iso(one.newest)}


def _trial_facts(tried: Trial) -> dict[str, Any]:
    entries = [
        {"id": a.id, "title": a.title, "url": a.url, "published": _iso(a.published), "lang": a.lang}
        for a in tried.entries
    ]
    plain = ("name", "asked", "ok", "status", "url", "moved_to", "bytes", "form", "encoding", "reason", "detail")
    return {key: getattr(tried, key) for key in plain} | {
        "headers": dict(tried.headers),
        "entries": entries,
        "failures": [asdict(one) for one in tried.failures],
        "next_visit": _iso(tried.next_visit),
        "why": tried.why,
        "cure": tried.cure,
        "named": [asdict(one) for one in tried.named],
    }


def _tell_trial(tried: Trial, zone: ZoneInfo) -> None:
    tell(f"{tried.asked}: " + ("can be read" if tried.ok else f"{tried.reason}: {tried.detail}"))
    size = f"{tried.bytes:,} bytes" if tried.bytes else ""
    answer = ", ".join(part for part in (f"HTTP {tried.status}" if tried.status else "", size) if part)
    _tell_facts(
        {
            "answer": answer,
            "answers from": tried.url if tried.url != tried.asked else "",
            "moved for good to": tried.moved_to,
            **tried.headers,
            "read as": ", ".join(part for part in (tried.form, tried.encoding) if part),
            "note": tried.detail if tried.ok else "",
            "next visit": f"{_time(tried.next_visit, zone)} ({tried.why})",
        }
    )
    for failure in tried.failures:
        tell(f"  problem: {failure.item}: {failure.detail}")
    if tried.ok:
        tell(count(len(tried.entries), "entry", "entries"))
        for article in tried.entries[:20]:
            tell(f"  {_time(article.published, zone) or 'no date':16}  {article.id}  {article.title or article.url}")
        if len(tried.entries) > 20:
            tell(f"  and {len(tried.entries) - 20} more")
    for link in tried.named:
        tell(f"  the page names {link.url}" + (f" ({link.title})" if link.title else ""))
    _tell_facts({"what helps": tried.cure})


def _tell_facts(facts: Mapping[str, str]) -> None:
    for key, value in facts.items():
        if value:
            tell(f"  {key + ':':18} {value}")


def _plainly(value: Any) -> str:
    """As it is written in the configuration."""
    if isinstance(value, bool | float):
        return f"{value:g}" if isinstance(value, float) else str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


def _state(one: FeedStatus) -> str:
    if one.state == "failing":
        return f"failing {one.failures}×: {one.reason}"
    since = f" since {one.failing_since:%Y-%m-%d}" if one.failing_since is not None else ""
    why = f": {one.reason}" if one.state == "dead" else ""
    return f"{one.state}{since}{why}" if one.state in REVIVED else _word(one.state)


def _word(state: SourceState) -> str:
    """The word of this command and its JSON; pages and the API say "new"."""
    return "never read" if state is SourceState.NEW else state


def _failures(one: FeedStatus, zone: ZoneInfo) -> str:
    since = f" since {_time(one.failing_since, zone)}" if one.failing_since is not None else ""
    return f"{one.failures} in a row{since}" if one.failures else ""


def _brought(kept: SourceStatus) -> str:
    """The entries of the last visit; "" if it failed."""
    if kept.outcome == "unchanged":
        return "nothing: it has not changed"
    if kept.outcome != "read":
        return ""
    return (
        f"{count(kept.entries, 'entry', 'entries')}, {kept.entries_new} new and {kept.entries - kept.entries_new} known"
    )


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment is not None else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None


# The commands of `watchpost feed`: arguments → one call → an exit code.


feed_app = typer.Typer(help="Feeds: how they fare, what they bring, where there are more.", no_args_is_help=True)


@feed_app.command("list")
def feed_list(
    failing: Annotated[bool, typer.Option("--failing", help="Only those that cannot be read.")] = False,
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every feed: how it fares, when it is visited next, and why then."""

    raise typer.Exit(show_all(failing, config_path, data, as_json, os.environ))


@feed_app.command("show")
def feed_show(
    name: Annotated[str, typer.Argument(help="A feed of the configuration.", autocompletion=cli_options.feeds)],
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything about one feed: options, last answer, failures, next visit."""

    raise typer.Exit(show(name, config_path, data, as_json, os.environ))


@feed_app.command("read")
def feed_read(
    name: Annotated[str, typer.Argument(help="A feed of the configuration.", autocompletion=cli_options.feeds)],
    config_path: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a feed of the running service now, at its host's next turn."""
    from watchpost.cli import queue

    raise typer.Exit(read(queue.StoreOptions(config_path, data, as_json), name, os.environ))


@feed_app.command("test")
def feed_test(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL|NAME", help="An address, or a feed of the configuration.", autocompletion=cli_options.feeds
        ),
    ],
    allow_private: PrivateOption = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a feed once, without Redis: what it answers, its entries, its problems and their cures."""

    raise typer.Exit(test(target, allow_private or [], config_path, as_json, os.environ))


@feed_app.command("discover")
def feed_discover(
    url: Annotated[str, typer.Argument(help="A web page.")],
    guess: Annotated[bool, typer.Option("--guess", help="If it names none, ask for the usual places.")] = False,
    allow_private: PrivateOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds of a web page, each read once, as lines for the configuration."""

    raise typer.Exit(discover(url, guess, allow_private or [], as_json))


@feed_app.command("import")
def feed_import(
    file: Annotated[Path, typer.Argument(help="An OPML file.")],
    into: Annotated[Path | None, typer.Option("--into", help="Add them to this YAML file; else to stdout.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is new; write nothing.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds of an OPML file as lines for the configuration: what is new, known already, or no feed."""

    raise typer.Exit(import_feeds(file, into, dry_run, config_path, as_json, os.environ))


@feed_app.command("export")
def feed_export(
    opml: Annotated[bool, typer.Option("--opml", help="As OPML 2.0, which is the only form there is.")] = True,
    config_path: ConfigOption = None,
) -> None:
    """The configured feeds as a list for other programs. Headers and secrets stay here."""

    raise typer.Exit(export_feeds(config_path, os.environ))


# `watchpost feed import|export`: lists of feeds from other programs, and for them.


MANY = 1000


def import_feeds(
    file: Path, into: Path | None, dry_run: bool, config_path: Path | None, as_json: bool, env: Mapping[str, str]
) -> int:
    """The exit code of `watchpost feed import`: 5 if some of the outlines are no feeds, 1 if nothing could be done."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    try:
        found = subscriptions.sort_out(file, config, into)
        text = subscriptions.merged(into, found.new) if into is not None else subscriptions.yaml_of(found.new)
        _report(found, as_json)
        if into is None:
            if not as_json and found.new:
                tell(text.rstrip())
        elif dry_run or not found.new:
            note(f"{into} stays as it is")
        elif not _write(into, text, found, read_settings(config=config_path).config, env):
            return FAILED
    except WatchpostError as error:
        say(str(error))
        return FAILED
    return PARTIAL if found.invalid else OK


def export_feeds(config_path: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed export`."""
    config = read_plan(config_path, env)
    if config is None:
        return USAGE
    text, partly = subscriptions.export(config)
    tell(text.rstrip())
    for name in partly:
        note(f"{name} is in the list without its headers: whoever reads the list needs them from elsewhere")
    return OK


def _report(found: Sorted, as_json: bool) -> None:
    if as_json:
        new = [
            {"name": one.name, "url": one.outline.url, "tags": one.outline.tags, "lang": one.outline.lang}
            for one in found.new
        ]
        said = {"twins": [str(one) for one in found.twins], "invalid": [str(one) for one in found.invalid]}
        tell_json({"new": new, **said})
        return
    for complaint in few((*found.invalid, *found.twins)):
        say(str(complaint))
    note(f"{len(found.new)} new, {len(found.twins)} configured already, {len(found.invalid)} that are no feeds")


def _write(into: Path, text: str, found: Sorted, config_path: Path, env: Mapping[str, str]) -> bool:
    """Whether the file was written. A configuration that is wrong with it gets its old file back."""
    before = subscriptions.replace_file(into, text)
    try:
        read = {one.url for one in feeds(factory.read_config(config_path, env)).values()}
    except ConfigError as error:
        subscriptions.restore_file(into, before)
        complain(error.complaints)
        say(f"with these feeds the configuration would be wrong: {into} is as it was")
        return False
    note(f"{len(found.new)} feeds added to {into}")
    if not any(one.outline.url in read for one in found.new):
        note(f"{config_path} does not include {into} yet: add it to its include:")
    if len(found.new) > MANY:
        note("so many feeds load faster from the list itself: feeds_from: {opml: …}")
    return True


# `watchpost feed read`: a feed of the running service, now.


def read(where: StoreOptions, name: str, env: Mapping[str, str]) -> int:
    """The exit code of `feed read`: 2 for no such feed."""

    async def work(config: Config, store: Store) -> int:
        try:
            answer = await read_now(config, store, name, factory.operator())
        except NotFound:
            unknown("feed", name, [part.name for part in config.sources if part.kind == "feed"])
            return USAGE
        if where.as_json:
            tell_json({"feed": name, "answer": answer.lower()})
        else:
            tell(f"{name} is read at its host's next turn" if answer == "NOW" else f"{name} is read in a moment anyway")
        return OK

    return at(where, env, work)
