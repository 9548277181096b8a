"""Files of every format, as people drop them: what is read, and the name of what cannot be."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.shared import shared
from watchpost.documents.parse import Reading, read_document
from watchpost.model import Article

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FRENCH = "Élections législatives à Dakar : la majorité présidentielle revendique la victoire dès le premier tour. "
RUSSIAN = "Министерство иностранных дел России сообщило в понедельник о новых переговорах. "
JAPANESE = "日本の首相は月曜日に新しい経済政策を発表した。"


def read(name: str, data: bytes | str) -> Reading:
    return read_document(name, data.encode() if isinstance(data, str) else data, NOW, source="desk")


def article(name: str, data: bytes | str) -> Article:
    (article,) = read(name, data).articles
    return article


def reason(name: str, data: bytes | str) -> str:
    reading = read(name, data)
    assert not reading.articles
    (failure,) = reading.failures
    assert failure.item == name
    assert failure.detail
    return failure.reason


def test_the_corpus_is_read_with_the_titles_that_its_authors_gave() -> None:
    corpus = shared("corpus/dev")
    expected = json.loads((corpus / "expected.json").read_text("utf-8"))
    wrong, count = [], 0
    for name, feed in expected["feeds"].items():
        reading = read(name, (corpus / "feeds" / name).read_bytes())
        assert len(reading.articles) == len(feed["items"])
        for found, item in zip(reading.articles, feed["items"], strict=True):
            count += 1
            if found.title != item["title"]:
                wrong.append((name, found.title))
            assert found.url == item["link"]
            assert found.published
            assert len(found.body) > 150
    for name, item in expected["folder"].items():
        count += 1
        found = article(name, (corpus / "folder" / name).read_bytes())
        if found.title != item["title"]:
            wrong.append((name, found.title))
        assert not any(
            junk in found.body for junk in ("Show More", "Related Articles", "You may also like", "MaliWest")
        )
    assert count == 82
    # The corpus expects the entities as its malformed feed wrote them; people read the letters.
    assert wrong == [("malformed.xml", "Présidentielle malienne : nouveau report, mêmes questions")]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(FRENCH, e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso-8859-1")]
    + [(RUSSIAN, "koi8-r"), (RUSSIAN, "cp1251"), (JAPANESE, "shift_jis"), (JAPANESE, "utf-8")],
)
def test_texts_of_any_encoding_are_read(text: str, encoding: str) -> None:
    assert article("a.txt", (text * 5).encode(encoding)).body == (text * 5).strip()


def test_a_text_without_headline_is_named_by_its_file() -> None:
    found = article("2021/mali-note.txt", FRENCH * 2)
    assert (found.title, found.source, found.fetched) == ("mali-note", "desk", NOW)
    assert found.body == (FRENCH * 2).strip()


def test_ids_come_from_the_content_and_not_from_the_path() -> None:
    one, same, other = article("a.txt", FRENCH), article("b/c.txt", FRENCH), article("a.txt", RUSSIAN)
    assert one.id == same.id != other.id
    elsewhere = read_document("a.txt", FRENCH.encode(), NOW, source="other").articles[0]
    assert elsewhere.id != one.id


PAGE = """<!doctype html><html lang="fr-FR"><head><title>Mali : Paris hausse le ton - Le Journal</title>
<meta property="og:title" content="Mali : Paris hausse le ton"><meta property="og:site_name" content="Le Journal">
<link rel="canonical" href="https://journal.example/mali?utm_source=x"><script>var topic = "Barkhane";</script>
<script type="application/ld+json">{"datePublished": "2021-09-15T08:00:00+02:00"}</script></head><body>
<nav><a href="/wagner">Wagner</a></nav><article><h1>Mali&nbsp;: Paris hausse le ton</h1>%s</article>
<footer>Mentions</footer></body></html>"""


def test_a_page_gives_its_text_and_its_facts() -> None:
    found = article("x.html", PAGE % "".join(f"<p>{FRENCH}{i}</p>" for i in range(6)))
    assert found.title.replace("\u00a0", " ") == "Mali : Paris hausse le ton"
    assert (found.outlet, found.url, found.lang) == ("Le Journal", "https://journal.example/mali", "fr")
    assert found.published == datetime(2021, 9, 15, 6, 0, tzinfo=UTC)
    assert found.body == "\n\n".join(f"{FRENCH}{i}" for i in range(6))


def test_a_short_page_is_read_without_its_frame() -> None:
    found = article("x.htm", "<html><body><nav>Wagner</nav><h1>Mali today</h1><p>Short news.</p></body></html>")
    assert (found.title, found.body) == ("Mali today", "Short news.")


def new_mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in ({"From": "Le Journal <desk@journal.example>", "Subject": "Mali à l'arrêt"} | headers).items():
        mail[name.replace("_", "-")] = value
    return mail


def test_a_letter_is_known_by_its_message_id() -> None:
    mail = new_mail(Message_ID="<1@journal.example>", Date="Mon, 04 Jul 2022 07:00:00 +0200")
    mail.set_content(FRENCH + "\n-- \nUnsubscribe\n")
    mail.add_alternative("<p>HTML</p>", subtype="html")
    mail["Content-Language"] = "fr-FR, en"
    found = article("a.eml", mail.as_bytes())
    assert (found.title, found.outlet, found.lang) == ("Mali à l'arrêt", "Le Journal", "fr")
    assert found.body == FRENCH.strip()
    assert found.published == datetime(2022, 7, 4, 5, 0, tzinfo=UTC)
    mail.replace_header("Subject", "Other")
    assert article("b.eml", mail.as_bytes()).id == found.id


def test_a_letter_in_html_only_or_in_an_unknown_charset_is_read() -> None:
    mail = new_mail()
    mail.set_content("<p>One</p><script>x</script><p>Two &eacute;</p>", subtype="html")
    assert article("a.eml", mail.as_bytes()).body == "One\n\nTwo é"
    raw = b"Subject: x\r\nContent-Type: text/plain; charset=x-unheard-of\r\n\r\n" + (FRENCH * 4).encode("cp1252")
    assert article("a.eml", raw).body == (FRENCH * 4).strip()


def test_json_lines_keep_their_ids_offline_and_one_bad_line_is_one_failure() -> None:
    good = {"id": "dev-1", "url": "https://e.org/1", "source": "Outlet", "lang": "fr", "title": "T", "body": FRENCH}
    lines = [json.dumps(good), "{broken", "[]", '{"title": 5}', "", '{"id": 7, "summary": "only this"}', '{"id": "x"}']
    offline = read_document("-", "\n".join(lines).encode(), NOW)
    assert [a.id for a in offline.articles] == ["dev-1", "7"]
    assert offline.articles[0].outlet == "Outlet"
    assert [f.item for f in offline.failures] == [f"-, line {n}" for n in (2, 3, 4)]
    online = read("a.jsonl", json.dumps(good))
    assert online.articles[0].id != "dev-1"
    assert len(online.articles[0].id) == 32


DEEP_MAIL = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(3000)) + b"x"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"", "empty"),
        ("a.html", b" \n\t", "empty"),
        ("a.txt", b"\x7fELF\x02\x01" + bytes(500), "binary"),
        ("a.md", bytes(range(256)) * 40, "binary"),
        ("a.txt", gzip.compress(b"x" * 999, mtime=0), "binary"),
        ("a.html", b"\x89PNG\r\n\x1a\n" + bytes(99), "binary"),
        ("a.pdf", b"%PDF-1.7\n broken", "malformed"),
        ("a.pdf", b"hello", "malformed"),
        ("a.eml", b"\xff\xfe\x00garbage", "malformed"),
        ("a.html", b"<html><body><script>x</script></body></html>", "no_text"),
        ("a.xml", b"<note><to>You</to></note>", "not_a_feed"),
        ("a.xml", PAGE.encode(), "not_a_feed"),
        ("a.json", b'{"version": "https://jsonfeed.org/version/1.1"}', "not_a_feed"),
        ("a.json", b'{"items": [' + b"[" * 200_000, "malformed"),
    ],
)
def test_what_cannot_be_read_is_a_failure_with_a_name(name: str, data: bytes, expected: str) -> None:
    assert reason(name, data) == expected


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.html", b"<div>" * 100_000 + b"Mali" + b"</div>" * 10),
        ("a.html", b"<p " + b"a=1 " * 20_000 + b">Mali"),
        ("a.html", b"<!--" * 50_000),
        ("a.html", b"<?xml version='1.0' encoding='utf-16'?><html><p>Mali</p></html>"),
        ("a.eml", DEEP_MAIL),
        ("a.eml", b"From: " + b"(" * 5000 + b"\nSubject: =?utf-8?b?////?=\n\nx"),
        ("a.eml", b"Content-Type: text/plain; charset*=%%%\nDate: \xff\nFrom: \xff\n\nx"),
        ("a.md", b"---\n" * 10_000),
        ("a.md", b"[" * 20_000 + b"](" * 20_000),
        ("a.md", b"*a " * 10_000),
        ("a.jsonl", b'{"title": "\\ud800", "body": "' + b"a" * 9999 + b'"}\n' + b"[" * 10_000 + b"\n"),
    ],
)
def test_hostile_files_end_in_articles_or_failures_and_nothing_else(name: str, data: bytes) -> None:
    reading = read(name, data)
    assert reading.articles or reading.failures
    for found in reading.articles:
        found.title.encode()
        found.body.encode()


def test_a_name_that_says_nothing_is_sniffed(tmp_path: Path) -> None:
    assert article("noname", PAGE % f"<p>{FRENCH * 3}</p>").outlet == "Le Journal"
    assert article("x.dat", json.dumps({"id": "1", "title": "T"})).title == "T"
    assert article("x.log", "Mali today\n\n" + FRENCH).title == "Mali today"
    assert read("feed", b'<?xml version="1.0"?><!-- x --><rss version="2.0"><channel></channel></rss>') == Reading()


def test_what_is_too_long_is_cut_and_told() -> None:
    reading = read("a.txt", "Mali says so.\n\n" * 100_000)
    assert len(reading.articles[0].body) == 1_000_000
    assert [failure.reason for failure in reading.failures] == ["cut"]


def test_unreadable_characters_are_replaced_and_told() -> None:
    reading = read("a.txt", b"\xff\xfe" + "Mali today".encode("utf-16-le") + b"\x00\xd8\x20\x00" * 3)
    assert "Mali today" in reading.articles[0].body
    assert [failure.reason for failure in reading.failures] == ["encoding"]
