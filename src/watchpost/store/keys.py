"""Every key in Redis: its shape, the one role that writes it, who reads it, how long it lives.

All keys carry one hash tag, so that a script may touch several of them on a cluster too. Times are
milliseconds of the Redis server's own clock. {n} stands for a name.

| key | shape | written by | read by | lifetime |
|---|---|---|---|---|
| meta | hash: schema, install, secret, last_prune, websub | every | every | for ever |
| feeds | zset: feed → due ms, or end of lease | poll | poll, web | while configured |
| source:{n} | hash: fence, host, m:… (memory), status | poll | poll, notify, web | while configured |
| host:{n} | hash: held, next, slot, slow, holder, limited:{feed} | poll | poll | 3 days after the last request |
| push:{t} | hash: feed, topic; {t} = a callback's token | poll | web | 40 days after it was last asked for |
| pushed | stream, group "poll": what hubs sent | web | poll | until acknowledged |
| seen | zset: article id → forget-after ms | poll | poll | retention.dedup after last seen |
| heads | hash: article id → mark of its headline, and how often that changed | poll | poll | as seen |
| articles | stream, group "match": a = article | poll | match | until acknowledged |
| index:{n} | hash: exact key or shingle → stories, of a part of the window | match | match | window, 1.5 times |
| stories:{topic} | zset: story → ms until which a further report may join it | match | web | window |
| story:{n} | hash: id, first, last ms, title, articles, outlets, texts | match | match, web | window, twice |
| hits | zset: (topic, fingerprint) → forget-after ms | match | match | retention.dedup after last seen |
| history | stream: t = topic, h = a hit that was news | match | web | retention.hits, at most 110 000 |
| retained | stream: a = article that was matched, whatever came of it | match | web | the last retention.articles |
| open | hash: group → ms of its first parked hit | match, CLOSE_DUE | notify | until closed |
| bucket:{n} | list: parked hits of a group | match, CLOSE_DUE | notify | until closed |
| group:{n} | hash: turn, closed ms, told ms, until ms, silenced, plan | notify | notify, web | while configured |
| over:{n} | hash: topic → hits beyond its limit; "" → ms of the first | match, CLOSE_DUE | notify | until told |
| count:{topic}:{day} | hash: hour (UTC) → new hits | match | notify, web | 36 d |
| quota:{n}:{hour} | string: what a receiver was told in that hour | notify | notify | 2 h |
| silences | hash: id → a silence as JSON | operator | notify, web | until removed |
| told:{n}:{s} | string: what a group was told of a story | notify | notify | retention.deliveries after last told |
| out:{id} | hash: a frozen delivery and its state | notify | notify, web | until sent; dead: deliveries |
| outbox:{n} | stream, group "notify": d = delivery id | notify | notify | until acknowledged |
| boxes | set: receivers that ever had a delivery | notify | notify | for ever |
| retry | zset: delivery id → next attempt ms | notify | notify, web | until due |
| unsubscribed | hash: receiver and address → since ms | web | notify | until the reader comes back |
| thread:{n}:{t} | string: what a receiver noted of a thread | notify | notify | retention.deliveries after last used |
| receiver:{n} | hash: pauses, breaker, disabled | notify | notify, web | for ever |
| pace:{host} | string: ms of the host's next turn | notify | notify | until that turn |
| sent | zset: delivery id → forget-after ms | notify | web | retention.deliveries |
| editions | stream: deliveries that arrived, with their messages | notify | web | the last 1 000 |
| dead | stream: what could not be done, and why | match, notify | web | the last 10 000 |
| dead_counts | hash: queue → its letters in `dead` | match, notify | web | as `dead` |
| ledger:{day} | hash: counts; day since 1970, or "total" | poll, match, notify | web | 90 d; total: for ever |
| beat:{n} | string: a running process | every | web | 15 s |
| beats | zset: running process → ms until which it counts | every | web | until none runs |
| config:{n} | string: the configuration that a role runs | every | web | 10 min |

`open`, `bucket` and `over` are filled by match and emptied by notify, each in one script; no other key has two
writing roles except the dead-letter stream and its counts, which both only append to, and the ledger, which is only
added to.
"""

