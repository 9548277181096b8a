"""Pure: every key in Redis: its type, the one role that writes it, who reads it, how long it lives.

All keys share one hash tag, so that a script may touch several of them on a cluster
(https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags). Times are milliseconds of the
Redis server's own clock. {n} stands for a name.

| key | type | written by | read by | lifetime |
|---|---|---|---|---|
| meta | hash: schema, install, born, secret, last_prune, websub, indexed, lost_…, ran_ROLE | every | every | for ever |
| feeds | zset: feed → due ms, or end of lease | poll | poll, web | while configured |
| source:{n} | hash: fence, host, m:… (memory), status | poll | poll, notify, web | while configured |
| host:{n} | hash: held, next, slow, holder, limited:{feed} | poll | poll | 3 days after the last request |
| waiting:{n} | zset: feed of this host, put off → ms when it became due | poll | poll | 3 days after the last request |
| push:{t} | hash: feed, topic; {t} is the token of a callback | poll | web | 40 days after the last subscription |
| pushed | stream, group "poll": what hubs sent | web | poll | until acknowledged |
| seen | zset: article id → forget-after ms | poll | poll | retention.dedup after last seen |
| heads | hash: article id → mark of its headline, and how often that changed | poll | poll | as seen |
| articles | stream, group "match": a = article | poll | match | until acknowledged |
| unarchived | stream, group "archive": a = article | poll | match | until it is in the archive, at most 20 000 |
| unjoined | stream, group "match": a story with its article | match | match | until joined, at most 20 000 |
| joined | stream: which event each story belongs to, and what it says | match, operator | match | 5 d, at most 20 000 |
| event:{story} | hash: event, why, by whom, whom its text counts | match, operator | notify, web | retention.hits |
| events:{event} | zset: story → ms | match, operator | notify, web | retention.hits |
| index:{n} | hash: exact key or shingle → stories, of a part of the window | match | match | window, 1.5 times |
| stories:{topic} | zset: story → ms until which a further report may join it | match | web | window |
| story:{n} | hash: id, first, last ms, title, articles, outlets, texts | match | match, web | window, twice |
| reports:{n} | zset: place in `history` of a story's hit → ms | match, every | web | retention.hits, from the last |
| hits | zset: (topic, fingerprint) → forget-after ms | match | match | retention.dedup after last seen |
| hit:{id} | hash: a hit's story, and its fate in each group | match, CLOSE_DUE | web | retention.hits |
| history | stream: t = topic, h = a new hit, i = its id | match | web | retention.hits, at most 110 000 |
| copies | stream: t = topic, i = a hit that repeats another | match | web | 7 d, the last 10 000 |
| retained | stream: a = any article that was matched | match | web | the last retention.articles |
| open | hash: group → ms of its first waiting hit | match, CLOSE_DUE | notify | until closed |
| bucket:{n} | list: the waiting hits of a group | match, CLOSE_DUE | notify | until closed |
| group:{n} | hash: turn, closed ms, told ms, until ms, silenced, plan | notify | notify, web | while configured |
| over:{n} | hash: topic → hits beyond its limit; "" → ms of the first | match, CLOSE_DUE | notify | until sent |
| count:{topic}:{day} | hash: hour (UTC) → new hits | match | notify, web | 36 d |
| quota:{n}:{hour} | string: how many messages a receiver was sent in that hour | notify | notify | 2 h |
| handling:{n} | hash: who claimed, acknowledged, starred a story; notes | operator | web, notify | retention.hits |
| verdicts:{topic} | hash: article id → what a person said of the hit | operator | web | for ever, at most 1 000 |
| silences | hash: id → a silence as JSON | operator | notify, web | until removed |
| searches | hash: name → a saved search as JSON | operator | web | until deleted |
| told:{n}:{s} | string: what a group was sent of a story | notify | notify | retention.deliveries after last sent |
| out:{id} | hash: a frozen delivery and its state | notify | notify, web | until sent; dead: deliveries |
| outbox:{n} | stream, group "notify": d = delivery id | notify | notify | until acknowledged |
| contents:{id} | hash: what messages of one digest hold | notify | web | 30 d after they ended |
| boxes | set: receivers that ever had a delivery | notify | notify | for ever |
| retry | zset: delivery id → next attempt ms | notify | notify, web | until due |
| unsubscribed | hash: receiver and address → since ms | web | notify | until the reader subscribes again |
| later | zset: escalation, a delivery → ms when it is due | notify | notify, web | until due |
| thread:{n}:{t} | string: what a receiver stored of a thread | notify | notify | retention.deliveries after last used |
| receiver:{n} | hash: pauses, circuit breaker, disabled | notify | notify, web | for ever |
| pace:{host} | string: ms of the host's next turn | notify | notify | until that turn |
| sent | zset: delivery id → forget-after ms | notify | web | retention.deliveries |
| editions | stream: deliveries that arrived, with their messages | notify | web | the last 1 000 |
| dead | stream: dead letters, with the reason | match, notify | web | the last 10 000 |
| dead_counts | hash: queue → its letters in `dead` | match, notify | web | as `dead` |
| ledger:{day} | hash: counts; day since 1970, "total" or "fates" | poll, match, notify | web | 90 d; total: for ever |
| restored | set: SHA-1 of what was put back after a loss | every | every | 1 h |
| beat:{n} | string: a running process | every | web | 15 s |
| beats | zset: running process → ms until which it counts | every | web | until none runs |
| config:{n} | string: the configuration that a role runs | every | web | 10 min |

`open`, `bucket` and `over` are filled by match and emptied by notify, each in one script; `hit` is written by match and
then by notify. No other key has two writing roles, except four that are only added to: the dead letters, their counts,
the ledger, and `reports`, to which every role adds what an earlier version left out. After a loss of data, every role
writes back what it knows.
"""

