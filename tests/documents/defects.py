"""Sound documents of every format, and a catalogue of defects, each to be put into one entry of them."""

from __future__ import annotations

import base64
import html
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from watchpost.documents.entry import EntryDraft
from watchpost.documents.feed import read_feed
from watchpost.documents.json_formats import read_lines
from watchpost.documents.mail import read_mail
from watchpost.documents.page import read_page

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FORMATS = ("rss", "atom", "rdf", "sitemap", "json", "lines", "letter", "page")
MARKUP = ("rss", "atom", "rdf")
XML = (*MARKUP, "sitemap")
JSON = ("json", "lines")
_SENTENCES = (
    "The convoy left Gao at dawn and reached the northern road before noon, officials said.",
    "Le ministère a annoncé mardi que les négociations reprendraient à Bamako après l’été.",
    "Министерство сообщило во вторник о новых переговорах с делегацией из столицы.",
    "أعلنت وزارة الخارجية يوم الثلاثاء عن محادثات جديدة مع الوفد القادم من باماكو.",
    "外交部星期二宣布与来自巴马科的代表团举行新的会谈，双方没有发表声明。",
)
_HOLE = "\N{BLACK SQUARE}"  # where the defect goes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its texts before and after the hole, its title, and a date as it is written."""

    number: int
    title: str
    before: str
    after: str
    date: str
    wrapped: bool  # whether its markup is in CDATA, or escaped

    @property
    def text(self) -> str:
        return f"{self.before} {_HOLE} {self.after}"


@dataclass(frozen=True, slots=True)
class Defect:
    """What goes into the hole, or what is done to the bytes of the entry, in the formats that can have it.

    `keeps`: what of the entry has to be left: its "id", its "title", the text "before" or "after" the hole.
    """

    name: str
    formats: tuple[str, ...]
    put: bytes = b""
    change: Callable[[bytes], bytes] | None = None
    keeps: tuple[str, ...] = ("id", "title", "before", "after")


def entries(choice: random.Random, number: int) -> list[Entry]:
    """So many sound entries."""
    made = []
    for n in range(number):
        before, after = choice.choice(_SENTENCES), choice.choice(_SENTENCES)
        title = f"{choice.choice(_SENTENCES)[:30].strip()} {n}"
        made.append(Entry(n, title, f"{before} {n}a.", f"{n}b {after}", _date(n), choice.random() < 0.5))
    return made


def _date(number: int) -> str:
    return f"Tue, 14 May 2024 08:{number:02}:00 +0000"


def rendered(kind: str, entry: Entry) -> bytes:
    """The bytes of one entry in a document of this kind, with the hole still in it."""
    n, title, text = entry.number, html.escape(entry.title, quote=False), entry.text
    written = f"<![CDATA[<p>{text}</p>]]>" if entry.wrapped else f"&lt;p&gt;{text}&lt;/p&gt;"
    match kind:
        case "rss" | "rdf":
            about = f' rdf:about="https://e.org/{n}"' if kind == "rdf" else ""
            date = "dc:date" if kind == "rdf" else "pubDate"
            made = (
                f"<item{about}><title>{title}</title><guid>https://e.org/{n}</guid><link>https://e.org/{n}</link>"
                f"<{date}>{entry.date}</{date}><description>{written}</description></item>\n"
            )
        case "atom":
            made = (
                f"<entry><title>{title}</title><id>https://e.org/{n}</id><link href='https://e.org/{n}'/>"
                f"<updated>{entry.date}</updated><content type='html'>{written}</content></entry>\n"
            )
        case "sitemap":
            made = (
                f"<url><loc>https://e.org/{n}</loc><news:news><news:publication><news:name>D</news:name>"
                f"</news:publication><news:publication_date>{entry.date}</news:publication_date>"
                f"<news:title>{title} {text}</news:title></news:news></url>\n"
            )
        case "json":
            facts = {"id": f"https://e.org/{n}", "url": f"https://e.org/{n}", "title": entry.title}
            made = json.dumps(facts | {"date_published": entry.date, "content_text": text}, ensure_ascii=False)
        case "lines":
            facts = {"id": f"https://e.org/{n}", "url": f"https://e.org/{n}", "title": entry.title}
            made = json.dumps(facts | {"published": entry.date, "body": text}, ensure_ascii=False)
        case "letter":
            made = f"{entry.title}\n\n{text}\n\n"
        case _:
            made = f"<h2>{title}</h2><p>{text}</p>\n"
    return made.encode()