from __future__ import annotations

from dataclasses import dataclass

POLL = b"poll"
MATCH = b"match"
NOTIFY = b"notify"
SCHEMA = "1"
MEMORY = "m:"  # begins those fields of source:{n} that are the source's own memory; the others are status


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of all keys under one prefix. The prefix must hold a hash tag: `{wp}:`."""

    prefix: str = "{wp}:"

    @property
    def meta(self) -> str:
        return f"{self.prefix}meta"

    @property
    def feeds(self) -> str:
        return f"{self.prefix}feeds"

    def source(self, name: str) -> str:
        return f"{self.prefix}source:{name}"

    def host(self, host: str) -> str:
        return f"{self.prefix}host:{host}"

    def push(self, token: str) -> str:
        return f"{self.prefix}push:{token}"

    @property
    def pushed(self) -> str:
        return f"{self.prefix}pushed"

    @property
    def seen(self) -> str:
        return f"{self.prefix}seen"

    @property
    def heads(self) -> str:
        return f"{self.prefix}heads"

    @property
    def articles(self) -> str:
        return f"{self.prefix}articles"

    @property
    def hits(self) -> str:
        return f"{self.prefix}hits"

    def index(self, part: str) -> str:
        return f"{self.prefix}index:{part}"

    def story(self, name: str) -> str:
        return f"{self.prefix}story:{name}"

    def stories(self, topic: str) -> str:
        return f"{self.prefix}stories:{topic}"

    @property
    def history(self) -> str:
        return f"{self.prefix}history"

    @property
    def retained(self) -> str:
        return f"{self.prefix}retained"

    @property
    def open(self) -> str:
        return f"{self.prefix}open"

    def bucket(self, group: str) -> str:
        return f"{self.prefix}bucket:{group}"

    def group(self, group: str) -> str:
        return f"{self.prefix}group:{group}"

    def told(self, group: str, story: str) -> str:
        return f"{self.prefix}told:{group}:{story}"

    def over(self, group: str) -> str:
        return f"{self.prefix}over:{group}"

    def count(self, topic: str, day: int | str) -> str:
        return f"{self.prefix}count:{topic}:{day}"

    def quota(self, receiver: str, hour: int | str) -> str:
        return f"{self.prefix}quota:{receiver}:{hour}"

    @property
    def silences(self) -> str:
        return f"{self.prefix}silences"

    def out(self, delivery: str) -> str:
        return f"{self.prefix}out:{delivery}"

    def outbox(self, receiver: str) -> str:
        return f"{self.prefix}outbox:{receiver}"

    @property
    def boxes(self) -> str:
        return f"{self.prefix}boxes"

    @property
    def retry(self) -> str:
        return f"{self.prefix}retry"

    @property
    def unsubscribed(self) -> str:
        return f"{self.prefix}unsubscribed"

    def thread(self, receiver: str, thread: str) -> str:
        return f"{self.prefix}thread:{receiver}:{thread}"

    def receiver(self, name: str) -> str:
        return f"{self.prefix}receiver:{name}"

    def pace(self, host: str) -> str:
        return f"{self.prefix}pace:{host}"

    @property
    def sent(self) -> str:
        return f"{self.prefix}sent"

    @property
    def editions(self) -> str:
        return f"{self.prefix}editions"

    @property
    def dead(self) -> str:
        return f"{self.prefix}dead"

    @property
    def dead_counts(self) -> str:
        return f"{self.prefix}dead_counts"

    @property
    def ledger(self) -> str:
        """The prefix of its pages."""
        return f"{self.prefix}ledger:"

    def beat(self, name: str) -> str:
        return f"{self.prefix}beat:{name}"

    @property
    def beats(self) -> str:
        return f"{self.prefix}beats"

    def config(self, role: str) -> str:
        return f"{self.prefix}config:{role}"

    @property
    def parked(self) -> str:
        """A channel, not a key: MATCHED says here that a group has something new. The tick is the truth."""
        return f"{self.prefix}parked"
