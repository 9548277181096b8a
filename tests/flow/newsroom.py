"""A newsroom that is not ours: forty outlets with the habits of the world, and readers who keep what they received.

`python -m tests.flow.newsroom [SECONDS] [SEED]`. The outlets share addresses between entries, put one teaser under
every headline, copy each other, correct headlines and give what they correct another id, write live blogs, list
nothing but their latest bulletin under the headline of the last one, list the oldest first, break off within an
answer, publish old entries under new dates and shuffle their feeds. Meanwhile roles are killed and receivers refuse.

The oracle knows only what the outlets published and what the readers received.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from standardwebhooks import Webhook

from tests.flow.fates import wrong_fates
from tests.flow.rig import Rig
from tests.flow.world import SECRET

ROLES = ("poll", "match", "notify")
MAX_ITEMS = 20
TEASER = (
    "Subscribers get every report of our correspondents first, with maps, interviews and the weekly letter of the "
    "editor; subscribe today for the price of a coffee and read on without limits on every device."
)
DISCLAIMER = (
    "This report was prepared by our newsroom with material from agencies and has been edited for length and style; "
    "the opinions expressed in it are those of their authors and do not reflect the position of the publisher, which "
    "accepts no liability for errors. Reproduction in whole or in part needs written permission."
)
_SYLLABLES = ("ba be da do fa ga gu ka ki ko la li lo ma mi mo na ne no pa ra ri sa si ta te to va wa ya za zo").split()  # noqa: SIM905 - words read best as words
_QUIET_SECONDS = 120
_ANSWERED = 3  # a bulletin is in so many answers, because a poller may be killed before it has stored one
_REFUSED_SECONDS = 12.0  # the retries of the configuration last three times as long


@dataclass(slots=True)
class Entry:
    """What an outlet publishes. `event` is the generator's truth: entries of one event are copies of one text.

    Bulletins of one outlet have one `heading`, the headline that a reader sees; `title` tells them apart by their text.
    """

    guid: str
    title: str
    link: str
    text: str
    published: datetime
    event: str
    former: list[str] = field(default_factory=list)  # headlines before the correction
    heading: str = ""

    def item(self) -> str:
        """The entry as an item of RSS 2.0."""
        return (
            f"<item><guid isPermaLink='false'>{self.guid}</guid><title>{escape(self.heading or self.title)}</title>"
            f"<link>{escape(self.link)}</link><description>{escape(self.text)}</description>"
            f"<pubDate>{format_datetime(self.published)}</pubDate></item>"
        )


Habit = Callable[["Outlet", "Newsroom"], None]


@dataclass
class Outlet:
    """One feed and the habit of those who fill it. `cut` answers to come break off within their last entry.

    With `latest_only` the feed has one entry, which was in the answer so many times.
    """

    name: str
    host: str
    habit: Habit
    entries: list[Entry] = field(default_factory=list)
    oldest_first: bool = False
    shuffled: bool = False
    cut: int = 0
    latest_only: bool = False
    answered: int = 0


class Newsroom:
    """The outlets, everything they ever published, and the words that they publish it in."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.published: list[Entry] = []
        habits: list[tuple[str, Habit]] = [
            ("plain", plain), ("status-page", status_page), ("teaser", teaser), ("disclaimer", disclaimer),
            ("copyist", copyist), ("corrector", corrector), ("live-blog", live_blog), ("oldest-first", oldest_first),
            ("cut-off", cut_off), ("redated", redated), ("shuffled", shuffled), ("renamer", renamer),
            ("bulletin", bulletin),
        ]  # fmt: skip
        self.outlets = [
            Outlet(f"{name}-{number}", f"127.0.{number}.{place + 2}", habit)
            for number in (1, 2, 3)
            for place, (name, habit) in enumerate(habits)
        ]
        # One host with many feeds.
        self.outlets += [Outlet(f"section-{number}", "127.0.9.9", plain) for number in range(7)]
        for outlet in self.outlets:
            outlet.oldest_first = outlet.habit is oldest_first
            outlet.shuffled = outlet.habit is shuffled
            outlet.latest_only = outlet.habit is bulletin

    def word(self) -> str:
        """A word that hardly ever comes twice."""
        return "".join(self.chance.choice(_SYLLABLES) for _ in range(self.chance.randint(3, 4)))

    def report(self, words: int = 70) -> tuple[str, str]:
        """A headline on Mali and a text that takes it up."""
        headline = [self.word().capitalize(), *(self.word() for _ in range(self.chance.randint(3, 6)))]
        text = [*headline, *(self.word() for _ in range(words))]
        return f"{' '.join(headline)} in Mali", f"{' '.join(text)}, it was said in Mali."

    def publish(
        self, outlet: Outlet, *, title: str, text: str, link: str = "", event: str = "", guid: str = ""
    ) -> Entry:
        """A new entry of the outlet."""
        number = len(self.published)
        entry = Entry(
            guid or f"{outlet.name}-{number}",
            title,
            link or f"https://{outlet.name}.example/{number}",
            text,
            datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1),
            event or f"event-{number}",
        )
        outlet.entries.append(entry)
        self.published.append(entry)
        return entry

    def tick(self) -> None:
        """One outlet does what it is in the habit of. Bulletins appear as soon as they may."""
        with self.lock:
            for outlet in (self.chance.choice(self.outlets), *(each for each in self.outlets if each.latest_only)):
                outlet.habit(outlet, self)

    def feed(self, outlet: Outlet) -> bytes:
        """The outlet's feed at this moment, as it comes over the network."""
        with self.lock:
            entries = outlet.entries[-400:] if outlet.oldest_first else outlet.entries[-MAX_ITEMS:][::-1]
            if outlet.shuffled:
                self.chance.shuffle(entries)
            if outlet.latest_only:
                entries = entries[:1]
                outlet.answered += 1
            head = f'<rss version="2.0"><channel><title>{outlet.name}</title>'
            items = [entry.item() for entry in entries]
            if outlet.cut and items:
                outlet.cut -= 1
                last = items[-1]
                return (head + "".join(items[:-1]) + last[: last.index("</title>") + 8]).encode()
        return f"{head}{''.join(items)}</channel></rss>".encode()


