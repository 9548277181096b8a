"""DKIM signatures, unsubscribe links and bounce addresses in mails."""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
from pathlib import Path
from typing import Any

import dkim
import pytest
from pydantic import ValidationError

from tests.mail_server import MailServer
from tests.notify.digests import delivery, usual
from tests.notify.test_receiver_email import receiver, send
from watchpost.model import Delivered
from watchpost.notify.receivers.email import EmailOptions

LONG = "https://watch.example.org/unsubscribe/" + "p" * 150 + "?t={token}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A private key's file, and the DNS record of its public half."""
    path = tmp_path_factory.mktemp("dkim") / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(path), "2048"], check=True, capture_output=True)
    done = subprocess.run(["openssl", "rsa", "-in", str(path), "-pubout"], check=True, capture_output=True, text=True)
    public = "".join(done.stdout.splitlines()[1:-1])
    return path, f"v=DKIM1; k=rsa; p={public}".encode()


def headers(content: bytes) -> Any:
    return email.message_from_bytes(content, policy=email.policy.default)


async def sent(**options: Any) -> tuple[bytes, str]:
    async with MailServer(starttls=True) as server:
        assert isinstance(await send(receiver(server.port, **options)), Delivered)
    return server.mails[0].content, server.mails[0].sender


async def test_a_signature_survives_a_relay_and_no_tampering(keys: tuple[Path, bytes]) -> None:
    path, record = keys
    signing = {"domain": "example.org", "selector": "s1", "key": {"file": str(path)}}
    content, _ = await sent(dkim=signing, unsubscribe={"url": LONG})

    def holds(message: bytes) -> bool:
        return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: record))

    assert holds(content)
    assert holds(b"Received: from relay.example.org by mx.example.org; Mon, 23 Nov 2026 08:00:00 +0000\r\n" + content)
    assert not holds(content.replace(b"Gao", b"Goa", 1))
    assert not holds(b"Subject: another\r\n" + content), "a second subject is not let in"
    assert not holds(re.sub(rb"(?m)^List-Unsubscribe: [^\r]*\r\n", b"", content))


def test_a_key_that_is_none_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary")
    with pytest.raises(ValidationError, match="the key is not an RSA private key in PEM"):
        receiver(25, dkim={"domain": "example.org", "selector": "s1", "key": {"file": str(tmp_path / "key")}})


async def test_a_long_unsubscribe_link_stays_whole_and_differs_by_reader() -> None:
    content, _ = await sent(unsubscribe={"url": LONG, "mail": "stop@example.org"})
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    assert "=?" not in re.search(r"List-Unsubscribe: .*\r\n .*", head)[0]  # type: ignore[index]
    url, mail = re.findall("<([^>]*)>", headers(content)["List-Unsubscribe"])
    assert re.fullmatch(re.escape(LONG).replace(re.escape("{token}"), "[0-9a-f]{12}"), url)
    assert mail == "mailto:stop@example.org?subject=unsubscribe"
    assert headers(content)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert all(len(line) <= 998 for line in head.split("\r\n"))
    one, two = receiver(25, to=["a@example.org", "b@example.org"], unsubscribe={"url": LONG}).render(usual())
    links = {headers(each.renderings["mime"].encode())["List-Unsubscribe"] for each in (one, two)}
    assert len(links) == 2


async def test_without_a_url_there_is_no_one_click_and_without_either_no_header() -> None:
    content, _ = await sent(unsubscribe={"mail": "stop@example.org"})
    assert headers(content)["List-Unsubscribe-Post"] is None
    content, sender = await sent()
    assert headers(content)["List-Unsubscribe"] is None
    assert sender == "watch@example.org"
    with pytest.raises(ValidationError, match="give a url, a mail address, or both"):
        receiver(25, unsubscribe={})
    with pytest.raises(ValidationError):
        receiver(25, unsubscribe={"url": "https://e.x/>\r\nBcc: a@b.c"})


async def test_what_bounces_names_the_address() -> None:
    content, sender = await sent(bounce="bounces@example.org")
    (message,) = receiver(25).render(usual())
    assert sender == f"bounces+{message.part}@example.org"
    assert headers(content)["From"] == "Watchpost <watch@example.org>"


async def test_a_second_attempt_is_the_same_message_but_for_its_signature(keys: tuple[Path, bytes]) -> None:
    signing = {"domain": "example.org", "selector": "s1", "key": {"file": str(keys[0])}}
    async with MailServer(starttls=True, data=["451 4.7.1 greylisted"]) as server:
        mailer = receiver(server.port, dkim=signing)
        (message,) = mailer.render(usual())
        for attempt in (1, 2):
            await mailer.send(delivery(message, attempt))
    (mail,) = server.mails
    assert mail.content.endswith(message.renderings["mime"].encode())


def test_the_options_have_a_schema() -> None:
    assert {"dkim", "bounce", "unsubscribe"} <= EmailOptions.model_json_schema()["properties"].keys()