def document(kind: str, parts: list[bytes]) -> bytes:
    """A document of these entries."""
    joined = b"".join(parts)
    match kind:
        case "rss":
            return (
                b"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>D</title>%s</channel></rss>"
                % joined
            )
        case "rdf":
            spaces = b"xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'"
            dc = b"xmlns:dc='http://purl.org/dc/elements/1.1/'"
            return b"<rdf:RDF %s %s><channel><title>D</title></channel>%s</rdf:RDF>" % (spaces, dc, joined)
        case "atom":
            return b"<feed xmlns='http://www.w3.org/2005/Atom'><title>D</title>%s</feed>" % joined
        case "sitemap":
            space = b"xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"
            news = b"xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'"
            return b"<urlset %s %s>%s</urlset>" % (space, news, joined)
        case "json":
            version = b'"version": "https://jsonfeed.org/version/1.1", "title": "D"'
            return b'{%s, "items": [%s]}' % (version, b",\n".join(parts))
        case "lines":
            return b"\n".join(parts) + b"\n"
        case "letter":
            head = b"Subject: D\r\nFrom: d@e.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            return head + joined
    return b"<html><head><title>D</title></head><body><article>%s</article></body></html>" % joined


def drafts(kind: str, data: bytes) -> list[EntryDraft]:
    """What is read of a document: the drafts of its entries, or of a letter and a page the one draft."""
    match kind:
        case "lines":
            return [replace(draft, title=draft.title) for draft, _ in read_lines(data, NOW).drafts]
        case "letter":
            return [read_mail(data, NOW)]
        case "page":
            return [read_page(data, NOW)]
    return list(read_feed(data, now=NOW, url="https://e.org/f").drafts)


def broken(kind: str, entry: Entry, defect: Defect) -> bytes:
    """The bytes of one entry with the defect in it."""
    made = rendered(kind, entry).replace(_HOLE.encode(), defect.put)
    return defect.change(made) if defect.change is not None else made


def sound(kind: str, entry: Entry) -> bytes:
    """The bytes of one entry without any."""
    return rendered(kind, entry).replace(_HOLE.encode(), b"and")


def _swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda entry: entry.replace(old, new, 1)


def _date_is(new: str) -> Callable[[bytes], bytes]:
    def change(entry: bytes) -> bytes:
        start = entry.index(b"Tue, 14 May 2024")
        return entry[:start] + new.encode() + entry[start + len(_date(0)) :]

    return change