from __future__ import annotations

from collections.abc import Callable

POLL = b"poll"
MATCH = b"match"
NOTIFY = b"notify"
ARCHIVE = b"archive"
SCHEMA = "1"
MEMORY = "m:"  # begins those fields of source:{n} that are the source's own memory; the others are its status


KeyOf = Callable[[str], str]
KeyOfPair = Callable[[str, str | int], str]


class Keys:
    """The names of all keys under one prefix. The prefix must contain a hash tag: `{wp}:`."""

    def __init__(self, prefix: str = "{wp}:") -> None:
        def keys_of(kind: str) -> Callable[..., str]:
            return lambda *names: ":".join((f"{prefix}{kind}", *map(str, names)))

        self.prefix = prefix
        self.meta = f"{prefix}meta"
        self.feeds = f"{prefix}feeds"
        self.source: KeyOf = keys_of("source")
        self.host: KeyOf = keys_of("host")
        self.waiting: KeyOf = keys_of("waiting")
        self.push: KeyOf = keys_of("push")
        self.pushed = f"{prefix}pushed"
        self.seen = f"{prefix}seen"
        self.heads = f"{prefix}heads"
        self.articles = f"{prefix}articles"
        self.unarchived = f"{prefix}unarchived"
        self.unjoined, self.joined, self.event, self.events = (
            f"{prefix}unjoined",
            f"{prefix}joined",
            keys_of("event"),
            keys_of("events"),
        )
        self.index: KeyOf = keys_of("index")
        self.stories: KeyOf = keys_of("stories")
        self.story: KeyOf = keys_of("story")
        self.reports: KeyOf = keys_of("reports")
        self.hits = f"{prefix}hits"
        self.hit: KeyOf = keys_of("hit")
        self.history, self.copies = f"{prefix}history", f"{prefix}copies"
        self.retained = f"{prefix}retained"
        self.open = f"{prefix}open"
        self.bucket: KeyOf = keys_of("bucket")
        self.group: KeyOf = keys_of("group")
        self.over: KeyOf = keys_of("over")
        self.count: KeyOfPair = keys_of("count")
        self.quota: KeyOfPair = keys_of("quota")
        self.handling, self.verdicts = keys_of("handling"), keys_of("verdicts")
        self.silences, self.searches = f"{prefix}silences", f"{prefix}searches"
        self.told: KeyOfPair = keys_of("told")
        self.out: KeyOf = keys_of("out")
        self.contents: KeyOf = keys_of("contents")
        self.outbox: KeyOf = keys_of("outbox")
        self.boxes = f"{prefix}boxes"
        self.retry, self.later = f"{prefix}retry", f"{prefix}later"
        self.unsubscribed = f"{prefix}unsubscribed"
        self.thread: KeyOfPair = keys_of("thread")
        self.receiver: KeyOf = keys_of("receiver")
        self.pace: KeyOf = keys_of("pace")
        self.sent = f"{prefix}sent"
        self.editions = f"{prefix}editions"
        self.dead = f"{prefix}dead"
        self.dead_counts = f"{prefix}dead_counts"
        self.ledger = f"{prefix}ledger:"  # a prefix: a day or "total" follows
        self.restored = f"{prefix}restored"
        self.beat: KeyOf = keys_of("beat")
        self.beats = f"{prefix}beats"
        self.config: KeyOf = keys_of("config")
        self.parked = f"{prefix}parked"  # a channel: MATCHED publishes here when a group has a new hit
