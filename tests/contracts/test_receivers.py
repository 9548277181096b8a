"""What every kind of receiver promises, the fake of the tests included."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.fakes import RecordingReceiver
from tests.notify.digests import HOSTILE, delivery, digest, endless, hostile, report, story, usual
from watchpost.model import Digest, Message, Outcome, TryLater
from watchpost.notify.receiver import Receiver, ReceiverContext
from watchpost.notify.receivers import kinds
from watchpost.notify.render.rich_text import JOINER

# For each kind: options that lead to where nobody is.
DEAD: Mapping[str, dict[str, Any]] = {
    "console": {},
    "file": {"path": "a-file/box"},
    "webhook": {"url": "http://127.0.0.1:1/hook", "secrets": [{"env": "SIGN"}], "allow_private": ["127.0.0.1/32"]},
    "slack": {"url": {"env": "SLACK"}, "allow_private": ["127.0.0.1/32"]},
    "discord": {"url": {"env": "SLACK"}, "allow_private": ["127.0.0.1/32"]},
    "mattermost": {"url": {"env": "SLACK"}, "allow_private": ["127.0.0.1/32"]},
    "teams": {"url": {"env": "SLACK"}, "allow_private": ["127.0.0.1/32"]},
    "ntfy": {"url": "http://127.0.0.1:1/duty", "allow_private": ["127.0.0.1/32"]},
    "apprise": {"url": {"env": "APPRISE"}},
    "email": {
        "from": "w@example.org",
        "to": ["a@example.org", "b@example.org"],
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
        "allow_private": ["127.0.0.1/32"],
    },
}
ENV = {"SIGN": "whsec_" + "bmV3" * 8, "SLACK": "http://127.0.0.1:1/services/x", "APPRISE": "json://127.0.0.1:1/x"}

Make = Callable[[], Receiver]


@pytest.fixture(params=[*sorted(kinds()), "fake"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Builds one receiver of a kind, each time anew."""
    if request.param == "fake":
        return lambda: RecordingReceiver(outcomes=[TryLater("refused", "nobody is there")])
    kind = kinds()[request.param]
    (tmp_path / "a-file").write_text("no directory")
    terminal = io.StringIO()
    terminal.close()
    options = kind.options.model_validate(DEAD[kind.name], context={"env": ENV, "base": tmp_path})
    context = ReceiverContext("watchpost/0", "newsdesk", terminal)

    def build() -> Receiver:
        built: Receiver = kind.build("desk", options, context)
        return built

    return build


SAMPLES: tuple[Digest, ...] = (usual(), usual(kind="alert"), digest(), endless(60), *map(hostile, HOSTILE))


def plainly(messages: tuple[Message, ...]) -> list[tuple[str, str, str, dict[str, str]]]:
    return [(one.part, one.subject, one.address, dict(one.renderings)) for one in messages]


def test_the_suite_knows_every_kind() -> None:
    assert kinds().keys() == DEAD.keys()
    assert all(kind.name == name for name, kind in kinds().items())


@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_rendering_twice_gives_the_same_bytes(make: Make, sample: Digest) -> None:
    messages = plainly(make().render(sample))
    assert messages == plainly(make().render(replace(sample)))
    assert messages
    assert len({part for part, *_ in messages}) == len(messages)
    for _, subject, _, renderings in messages:
        assert subject
        for text in renderings.values():
            text.encode()


@pytest.mark.parametrize("sample", [endless(300), usual(), usual(kind="alert")], ids=["endless", "usual", "alert"])
def test_stories_that_do_not_fit_are_counted(make: Make, sample: Digest) -> None:
    messages = make().render(sample)
    (omitted,) = {message.omitted for message in messages}
    omitted -= sample.omitted
    shown = len(sample.stories) - omitted
    texts = "".join(_legible(*one) for message in messages for one in message.renderings.items())
    titles = [" ".join(story.lead.title.split()[:2]) for story in sample.stories]
    found = [bool(re.search(rf"{re.escape(title)}(?!\d)", texts)) for title in titles]
    assert found == [True] * shown + [False] * omitted
    assert {message.omitted for message in make().render(replace(sample, omitted=7))} == {omitted + 7}


@pytest.mark.parametrize("kind", ["digest", "alert"])
def test_a_message_has_the_headlines_that_it_says_it_names(make: Make, kind: Any) -> None:
    stories = []
    for number in range(60):
        lead, *others = (
            report(f"Headline {number}x{other} of {'many ' * 9}words", outlet=f"Outlet {other}") for other in range(8)
        )
        status: Any = "continuing" if number % 5 == 3 else "new"
        stories.append(story(number, lead=lead, reports=(lead, *others), status=status))
    sample = usual(kind=kind, stories=tuple(stories))
    reports = {one.article: one.title for each in stories for one in each.reports}
    told = 0
    for message in make().render(sample):
        text = "".join(_legible(*one) for one in message.renderings.items())
        named = [reports[article] for article in message.named or ()]
        told += len(named)
        assert [title for title in named if title[:15] not in " ".join(text.split())] == []
        assert message.named is None or len(set(message.named)) == len(message.named)
    assert told or isinstance(make(), RecordingReceiver)


def _legible(form: str, text: str) -> str:
    """Mail as its reader reads it, JSON with its escapes undone; without the marks that keep text literal."""
    if form == "mime":
        mail = message_from_string(text, policy=default)
        return "".join(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")
    if text.startswith("{"):
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return text.replace("\\", "").replace(JOINER, "")


async def test_a_dead_target_is_an_outcome(make: Make) -> None:
    receiver = make()
    for message in receiver.render(usual()):
        outcome: Outcome = await receiver.send(delivery(message))
        assert isinstance(outcome, get_args(Outcome))
        if not isinstance(receiver, RecordingReceiver) or len(receiver.deliveries) == 1:
            assert isinstance(outcome, TryLater)
            assert outcome.detail


def test_no_kind_s_schema_fails_and_unknown_keys_are_errors() -> None:
    for kind in kinds().values():
        schema = kind.options.model_json_schema()
        assert schema["additionalProperties"] is False


def test_collecting_the_kinds_loads_nothing_heavy() -> None:
    heavy = ("httpx", "aiosmtplib", "jinja2", "css_inline", "babel", "standardwebhooks", "apprise", "dkim")
    code = (
        "import sys; from watchpost.notify.receivers import kinds; kinds();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
