"""A real IMAP server (Debian's Dovecot) on loopback, with a configuration and a directory of its own.

with imap_server() as server:
    server.deliver(letter("Mali", "…"))     # into INBOX
    ... server.options ...                  # what a configuration says of it
"""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.http_server import CERTIFICATE

USER = "desk@example.org"
PASSWORD = "pàss \"w\\ord' %u"  # what makes trouble where it is not quoted
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

_CONFIGURATION = """
base_dir = {run}
state_dir = {run}
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{directory}/certificate
ssl_key = <{directory}/certificate
disable_plaintext_auth = no
log_path = {directory}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_process_limit = 50
mail_max_userip_connections = 50
first_valid_uid = 1
mail_location = maildir:~/Maildir
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/home
}}
"""


@dataclass
class ImapServer:
    """A running server with one account. `plain` and `tls` are its ports; `directory` has all of its files."""

    directory: Path
    plain: int
    tls: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What a configuration says of INBOX, except for the password."""
        places: dict[str, Any] = {"host": "127.0.0.1", "port": self.tls, "ca_file": str(CERTIFICATE)}
        return {**places, "username": USER, "allow_private": ["127.0.0.0/8"]}

    @property
    def maildir(self) -> Path:
        """The directory of the account's mailboxes."""
        return self.directory / "home" / "Maildir"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        log = self.directory / "log"
        program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.directory / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_as_user(),
        )
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.plain), 1) as connection:
                if connection.recv(1):
                    return
            assert self._process.poll() is None, log.read_text() if log.exists() else "dovecot has ended"
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, with the sessions that it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    @contextmanager
    def session(self, mailbox: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A session of another mail program, with this mailbox open."""
        with imaplib.IMAP4("127.0.0.1", self.plain) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            client.select(mailbox)
            yield client

    def deliver(self, *messages: bytes, came: datetime = NOW, mailbox: str = "INBOX") -> None:
        """Put messages into a mailbox, as come at that moment."""
        with self.session() as client:
            for message in messages:
                answer = client.append(mailbox, "", came, message)
                assert answer[0] == "OK", answer

    def flags(self, mailbox: str = "INBOX") -> list[tuple[str, bool, bool]]:
        """Subject, seen, flagged of each message."""
        found = []
        with self.session(mailbox) as client:
            _, answer = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            for part in answer:
                if isinstance(part, tuple):
                    subject = part[1].decode().partition(":")[2].strip()
                    found.append((subject, b"\\Seen" in part[0], b"\\Flagged" in part[0]))
        return found

    def renumber(self) -> None:
        """Give the mailbox another UIDVALIDITY and its messages other UIDs, as after a restored backup."""
        self.stop()
        time.sleep(1.1)  # a UIDVALIDITY is a time in seconds
        for file in self.maildir.glob("dovecot*"):
            file.unlink()
        self.start()


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A server with an empty INBOX; ended and removed afterwards.

    Where Dovecot is not installed the test is skipped; on CI that is a failure.
    """
    if shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        if os.environ.get("CI"):
            pytest.fail("dovecot is not installed: .ci/run installs it")
        pytest.skip("dovecot is not installed (Debian: the package dovecot-imapd)")
    directory = Path(tempfile.mkdtemp(prefix="wp-imap-"))  # not tmp_path: a socket's path must stay short
    try:
        server = ImapServer(directory, *_free_ports())
        _configure(server)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def letter(subject: str, text: str = "", *, number: str = "", date: datetime = NOW, html: str = "") -> bytes:
    """A newsletter. `number` makes its Message-ID, else the subject does."""
    message = EmailMessage()
    message["From"] = "The Ministry <press@ministry.example>"
    message["To"] = USER
    message["Subject"] = subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = f"<{number or subject.replace(' ', '-').lower()}@ministry.example>"
    message.set_content(text or f"{subject} is the subject of this letter about Mali, and of its text.")
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def letters(count: int, first: int = 1, *, date: datetime = NOW) -> Sequence[bytes]:
    """So many different letters: Mali 1, Mali 2, …"""
    return [letter(f"Mali {number}", date=date + timedelta(seconds=number)) for number in range(first, first + count)]


def _user() -> pwd.struct_passwd:
    """Who runs the server: this user; if this is root, with whom Dovecot runs no logins and no mail, nobody."""
    user = pwd.getpwuid(os.getuid())
    return pwd.getpwnam("nobody") if user.pw_uid == 0 else user


def _as_user() -> dict[str, Any]:
    user = _user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}


def _configure(server: ImapServer) -> None:
    user, directory = _user(), server.directory
    values = {
        "directory": directory,
        "run": directory / "run",
        "plain": server.plain,
        "tls": server.tls,
        "user": user.pw_name,
        "group": grp.getgrgid(user.pw_gid).gr_name,
        "uid": user.pw_uid,
        "gid": user.pw_gid,
    }
    (directory / "dovecot.conf").write_text(_CONFIGURATION.format(**values))
    (directory / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n", "utf-8")
    shutil.copyfile(CERTIFICATE, directory / "certificate")
    for name in ("home", "run"):
        (directory / name).mkdir()
    for path in (directory, *directory.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
