"""What a stranger's text costs grows with its length, not with the square of it, in each function that takes one.

Measured in the time of this process alone, and again if it looks too long: a busy machine is not a finding.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest

from tests.making import WHEN, article
from tests.notify.digests import digest, report, story
from watchpost import combining_marks, control_characters, redaction
from watchpost.documents.boilerplate import blank_margins
from watchpost.documents.clean import canonical_url, clean_line, clean_text, fingerprints, headline
from watchpost.documents.dates import parse_date, slashed_order
from watchpost.documents.encoding import decode, decode_html, xml_to_utf8
from watchpost.documents.entry import EntryDraft, article_of, identities, version_id
from watchpost.documents.figures import figures
from watchpost.documents.html import plain_text
from watchpost.documents.json_text import read_json
from watchpost.documents.parse import read_document
from watchpost.documents.shingles import shingles
from watchpost.documents.text import read_markdown, read_text
from watchpost.match.matcher import Topics, document, snippet
from watchpost.match.signatures import signature, voice
from watchpost.model import Snippet, Topic
from watchpost.notify.receivers import discord, mattermost, ntfy, slack, teams
from watchpost.notify.render import html, payload, plain, sanitize
from watchpost.query.document import DecodedText, Document
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence
from watchpost.query.words import fold, folded_text, spans, spelling, words
from watchpost.store.matching import _letters

TOPICS = Topics(
    tuple(
        Topic(f"topic-{number}", f"Topic {number}", parse(query))
        for number, query in enumerate(
            (
                "mali",
                "mali* AND (wagner OR вагнер)",
                "mali NEAR/5 wagner",
                "(mali ONEAR/9 wagner) NEAR/20 bamako",
                "mali SAME wagner",
                'mali UNLESS "mali wagner"',
                "ATLEAST/3 (mali OR wagner OR bamako)",
                "SCORE/2 (mali^2 OR wagner)",
                "马里 OR マリ",
                "/ma+li/",
                '"mali wagner bamako"',
                "{Mali}",
                "first/50:mali NOT wagner",
            )
        )
    )
)
NAMES = Topics(
    tuple(
        Topic(f"name-{number}", f"Name {number}", parse(query))
        for number, query in enumerate(("country:ML OR place:ML", "entity:wagner-group", "near:Gao/200km"))
    )
)


def growing(unit: str, end: str = "") -> Callable[[int], str]:
    """Texts of any length that are one thing again and again."""
    return lambda size: unit * (size // len(unit)) + end


TEXTS: dict[str, Callable[[int], str]] = {
    **{f"run of {letter!r}": growing(letter, "x") for letter in ".!,-_*#=<>&;\"'([{/\\|@:+~^ \t\n0aжé中あ가ก"},
    **{
        f"run of U+{ord(letter):04X}": growing(letter, "x")
        for letter in "\u0301\u064b\u200b\u200d\u202e\u00ad\u00a0\u034f"
    },
    **{
        f"again and again {unit!r}": growing(unit, end)
        for unit, end in (
            ("Mali wagner bamako. ", ""),
            ("Mali wagner\n\n", ""),
            ("Mali ", ""),
            ("Mali, Wagner group, Bamako and Gao, Kidal; Africa Corps. ", ""),
            ("Thomas Wagner in Mali, ", ""),
            ("x y. ", ""),
            ("mali-\nwagner ", ""),
            ("马里的军队在加奥。", ""),
            ("マリ共和国", ""),
            ("Вагнер в Мали. ", ""),
            ("الحرب في مالي. ", ""),
            ("\u0301\u0327", ""),
            ("я\u0301\u0327\u034f", ""),
            ("\u0301\u0327\u0301\u0327\u200d", ""),
            ("a\u200d", ""),
            ("中\u00ad\u200d", ""),
            ("\u202e\u2066", ""),
            ("\ufdfa", ""),
            ("ⅷ", ""),
            ("<div>", ""),
            ("<b>x</b>", ""),
            ("<!---->", ""),
            ("&amp;amp;", ""),
            ("&eacute;", ""),
            ("[a](", ""),
            ("*a ", ""),
            ("**_a ", ""),
            ("# a\n\n", ""),
            ("---\n", ""),
            ("Related Articles\n\n", "This sentence is long enough to be prose. " * 8),
            ("Share\n", "This sentence is long enough to be prose. " * 8),
            ("Home > World | ", ""),
            ("1.234.567 ", ""),
            ("1,", ""),
            ("http://a.example/?key=1234567890abcdefgh&", ""),
            ("a.", ""),
            ("a://", ""),
            ("bearer ", ""),
            ("PARIS (AFP) – ", ""),
            ("@a:b ", ""),
            ('{"a":[', ""),
            ('\\"', ""),
            (",]", ""),
        )
    },
    "many different words": lambda size: " ".join(f"w{number}" for number in range(size // 7)),
    "one long word": lambda size: "".join(chr(0x430 + number % 32) for number in range(size)),
    "one match and many sentences": lambda size: "Mali wagner bamako. " * (size // 100) + "x y. " * (size // 6),
}


def _document(text: str) -> None:
    TOPICS.match(article("Mali", body=text, summary=text[:20_000]), WHEN)


def _names(text: str) -> None:
    NAMES.match(article(text[:1_000], body=f"Mali. {text}", summary=text[:20_000]), WHEN)


def _snippet(text: str) -> None:
    length = max(1, len(text) // 2_000)
    places = range(0, len(text) - 4, length)
    snippet(article(body=text), [Evidence("body", at, at + 4, "mali", "mali") for at in places])


def _digest(text: str) -> None:
    text = text[: len(text) // 16]  # there are several forms, and a title has at most 1,000 characters
    lead = report(text, outlet=text, source=text, url="https://a.example/" + text)
    shown = story(lead=lead, snippet=Snippet(text, ((0, 1), (len(text) // 2, len(text)))))
    told = digest(shown, public_url="")
    plain.plain(told)
    html.page(told)
    payload.parts(told)
    for chat in (discord, mattermost, teams, slack):
        chat.lay_out(told)
    ntfy.message(told, "duty")


def _draft(text: str) -> None:
    draft = EntryDraft(text, text, text, "https://a.example/" + text[:4_000], text, text, text)
    article_of(draft, article_id="a", source="s", now=WHEN)
    identities([draft, replace(draft, identity="")])
    version_id("a", text)


def _files(kind: str) -> Callable[[str], object]:
    return lambda text: read_document(f"a.{kind}", text.encode("utf-8", "replace"), WHEN)


def _json(text: str) -> None:
    for broken in (f'{{"items": [{text}', f'{{"a": "{text}'):
        with suppress(ValueError, RecursionError):
            read_json(broken)


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "matcher": _document,
    "names": _names,
    "snippet": _snippet,
    "query document": lambda text: Document.of({"body": "mali " + text}).index("body").span(0, 0),
    "entities": DecodedText,
    "words": lambda text: (words(text), spans(text), folded_text(text)),
    "one word": lambda text: (fold(text), spelling(text)),
    "fingerprints of words": _letters,
    "signature": lambda text: signature(article(text[:1_000], body=text)),
    "figures": figures,
    "voice": lambda text: voice(article(body=text, author=text[:200])),
    "shingles": lambda text: shingles(text.split()),
    "fields": lambda text: document(article(text, body=text)),
    "margins": blank_margins,
    "clean": lambda text: (clean_text(text), clean_line(text), headline(text)),
    "marks": combining_marks.bound_marks,
    "address": lambda text: canonical_url("https://a.example/" + text, "https://b.example"),
    "fingerprints": lambda text: fingerprints("https://a.example/", text, text),
    "date": lambda text: (parse_date(text, WHEN), parse_date(text[:100], WHEN), slashed_order([text])),
    "encodings": lambda text: decode(text.encode("utf-8", "replace").replace(b"\0", b""), "koi8-r"),
    "page's encoding": lambda text: decode_html(b"<meta " + text.encode("utf-8", "replace")),
    "XML's encoding": lambda text: xml_to_utf8(b"<!--" + text.encode("utf-8", "replace")),
    "entry": _draft,
    "HTML": plain_text,
    "broken JSON": _json,
    "text file": lambda text: read_text(text, WHEN),
    "Markdown": lambda text: read_markdown(text, WHEN),
    "JSON Lines": _files("jsonl"),
    "redaction": lambda text: (redaction.clean(text), control_characters.on_one_line(text), redaction.short_url(text)),
    "sanitized": lambda text: (sanitize.clean(text), sanitize.link(text), sanitize.cut(text, len(text) - 1)),
    "marked": lambda text: sanitize.marked(Snippet(text, ((0, 1), (3, len(text))))),
    "digest": _digest,
}
N = 6_000
GROWTH = 1.3  # more than so many times as much as the length grows is a finding
SHORT = 0.024  # seconds, 1 µs for each character: the square of their number takes longer
TRIES = 5


@cache
def text_of(kind: str, size: int) -> str:
    return TEXTS[kind](size)


def cpu_seconds(function: Callable[[str], object], kind: str, size: int) -> float:
    text = text_of(kind, size)
    begun = time.process_time()
    function(text)
    return time.process_time() - begun


def grows(function: Callable[[str], object], kind: str) -> str:
    """How much faster than the text its time grows; "" if it does not."""
    size = N
    took = cpu_seconds(function, kind, 4 * size)
    if took < SHORT:
        return ""
    least = {1: took, 2: took, 4: took}
    for _ in range(TRIES):
        for times in least:
            least[times] = min(least[times], cpu_seconds(function, kind, times * size))
        if least[4] <= 4 * GROWTH * max(least[1], SHORT / 4) or least[4] <= 2 * GROWTH * max(least[2], SHORT / 2):
            return ""
    return f"{kind}: {', '.join(f'{times * size} characters {s:.3f} s' for times, s in least.items())}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_time_grows_with_the_length_alone(name: str) -> None:
    function = FUNCTIONS[name]
    function(text_of("run of 'a'", N))  # imports and caches are not the text's fault
    gc.collect()
    gc.disable()
    try:
        found = [finding for kind in TEXTS if (finding := grows(function, kind))]
    finally:
        gc.enable()
    assert not found, "\n".join(found)
