"""An entry whose id and address follow its headline stays one article; two events never become one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http_server import Answer, HttpServer
from tests.poll.reader import DAY, HOUR, MINUTE, NOW, SECOND, poll_store
from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import EntryHead
from watchpost.model import Article
from watchpost.poll.known_entries import MOST, KnownEntry, Succession, read, write
from watchpost.poll.source import SourceContext
from watchpost.poll.sources import feed
from watchpost.poll.visit import merged
from watchpost.store.client import Store
from watchpost.store.polling import Claim

SENTENCES = (
    "Two lorries with cooking oil burnt out on the road between Gossi and Hombori on Saturday, and both drivers are "
    "missing, a spokesman of the hauliers said.",
    "A patrol reached the place in the afternoon and found the tracks of several motorcycles that led to the north.",
    "Traders in Gao have asked for an escort since the rains ended, because the ferry at Labbezanga is out of order "
    "and no other way is open to them.",
    "The governor promised them an answer by Monday, after he had spoken to the officers in charge of the sector.",
    "Prices of oil and sugar have doubled on the market of Ansongo since the first attacks of the season in October, "
    "and two of the three wholesalers there have closed their stores until further notice.",
)
TEXTS = {27: SENTENCES[0], 72: " ".join(SENTENCES[:3]), 130: " ".join(SENTENCES)}
TEASER = "Read the full report with a subscription, on all your devices, and support the work of our correspondents."


@dataclass(frozen=True)
class Entry:
    """An entry whose id and address are made of its headline."""

    title: str
    text: str
    date: datetime | None
    path: str = ""

    @property
    def link(self) -> str:
        return f"https://courier.example/{self.path or self.title.lower().replace(' ', '-')}"


def rss(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<item><title>{e.title}</title><guid>{e.link}</guid><link>{e.link}</link><description>{e.text}</description>"
        + (f"<pubDate>{format_datetime(e.date)}</pubDate>" if e.date else "")
        + "</item>"
        for e in entries
    )
    return f"<rss version='2.0'><channel><title>Courier</title>{items}</channel></rss>".encode()


def atom(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<entry><title>{e.title}</title><id>{e.link}</id><link href='{e.link}'/><content>{e.text}</content>"
        + (f"<published>{e.date.isoformat()}</published><updated>{NOW.isoformat()}</updated>" if e.date else "")
        + "</entry>"
        for e in entries
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Courier</title>{items}</feed>".encode()


def rdf(entries: Sequence[Entry]) -> bytes:
    items = "".join(
        f"<item rdf:about='{e.link}'><title>{e.title}</title><link>{e.link}</link><description>{e.text}</description>"
        + (f"<dc:date>{e.date.isoformat()}</dc:date>" if e.date else "")
        + "</item>"
        for e in entries
    )
    spaces = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    return f"<rdf:RDF {spaces} xmlns='http://purl.org/rss/1.0/'><channel/>{items}</rdf:RDF>".encode()


def json_feed(entries: Sequence[Entry]) -> bytes:
    items = [
        {"id": e.link, "url": e.link, "title": e.title, "content_text": e.text}
        | ({"date_published": e.date.isoformat()} if e.date else {})
        for e in entries
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Courier", "items": items}).encode()


FORMATS = {each.__name__: each for each in (rss, atom, rdf, json_feed)}
Written = Callable[[Sequence[Entry]], bytes]


@dataclass
class Desk:
    """One feed with its store; `sent` are the headlines of its articles, each with the one that it revises."""

    store: Store
    server: HttpServer
    written: Written = rss
    options: dict[str, object] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    async def reads(self, *entries: Entry, cut: bool = False) -> list[tuple[str, str]]:
        body = self.written(entries)
        self.server.on("/f", Answer(200, {}, body[: -len("</item></channel></rss>")] if cut else body))
        end = poll_store(self.store)
        context = SourceContext(InlineParser(), "watchpost/test", poll_store=end)
        given = {"url": self.server.url("/f"), "allow_private": ["127.0.0.0/8"], "on_new": "all", **self.options}
        visit = await feed.KIND.build("desk", feed.KIND.options.model_validate(given), context).visit(self.memory, NOW)
        done = await end.commit(
            Claim("desk", "", {}, {}),
            visit.articles,
            memory=visit.memory,
            status={},
            delay_ms=0,
            known=visit.known,
            seen=visit.seen,
            marks=visit.marks,
        )
        assert (done.answer, done.new) == ("ok", len(visit.articles)), "everything new is sent"
        self.memory = merged(self.memory, visit.memory)
        self.titles |= {article.id: article.title for article in visit.articles}
        return [(article.title, self.titles.get(article.revises, "")) for article in visit.articles]


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with HttpServer() as server:
        yield server


BEFORE = Entry("Nine lorries burn near Gao", TEXTS[27], NOW - 3 * HOUR - 17 * SECOND)
AFTER = replace(BEFORE, title="Eleven lorries burn near Gao")
OTHERS = tuple(
    Entry(title, text, NOW - age)
    for title, text, age in (
        ("Ferry sinks on the Niger", "A ferry with sixty people on board sank near Mopti on Friday evening.", 5 * HOUR),
        (
            "Schools open again in Kidal",
            "Five schools opened in Kidal after two years, with thirty teachers.",
            7 * HOUR,
        ),
        ("Rice is dear in Segou", "A sack of rice costs a third more than last year, traders in Segou say.", 9 * HOUR),
    )
)


def variant(text: str, edit: str) -> str:
    """The text after a small edit of its author."""
    words = text.split()
    if edit == "figure":
        return text.replace("Two lorries", "Three lorries")
    if edit == "words":
        return text.replace("burnt out", "went up in flames").replace("Saturday", "Sunday")
    if edit == "sentence":
        return f"{text} This report was updated."
    return " ".join(words)


@pytest.mark.parametrize("edit", ["", "figure", "words", "sentence"])
@pytest.mark.parametrize("words", TEXTS)
@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
async def test_an_edited_headline_that_changes_id_and_address_is_an_update(
    store: Store, server: HttpServer, written: Written, words: int, edit: str
) -> None:
    desk = Desk(store, server, written)
    before = replace(BEFORE, text=TEXTS[words])
    await desk.reads(before, *OTHERS)
    after = replace(before, title=AFTER.title, text=variant(before.text, edit))
    assert await desk.reads(after, *OTHERS) == [(AFTER.title, BEFORE.title)]
    last = replace(after, title="Eleven lorries with oil burn near Gao, army says")
    fresh = Entry("Rain in Kayes", "It rained in Kayes for three days without an end, the mayor says.", NOW - MINUTE)
    assert (last.title, after.title) in await desk.reads(fresh, last, *OTHERS), "again"
    assert await desk.reads(before, *OTHERS) == [], "an id that was sent is not sent again"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Army retakes Tessalit", "Army says it has retaken Tessalit after two days"),
        ("Burnt lorries on the road to Hombori", "Drivers missing between Gossi and Hombori"),
        ("Девять грузовиков сгорели под Гао", "Одиннадцать грузовиков сгорели под Гао"),
        ("احتراق تسع شاحنات قرب غاو", "احتراق إحدى عشرة شاحنات قرب غاو"),
        ("马里加奥附近九辆卡车被烧毁", "马里加奥附近十一辆卡车被烧毁"),
        ("Neuf camions brûlés près de Gao", "Onze camions brûlés près de Gao"),
        ("9 lorries burn near Gao", "11 lorries burn near Gao"),
    ],
)
async def test_headlines_are_alike_or_taken_up_by_the_text(
    store: Store, server: HttpServer, before: str, after: str
) -> None:
    desk = Desk(store, server)
    first = replace(BEFORE, title=before)
    await desk.reads(first)
    assert await desk.reads(replace(first, title=after)) == [(after, before)]


@pytest.mark.parametrize("words", [*range(1, 12), *range(18, 48, 3), 90, 130])
@pytest.mark.parametrize("others", [(), OTHERS], ids=["alone", "among others"])
async def test_texts_of_any_length_and_lists_of_any_length(
    store: Store, server: HttpServer, words: int, others: tuple[Entry, ...]
) -> None:
    desk = Desk(store, server)
    text = " ".join(TEXTS[130].split()[:words])
    await desk.reads(replace(BEFORE, text=text), *others)
    edited = text.replace("Two", "Three") + (" in part" if words > 6 else "")
    if words < 3:
        edited = text
    assert await desk.reads(replace(AFTER, text=edited), *others) == [(AFTER.title, BEFORE.title)]


async def test_entries_without_texts(store: Store, server: HttpServer) -> None:
    desk = Desk(store, server)
    await desk.reads(replace(BEFORE, text=""), *OTHERS)
    assert await desk.reads(replace(AFTER, text=""), *OTHERS) == [(AFTER.title, BEFORE.title)]


@pytest.mark.parametrize("later", [None, 4 * MINUTE, 5 * HOUR], ids=["undated", "minutes later", "hours later"])
async def test_without_the_same_date_the_same_text_in_the_same_place_is_one_article(
    store: Store, server: HttpServer, later: timedelta | None
) -> None:
    desk = Desk(store, server)
    before = replace(BEFORE, date=None if later is None else NOW - DAY)
    await desk.reads(before, *OTHERS)
    after = replace(AFTER, date=None if later is None else NOW - DAY + later)
    assert await desk.reads(after, *OTHERS) == [(AFTER.title, BEFORE.title)]


BULLETIN = (
    "The morning bulletin of the river authority for the region of {place}: the level stands at {level} centimetres, "
    "{boats} boats passed the lock yesterday, and no warning is in force for fishermen or ferries today."
)


def bulletin(place: str, level: int, date: datetime | None, boats: int = 40) -> Entry:
    return Entry(f"River bulletin for {place}", BULLETIN.format(place=place, level=level, boats=boats), date)


TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
OPEN, SHUT = (
    Entry("Roads today", f"The road from Gao to Ansongo is {state} for lorries this week.", NOW - HOUR, path=state)
    for state in ("open", "shut")
)
LATEST = {
    "short": (OPEN, SHUT),
    "with figures": (replace(bulletin("Gao", 310, NOW), path="1"), replace(bulletin("Gao", 320, NOW), path="2")),
    "long": (replace(OPEN, text=f"{TEXTS[130]} {OPEN.text}"), replace(SHUT, text=f"{TEXTS[130]} {SHUT.text}")),
}
"""Bulletins with one headline, of which a feed lists the latest."""

TWO = {
    "both are listed": ((BEFORE, *OTHERS), (AFTER, BEFORE, *OTHERS)),
    "both are listed, with one date": ((BEFORE,), (BEFORE, AFTER)),
    "a teaser under four events": (
        tuple(Entry(title, TEASER, NOW - DAY) for title in ("Governor resigns in Gao", "Ferry sinks at Mopti")),
        tuple(Entry(title, TEASER, NOW - DAY) for title in ("Strike at the gold mine", "New school for Kidal")),
    ),
    "a teaser under two events, one at a time": (
        (Entry("Governor resigns in Gao", TEASER, NOW - DAY),),
        (Entry("Convoy attacked near Kidal", TEASER, NOW - DAY),),
    ),
    "a teaser under headlines that are alike": (
        (Entry("Road closed in Gao", TEASER, NOW - DAY), *OTHERS),
        (Entry("Road closed in Kidal", TEASER, NOW - DAY + HOUR), *OTHERS),
    ),
    "bulletins of two days in one place": (
        (bulletin("Gao", 310, NOW - DAY), *OTHERS),
        (replace(bulletin("Gao", 310, NOW), title="River bulletin for Gao today"), *OTHERS),
    ),
    "bulletins of two regions": (
        (bulletin("Gao", 310, NOW - HOUR), *OTHERS),
        (bulletin("Mopti", 310, NOW), *OTHERS),
    ),
    "bulletins of two regions without dates": (
        (bulletin("Gao", 310, None), *OTHERS),
        (bulletin("Mopti", 310, None), *OTHERS),
    ),
    "bulletins of one minute with other figures": (
        (bulletin("Gao", 310, NOW - HOUR), *OTHERS),
        (bulletin("Mopti", 290, NOW - HOUR + MINUTE), *OTHERS),
    ),
    "a series by number, dated by the day": (
        (Entry("The salt road, part 1", SENTENCES[0], NOW.replace(hour=0)), *OTHERS),
        (Entry("The salt road, part 2", SENTENCES[0], NOW.replace(hour=0)), *OTHERS),
    ),
    "a series by number, without dates": (
        (Entry("The salt road, part 1", SENTENCES[0], None), *OTHERS),
        (Entry("The salt road, part 2", SENTENCES[0], None), *OTHERS),
    ),
    "another text at the same date": ((BEFORE, *OTHERS), (replace(AFTER, text=SENTENCES[3]), *OTHERS)),
    "the oldest leaves, a new one comes": ((*OTHERS, BEFORE), (replace(AFTER, date=NOW - MINUTE), *OTHERS)),
    "everything has one date": (
        (BEFORE, *(replace(each, date=BEFORE.date) for each in OTHERS[:2])),
        (replace(AFTER, text=f"{SENTENCES[1]} Again."), *(replace(each, date=BEFORE.date) for each in OTHERS[:2])),
    ),
    "live updates": (
        (Entry("Live: talks in Algiers", "Live updates follow.", None), *OTHERS),
        (Entry("Live: talks in Algiers end", "Live updates follow.", None), *OTHERS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("case", TWO)
async def test_two_articles_stay_two(store: Store, server: HttpServer, case: str, written: Written) -> None:
    before, after = TWO[case]
    desk = Desk(store, server, written)
    await desk.reads(*before)
    assert {former for _, former in await desk.reads(*after)} == {""}


@pytest.mark.parametrize("date", [None, TODAY, NOW - HOUR], ids=["undated", "dated by the day", "dated once for all"])
@pytest.mark.parametrize("name", LATEST)
@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
async def test_the_latest_bulletin_is_no_version_of_the_last_one(
    store: Store, server: HttpServer, written: Written, name: str, date: datetime | None
) -> None:
    desk = Desk(store, server, written)
    before, after = (replace(each, date=date) for each in LATEST[name])
    await desk.reads(before)
    assert await desk.reads(after) == [(after.title, "")]


async def test_an_edited_text_under_another_id_and_the_same_headline_is_an_update(
    store: Store, server: HttpServer
) -> None:
    desk = Desk(store, server)
    before = replace(BEFORE, text=TEXTS[72], path="7-1")
    await desk.reads(before, *OTHERS)
    after = replace(before, text=variant(before.text, "sentence"), path="7-2")
    assert await desk.reads(after, *OTHERS) == [(BEFORE.title, BEFORE.title)]


async def test_a_document_that_is_cut_off_or_pushed_shows_nothing(store: Store, server: HttpServer) -> None:
    desk = Desk(store, server)
    await desk.reads(*OTHERS, BEFORE)
    await desk.reads(*OTHERS[:2], AFTER, OTHERS[2], cut=True)
    assert await desk.reads(*OTHERS, BEFORE) == []


async def test_what_waits_for_room_is_an_update_when_its_turn_comes(store: Store, server: HttpServer) -> None:
    desk = Desk(store, server, options={"max_items": 2})
    old = replace(BEFORE, date=NOW - 2 * DAY)
    await desk.reads(old)
    assert len(await desk.reads(*OTHERS, replace(old, title=AFTER.title))) == 2
    assert (AFTER.title, BEFORE.title) in await desk.reads(*OTHERS, replace(old, title=AFTER.title))


ENTRIES = st.builds(
    KnownEntry,
    id=st.text(min_size=1),
    title=st.text(),
    published=st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(tzinfo=NOW.tzinfo, microsecond=0)
    ),
    dated_alone=st.booleans(),
    before=st.text(),
    after=st.text(),
    size=st.integers(0, 10**6),
    whole=st.booleans(),
    sketch=st.lists(st.integers(0, 2**32 - 1)).map(tuple),
    words=st.lists(st.integers(0, 2**32 - 1)).map(tuple),
    text=st.text(),
    figures=st.text(),
)  # fmt: skip


@given(st.lists(ENTRIES))
def test_entries_are_kept_as_they_are(entries: list[KnownEntry]) -> None:
    assert read(write(entries)) == tuple(entries)


@given(st.text() | st.sampled_from(["[[]]", "[1]", "{}", "null", '[["a","b",1e400,0,"","",1,"","",""]]']))
def test_what_no_version_wrote_counts_as_nothing(text: str) -> None:
    assert read(text) == () or text.startswith("[")


def test_what_is_kept_is_bounded() -> None:
    heads = [EntryHead(f"{n:032x}", NOW - n * MINUTE) for n in range(1000)]
    articles = [Article(head.id, "desk", "Lorries " * 100, TEXTS[130] * 9, NOW) for head in heads]
    kept = Succession("", heads, articles, whole=True).kept(articles, unfinished=False)
    assert len(read(kept)) == MOST
    assert len(kept) < MOST * 700
