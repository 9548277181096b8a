"""A newsroom in a store, with something to show on every page. All articles are invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from tests.making import article, digest_delivery
from tests.notify.digests import usual
from tests.store.ends import poll_store
from tests.web.web_app import FixedPreviews, closed, config_of, found
from watchpost.config.config import Config
from watchpost.match.matcher import match
from watchpost.match.routing import all_groups
from watchpost.model import Message, derive_id
from watchpost.notify.render import html, plain, sentences
from watchpost.operations.previews import Preview
from watchpost.store.client import Store
from watchpost.store.events import Decided, EventStore
from watchpost.store.receivers import CircuitBreaker, ReceiverState

_ARTICLES = (
    (
        "Convoy from Gao reaches Kidal after three days",
        "en",
        "The Sahel Courier",
        "A convoy of Mali’s army reached Kidal on Tuesday after three days on the road from Gao. "
        "Fighters of the Africa Corps rode with it, said two drivers.",
    ),
    (
        "Un convoi de l’armée venu de Gao entre à Kidal",
        "fr",
        "Le Fleuve",
        "Le convoi de l’armée, parti de Gao au Mali, est entré mardi à Kidal. "
        "Des hommes d’Africa Corps l’accompagnaient, disent des habitants.",
    ),
    (
        "ЧВК уходит с базы на севере Мали",
        "ru",
        "Восточный листок",
        "По словам жителей, ЧВК оставила базу на севере Мали. Официального подтверждения пока нет.",
    ),
    ("فاغنر تغادر قاعدة في شمال مالي", "ar", "صوت الساحل", "قال سكان إن فاغنر غادرت قاعدة في شمال مالي يوم الثلاثاء."),
    ("瓦格纳撤离马里北部的基地", "zh", "沙海日报", "当地居民说，瓦格纳人员星期二离开了马里北部的一个基地。"),
    (
        "What Barkhane left behind",
        "en",
        "Desert Review",
        "Two years on, the hangars that Barkhane built at the edge of the runway stand empty, "
        "and the town has taken their doors.",
    ),
    (
        "Колонна армии Мали вошла в Кидаль, погибли 14 военных",
        "ru",
        "Восточный листок",
        "Колонна армии Мали и Африканский корпус вошли в Кидаль. По словам водителей, погибли 14 военных.",
    ),
    (
        "قافلة الجيش تدخل كيدال في مالي ومقتل 11 جنديا",
        "ar",
        "صوت الساحل",
        "قال الجيش إن قافلة انطلقت من غاو برفقة فاغنر دخلت كيدال في مالي وقتل 11 جنديا.",
    ),
)


TEXT = """version: 1
timezone: Europe/Paris
public_url: https://watch.example.org
feeds:
{feeds}
folders: {seeds: {path: /var/lib/watchpost/seeds, every: 1s}}
topics:
  wagner:
    title: Wagner / Africa Corps
    severity: high
    query: '("Wagner" UNLESS "Richard Wagner") OR "Africa Corps" OR ЧВК OR "Африканский корпус" OR فاغنر OR 瓦格纳'
    examples: {match: ["The Africa Corps left Kidal."], no_match: ["Richard Wagner in Bayreuth."]}
  mali: {title: Mali security, query: (Mali OR Мали OR مالي OR 马里) AND (Gao OR Kidal OR army OR armée OR JNIM OR ЧВК)}
  barkhane: {title: Barkhane, query: Barkhane, severity: low}
receivers:
  duty-slack: {type: slack, url: {env: SLACK}}
  desk-email: {type: email, to: [desk@example.org], from: w@example.org, smtp: {host: mail.example.org}}
  archive-hook: {type: webhook, url: "https://archive.example.org/hook"}
routes:
  - {when: {severity: high}, to: duty-slack, mode: immediate, continue: true}
  - {to: [desk-email, archive-hook], digest: {at: ["08:00", "18:00"], days: mon-fri}}
"""
FEEDS = ("sahel-courier", "le-fleuve", "vostok", "sawt-as-sahil", "desert-review", "old-wire")


@cache
def config() -> Config:
    """The demo's configuration."""
    feeds = "\n".join(f"  {name}: {{url: https://{name}.example.org/feed.xml, every: 10m}}" for name in FEEDS)
    return config_of(TEXT.replace("{feeds}", feeds), (("SLACK", "https://hooks.slack.com/services/T0/B0/example"),))


def previews() -> FixedPreviews:
    """A digest for the desk; for duty nothing but a hit that is held back."""
    digest = usual()
    message = Message(
        "", sentences.subject(digest), {"html": html.page(digest), "text": plain.plain(digest)}, "desk@example.org"
    )
    stories = tuple(replace(one, reckoning="1.21 = log(1 + 2) · 1 · 1.1") for one in digest.stories)
    duty, desk, archive = (group.id for group in all_groups(config().routes))
    kept = "1 hit, held back by quiet hours until 24 Nov 07:00: Convoy from Gao reaches Kidal"
    return FixedPreviews(
        {desk: (Preview("3", 6, (message,), stories),), duty: (Preview("1", 1, kept=(kept,)),), archive: ()}
    )


