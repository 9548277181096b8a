"""What watchpost says of itself: log lines and metrics, one list of each.

Events have fixed names; people at a terminal read the sentences below, machines read JSON. Labels of metrics
come from the configuration or from closed sets, never from the outside (no URL, no title, no host).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from watchpost import redaction, stdio
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
config_good = _gauge("config_last_reload_successful", "1 if the configuration on disk could be used last time")
config_time = _gauge("config_last_reload_success_timestamp_seconds", "When a configuration was last taken over")
config_hash = _gauge("config_hash", "A number that changes with what the configuration says")
feed_fetches = _counter("feed_fetches_total", "Visits to feeds", "outcome")
feed_seconds = _histogram("feed_fetch_duration_seconds", "Time of one visit to a feed, reading included", _WORK)
feed_last_read = _gauge("feed_last_success_timestamp_seconds", "When the feed was last read", "feed")
feed_failures = _gauge("feed_consecutive_failures", "Failed visits in a row", "feed")
feed_items = _counter("feed_items_total", "Entries that feeds brought", "outcome")
feed_bytes = _counter("feed_bytes_total", "Bytes of feed documents, unpacked")
feeds = _gauge("feeds", "Feeds by how they fare", "state")
folder_files = _counter("folder_files_total", "What folders brought: articles, and files left out", "folder", "outcome")
folder_lag = _gauge("folder_lag_seconds", "Time since the folder was last looked through", "folder")
articles_matched = _counter("matcher_documents_total", "Articles matched", "result")
match_seconds = _histogram("matcher_duration_seconds", "Time to match one article", _WORK)
match_errors = _counter("matcher_errors_total", "Articles that could not be matched", "reason")
hits = _counter("hits_total", "Hits that are news", "topic", "severity")
hits_copies = _counter("hits_deduplicated_total", "Hits that were copies of what was told", "kind")
hits_unrouted = _counter("hits_unrouted_total", "Hits that no route wants", "topic")
stories_open = _gauge("stories_open", "Stories that further reports may still join", "topic")
hit_age = _histogram("hit_age_seconds", "From publication to the queue", _WAY)
queue_depth = _gauge("queue_depth", "Entries waiting", "queue")
queue_age = _gauge("queue_oldest_age_seconds", "How long the oldest entry has waited", "queue")
taken_over = _counter("queue_redeliveries_total", "Entries taken over from silent workers", "queue")
queue_dead = _gauge("queue_dead_letters", "Dead letters that are kept", "queue")
dead_letters = _counter("dead_letters_total", "Entries given up", "queue", "reason")
digests = _counter("digests_total", "Windows closed", "receiver", "outcome")
alert_hits = _counter("alert_hits_total", "Hits of alerts, by what became of them", "receiver", "reason")
plain_editions = _counter(
    "editions_reduced_total", "Editions laid out plainly because the proper one failed", "receiver"
)
digest_stories = _histogram("digest_stories", "Stories in one edition", _STORIES, "receiver")
digest_lateness = _histogram("digest_lateness_seconds", "From the window's end to its closing", _WAY)
attempts = _counter("delivery_attempts_total", "Attempts to deliver", "receiver", "type", "outcome", "reason")
delivery_seconds = _histogram("delivery_duration_seconds", "Time of one attempt", _WORK, "type")
end_to_end = _histogram("delivery_end_to_end_seconds", "From an article's first sight to its arrival", _WAY, "severity")
receiver_state = _gauge("receiver_state", "1 for the state that the receiver is in", "receiver", "state")
receiver_till = _gauge(
    "receiver_paused_until_timestamp_seconds", "Nothing is sent to the receiver before that", "receiver"
)
hits_silenced = _counter("silenced_hits_total", "Hits that a silence kept back", "topic")
limits_applied = _counter("limits_applied_total", "How often a limit held something back", "limit")
ledger_gap = _gauge("ledger_gap", "By how much a sum of the ledger does not meet; anything but 0 is a loss", "hop")
store_up = _gauge("redis_up", "1 if the store answered last time")
store_seconds = _histogram("redis_command_duration_seconds", "Time of one script in the store", _STORE, "command")
store_errors = _counter("redis_errors_total", "Failed exchanges with the store", "reason")
misfires = _counter("scheduler_misfires_total", "Ticks that were left out because the process was busy")
loop_lag = _gauge("event_loop_lag_seconds", "The longest that the event loop was held up in the last minute")
restarts = _counter("tasks_restarted_total", "Helpers that died and were started again", "task")
requests = _counter("http_requests_total", "Requests to our pages and probes", "route", "method", "code")
pushes_unsigned = _counter("websub_signatures_rejected_total", "Pushes that were thrown away for a wrong signature")
disk_short = _gauge("disk_short", "1 while the data directory is short of space and polling pauses")
paused = _gauge("poll_paused", "1 while no source is visited", "reason")

FEEDS_BY_NAME = 500
"""So many feeds have series of their own; the worst of the others stands under this name:"""
OTHER_FEEDS = "_other"

OTHER_QUEUES = "_other"
"""The dead letters of receivers that the configuration no longer knows."""

DELIVERY_REASONS = frozenset(
    {"", "client_error", "server_error", "auth", "rate_limited", "timeout", "tls", "dns", "refused", "too_large"}
    | {"blocked", "gone", "unknown"}
)


def delivery_reason(reason: str) -> str:
    """A label for why an attempt failed, "" if it did not: what is not in the closed set is "unknown"."""
    return reason if reason in DELIVERY_REASONS else "unknown"


# ── log ──────────────────────────────────────────────────────────────────────────────────────────────────

# {new:article|articles} is a number with its noun: "1 article", "2 articles".
SENTENCES: Mapping[str, str] = {
    "run.starting": "watchpost {version}: watching {sources} for {topics}; telling {receivers}",
    "redis.started": "the queue is kept by an embedded server, process {pid}",
    "redis.adopted": "the queue of an earlier run is still there, and goes on",
    "redis.joined": "another watchpost keeps the queue: working along with it",
    "redis.died": "the embedded server died; starting it again",
    "redis.restarted": "the embedded server is back, process {pid}",
    "redis.stopped": "the embedded server has stopped",
    "redis.damaged": "the queue's file {file} is damaged: repairing it",
    "redis.repaired": "the queue's file is repaired, {lost_bytes:byte|bytes} lost; the damaged one is kept in {copy}",
    "redis.down": "the embedded server does not start: {problem}",
    "disk.short": "the disk under {data} is nearly full: no more polling until there is room",
    "disk.ample": "there is room on the disk again: polling goes on",
    "redis.silent": "the embedded server, process {pid}, does not answer; everything waits for it",
    "redis.answers": "the embedded server, process {pid}, answers again",
    "redis.lingers": "the embedded server, process {pid}, has not ended yet: {then}",
    "redis.loading": "the embedded server is reading its file: {problem}",
    "redis.external": "the queue runs on {url}",
    "redis.full": "the queue takes nothing for now: {detail}",
    "page.failed": "a page cannot be made ({error}): a mistake in watchpost itself",
    "group.failed": "the edition of {group} cannot be laid out ({error}); its hits stay parked",
    "edition.plain": "{receiver} gets a plainer edition, for the proper one cannot be laid out ({detail})",
    "delivery.stranded": "{count:delivery waits|deliveries wait} for {receiver}, which is no longer configured",
    "redis.lost": "the queue cannot be reached: {detail}",
    "redis.back": "the queue is reachable again",
    "http.listening": "pages on http://{listen}/",
    "http.not_listening": "no pages: {detail}",
    "source.failed": "{source} cannot be read: {detail}; next try {next}",
    "source.gone": "{source} is not asked any more: {detail}",
    "source.dead": "{source} has not been there for two weeks ({detail}); it is tried once a day from now on",
    "source.first_read": "{source}: first reading, {new} new; {known:older one is|older ones are} not told",
    "source.raised": "{source}: something went wrong in watchpost itself; it is visited again",
    "source.recovered": "{source} can be read again",
    "source.item_failed": "{source}: {item} was left out: {detail}",
    "source.page_failed": "{source}: the page {item} could not be read ({detail}); the feed's text has to do",
    "push.confirmed": "{source}: its hub will push what is new",
    "push.denied": "{source}: its hub will not push it ({detail}); it is polled",
    "push.unsigned": "{source}: a push without the right signature was thrown away",
    "push.failed": "{source}: a push cannot be read: {detail}",
    "push.read": "{source}: {new:new article|new articles}, pushed",
    "source.read": "{source}: {new:new article|new articles}",
    "source.visited": "{source}: {outcome}, {new} new; next visit {next}",
    "command.where": "the configuration is {config}, the data are in {data}",
    "hits.silenced": "{count:hit|hits} for {receiver} silenced by {silence}",
    "hits.dead": "{receiver} will not get {count:hit|hits} that nobody can read ({detail}); kept as dead letters",
    "hit.unrouted": "a hit on {topic} goes nowhere: no route wants it ({title})",
    "delivery.done": "{receiver} has {what}",
    "delivery.waits": "{receiver} did not take {what}: {error}; next try in {delay}",
    "delivery.dead": "{receiver} will not get {what}: {detail}",
    "delivery.kept": "{receiver} did not take {what}: {error}; it stays first in line",
    "receiver.disabled": "{receiver} is sent nothing more until somebody enables it: {why}",
    "receiver.opened": "{receiver} fails again and again ({why}): nothing is sent to it until {till}",
    "receiver.paused": "{receiver} asked for a pause ({why}): nothing is sent to it until {till}",
    "receiver.raised": "{receiver}: something went wrong in watchpost itself; the message is tried again",
    "receiver.recovered": "{receiver} takes messages again",
    "ledger.gap": "NOT ACCOUNTED FOR: {text}. Something was lost or counted twice; see docs/operations.md",
    "operator.acted": "{by} did: {deed}, {count} of them",
    "queue.poison": "an entry of {queue} was given up after three tries that ended in a crash",
    "group.orphaned": "hits wait for {group}, which the configuration no longer knows; they go out now",
    "group.stranded": "{count:hit waits|hits wait} for {receiver}, no longer configured: name it again to get them",
    "config.refused": "the new configuration is not used: {text}",
    "config.read": "the configuration was read again: {changes:change|changes}",
    "config.needs_restart": "a change of {what} waits for the next start of the service",
    "heartbeat.failed": "{to} does not hear that we live: {detail}",
    "heartbeat.withheld": "no heartbeat is sent: {detail}",
    "run.stopping": "stopping; what is queued stays queued",
    "run.stopped": "stopped",
    "warning": "{text}",
}


def set_up_log(form: str, level: str, stream: TextIO | None = None) -> None:
    """Log lines go to `stream` (default: stderr): as sentences on a terminal or with "console", else as JSON.

    Sentences are coloured on a terminal unless NO_COLOR is set (no-color.org) or TERM is dumb.

    `form` is "auto", "console" or "json"; `level` is "debug", "info", "warning" or "error".
    """
    out = stream or stdio.standard("stderr")
    people = form == "console" or (form == "auto" and out.isatty())
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    renderer: Any = _Sentences(colour) if people else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people, key="ts"),
            structlog.processors.format_exc_info,
            _clean if people else _clean_only,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=out, force=True)
    logging.getLogger().handlers[0].setFormatter(_Foreign())
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a tick that is cancelled at the end is no error
    logging.getLogger("httpx").setLevel(logging.WARNING)


def log() -> Any:
    """The logger: `log().warning("source.failed", source=…, detail=…)`. Event names are the keys of SENTENCES."""
    return structlog.get_logger()


def operator_acted(deed: str, count: int, by: str, **facts: str) -> None:
    """Somebody did something: one line in the log, whatever its level. `by` is who, `count` how many things."""
    log().warning("operator.acted", deed=deed, count=count, by=by, **facts)


def _clean_only(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Without secrets. JSON writes control characters out by itself."""
    for key, value in event.items():
        event[key] = _without_secrets(value)
    return event


def _clean(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Without secrets, and without what could rewrite the terminal's past or forge a line."""
    for key, value in _clean_only(logger, name, event).items():
        if isinstance(value, str):
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n".join(redaction.one_line(line) for line in lines)
    return event


def _without_secrets(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return redaction.clean(value if isinstance(value, str) else repr(value))


class _Foreign(logging.Formatter):
    """What libraries say by themselves: they quote addresses, headers and answers."""

    def format(self, record: logging.LogRecord) -> str:
        return redaction.one_line(redaction.clean(super().format(record)))


class _Number(int):
    """Knows its noun: the part of a format before or after the bar."""

    def __format__(self, form: str) -> str:
        one, bar, many = form.partition("|")
        return count(int(self), one, many) if bar else int.__format__(self, form)


def _counting(value: Any) -> Any:
    return _Number(value) if type(value) is int else value


def sentence(event: str, facts: Mapping[str, Any]) -> str:
    """What a person reads of an event. Raises KeyError if it has no sentence, or a fact is missing."""
    return SENTENCES[event].format_map({key: _counting(value) for key, value in facts.items()})


class _Sentences:
    """One plain line for people: time, sentence. Unknown events are shown as name and facts."""

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
