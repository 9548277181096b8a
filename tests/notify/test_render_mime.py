"""Mails as the standard library's parser and a plain look at the bytes see them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from email.message import EmailMessage

import pytest

from tests.notify.digests import HOSTILE, MENTION, digest, endless, hostile, report, story, usual
from watchpost.model import Digest
from watchpost.notify.render import html, mime, plain, sentences
from watchpost.trend import Trend

DESK = mime.mailbox("Wérner <w@example.org>")
SENDER = mime.mailbox("watch@example.org")


def raw(sample: Digest) -> str:
    shown = html.fit(sample)
    subject, text, page = sentences.subject(shown), plain.plain(shown), html.page(shown, mailed=True)
    written = mime.mail(
        shown, sender=SENDER, recipient=DESK, subject=subject, text=text, html=page, pictures=html.pictures(shown)
    )
    return mime.message_id("7f3a.0c1d", shown.install) + written


def parsed(sample: Digest) -> EmailMessage:
    message = email.message_from_string(raw(sample), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_headers() -> None:
    message = parsed(usual())
    assert dict(message.items()) | {"Content-Type": ""} == {
        "Message-ID": "<7f3a.0c1d@newsdesk>",
        "Subject": sentences.subject(usual()),
        "References": "<thread.desk.2026-11@newsdesk>",
        "List-Id": "<desk.newsdesk>",
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "en",
        "From": "watch@example.org",
        "To": "Wérner <w@example.org>",
        "Date": "Mon, 23 Nov 2026 08:00:00 +0000",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }


def test_a_text_and_its_twin_tell_the_same_stories_in_the_same_order() -> None:
    sample = digest(*(story(n, lead=report(f"Story number {n:03}")) for n in range(300)))
    message = parsed(sample)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, page = (part.get_content() for part in message.iter_parts())
    body = page[page.index("<h1") :]
    titles = re.findall(r"Story number \d{3}", text)
    assert titles == re.findall(r"Story number \d{3}", body)
    assert titles[0] == titles[1], "the first line is the top story"
    assert len(titles) > 50
    assert len(page.encode()) <= html.LIMIT
    assert f"Not shown: {301 - len(titles)} stories (" in text


def test_the_bars_of_a_trend_are_a_picture_that_travels_with_the_page() -> None:
    bars = (2, 2, 1, 3, 5, 2, 1, 1, 1, 1, 2, 2, 3, 12)
    sample = replace(
        usual(), trends={"wagner": Trend(bars, 12, 4.0, spike=True), "mali": Trend(bars, 3, None, spike=False)}
    )
    message = parsed(sample)
    text, related = message.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    page, picture = related.iter_parts()
    assert re.findall(r'src="cid:([^"]*)"', page.get_content()) == [picture["Content-ID"].strip("<>")] * 2
    assert (picture.get_content(), picture.get_content_disposition()) == (html.png(bars), "inline")
    assert not message.defects
    assert raw(sample) == raw(sample)
    own = mime.mail(sample, sender=SENDER, recipient=DESK, subject="s", text="t", html="<p>", pictures={})
    assert "related" not in own


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_no_headline_injects_a_header(text: str) -> None:
    sample = hostile(text, receiver=text[:60] or "desk")
    written = raw(sample)
    head = written.partition("\r\n\r\n")[0]
    names = re.findall(r"^([A-Za-z-]+):", head, re.MULTILINE)
    assert sorted(names) == sorted(parsed(usual()).keys())
    assert not re.search(r"(?<!\r)\n|\r(?!\n)|[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", written.replace("\t", " "))
    assert written.isascii()
    assert max(map(len, written.split("\r\n"))) <= 998
    assert max(map(len, head.split("\r\n"))) <= 78 + 120  # the longest may be an atom of an id
    message = parsed(sample)
    assert message["Subject"] == sentences.subject(sample).replace("=?", "= ?")
    assert message["Bcc"] is None
    assert not message.defects


@pytest.mark.parametrize(
    "title",
    [
        "Вагнер 马里 غاو Gao " * 20,
        "=?utf-8?q?evil?= and more",
        "Ünïcödé " * 40,
        "plain words " * 30,
        MENTION,
        "🙂" * 300,
    ],
)
def test_a_subject_of_many_scripts_is_folded_well_and_reads_back(title: str) -> None:
    sample = digest(story(lead=report(title)))
    line = re.search(r"^Subject: .*?\r\n(?![ \t])", raw(sample), re.MULTILINE | re.DOTALL)
    assert line is not None
    assert max(map(len, line[0].split("\r\n"))) <= 78
    assert "?==?" not in line[0]
    assert parsed(sample)["Subject"] == sentences.subject(sample).replace("=?", "= ?")


@pytest.mark.parametrize("sample", [usual(), endless(60), digest(), hostile("\ud800 lone")], ids=range(4))
def test_every_part_survives_seven_bits(sample: Digest) -> None:
    message = parsed(sample)
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] in ("7bit", "quoted-printable", "base64")
    text = next(iter(message.iter_parts())).get_content()
    assert text.replace("\r\n", "\n") == plain.plain(html.fit(sample))
    assert raw(sample) == raw(sample)


def test_alerts_of_one_story_thread_together() -> None:
    alert = digest(story(7), kind="alert")
    assert parsed(alert)["References"] == f"<thread.desk.{7:032x}@newsdesk>"


@pytest.mark.parametrize("name", ["a b@c\r\n>", "..", "", "é", "-", "x" * 500])
def test_an_id_is_always_an_atom(name: str) -> None:
    assert re.fullmatch(
        r"Message-ID: <[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*>\r\n",
        mime.message_id(name, name),
    )
