"""Messages of a mailbox, while processes are killed around COMMIT: each is sent once, and marked in the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.flow.rig import Rig
from tests.imap_server import PASSWORD, ImapServer, imap_server, letter


@pytest.fixture
def mails(rig: Rig) -> Iterator[ImapServer]:
    """A mail server whose INBOX is a source of the rig."""
    with imap_server() as server:
        rig.env["MAIL_PASSWORD"] = PASSWORD
        options = ", ".join(f"{key}: {value}" for key, value in server.options.items() if key != "allow_private")
        text = rig.config.read_text("utf-8")
        line = (
            f"mailboxes: {{letters: {{{options}, allow_private: [127.0.0.0/8], password: {{env: MAIL_PASSWORD}}, "
            "every: 1s, on_new: all}}\n"
        )
        rig.config.write_text(text.replace("folders:", f"{line}folders:"), "utf-8")
        yield server


def send(rig: Rig, mails: ImapServer, subject: str) -> None:
    """A letter comes, and is to be sent."""
    mails.deliver(letter(subject))
    with rig.world.lock:
        rig.world.dropped.append(subject)


@pytest.mark.parametrize("after", ["after: seen", "after: move, move_to: Read"])
@pytest.mark.parametrize("point", ["poll.fetched:3", "poll.committed:2"])
def test_killed_between_reading_and_marking(rig: Rig, mails: ImapServer, after: str, point: str) -> None:
    text = rig.config.read_text("utf-8")
    rig.config.write_text(text.replace("on_new: all}}\n", f"on_new: all, {after}}}}}\n"), "utf-8")
    for n in range(8):
        send(rig, mails, f"letter-{n}")
    process = rig.start(env={"WATCHPOST_CRASH_AT": point})
    # visits go on until it is time to die
    caught = rig.until_killed(process, lambda: send(rig, mails, f"more-{len(rig.world.everything())}"))
    rig.start()
    rig.until(rig.answers)
    rig.until(lambda: rig.quiet())
    rig.until(lambda: all(seen for _, seen, _ in mails.flags()) if "seen" in after else not mails.flags())
    rig.check(repeats=caught)
    moved = mails.flags("Read") if "move" in after else mails.flags()
    assert sorted(subject for subject, _, _ in moved) == sorted(rig.world.everything())


def test_the_mail_server_is_killed_again_and_again(rig: Rig, mails: ImapServer) -> None:
    rig.start()
    rig.until(rig.answers)
    for n in range(4):
        for part in range(3):
            send(rig, mails, f"letter-{n}-{part}")
        mails.stop()
        mails.start()
    rig.until(rig.quiet)
    rig.check()
    shown = rig.ask("feed", "show", "letters", "--json").stdout
    assert '"kind":"mailbox"' in shown
    assert PASSWORD not in shown


def test_a_reload_adds_and_removes_mailboxes_and_pages(rig: Rig, mails: ImapServer) -> None:
    with_mails = rig.config.read_text("utf-8")
    without = "\n".join(line for line in with_mails.splitlines() if not line.startswith("mailboxes:"))
    rig.config.write_text(without, "utf-8")
    process = rig.start()
    rig.until(rig.answers)
    mails.deliver(letter("letter-1"))
    page = f"pages: {{press: {{url: {rig.site}/press, allow_private: [127.0.0.0/8], on_new: all}}}}\n"
    rig.config.write_text(with_mails + page, "utf-8")
    with rig.world.lock:
        rig.world.dropped.append("letter-1")
    rig.until(lambda: "http.listening" in rig.log())
    process.send_signal(signal.SIGHUP)
    rig.until(rig.quiet)
    rig.until(lambda: '"source": "press", "new": 4' in rig.log())
    rig.config.write_text(without, "utf-8")
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.log().count("config.read") >= 2)
    shown = rig.ask("feed", "list", "--json").stdout
    assert "letters" not in shown
    assert '"name":"world"' in shown
    rig.check()