def plain(outlet: Outlet, room: Newsroom) -> None:
    """A report with an address of its own."""
    title, text = room.report()
    room.publish(outlet, title=title, text=text)


def status_page(outlet: Outlet, room: Newsroom) -> None:
    """Every entry links to one page."""
    title, text = room.report(20)
    room.publish(outlet, title=title, text=text, link=f"https://{outlet.name}.example/status")


def teaser(outlet: Outlet, room: Newsroom) -> None:
    """Two reports of different events under one teaser."""
    for _ in range(2):
        title, _ = room.report()
        room.publish(outlet, title=title, text=TEASER)


def disclaimer(outlet: Outlet, room: Newsroom) -> None:
    """A short report, and below it what stands below all of them."""
    title, text = room.report(18)
    room.publish(outlet, title=title, text=f"{text} {DISCLAIMER}")


def copyist(outlet: Outlet, room: Newsroom) -> None:
    """A long report of another outlet under another headline, cut."""
    sources = [entry for entry in room.published if len(entry.text.split()) > 70 and entry.event != "copied"]
    if not sources:
        plain(outlet, room)
        return
    entry = room.chance.choice(sources[-30:])
    words = entry.text.split()
    title = f"{' '.join(room.chance.sample(words[:12], 4))} in Mali"
    room.publish(outlet, title=title, text=" ".join(words[: len(words) * 9 // 10]), event=entry.event)


def corrector(outlet: Outlet, room: Newsroom) -> None:
    """A report whose headline is corrected where it stands."""
    open_ones = [entry for entry in outlet.entries if not entry.former]
    if open_ones and room.chance.random() < 0.4:
        entry = open_ones[-1]
        entry.former.append(entry.title)
        entry.title = f"{room.word()} {entry.title}"
        return
    plain(outlet, room)


def renamer(outlet: Outlet, room: Newsroom) -> None:
    """A report whose headline is corrected, and with it its id and its address."""
    corrector(outlet, room)
    entry = outlet.entries[-1]
    entry.guid = entry.link = f"https://{outlet.name}.example/{entry.title.lower().replace(' ', '-')}"


def live_blog(outlet: Outlet, room: Newsroom) -> None:
    """Entries that are places on one page."""
    title, text = room.report(15)
    page = f"https://{outlet.name}.example/live"
    room.publish(outlet, title=title, text=text, link=f"{page}#entry-{len(room.published)}")


def bulletin(outlet: Outlet, room: Newsroom) -> None:
    """The next bulletin, in the place of the one before, under its headline and at its address."""
    if outlet.entries and outlet.answered < _ANSWERED:
        return
    outlet.answered = 0
    heading, word = f"Bulletin of {outlet.name} on Mali", room.word().capitalize()
    text = f"{word} was heard in Mali. {DISCLAIMER if len(outlet.entries) % 2 else ''}"
    link = f"https://{outlet.name}.example/bulletin"
    entry = room.publish(outlet, title=f"{heading}: {word}", text=text, link=link)
    entry.heading = heading


def oldest_first(outlet: Outlet, room: Newsroom) -> None:
    """A list that is longer than anybody reads, its news at the end."""
    for _ in range(3):
        plain(outlet, room)


def cut_off(outlet: Outlet, room: Newsroom) -> None:
    """The next answer ends within its last entry."""
    plain(outlet, room)
    outlet.cut = 1


def redated(outlet: Outlet, room: Newsroom) -> None:
    """An old entry gets a new date."""
    plain(outlet, room)
    if len(outlet.entries) > 2:
        room.chance.choice(outlet.entries[-10:]).published = datetime.now(UTC).replace(microsecond=0)


def shuffled(outlet: Outlet, room: Newsroom) -> None:
    """A report in a feed whose order means nothing."""
    plain(outlet, room)


@dataclass(frozen=True, slots=True)
class Received:
    """One message that a reader got: when, its id, and its document."""

    moment: float
    id: str
    document: dict[str, Any]


@dataclass
class Readers:
    """What every receiver got, in order. While `refusing`, everybody is told to come again."""

    got: dict[str, list[Received]] = field(default_factory=dict)
    refusing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Site(BaseHTTPRequestHandler):
    """Every outlet and every reader, on loopback addresses of their own."""

    room: ClassVar[Newsroom]
    readers: ClassVar[Readers]
    protocol_version = "HTTP/1.0"  # an answer without a length ends with its connection

    def do_GET(self) -> None:
        outlet = next(each for each in self.room.outlets if self.path == f"/{each.name}")
        body = self.room.feed(outlet)
        self.send_response(200)
        self.send_header("content-type", "application/rss+xml")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Webhook(SECRET).verify(body, {key.lower(): value for key, value in self.headers.items()})
        with self.readers.lock:
            refused = self.readers.refusing
            if not refused:
                received = Received(time.monotonic(), self.headers["webhook-id"], json.loads(body))
                self.readers.got.setdefault(self.path, []).append(received)
        self.send_response(503 if refused else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def configuration(room: Newsroom, port: int) -> str:
    """A desk with alerts and digests, on these outlets."""
    options = f"every: 2s, on_new: all, max_items: {MAX_ITEMS}, allow_private: [127.0.0.0/8]"
    feeds = "".join(
        f'  {each.name}: {{url: "http://{each.host}:{port}/{each.name}", {options}}}\n' for each in room.outlets
    )
    hook = (
        "type: webhook, secrets: [{env: HOOK_SECRET}], allow_private: [127.0.0.0/8], "
        "retry: {schedule: [1s, 1s, 2s, 2s, 5s, 5s, 5s, 5s, 5s, 5s]}"
    )
    return f"""version: 1
feeds:
{feeds}topics: {{mali: Mali}}
receivers:
  alerts: {{url: "http://127.0.0.1:{port}/alerts", {hook}}}
  digests: {{url: "http://127.0.0.1:{port}/digests", {hook}}}
routes:
  - {{to: alerts, mode: immediate, group_wait: 500ms, group_interval: 2s, continue: true}}
  - {{to: digests, digest: {{every: 5s, empty: never}}}}
limits: {{lease: 3s, host_gap: 100ms, digests_per_receiver_per_hour: 100000, hits_per_topic_per_hour: 100000}}
http: {{listen: "127.0.0.1:0"}}
"""


def name_of(story: dict[str, Any]) -> str:
    """The headline of a story, and of a bulletin also the first word of its text."""
    title = str(story["title"])
    return f"{title}: {story['snippet']['text'].split()[0]}" if title.startswith("Bulletin of ") else title


def headlines(message: Received) -> Iterator[str]:
    """Every headline that a reader of the message sees."""
    for story in message.document["data"]["stories"]:
        yield from {story["title"], name_of(story)}
        yield from (report["title"] for report in story["sources"])


def findings(room: Newsroom, got: dict[str, list[Received]]) -> list[str]:
    """What the oracle has to say against what the readers received; [] if nothing."""
    wrong = []
    by_event: dict[str, set[str]] = {}
    for entry in room.published:
        by_event.setdefault(entry.event, set()).update({entry.title, *entry.former})
    for receiver in ("/alerts", "/digests"):
        messages = {message.id: message for message in got.get(receiver, [])}.values()
        named = {headline for message in messages for headline in headlines(message)}
        known = {entry.heading for entry in room.published}.union(*by_event.values())
        omitted = sum(message.document["data"]["counts"]["omitted"] for message in messages)
        missing = [
            entry
            for entry in room.published
            if not {entry.title, *entry.former} & named and not by_event[entry.event] & named
        ]
        if len(missing) > omitted:
            wrong += [f"{receiver}: not named: {entry.guid} {entry.title!r}" for entry in missing]
        wrong += [f"{receiver}: nobody published {title!r}" for title in sorted(named - known)]
        leads = Counter(
            name_of(story)
            for message in messages
            for story in message.document["data"]["stories"]
            if story["status"] == "new"
        )
        wrong += [f"{receiver}: {count} times new: {title!r}" for title, count in leads.items() if count > 1]
        wrong += [
            f"{receiver}: new under each headline: {[*entry.former, entry.title]}"
            for entry in room.published
            if entry.former and sum(leads[title] for title in (entry.title, *entry.former)) > 1
        ]
        made = [message.document["timestamp"] for message in got.get(receiver, [])]
        wrong += [
            f"{receiver}: a message of {one} arrived after one of {max(made[:at])}"
            for at, one in enumerate(made)
            if at and one < max(made[:at])
        ]
    return wrong


def newsroom(rig: Rig, seconds: float, seed: int, *, kills: bool = True) -> tuple[Newsroom, list[str]]:
    """Let the outlets publish for so long while roles die and receivers refuse; then ask the oracle."""
    room, readers, chance = Newsroom(seed), Readers(), random.Random(seed + 1)
    server = ThreadingHTTPServer(("0.0.0.0", 0), type("Handler", (Site,), {"room": room, "readers": readers}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rig.config.write_text(configuration(room, server.server_port))
    running: dict[str, subprocess.Popen[bytes]] = {}
    since = time.monotonic()
    end = since + seconds
    try:
        while time.monotonic() < end:
            for role in ROLES:
                if role not in running or running[role].poll() is not None:
                    running[role] = rig.start(role)
            for _ in range(chance.randint(1, 6)):
                room.tick()
            time.sleep(chance.uniform(0.3, 1.2))
            if kills and chance.random() < 0.12:
                victim = running[chance.choice(ROLES)]
                victim.kill()
                victim.wait()
            refusing = kills and chance.random() < (0.7 if readers.refusing else 0.08)
            if not (refusing and readers.refusing):
                since = time.monotonic()
            readers.refusing = refusing and time.monotonic() - since < _REFUSED_SECONDS
        readers.refusing = False
        for role in ROLES:
            if role not in running or running[role].poll() is not None:
                running[role] = rig.start(role)
        _until_quiet(room, readers)
        return room, [*findings(room, readers.got), *_ledger_findings(rig, readers)]
    finally:
        server.shutdown()
        server.server_close()


def _until_quiet(room: Newsroom, readers: Readers) -> None:
    """Until the oracle is content, or nothing has arrived for long: on a busy machine roles take a minute to start."""
    end, arrived = time.monotonic() + _QUIET_SECONDS, 0
    while time.monotonic() < end:
        with readers.lock:
            got = {receiver: list(messages) for receiver, messages in readers.got.items()}
        if sum(map(len, got.values())) > arrived:
            end, arrived = time.monotonic() + _QUIET_SECONDS, sum(map(len, got.values()))
        if not any("not named" in finding for finding in findings(room, got)):
            time.sleep(8)  # whatever comes twice comes now
            return
        time.sleep(2)


def _ledger_findings(rig: Rig, readers: Readers) -> list[str]:
    """What the ledger says of the hits that is not so; what is in progress has some time to end."""
    end = time.monotonic() + 30
    while True:
        with readers.lock:
            received = {
                receiver.removeprefix("/"): {message.id: set(headlines(message)) for message in messages}
                for receiver, messages in readers.got.items()
            }
        wrong = asyncio.run(wrong_fates(rig.url(), received))
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(2)


def main() -> None:
    """The command."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"newsroom of {seconds:.0f} s, seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="wp-newsroom-") as folder:
        rig = Rig(Path(folder))
        try:
            room, wrong = newsroom(rig, seconds, seed)
            sys.stdout.write("".join(f"{finding}\n" for finding in wrong))
            sys.stdout.write(f"{len(room.published)} entries published, {len(wrong)} findings\n")
        finally:
            rig.close()
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
