"""`watchpost doctor` opens each mailbox, and changes nothing in it."""

from __future__ import annotations

from tests.imap_server import PASSWORD, imap_server, letters
from watchpost.config.config import SourceConfig
from watchpost.config.fields import Secret
from watchpost.operations.doctor.mailboxes import open_mailbox
from watchpost.poll.sources.mailbox import MailboxOptions


async def test_a_mailbox_is_opened_and_not_changed() -> None:
    with imap_server() as server:
        server.deliver(*letters(3))

        def part(password: str, **options: object) -> SourceConfig:
            given = {**server.options, "password": Secret(password), "after": "seen", **options}
            return SourceConfig("letters", "mailbox", MailboxOptions.model_validate(given))

        good = await open_mailbox(part(PASSWORD))
        assert (good.level, good.subject) == ("ok", "mailbox letters")
        assert "3 messages" in good.text
        assert not any(seen for _, seen, _ in server.flags())
        wrong = await open_mailbox(part("wrong"))
        assert (wrong.level, wrong.outside) == ("fail", False)
        assert wrong.cure.startswith("check username and password")
        absent = await open_mailbox(part(PASSWORD, mailbox="Nowhere"))
        assert "Nowhere" in absent.text
        server.stop()
        gone = await open_mailbox(part(PASSWORD))
        assert (gone.level, gone.outside) == ("fail", True)