_PICTURE = b"<img src='data:image/png;base64," + base64.b64encode(bytes(60_000)) + b"'>"
_ALL, _TEXTS, _FEEDS = FORMATS, (*MARKUP, "page"), (*XML, *JSON)
_DATED = (*XML, *JSON)
CATALOGUE = (
    # Bytes
    Defect("a letter that is cut after its first byte", _ALL, "М".encode()[:1]),
    Defect("a letter that is cut after its second byte", _ALL, "外".encode()[:2]),
    Defect("a byte that no text has", _ALL, b"\xff"),
    Defect("a half of a letter alone", _ALL, b"\x80"),
    Defect("a word in cp1252", _ALL, b"caf\xe9s"),
    Defect("a quotation in cp1252", _ALL, b"\x93so\x94"),
    Defect("a word in windows-1251", _ALL, "Мали".encode("cp1251")),
    Defect("an overlong slash", _ALL, b"\xc0\xaf"),
    Defect("a surrogate in UTF-8", _ALL, b"\xed\xa0\xbd\xed\xb8\x80"),
    Defect("a byte-order mark within", _ALL, b"\xef\xbb\xbf"),
    Defect("a NUL", _ALL, b"\0"),
    # Control characters
    Defect("a start of heading", _ALL, b"\x01"),
    Defect("a vertical tab", _ALL, b"\x0b"),
    Defect("an escape", _ALL, b"\x1b"),
    Defect("a delete", _ALL, b"\x7f"),
    Defect("no character", _ALL, "\ufffe".encode()),
    Defect("a next line", _ALL, "\x85".encode()),
    Defect("a mark that reorders", _ALL, "\u202e".encode()),
    # Entities
    Defect("a bare ampersand", _ALL, b"A&B & C"),
    Defect("an entity of HTML", _ALL, b"&eacute;"),
    Defect("an entity that nobody knows", _ALL, b"&nosuch;"),
    Defect("an entity without its end", _ALL, b"&amp and &eacute"),
    Defect("a reference to a NUL", _ALL, b"&#0;"),
    Defect("a reference to a control character", _ALL, b"&#x1F;"),
    Defect("a reference beyond all characters", _ALL, b"&#9999999;"),
    Defect("references to two surrogates", _ALL, b"&#55357;&#56832;"),
    # Tags
    Defect("a line break without its end", _ALL, b"<br>"),
    Defect("a tag without its end", _ALL, b"<b>bold"),
    Defect("an end without its tag", _ALL, b"</b>"),
    Defect("tags that cross", _ALL, b"<b>one <i>two</b> three</i>"),
    Defect("a bare bracket", _ALL, b"5 < 6"),
    Defect("a heart", _ALL, b"<3"),
    Defect("an attribute without quotes", _ALL, b"<p class=x>one</p>"),
    Defect("an attribute that comes twice", _ALL, b"<p a='1' a='2'>one</p>"),
    Defect("a stray end of CDATA", XML, b"]]>"),
    Defect("CDATA in CDATA", XML, b"<![CDATA[inner]]>"),
    Defect("a prefix that nobody declared", _ALL, b"<x:y>one</x:y>"),
    Defect("a picture within", _ALL, _PICTURE),
    Defect("a tag of many attributes", _ALL, b"<p " + b" ".join(b"a%d='1'" % n for n in range(6000)) + b">one</p>"),
    Defect("many tags that nobody closes", (*MARKUP, "page"), b"<font size=2>x " * 400),
    Defect("a comment", _ALL, b"<!-- hidden -->"),
    Defect("CDATA without its end", MARKUP, change=_swap(b"]]>", b"")),
    Defect("a title without its end", MARKUP, change=_swap(b"</title>", b""), keeps=("id", "before", "after")),
    Defect("a text without its end", ("rss", "rdf"), change=_swap(b"</description>", b"")),
    Defect("an entry without its end", ("rss", "rdf"), change=_swap(b"</item>", b"")),
    Defect("an Atom entry without its end", ("atom",), change=_swap(b"</entry>", b"")),
    Defect("an entry that ends twice", ("rss", "rdf"), change=_swap(b"</item>", b"</item></item>")),
    Defect("a title of another vocabulary", ("rss", "rdf"), change=_swap(b"<title>", b"<x:title>S</x:title><title>")),
    Defect("an id that is empty", ("rss", "rdf"), change=_swap(b"<guid>https:", b"<guid></guid><guid>https:")),
    # Dates
    Defect("a zone that nobody knows", _DATED, change=_date_is("Tue, 14 May 2024 08:00:00 XYZ")),
    Defect("a region for a zone", _DATED, change=_date_is("Tue, 14 May 2024 08:00:00 Africa/Bamako")),
    Defect("midnight at the end of a day", _DATED, change=_date_is("Tue, 14 May 2024 24:00:00 GMT")),
    Defect("a date that is none", _DATED, change=_date_is("yesterday")),
    Defect("a date that is empty", _DATED, change=_date_is("")),
    Defect("a date without end", _DATED, change=_date_is("1" * 5000)),
    # Lengths
    Defect("a word without end", _ALL, b"x" * 100_000),
    Defect("many line breaks", (*MARKUP, "page", "letter"), b"\n" * 5000),
    Defect("many blanks", _ALL, b" " * 50_000),
    # JSON
    Defect("a line break in a string", ("json",), b"one\ntwo"),
    Defect("a tab in a string", JSON, b"one\ttwo"),
    Defect("an escape that is none", JSON, b"C:\\Mali \\x"),
    Defect("half a surrogate pair", JSON, b"\\ud83d"),
    Defect("a comma too many", JSON, change=lambda entry: entry[:-1] + b",}"),
    Defect("a comma too few", ("json",), change=_swap(b'", "url"', b'" "url"')),
    Defect("a quotation mark within", ("json",), b'a "word" of it', keeps=("id", "title", "before")),
    Defect("a string without its end", ("json",), change=lambda entry: entry[:-2] + b"}", keeps=("id", "title")),
    Defect("a value that is none", ("json",), change=lambda entry: entry[:-1] + b', "x": NaN5}'),
)  # fmt: skip
