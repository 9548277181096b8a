"""`watchpost feed list|show|test|discover`: how the feeds fare, and what one would bring."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from watchpost.app.clock import utc_now
from watchpost.app.feeds import discovery, status, trial
from watchpost.app.feeds.cures import REVIVED
from watchpost.app.feeds.discovery import Candidate
from watchpost.app.feeds.interval import parts
from watchpost.app.feeds.status import FeedStatus
from watchpost.app.feeds.trial import Trial
from watchpost.cli import manner
from watchpost.cli.matching import read_plan
from watchpost.cli.saying import complain, count, note, say, table, tell, tell_json, unknown
from watchpost.errors import ConfigError, FetchError
from watchpost.exit_codes import FAILED, OK, UNREACHABLE, USAGE
from watchpost.plan.fields import Network
from watchpost.plan.plan import Plan
from watchpost.plan.settings import Settings, read_settings
from watchpost.poll.due import words
from watchpost.poll.record import moment
from watchpost.poll.sources.feed import FeedOptions


def show_all(failing: bool, config: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed list`: 4 if nobody can say which feeds are failing."""
    settings, plan = _settings(config, data), read_plan(config, env)
    if settings is None or plan is None:
        return USAGE
    found, trouble = asyncio.run(status.survey(settings, plan))
    if trouble:
        if failing:
            say(trouble)
            return UNREACHABLE
        note(f"{trouble}; this is what the configuration says")
    shown = status.failing(found) if failing else found
    if as_json:
        tell_json({"service": not trouble, "feeds": [_facts(one) for one in shown]})
        return OK
    zone = ZoneInfo(plan.timezone)
    rows = [
        (one.name, _state(one), words(one.every), _time(one.last_read, zone), _time(one.due, zone), one.why, one.url)
        for one in shown
    ]
    heads = "FEED", "STATE", "EVERY", "LAST READ", "NEXT VISIT", "WHY THEN", "URL"
    table(heads, rows, below=("URL", "WHY THEN", "EVERY", "LAST READ"))
    for state, revived in REVIVED.items():
        if number := sum(one.state == state for one in shown):
            note(f"{count(number, 'feed')} {state}: {revived}")
    return OK


def show(name: str, config: Path | None, data: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed show`."""
    settings, plan = _settings(config, data), read_plan(config, env)
    options = _configured(name, plan) if plan is not None else None
    if settings is None or plan is None or options is None:
        return USAGE
    fare, record, trouble = asyncio.run(status.inspect(settings, plan, name))
    if trouble:
        note(f"{trouble}; this is what the configuration says")
    shown = status.shown_options(options)
    made_of = parts(name, options.every, options.paced, record.memory, fare.failures, utc_now())
    if as_json:
        kept = {"memory": dict(record.memory), "status": dict(record.status)}
        tell_json({"service": not trouble, **_facts(fare), "options": shown, "interval": made_of, **kept})
        return OK
    zone = ZoneInfo(plan.timezone)
    tell(f"{name}: {_state(fare)}")
    facts = {
        "url": fare.url,
        "answers from": record.memory.get("final", ""),
        "next visit": _time(fare.due, zone) + (f" ({fare.why})" if fare.why else ""),
        "last visit": _time(fare.last_visit, zone),
        "last read": _time(fare.last_read, zone),
        "last news": _time(moment(record.status.get("last_new", "")), zone),
        "last answer": fare.detail if not fare.failures else f"{fare.reason}: {fare.detail}",
        "it brought": _brought(record.status),
        "failures": _failures(fare, zone),
        "what helps": fare.cure,
        "etag": record.memory.get("etag", ""),
        "last-modified": record.memory.get("modified", ""),
    }
    said = {"failures", "failing_since", "reason", "detail", "last_read", "last_visit", "next_visit", "last_new"}
    said |= {"outcome", "state", "entries", "entries_new"}
    facts |= {key.replace("_", " "): value for key, value in record.status.items() if key not in said}
    _tell_facts(facts)
    tell("interval (what is longest counts)")
    for part in made_of:
        tell(f"  {part}")
    tell("options")
    _tell_facts({key: _plainly(value) for key, value in shown.items() if key != "url" and value is not None})
    return OK


def test(target: str, allowed: Sequence[str], config: Path | None, as_json: bool, env: Mapping[str, str]) -> int:
    """The exit code of `watchpost feed test`: 1 if the feed cannot be read."""
    networks, settings = _networks(allowed), _settings(config, None)
    if networks is None or settings is None:
        return USAGE
    manner.open_log(settings)
    if "://" in target:
        name, options, zone = "(this url)", _of_url(target), "UTC"
    else:
        plan = read_plan(config, env)
        name, options = target, _configured(target, plan) if plan is not None else None
        zone = plan.timezone if plan is not None else "UTC"
    if options is None:
        return USAGE
    tried = asyncio.run(trial.try_feed(name, options, utc_now(), networks))
    tell_json(_trial_facts(tried)) if as_json else _tell_trial(tried, ZoneInfo(zone))
    return OK if tried.ok else FAILED


def discover(url: str, guess: bool, allowed: Sequence[str], as_json: bool) -> int:
    """The exit code of `watchpost feed discover`: 1 if the page has no feed that can be read."""
    networks, settings = _networks(allowed), _settings(None, None)
    options = _of_url(url)
    if networks is None or options is None or settings is None:
        return USAGE
    manner.open_log(settings)
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


def _settings(config: Path | None, data: Path | None) -> Settings | None:
    try:
        return read_settings(config=config, data=data)
    except ConfigError as error:
        complain(error.complaints)
        return None


def _configured(name: str, plan: Plan) -> FeedOptions | None:
    known = status.feeds(plan)
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
    return asdict(one) | {"every_seconds": one.every.total_seconds(), "every": words(one.every)} | times


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
        tell("1 entry" if len(tried.entries) == 1 else f"{len(tried.entries)} entries")
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
    return f"{one.state}{since}{why}" if one.state in REVIVED else one.state


def _failures(one: FeedStatus, zone: ZoneInfo) -> str:
    since = f" since {_time(one.failing_since, zone)}" if one.failing_since is not None else ""
    return f"{one.failures} in a row{since}" if one.failures else ""


def _brought(facts: Mapping[str, str]) -> str:
    """The entries of the last visit. Of older visits it is not known; of one that failed nothing came."""
    entries, new = (int(facts.get(key, "") or -1) for key in ("entries", "entries_new"))
    if facts.get("outcome") == "unchanged":
        return "nothing: it has not changed"
    if facts.get("outcome") != "read" or min(entries, new) < 0:
        return ""
    return f"{count(entries, 'entry', 'entries')}, {new} new and {entries - new} known"


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment is not None else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None
