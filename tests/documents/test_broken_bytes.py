"""One broken byte costs one letter: in feeds, letters, pages, texts and lines, in any script."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from watchpost.documents.encoding import decode
from watchpost.documents.parse import Reading, read_document, read_feed_document
from watchpost.errors import FetchError

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
TEXTS = {
    "ru": "Группа Вагнера покинула Мали, сообщило во вторник министерство в Бамако.",
    "ar": "غادرت مجموعة فاغنر مالي، بحسب ما أعلنت وزارة الخارجية يوم الثلاثاء.",
    "zh": "瓦格纳集团已离开马里，外交部星期二在巴马科宣布。",
    "fr": "Le groupe a quitté Gao après des négociations, a annoncé l’armée à Bamako.",
}
ENTRIES = [f"{text} {number}" for number in range(3) for text in TEXTS.values()]


def feed(texts: list[bytes], encoding: str = "utf-8") -> bytes:
    items = b"".join(b"<item><guid>%d</guid><title>%s</title></item>" % pair for pair in enumerate(texts))
    return f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + b"<rss><channel>" + items + b"</channel></rss>"


def titles(body: bytes, charset: str = "") -> list[str]:
    reading = read_feed_document(body, now=NOW, source="desk", charset=charset)
    return [article.title for article in reading.articles]


def read(name: str, data: bytes) -> Reading:
    return read_document(name, data, NOW, source="desk")


@pytest.mark.parametrize("charset", ["", "utf-8", "windows-1251", "iso-8859-1"])
@pytest.mark.parametrize("language", TEXTS)
def test_a_cut_letter_leaves_every_other_entry_of_a_feed(language: str, charset: str) -> None:
    sound = [text.encode() for text in ENTRIES]
    cut = next(n for n in range(40, 60) if TEXTS[language].encode()[n] & 0xC0 == 0x80)
    broken = TEXTS[language].encode()[:cut]
    found = titles(feed([*sound, broken]), charset)
    assert found[:-1] == ENTRIES
    assert found[-1] == broken.decode("utf-8", "ignore") + "\ufffd"


def test_a_feed_says_how_many_characters_it_lost() -> None:
    body = feed([text.encode() for text in ENTRIES] + ["Мали".encode()[:-1]])
    reading = read_feed_document(body, now=NOW, source="desk")
    assert reading.note == "1 character could not be read"
    assert read_feed_document(feed([b"Mali"]), now=NOW, source="desk").note == ""


@pytest.mark.parametrize("seed", range(40))
def test_any_broken_byte_in_one_entry_leaves_the_others_as_they_were(seed: int) -> None:
    choice = random.Random(seed)
    texts = [text.encode() for text in ENTRIES]
    which = choice.randrange(len(texts))
    bad = bytearray(texts[which])
    for _ in range(choice.randint(1, 3)):
        at = choice.randrange(len(bad))
        bad[at : at + choice.randint(0, 1)] = bytes([choice.randrange(0x80, 0x100)])
    texts[which] = bytes(bad)
    found = titles(feed(texts))
    assert [title for n, title in enumerate(found) if n != which] == [t for n, t in enumerate(ENTRIES) if n != which]


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030", "cp1252"])
def test_a_broken_byte_leaves_a_text_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = {"cp1251": TEXTS["ru"], "cp1252": TEXTS["fr"], "shift_jis": "外務省は火曜日、新たな協議について発表した。"}
    sound = [text.get(encoding, TEXTS["zh"])] * 12
    bad = {"cp1251": b"\x98", "cp1252": b"\x81", "shift_jis": b"\xff", "gb18030": b"\xff"}[encoding]
    found = titles(feed([*(each.encode(encoding) for each in sound), b"Gao " + bad + b" Mali"], encoding))
    assert found == [*sound, "Gao \ufffd Mali"]


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.eml", "a.md"])
def test_texts_pages_and_letters_lose_one_letter_only(name: str) -> None:
    head = {"a.html": b"<p>", "a.eml": b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"}.get(name, b"")
    text = "\n\n".join([TEXTS["ru"]] * 3)
    reading = read(name, head + text.encode() + b" \xd0 " + b"end")
    assert TEXTS["ru"] in reading.articles[0].body
    assert "\ufffd end" in reading.articles[0].body
    assert [failure.reason for failure in reading.failures] == ["encoding"]


def test_a_line_of_json_lines_loses_one_letter_and_says_so() -> None:
    lines = [json.dumps({"id": str(n), "title": text}, ensure_ascii=False).encode() for n, text in enumerate(ENTRIES)]
    lines[2] = lines[2].replace("瓦".encode(), "瓦".encode()[:2])
    reading = read("a.jsonl", b"\n".join(lines))
    found = [article.title for article in reading.articles]
    assert found == [*ENTRIES[:2], ENTRIES[2].replace("瓦", "\ufffd"), *ENTRIES[3:]]
    assert [(failure.item, failure.reason) for failure in reading.failures] == [("a.jsonl, line 3", "encoding")]


def test_a_bare_control_character_in_a_line_is_text() -> None:
    (found,) = read("a.jsonl", b'{"title": "Mali", "body": "one\ttwo"}').articles
    assert found.body == "one\ttwo"


def test_a_stray_nul_is_no_sign_of_a_binary_file() -> None:
    (found,) = read("a.txt", (TEXTS["fr"] * 5).encode().replace(b"quitt", b"qu\0itt", 1)).articles
    assert found.body == TEXTS["fr"] * 5
    with pytest.raises(FetchError):
        decode(b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" * 20)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Négociations à Gao : l’armée ".encode() + b"a quitt\xe9e, l\x92Etat", "a quittée, l’Etat"),
        ("Négociations à Gao : l’armée ".encode() + b"a quitt\xc3", "a quitt\ufffd"),
        ("Négociations à Gao : l’armée ".encode() + b"a quitt\xe9", "a quitt\ufffd"),
    ],
)
def test_a_letter_of_another_encoding_within_a_word_is_that_letter(data: bytes, text: str) -> None:
    assert decode(data)[0].endswith(text)


def test_a_cut_letter_in_a_text_that_is_ascii_else() -> None:
    assert decode(b"Wagner left Gao\xe2\x80", "utf-8") == ("Wagner left Gao\ufffd", True)
    assert decode(b"Caf\xe9 in Gao", "utf-8") == ("Café in Gao", False)
    assert decode(b"The army left Gao. " * 20 + b"\xff", "utf-8") == ("The army left Gao. " * 20 + "\ufffd", True)
