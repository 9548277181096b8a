"""A mail server that defers every new address once, and one that refuses everybody for a while."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope, Session

from tests.mail_server import MailServer

READERS = [f"reader{n}@example.org" for n in range(40)]
CONFIG = """version: 1
folders: {{in: {{path: in, settle: 100ms, every: 200ms}}}}
topics: {{mali: mali}}
receivers:
  desk: {{type: email, from: w@example.org, to: [{readers}], allow_private: [127.0.0.0/8], smtp: {relay}, {retry}}}
  chief: {{type: email, from: w@example.org, to: [chief@example.org], allow_private: [127.0.0.0/8], smtp: {relay}}}
routes: [{{to: [desk, chief], mode: immediate, group_wait: 100ms}}]
http: {{listen: "127.0.0.1:0"}}
"""


@dataclass
class Relay(MailServer):
    """`refusal` answers each RCPT while it is set; `greylists` defers each address once. `asked` has the addresses."""

    refusal: str = ""
    greylists: bool = False
    known: set[str] = field(default_factory=lambda: {"chief@example.org"})
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = "250 2.1.5 OK"
        if self.refusal:
            reply = self.refusal
        elif self.greylists and address not in self.known:
            self.known.add(address)
            reply = f"450 4.7.1 <{address}>: Recipient address rejected: Greylisted, try again in 300 seconds"
        else:
            envelope.rcpt_tos.append(address)
        self.asked.append((address, reply[:3]))
        return reply

    @property
    def arrived(self) -> Counter[str]:
        """How many messages each address has."""
        return Counter(address for mail in self.mails for address in mail.recipients)


SHORT = f"retry: {{schedule: [{', '.join(['1s'] * 10)}]}}"


class Service:
    """A running watchpost, and its log."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it logged."""
        lines = (self._place / "log.txt").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def publish(self, name: str) -> None:
        """An article in its folder."""
        scratch = self._place / "in" / f".{name}"
        scratch.write_text(f"{name}\n\nThe report {name} is about Mali and about nothing else.\n")
        scratch.rename(self._place / "in" / f"{name}.txt")


@asynccontextmanager
async def running(place: Path, relay: Relay, readers: list[str], retry: str) -> AsyncIterator[Service]:
    (place / "in").mkdir()
    smtp = f"{{host: 127.0.0.1, port: {relay.port}, tls: none}}"
    text = CONFIG.format(readers=", ".join(readers), relay=smtp, retry=retry)
    (place / "watchpost.yaml").write_text(text)
    env = {key: value for key, value in os.environ.items() if not key.startswith("WATCHPOST_")}
    words = ["-m", "watchpost", "run", "--config", str(place / "watchpost.yaml"), "--data", str(place / "data")]
    with (place / "log.txt").open("wb") as log:
        process = await asyncio.create_subprocess_exec(sys.executable, *words, env=env, stdout=log, stderr=log)
    try:
        yield Service(place)
    finally:
        process.terminate()
        await process.wait()


async def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.1)


@pytest.mark.timeout(400)
async def test_greylisting_of_many_new_addresses_stops_nobody(tmp_path: Path) -> None:
    relay = Relay(greylists=True)
    async with relay, running(tmp_path, relay, READERS, "retry: {schedule: [5s, 5s, 5s, 5s]}") as service:
        service.publish("first")
        await until(lambda: set(relay.arrived) == {*READERS, "chief@example.org"})
        events = service.events
    assert set(relay.arrived.values()) == {1}
    refused = {address for address, code in relay.asked if code == "450"}
    assert refused == set(READERS)
    assert not [event for event in events if event["event"].startswith("receiver.")], "no breaker, no pause"
    codes = [code for address, code in relay.asked if address in READERS]
    assert codes[:20] == ["450"] * 20, "none waits for the second attempt of another"


@pytest.mark.timeout(400)
async def test_a_trial_takes_the_message_that_was_refused_and_none_that_was_not_tried(tmp_path: Path) -> None:
    relay, readers = Relay(refusal="421 4.3.0 Temporary System Problem. Try again later"), READERS[:1]
    async with relay, running(tmp_path, relay, readers, SHORT) as service:
        service.publish("first")
        await until(lambda: any(event["event"] == "receiver.opened" for event in service.events))
        service.publish("second")
        tried = len(relay.asked)
        await until(lambda: len(relay.asked) > tried)  # the trial
        relay.refusal = ""
        await until(lambda: relay.arrived[readers[0]] == 2, 200)
    subjects = [mail.content for mail in relay.mails if mail.recipients == readers]
    order = [next(name for name in (b"first", b"second") if name in content) for content in subjects]
    assert order == [b"first", b"second"], "what was refused goes first"
    waits = [event["what"] for event in service.events if event["event"] == "delivery.waits"]
    assert waits
    assert all("first" in what for what in waits), "only the message that was refused was tried again"