async def furnish(store: Store) -> None:
    """Fill the store."""
    now, desk = datetime.now(UTC), all_groups(config().routes)[1].key
    await _read(store, now)
    await _sent(store, now)
    await _in_trouble(store, now)
    await store.redis.delete(store.keys.history)  # what those were about
    stories: dict[int, str] = {}
    for number, (title, lang, outlet, body) in reversed(list(enumerate(_ARTICLES))):
        seen = now - timedelta(minutes=11 + 37 * number)
        about = article(
            title, body=body, lang=lang, outlet=outlet, url=f"https://news.example.org/{number}", fetched=seen,
            published=seen - timedelta(minutes=4), source=FEEDS[min(number, 4)],
        )  # fmt: skip
        hit = match(about, config().topics, seen)[0]
        story = derive_id("story", "convoy") if number < 2 else hit.story
        await found(store, about, group=desk, made=replace(hit, story=story))
        stories[number] = story
    await _joined(store, stories[7], stories[6], derive_id("story", "convoy"))
    for back in range(14):
        page = f"{store.keys.ledger}{int(now.timestamp() // 86400) - back}"
        day = {"wagner": 3 + (back * 7) % 9, "mali": 5 + (back * 5) % 12, "barkhane": (back * 3) % 4 if back % 2 else 0}
        day["wagner"] += 14 if back == 1 else 0
        for topic, hits in day.items():
            await store.redis.hset(page, f"topic:{topic}:hits", hits)
    for field, number in (("new", 412), ("known", 5120), ("hits", 19), ("sent", 6)):
        await store.redis.hset(f"{store.keys.ledger}{int(now.timestamp() // 86400)}", field, number)


async def _joined(store: Store, *stories: str) -> None:
    """These stories are one event, whose army counts fewer dead than the drivers."""
    events = EventStore(store)
    reasons = [
        (),
        ("same place Kidal", "both about convoy", "0.71 alike", "3 h apart"),
        ("same place Kidal", "4 h apart"),
    ]
    for story, why, dead in zip(stories, reasons, (11, 14, 11), strict=True):
        last = next((one.mark for one in reversed(await events.decided())), "")
        like = stories[0] if why else ""
        await events.join(Decided(last, story, stories[0]), like=like, reasons=why, harm=[("killed", dead)])


async def _read(store: Store, now: datetime) -> None:
    names = FEEDS
    await poll_store(store).sync(list(names))
    for number, claim in enumerate((await poll_store(store).claim(10)).feeds):
        visit = (now - timedelta(minutes=number)).isoformat()
        status = {"last_visit": visit, "last_read": visit, "failures": "0", "next_visit": "every 10 minutes"}
        if claim.name == "old-wire":
            status |= {"failures": "3", "detail": "HTTP 503 Service Unavailable", "reason": "server_error"}
            status["last_read"] = (now - timedelta(hours=5)).isoformat()
        await poll_store(store).commit(claim, [], memory={}, status=status, delay_ms=(600 - 60 * number) * 1000)


async def _sent(store: Store, now: datetime) -> None:
    texts = ("3 stories: Wagner / Africa Corps, Mali security", "Alert: Convoy from Gao reaches Kidal")
    for number, subject in enumerate(texts):
        made = digest_delivery(derive_id("delivery", subject), "desk-email")
        text = f"{subject}\n\n1  Convoy from Gao reaches Kidal after three days\n   The Sahel Courier, 2 voices\n"
        made = replace(made, message=Message("", subject, {"text": text}), created=now - timedelta(seconds=4))
        outbox = await closed(store, made, group=f"desk-email|{number}")
        await outbox.create_outbox("desk-email")
        (entry,) = await outbox.claims("desk-email", "n1", 60_000).take(1, block=False)
        await outbox.done("desk-email", entry)


async def _in_trouble(store: Store, now: datetime) -> None:
    """A receiver that is paused, with one message that waits and one that failed for good."""
    made = [
        replace(digest_delivery(derive_id("delivery", "hook", str(n)), "archive-hook"), created=now) for n in (0, 1)
    ]
    outbox = await closed(store, *made, group="archive-hook|0")
    await outbox.create_outbox("archive-hook")
    first, second = await outbox.claims("archive-hook", "n1", 60_000).take(2, block=False)
    await outbox.dead_letter("archive-hook", first, "client_error", "404 Not Found")
    await outbox.retry("archive-hook", second, timedelta(minutes=4), "retrying", "503 Service Unavailable")
    gate = CircuitBreaker(store, "archive-hook")
    await gate.check()
    await gate.save(ReceiverState(2, 0, now + timedelta(minutes=5), now, 2, None, "rate_limited 429", 0))
