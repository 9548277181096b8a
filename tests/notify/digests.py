"""Digests for the tests of forms and receivers: a plain one, a hostile one, an endless one."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.model import Delivery, Digest, Message, Report, Snippet, Story, TopicMatch, UnreadSource
from watchpost.notify.receiver import ReceiverContext

WHEN = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
SENTENCE = "…des combattants de Wagner ont été vus près de Gao, selon trois sources 🙂 Вагнер"
MENTION = "<!channel> *x* & <b> @here :fire:"
HOSTILE = (
    MENTION,
    "x" * 10_000,
    "👨‍👩‍👧‍👦" * 2_500,
    "\u202egnp.exe\u2066 fin\u202c \u200e\u200b\ufeff\u061c title",
    "nul\x00 esc\x1b[31m bell\x07 c1\x9b31m",
    "one\r\nBcc: victim@example.org\r\n\r\nbody\u2028two\u2029three\x85four",
    "e" + "\u0301" * 5_000,
    "a\u200d" * 5_000,
    "lone \ud800 surrogate",
    "=?utf-8?q?evil=0d=0aBcc=3a_x=40y=2ez?=",
    '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}',
    "",
)
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def report(title: str = "Explosion near Gao base; JNIM claims attack", **fields: Any) -> Report:
    values: dict[str, Any] = {
        "source": "rfi-africa",
        "outlet": "RFI Afrique",
        "title": title,
        "url": "https://www.rfi.fr/afrique/gao?id=7",
        "lang": "fr",
        "published": WHEN - timedelta(minutes=18),
        "first_seen": WHEN - timedelta(minutes=16),
    }
    values["article"] = f"{title} {fields.get('outlet', values['outlet'])}"
    return Report(**(values | fields))


def story(number: int = 1, **fields: Any) -> Story:
    lead: Report = fields.pop("lead", None) or report()
    copy = replace(lead, source="ria", outlet="РИА Новости", lang="ru", url="https://ria.ru/1.html")
    at, gao = SENTENCE.index("Wagner"), SENTENCE.index("Gao")
    values: dict[str, Any] = {
        "id": f"{number:032x}",
        "status": "new",
        "topics": (
            TopicMatch("mali", "Mali security", "normal", ("Gao",)),
            TopicMatch("wagner", "Wagner / Africa Corps", "high", ("Wagner", "ЧВК")),
        ),
        "snippet": Snippet(SENTENCE, ((at, at + 6), (gao, gao + 3))),
        "lead": lead,
        "reports": (lead, copy),
        "score": 1.25,
    }
    return Story(**(values | fields))


def digest(*stories: Story, **fields: Any) -> Digest:
    values: dict[str, Any] = {
        "id": "7f3a" * 8,
        "kind": "digest",
        "receiver": "desk",
        "window_start": WHEN - timedelta(hours=14),
        "window_end": WHEN,
        "timezone": "Europe/Paris",
        "language": "en",
        "created": WHEN,
        "stories": stories,
        "articles": 61,
        "sources_total": 41,
        "public_url": "https://watch.example.org",
        "install": "newsdesk",
    }
    return Digest(**(values | fields))


def usual(**fields: Any) -> Digest:
    """One story of each status, two sources not read, two stories left out."""
    mali = (TopicMatch("mali", "Mali security", "normal", ("غاو",)),)
    arabic = report(
        "انفجار قرب قاعدة غاو",
        outlet="الجزيرة",
        lang="ar",
        published=None,
        url="https://news.example/غاو",
    )
    stories = (
        story(1),
        story(2, status="updated", topics=mali, lead=arabic, snippet=Snippet("انفجار قرب قاعدة غاو", ((17, 20),))),
        story(3, status="continuing", topics=mali, lead=report("Kidal talks go on")),
    )
    unread = (
        UnreadSource("maliweb", "HTTP 503", WHEN - timedelta(hours=5)),
        UnreadSource("nrk", "certificate expired", None),
    )
    return digest(*stories, **({"unread": unread, "omitted": 2} | fields))


def hostile(text: str, **fields: Any) -> Digest:
    """A digest whose every foreign word is `text`."""
    lead = report(text, source=text, outlet=text, url=f"javascript:alert('{text[:50]}')", lang=text[:40])
    one = story(
        lead=lead,
        reports=(lead, report(text, outlet=text + "!", url="https://evil.example/" + text)),
        topics=(TopicMatch("t", text, "high", (text, text + "2")),),
        snippet=Snippet(text, ((0, 3), (2, 5), (-4, 99_999), (7, 6))),
    )
    return digest(
        one, unread=(UnreadSource(text, text, WHEN),), **({"receiver": "desk", "install": text[:40]} | fields)
    )


def endless(count: int = 500, **fields: Any) -> Digest:
    """Very many stories, long ones, each of its own topic."""
    return digest(
        *(
            story(
                number,
                lead=report(f"Story {number}: " + "ж" * 200, url=f"https://example.org/{number}/" + "p" * 300),
                topics=(TopicMatch(f"t{number}", f"Topic {number}", "high", ("ж" * 30, "Gao")),),
                snippet=Snippet("ж я " * 100, tuple((at, at + 1) for at in range(0, 400, 4))),
            )
            for number in range(count)
        ),
        **fields,
    )


def context(waits: list[float] | None = None) -> ReceiverContext:
    """What receivers get from the service, with a `sleep` that only notes in `waits` how long it should have taken."""

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    return ReceiverContext("watchpost/1.0", "newsdesk", io.StringIO(), sleep=sleep)


def delivery(message: Message, attempt: int = 1, id_: str = "7f3a" * 8) -> Delivery:
    return Delivery(id_, "7f3a" * 8, "desk", message, attempt, WHEN)
