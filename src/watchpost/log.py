"""Log lines and metrics: one list of each.

Events have fixed names. On a terminal they are the sentences below, elsewhere JSON. Labels of metrics come from the
configuration or from closed sets, never from outside (no URL, no title, no host).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from watchpost import control_characters, redaction, stdio
from watchpost.moments import with_zone
from watchpost.plurals import count

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left this one out
REGISTRY = CollectorRegistry()

_WORK = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60)
_STORE = (0.0005, 0.002, 0.01, 0.05, 0.2, 1, 10)
_WAY = (1, 5, 20, 60, 300, 600, 3600, 21600, 86400, 604800)
_STORIES = (0, 1, 2, 5, 10, 20, 50, 100, 500)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"watchpost_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"watchpost_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
    return Histogram(f"watchpost_{name}", text, labels, registry=REGISTRY, buckets=buckets)


build_info = _gauge("build_info", "1, with the versions of watchpost and Python", "version", "python")
config_good = _gauge("config_last_reload_successful", "1 if the last reload of the configuration succeeded")
config_time = _gauge("config_last_reload_success_timestamp_seconds", "When the running configuration was read")
config_hash = _gauge("config_hash", "A number that changes with the configuration")
feed_fetches = _counter("feed_fetches_total", "Visits to feeds", "outcome")
feed_seconds = _histogram("feed_fetch_duration_seconds", "Time of one visit to a feed, including parsing", _WORK)
feed_last_read = _gauge("feed_last_success_timestamp_seconds", "When the feed was last read", "feed")
feed_failures = _gauge("feed_consecutive_failures", "Failed visits in a row", "feed")
feed_items = _counter("feed_items_total", "Entries in feeds", "outcome")
feed_bytes = _counter("feed_bytes_total", "Bytes of feed documents, decompressed")
hosts_busy = _gauge("hosts_overloaded", "Hosts that cannot be asked as often as their feeds are due")
feeds = _gauge("feeds", "Feeds by state", "state")
folder_files = _counter("folder_files_total", "Files of folders: articles, and files skipped", "folder", "outcome")
folder_lag = _gauge("folder_lag_seconds", "Time since the folder was last scanned", "folder")
logins_refused = _counter("logins_refused_total", "Names with wrong passwords", "reason")
connections_refused = _counter("http_connections_refused_total", "Connections to the pages closed early", "reason")
archive_articles = _counter("archive_articles_total", "Articles for the archive", "outcome")
events_joined = _counter("events_joined_total", "Stories whose event was decided", "outcome")
events_embedding = _gauge("events_embedding", "1 if the embedding helps to decide events")
archive_up = _gauge("archive_up", "1 if the archive could be written last time")
articles_matched = _counter("matcher_documents_total", "Articles matched", "result")
match_seconds = _histogram("matcher_duration_seconds", "Time to match one article", _WORK)
match_errors = _counter("matcher_errors_total", "Articles that could not be matched", "reason")
hits = _counter("hits_total", "New hits", "topic", "severity")
hits_copies = _counter("hits_deduplicated_total", "Hits that were copies of earlier ones", "kind")
hits_unrouted = _counter("hits_unrouted_total", "Hits that no route takes", "topic")
stories_open = _gauge("stories_open", "Stories that further reports can still join", "topic")
hit_age = _histogram("hit_age_seconds", "From publication to the queue", _WAY)
queue_depth = _gauge("queue_depth", "Entries waiting", "queue")
queue_age = _gauge("queue_oldest_age_seconds", "How long the oldest entry has waited", "queue")
taken_over = _counter("queue_redeliveries_total", "Entries taken over from workers that stopped responding", "queue")
queue_dead = _gauge("queue_dead_letters", "Dead letters kept", "queue")
dead_letters = _counter("dead_letters_total", "Entries that failed for good", "queue", "reason")
digests = _counter("digests_total", "Windows closed", "receiver", "outcome")
alert_hits = _counter("alert_hits_total", "Hits for alerts, by result", "receiver", "reason")
reduced_digests = _counter(
    "editions_reduced_total", "Messages composed more plainly because the usual way failed", "receiver"
)
digest_stories = _histogram("digest_stories", "Stories in one digest", _STORIES, "receiver")
digest_lateness = _histogram("digest_lateness_seconds", "Delay of a window's closing", _WAY)
attempts = _counter("delivery_attempts_total", "Delivery attempts", "receiver", "type", "outcome", "reason")
delivery_seconds = _histogram("delivery_duration_seconds", "Time of one attempt", _WORK, "type")
end_to_end = _histogram(
    "delivery_end_to_end_seconds", "From an article's first sight to its delivery", _WAY, "severity"
)
receiver_state = _gauge("receiver_state", "1 for the current state of the receiver", "receiver", "state")
receiver_till = _gauge("receiver_paused_until_timestamp_seconds", "When the receiver's pause ends", "receiver")
hits_silenced = _counter("silenced_hits_total", "Hits stopped by silences", "topic")
silences_deleted = _counter("silences_deleted_total", "Silences deleted long after their end")
limits_applied = _counter("limits_applied_total", "How often a limit was reached", "limit")
ledger_gap = _gauge("ledger_gap", "Difference between two sums of the ledger; anything but 0 is a loss", "hop")
store_up = _gauge("redis_up", "1 if the store answered last time")
store_seconds = _histogram("redis_command_duration_seconds", "Time of one script in the store", _STORE, "command")
store_losses = _counter("redis_losses_total", "How often this process found that the store had lost its data")
store_lost_at = _gauge("redis_lost_timestamp_seconds", "When the store last came back empty, 0 if it never did")
store_errors = _counter("redis_errors_total", "Failed calls to the store", "reason")
misfires = _counter("scheduler_misfires_total", "Ticks skipped because the process was busy")
loop_lag = _gauge("event_loop_lag_seconds", "Longest delay of the event loop in the last minute")
log_lines_lost = _counter("log_lines_lost_total", "Lines of the log that could not be written")
restarts = _counter("tasks_restarted_total", "Tasks restarted after an error", "task")
requests = _counter("http_requests_total", "Requests to pages, API and probes", "route", "method", "code")
pushes_refused = _counter("websub_pushes_refused_total", "Pushes refused because a hub sent too much in a minute")
pushes_unsigned = _counter("websub_signatures_rejected_total", "Pushes ignored because of a wrong signature")
disk_short = _gauge("disk_short", "1 while polling is paused because the disk is nearly full")
paused = _gauge("poll_paused", "1 while polling is paused", "reason")

FEEDS_BY_NAME = 500
"""How many feeds have series of their own; the others share one, with the worst value, under OTHER_FEEDS."""
OTHER_FEEDS = "_other"

OTHER_QUEUES = "_other"
"""The dead letters of receivers that are no longer configured."""

DELIVERY_REASONS = frozenset(
    {"", "client_error", "server_error", "auth", "rate_limited", "timeout", "tls", "dns", "refused", "too_large"}
    | {"blocked", "gone", "unknown"}
)


def delivery_reason(reason: str) -> str:
    """The label for why an attempt failed, "" if it did not; "unknown" for anything outside the closed set."""
    return reason if reason in DELIVERY_REASONS else "unknown"


# ── log ──────────────────────────────────────────────────────────────────────────────────────────────────

# {new:article|articles} is a number with its noun: "1 article", "2 articles".
SENTENCES: Mapping[str, str] = {
    "run.starting": "watchpost {version}: {sources}; topics: {topics}; receivers: {receivers}; times in {timezone}",
    "run.stopping": "stopping; the queue is kept",
    "run.stopped": "stopped",
    "redis.started": "embedded server started, process {pid}",
    "redis.adopted": "the embedded server of an earlier run is still running; using it",
    "redis.joined": "another watchpost started the embedded server; using it",
    "redis.died": "the embedded server died; restarting it",
    "redis.restarted": "the embedded server is back, process {pid}",
    "redis.stopped": "embedded server stopped",
    "redis.damaged": "the queue file {file} is damaged; repairing it",
    "redis.repaired": "queue file repaired, {lost_bytes:byte|bytes} lost; the damaged file is kept in {copy}",
    "redis.rewriting": "the disk was full, and the queue file has a gap of {gap_bytes:byte|bytes}; it is written again",
    "redis.down": "the embedded server cannot be started: {problem}",
    "redis.silent": "the embedded server, process {pid}, does not answer; everything waits for it",
    "redis.answers": "the embedded server, process {pid}, answers again",
    "redis.lingers": "the embedded server, process {pid}, has not ended yet: {then}",
    "redis.loading": "the embedded server is loading its file: {problem}",
    "redis.external": "the queue is at {url}",
    "redis.full": "the store accepts no writes: {detail}",
    "redis.lost": "the store cannot be reached: {detail}",
    "redis.back": "the store can be reached again",
    "data.narrowed": "{path} was open to other users (mode {mode}); now only its owner may enter",
    "redis.moved": "the store is {server} now; new connections are made",
    "redis.rights": "{detail}",
    "redis.emptied": "DATA LOST: {detail}; see docs/operations.md",
    "events.embedding": "events are decided without the embedding: {detail}",
    "events.failed": "the event of a story cannot be decided; it is sent all the same: {detail}",
    "events.unreadable": "the event of a story cannot be decided, another version wrote it: {detail}",
    "archive.failed": "articles wait for the archive: {detail}",
    "archive.works": "the archive can be written again",
    "archive.pruned": "the archive has dropped {count:month|months} that it no longer keeps",
    "archive.unreadable": "{count:article|articles} cannot be archived: another version wrote them",
    "disk.short": "the disk with {data} is nearly full; polling pauses until it has space",
    "data.unreadable": "{data} cannot be read ({detail}): it must belong to the user of the service; polling pauses",
    "data.readable": "{data} can be read again",
    "disk.ample": "the disk has space again; polling continues",
    "http.listening": "pages at http://{listen}/",
    "http.connections_refused": "{count:connection|connections} to the pages refused or closed ({reason})",
    "files.few": "this process may open {limit} files; it asked for {wanted}",
    "slack.message_not_edited": "the Slack message of story {story} does not show what was done: {detail}",
    "login.wrong": "wrong name or password for {user} from {address}: {count:guess|guesses} so far",
    "housekeeping.failed": "housekeeping is not complete: {detail}",
    "http.not_listening": "the pages are not available: {detail}",
    "page.failed": "a page cannot be shown: an error in watchpost itself ({error})",
    "command.where": "configuration {config}, data {data}",
    "source.entries_wait": "{source}: {waiting:new entry waits|new entries wait} for the next visit (max_items)",
    "source.failed": "{source} cannot be read: {detail}; next attempt {next}",
    "source.gone": "{source} is no longer read: {detail}",
    "source.dead": "{source} has failed for two weeks ({detail}); from now on it is tried once a day",
    "source.first_read": "{source}: first read, {new:new article|new articles}; {known:older one|older ones} not sent",
    "source.raised": "{source}: an error in watchpost itself; the source will be read again",
    "source.recovered": "{source} can be read again",
    "source.item_failed": "{source}: {item} skipped: {detail}",
    "source.page_failed": "{source}: the page {item} cannot be read ({detail}); the feed's text is used",
    "source.passed_over": "{source}: files that do not fit its `glob` are not read: {endings}",
    "source.read": "{source}: {new:new article|new articles}",
    "source.visited": "{source}: {outcome}, {new} new; next visit {next}, {why}",
    "push.confirmed": "{source}: its hub will push new entries",
    "push.denied": "{source}: its hub refuses to push ({detail}); the feed is polled",
    "push.refused": "{source}: its hub pushes too much; it is asked to try again later",
    "push.unsigned": "{source}: a push without a valid signature was ignored",
    "push.failed": "{source}: a push cannot be read: {detail}",
    "push.read": "{source}: {new:new article|new articles}, pushed",
    "hits.silenced": "{count:hit|hits} for {receiver} silenced by {silence}",
    "hits.dead": "{count:hit|hits} for {receiver} cannot be read ({detail}); kept as dead letters",
    "hit.unrouted": "no route takes a hit on {topic}: {title}",
    "group.failed": "the digest of {group} cannot be composed ({error}); its hits wait",
    "group.orphaned": "hits wait for {group}, which is no longer configured; they are sent now",
    "group.stranded": "hits wait for {receiver}, which is no longer configured; configure it again to send them",
    "edition.plain": "{receiver} gets a plainer message, because the usual one cannot be composed ({detail})",
    "delivery.done": "sent to {receiver}: {what}",
    "delivery.waits": "{receiver} did not accept {what}: {error}; next attempt in {delay}",
    "delivery.kept": "{receiver} did not accept {what}: {error}; it stays first in the queue",
    "delivery.dead": "{what} cannot be delivered to {receiver}: {detail}; kept as a dead letter",
    "delivery.stranded": "{count:delivery waits|deliveries wait} for {receiver}, which is no longer configured",
    "receiver.disabled": "{receiver} is disabled: {why}. Once it works again: watchpost receiver enable {receiver}",
    "receiver.opened": "{receiver} is paused until {till}, because it accepts nothing ({why})",
    "receiver.paused": "{receiver} is paused until {till}, as it asked ({why})",
    "receiver.raised": "{receiver}: an error in watchpost itself; the message will be tried again",
    "receiver.recovered": "{receiver} is accepting messages again",
    "ledger.gap": "NOT ACCOUNTED FOR: {text}. Something was lost or counted twice; see docs/operations.md",
    "queue.poison": "an entry of {queue} failed for good: three workers crashed on it",
    "operator.acted": "{by}: {deed} ({count})",
    "config.refused": "the new configuration is not used: {text}",
    "config.read": "configuration reloaded: {changes:change|changes}",
    "config.needs_restart": "a change of {what} takes effect after a restart",
    "heartbeat.failed": "the heartbeat to {to} failed: {detail}",
    "heartbeat.withheld": "no heartbeat is sent: {detail}",
    "warning": "{text}",
}

_DEEDS: Mapping[str, str] = {
    "enable": "{by} enabled {receiver}; {count:waiting message is|waiting messages are} sent now",
    "retry": "{by} sent {count:message|messages} again",
    "replay": "{by} sent {count:message|messages} again",
    "drop": "{by} dropped {count:message|messages}",
    "read": "{by} asked for {feed} to be read now",
    "digest send": "{by} sent {count:digest|digests} to {receiver} now",
    "silence add": "{by} added silence {silence}",
    "silence expire": "{by} ended silence {silence}",
    "event cut": "{by} took story {story} out of its event",
    "event join": "{by} put story {story} into another event",
    "unsubscribe": "{by} unsubscribed from {receiver}",
    "subscribe": "{by} subscribed to {receiver} again",
    "reload": "{by} asked for a reload",
}
"""Of "operator.acted", by its deed."""


def set_up_log(form: str, level: str, stream: TextIO | None = None, *, zone: tzinfo | None = None) -> None:
    """Write log lines to `stream` (default: stderr): sentences on a terminal or with "console", else JSON.

    Sentences are coloured on a terminal unless NO_COLOR is set (https://no-color.org) or TERM is "dumb".
    `form` is "auto", "console" or "json"; `level` is "debug", "info", "warning" or "error". Sentences have the times of
    `zone`, that of the pages, or of this machine without one; JSON has UTC.
    """
    out = cast("TextIO", _Forgiving(stream or stdio.standard("stderr")))
    people = form == "console" or (form == "auto" and out.isatty())
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    renderer: Any = _Sentences(colour) if people else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _Clock(zone) if people else structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            _Moments(zone if people else UTC),
            structlog.processors.format_exc_info,
            _clean if people else _clean_only,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=out, force=True)
    logging.getLogger().handlers[0].setFormatter(_LibraryFormatter())
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it logs ticks that are cancelled at the end as errors
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of each malformed request; we count them


class _Forgiving:
    """Passes everything on to a stream. What cannot be written is counted: a log that nobody reads ends no service."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._out, attribute)

    def write(self, text: str) -> int:
        try:
            return self._out.write(text)
        except (OSError, ValueError):  # the pipe or the file is closed, or the disk full
            log_lines_lost.inc()
            return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._out.flush()


class _Clock:
    """Adds the time of the line, as `set_up_log` says."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["ts"] = f"{datetime.now(UTC).astimezone(self._zone):%H:%M:%S}"
        return event


class _Moments:
    """Writes facts that are moments in the zone of the log, with its name."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            if isinstance(value, datetime):
                event[key] = with_zone(value, self._zone or value.astimezone().tzinfo or UTC, seconds=True)
        return event


def log() -> Any:
    """The logger: `log().warning("source.failed", source=…, detail=…)` with a key of SENTENCES."""
    return structlog.get_logger()


def operator_acted(deed: str, count: int, by: str, **facts: str) -> None:
    """Log what a person did, whatever the log level. `by` is who, `count` how many things it concerned."""
    log().warning("operator.acted", deed=deed, count=count, by=by, **facts)


def _clean_only(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove secrets. The JSON renderer escapes control characters itself."""
    for key, value in event.items():
        event[key] = _without_secrets(value)
    return event


def _clean(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove secrets, and characters that could rewrite the terminal or forge a line."""
    for key, value in _clean_only(logger, name, event).items():
        if isinstance(value, str):
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n".join(control_characters.on_one_line(line) for line in lines)
    return event


def _without_secrets(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return redaction.clean(value if isinstance(value, str) else repr(value))


class _LibraryFormatter(logging.Formatter):
    """Log lines of libraries, cleaned: they quote addresses, headers and answers."""

    def format(self, record: logging.LogRecord) -> str:
        return control_characters.on_one_line(redaction.clean(super().format(record)))


class _Number(int):
    """A number that is formatted with its noun: "{new:article|articles}"."""

    def __format__(self, form: str) -> str:
        one, bar, many = form.partition("|")
        return count(int(self), one, many) if bar else int.__format__(self, form)


def _counting(value: Any) -> Any:
    return _Number(value) if type(value) is int else value


def sentence(event: str, facts: Mapping[str, Any]) -> str:
    """An event as people read it. Raises KeyError if it has no sentence, or if a fact is missing."""
    form = SENTENCES[event]
    if event == "operator.acted":
        form = _DEEDS.get(str(facts.get("deed")), form)
    return form.format_map({key: _counting(value) for key, value in facts.items()})


class _Sentences:
    """One line for people: time and sentence. An event without a sentence shows its name and facts."""

    _COLOURS: Mapping[str, str] = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> str:
        moment, level, name = event.pop("ts"), event.pop("level"), event.pop("event")
        trace = event.pop("exception", "")
        try:
            text = sentence(name, event)
        except KeyError:
            text = " ".join([str(name), *(f"{key}={value}" for key, value in event.items())])
        if self._colour and level in self._COLOURS:
            text = f"{self._COLOURS[level]}{text}\x1b[0m"
        return f"{moment} {text}" + (f"\n{trace}" if trace else "")
