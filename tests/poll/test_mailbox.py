"""Mailboxes on a real IMAP server: what is new comes once, and a message is marked only once that is committed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.imap_server import NOW, PASSWORD, USER, ImapServer, imap_server, letter, letters
from watchpost.config.fields import Secret
from watchpost.documents.parser_process import InlineParser
from watchpost.documents.results import Failure
from watchpost.errors import SecretAbsent
from watchpost.poll.mailbox_memory import TRIES, MailboxMemory, Selected, sequence_set
from watchpost.poll.sources import mailbox
from watchpost.poll.visit import Visit, merged
from watchpost.store.text_fields import from_fields


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


class Reader:
    """A poller of one mailbox: it commits what visits bring, and keeps all that came."""

    def __init__(self, server: ImapServer, limits: dict[str, int] | None = None, **options: object) -> None:
        self.limits = limits or {}
        self.given: dict[str, object] = {**server.options, "password": Secret(PASSWORD), "on_new": "all", **options}
        self.memory: dict[str, str] = {}
        self.titles: list[str] = []
        self.ids: list[str] = []
        self.failures: list[Failure] = []

    async def visit(self, now: datetime = NOW, *, commit: bool = True) -> Visit:
        options = mailbox.MailboxOptions.model_validate(self.given)
        source = mailbox.Mailbox("desk", options, InlineParser(), visit_seconds=30, **self.limits)
        visit = await source.visit(dict(self.memory), now)
        if commit:
            self.memory = merged(self.memory, visit.memory)
            self.titles += [article.title for article in visit.articles]
            self.ids += [article.id for article in visit.articles]
            self.failures += visit.failures
        return visit

    async def read_up(self, now: datetime = NOW) -> Visit:
        while (visit := await self.visit(now)).more:
            pass
        assert visit.outcome != "failed", visit
        return visit


@pytest.mark.parametrize("after", ["seen", "flag"])
async def test_a_message_is_marked_only_once_its_article_is_committed(server: ImapServer, after: str) -> None:
    server.deliver(*letters(3))
    reader = Reader(server, after=after)
    await reader.visit(commit=False)
    assert not any(seen or flagged for _, seen, flagged in server.flags())
    await reader.visit()
    assert not any(seen or flagged for _, seen, flagged in server.flags())
    server.deliver(letter("Mali 4"))
    await reader.visit()
    assert reader.titles == ["Mali 1", "Mali 2", "Mali 3", "Mali 4"]
    marks = [(title, after == "seen", after == "flag") for title in reader.titles[:3]]
    assert server.flags() == [*marks, ("Mali 4", False, False)]


async def test_messages_move_to_a_mailbox_that_is_made_for_them(server: ImapServer) -> None:
    server.deliver(*letters(3))
    reader = Reader(server, after="move", move_to="Lettres d’août")
    await reader.read_up()
    assert (reader.titles, server.flags()) == (["Mali 1", "Mali 2", "Mali 3"], [])
    await Reader(server, mailbox="Lettres d’août").read_up()
    reader.memory["unmarked"] = "1:3"  # the process was killed after it had moved them
    server.deliver(letter("Mali 4"))
    await reader.read_up()
    assert reader.titles[3:] == ["Mali 4"]
    again = Reader(server, mailbox="Lettres d’août")
    await again.read_up()
    assert sorted(again.titles) == ["Mali 1", "Mali 2", "Mali 3", "Mali 4"]


async def test_a_kept_mailbox_is_not_changed(server: ImapServer) -> None:
    server.deliver(*letters(2))
    reader = Reader(server)
    await reader.read_up()
    assert server.flags() == [("Mali 1", False, False), ("Mali 2", False, False)]
    assert reader.memory.get("unmarked", "") == ""


@pytest.mark.parametrize(("tls", "port"), [("implicit", "tls"), ("starttls", "plain"), ("none", "plain")])
async def test_each_way_of_encryption(server: ImapServer, tls: str, port: str) -> None:
    server.deliver(letter("Mali"))
    log = server.directory / "log"
    before = len(log.read_text())
    reader = Reader(server, tls=tls, port=getattr(server, port))
    await reader.read_up()
    assert reader.titles == ["Mali"]
    wanted = "Login: user=.*, TLS" if tls != "none" else "Login: user="
    async with asyncio.timeout(30):  # the server writes its log when it comes to it
        while not re.search(wanted, log.read_text()[before:]):
            await asyncio.sleep(0.05)
    if tls == "none":
        assert ", TLS" not in log.read_text()[before:]


async def test_an_authority_that_is_not_trusted(server: ImapServer) -> None:
    visit = await Reader(server, ca_file=None).visit()
    assert (visit.outcome, visit.reason) == ("failed", "tls")
    assert "certificate" in visit.detail


async def test_failures_name_who_is_at_fault(server: ImapServer) -> None:
    wrong = await Reader(server, password=Secret("wrong-secret")).visit()
    assert (wrong.reason, dict(wrong.memory)) == ("auth", {})
    assert "refuses the login" in wrong.detail
    assert "wrong-secret" not in wrong.detail
    absent = await Reader(server, mailbox="Nowhere").visit()
    assert absent.reason == "no_mailbox"
    assert "Nowhere" in absent.detail
    blocked = await Reader(server, allow_private=[]).visit()
    assert blocked.reason == "blocked"
    server.stop()
    assert (await Reader(server).visit()).reason == "refused"


async def test_a_password_that_is_absent_is_named_before_anything_is_asked() -> None:
    absent = Secret("", "env MAIL", "environment variable MAIL is not set")
    options = mailbox.MailboxOptions.model_validate({"host": "imap.invalid", "username": USER, "password": absent})
    source = mailbox.Mailbox("desk", options, InlineParser(), visit_seconds=30)
    with pytest.raises(SecretAbsent, match="MAIL is not set"):
        await source.visit({}, NOW)


async def test_the_connection_comes_back(server: ImapServer) -> None:
    server.deliver(*letters(2))
    reader = Reader(server, after="seen")
    await reader.visit()
    server.stop()
    assert (await reader.visit()).outcome == "failed"
    server.start()
    server.deliver(letter("Mali 3"))
    await reader.read_up()
    assert reader.titles == ["Mali 1", "Mali 2", "Mali 3"]
    assert all(seen for _, seen, _ in server.flags())


async def test_a_server_that_numbers_its_messages_anew(server: ImapServer) -> None:
    """A restored backup: what was read is read again under the same ids, which COMMIT knows; older mail is not."""
    week = NOW - timedelta(days=7)
    server.deliver(letter("Old", date=week), came=week)
    server.deliver(*letters(2), came=NOW)
    reader = Reader(server)
    await reader.read_up(NOW + timedelta(hours=1))
    assert reader.titles == ["Old", "Mali 1", "Mali 2"]
    ids, reader.ids = reader.ids, []
    server.renumber()
    server.deliver(letter("Mali 3"), came=NOW + timedelta(hours=2))
    await reader.read_up(NOW + timedelta(hours=2))
    assert reader.ids[:2] == ids[1:]
    assert reader.titles[3:] == ["Mali 1", "Mali 2", "Mali 3"]


async def test_a_renumbered_mailbox_brings_nothing_that_was_left_out_before(server: ImapServer) -> None:
    server.deliver(letter("Before"), came=NOW - timedelta(hours=1))
    reader = Reader(server, on_new="baseline")
    await reader.read_up()
    server.renumber()
    await reader.read_up(NOW + timedelta(hours=1))
    assert reader.titles == []


async def test_ten_thousand_messages_at_first_sight(server: ImapServer) -> None:
    """Only those of the last day are fetched, and the rest is counted; later ones come one by one."""
    server.deliver(letter("Last"))
    cur = server.maildir / "cur"
    old, recent = letter("NUMBER", date=NOW - timedelta(days=30)), letter("NUMBER", date=NOW - timedelta(hours=1))
    for number in range(10_000):
        age = timedelta(hours=1) if number >= 9_990 else timedelta(days=30)
        file = cur / f"1700000000.M{number}P1.desk:2,"
        file.write_bytes((recent if number >= 9_990 else old).replace(b"NUMBER", str(number).encode()))
        os.utime(file, ((NOW - age).timestamp(),) * 2)
    reader = Reader(server, on_new="24h")
    begun = time.process_time()
    visit = await reader.visit()
    assert len(visit.articles) == 11
    assert "9,990 older messages left out" in visit.detail
    assert time.process_time() - begun < 10
    server.deliver(letter("Next"))
    assert [article.title for article in (await reader.visit()).articles] == ["Next"]


@pytest.mark.parametrize("on_new", ["all", "baseline"])
async def test_more_messages_than_fit_in_a_visit(server: ImapServer, on_new: str) -> None:
    server.deliver(*letters(25))
    reader = Reader(server, {"messages_max": 10}, on_new=on_new, after="seen")
    visit = await reader.visit()
    assert visit.more is (on_new == "all")
    await reader.read_up()
    server.deliver(letter("Next"))
    await reader.read_up()
    expected = [f"Mali {number}" for number in range(1, 26)] if on_new == "all" else []
    assert reader.titles == [*expected, "Next"]
    assert len(set(reader.ids)) == len(reader.ids)


async def test_a_huge_mailbox_is_searched_in_parts(server: ImapServer) -> None:
    server.deliver(*letters(10))
    with server.session() as client:
        client.uid("STORE", "3:7", "+FLAGS", "\\Deleted")
        client.expunge()
    for on_new in ("all", "24h"):
        reader = Reader(server, {"found_max": 2}, on_new=on_new)
        await reader.read_up()
        server.deliver(letter(f"Next {on_new}"))
        await reader.read_up()
        later = ["Next all"] if on_new == "all" else ["Next all", "Next 24h"]
        assert reader.titles == [*(f"Mali {number}" for number in (1, 2, 8, 9, 10)), *later]


async def test_of_a_long_message_the_beginning_is_read(server: ImapServer) -> None:
    server.deliver(letter("Mali", "Bamako\n" + "x" * 70 + "\n" * 3000), letter("Next"))
    reader = Reader(server, max_bytes="2kB")
    await reader.read_up()
    assert reader.titles == ["Mali", "Next"]
    (failure,) = reader.failures
    assert (failure.reason, failure.item) == ("cut", "message 1")
    assert "max_bytes" in failure.detail


async def test_a_message_that_is_none_costs_itself_only_and_stays_unmarked(server: ImapServer) -> None:
    server.deliver(letter("Mali 1"), b"\r\nno header at all\r\n", letter("Mali 2"))
    reader = Reader(server, after="seen")
    await reader.read_up()
    assert reader.titles == ["Mali 1", "Mali 2"]
    assert [(failure.item, failure.reason) for failure in reader.failures] == [("message 2", "malformed")]
    assert [seen for _, seen, _ in server.flags()] == [True, False, True]


async def test_a_message_that_the_server_cannot_give_is_passed_over_in_the_end(server: ImapServer) -> None:
    server.deliver(*letters(4))
    files = [path for part in ("new", "cur") for path in (server.maildir / part).iterdir()]
    (file,) = (path for path in files if b"Subject: Mali 2" in path.read_bytes())
    file.chmod(0)
    reader = Reader(server, on_new="all")
    visits = [await reader.visit() for _ in range(TRIES + 2)]
    assert sum(visit.outcome == "failed" for visit in visits) in (TRIES - 2, TRIES - 1)
    assert reader.titles == ["Mali 1", "Mali 3", "Mali 4"]
    assert [failure.item for failure in reader.failures] == ["message 2"]


async def test_a_mailbox_that_cannot_be_moved_from_says_so_once_and_is_read_on(server: ImapServer) -> None:
    server.deliver(letter("Mali 1"))
    reader = Reader(server, after="move", move_to="in/valid//name")
    await reader.visit()
    server.deliver(letter("Mali 2"))
    visits = [await reader.visit() for _ in range(3)]
    assert reader.titles == ["Mali 1", "Mali 2"]
    assert [failure.reason for failure in reader.failures] == ["not_moved"]
    assert all("cannot be marked" in visit.detail for visit in visits)
    assert not visits[-1].more
    reader.given["move_to"] = "Read"
    await reader.read_up()
    assert server.flags() == []


async def test_html_letters_and_copies_of_one_letter(server: ImapServer) -> None:
    one = letter("Mali", "See the page.", html="<p>The whole <b>text</b> about Gao.</p>", number="same")
    server.deliver(one, one)
    reader = Reader(server)
    await reader.read_up()
    assert len(reader.ids) == 2
    assert len(set(reader.ids)) == 1


def test_nothing_is_imported_for_a_mailbox_that_nobody_configured() -> None:
    code = "import sys; from watchpost.poll.sources import kinds; kinds(); sys.exit('imapclient' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sequence_sets() -> None:
    assert sequence_set([]) == ""
    assert sequence_set([7, 3, 5, 6, 3]) == "3,5:7"


def test_memory_that_nobody_wrote_does_no_harm() -> None:
    memory = from_fields(MailboxMemory, {"uid": "rubbish", "since": "x", "validity": "-1", "tries": ""})
    assert memory == MailboxMemory()
    selected = Selected(7, 12, 11)
    assert memory.opened("p", selected, timedelta(hours=24), NOW).first == 11
    assert MailboxMemory("p", 7, uid=5).opened("p", selected, "baseline", NOW).uid == 5


def test_marks_that_wait_for_ever_stay_small() -> None:
    memory = MailboxMemory("p", 1)
    for uid in range(1, 20_000, 2):
        memory = memory.after_reading(uid, [uid], NOW)
    assert len(memory.unmarked) <= 4000
    assert memory.unmarked.endswith(",19999")
    assert all(part.isdecimal() for part in memory.unmarked.split(","))


def test_an_address_without_a_user() -> None:
    options = mailbox.MailboxOptions.model_validate(
        {"host": "imap.example.org", "username": USER, "password": Secret("x"), "mailbox": "Lettres/à lire"}
    )
    assert options.place == "imap://imap.example.org/Lettres/%C3%A0%20lire"
    assert (options.account.port, options.account.tls) == (993, "implicit")
