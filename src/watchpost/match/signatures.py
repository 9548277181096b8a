"""Pure: Article → Signature: hashed shingles of its folded words, its figures, its day, its voice.

Sketches of the smallest hashes: A. Broder, "On the resemblance and containment of documents" (1997). Words are
folded as the query language folds them, so soft hyphens, look-alike letters, accents and case make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from xxhash import xxh3_64_intdigest

from watchpost.documents.figures import FIGURE, figures
from watchpost.documents.shingles import shingles
from watchpost.model import DIGITS, SKETCH, Article, Signature, derive_id
from watchpost.query.document import Document, Index
from watchpost.query.words import folded_text, is_unspaced

# Credit lines are the author, the dateline at the beginning of the text, and a short last line. The text between is
# not searched for agencies: "AFP learned" is another paper's report about what AFP says.

# The names under which agencies sign, in the scripts of their customers. Order decides if two stand in one line.
_AGENCIES: tuple[tuple[str, str], ...] = (
    ("AFP", r"AFP|Agence France[- ]Presse|Агентство Франс Пресс|АФП|فرانس برس|أ\s?ف\s?ب|法新社|AFP通信|AFP時事"),
    ("Reuters", r"Reuters|REUTERS|Рейтер|رويترز|路透社|ロイター|로이터"),
    ("AP", r"AP|Associated Press|The Associated Press|أسوشيتد برس|美联社|AP通信"),
    ("TASS", r"TASS|ITAR-TASS|ТАСС|ИТАР-ТАСС|تاس|塔斯社|タス通信"),
    ("RIA Novosti", r"RIA Novosti|РИА Новости|RIA"),
    ("Interfax", r"Interfax|Интерфакс"),
    ("Sputnik", r"Sputnik|Спутник|سبوتنيك"),
    ("Xinhua", r"Xinhua|XINHUA|新华社|新華社|Синьхуа|شينخوا"),
    ("dpa", r"dpa|DPA|Deutsche Presse-Agentur"),
    ("EFE", r"EFE|Agencia EFE"),
    ("ANSA", r"ANSA"),
    ("Lusa", r"Lusa|LUSA|Agência Lusa"),
    ("Anadolu", r"AA|Anadolu(?: Agency| Ajansı)?|الأناضول"),
    ("Kyodo", r"Kyodo|共同通信|共同社"),
    ("Yonhap", r"Yonhap|연합뉴스"),
    ("PTI", r"PTI"),
    ("ANP", r"ANP"),
    ("Belga", r"Belga|BELGA"),
    ("Keystone-ATS", r"Keystone-ATS|ATS|Keystone-SDA"),
    ("APA", r"APA"),
    ("PAP", r"PAP"),
    ("NTB", r"NTB"),
    ("Ritzau", r"Ritzau"),
    ("APS", r"APS"),
    ("AMAP", r"AMAP"),
    ("PANA", r"PANA|Panapress"),
    ("QNA", r"QNA|قنا"),
    ("WAM", r"WAM|وام"),
    ("MENA", r"MENA|أ ش أ"),
)
_NAMES = "|".join(names for _, names in _AGENCIES)
_BY_NAME = [(agency, re.compile(rf"(?:{names})")) for agency, names in _AGENCIES]

# "PARIS (AFP) –", "BAMAKO, 24 nov. (Reuters) -", "МОСКВА, 5 сентября. /ТАСС/"; "МОСКВА, 5 сен — РИА Новости. ";
# "新华社巴马科11月24日电"
_BRACKETED = re.compile(rf"^.{{0,80}}?[(（\[/【]\s*(?P<name>{_NAMES})(?:[\s/,.\-–—][^)）\]/】]{{0,30}})?\s*[)）\]/】]")
_DASHED = re.compile(
    rf"^.{{0,60}}?(?:^|[\s,.:–—-])(?P<name>{_NAMES})\s*(?:[-–—:]|\.\s*[-–—])\s"
    rf"|^.{{0,60}}?[-–—]\s*(?P<closed>{_NAMES})\.\s"
)
_WIRE = re.compile(r"^(?P<name>新华社|新華社|法新社|路透社|美联社|塔斯社|共同社)\S{0,20}?(?:电|電|讯|訊)")
# "(AFP)", "© AFP", "avec AFP", "Source: Reuters", "По материалам ТАСС", "With reporting by AP"; a line of its own.
_SIGNED = re.compile(rf"(?<!\w)(?P<name>{_NAMES})(?!\w)")
_LONGEST_SIGNATURE = 70
_LEAD_WORDS = re.compile(r"\w+")


def voice(article: Article) -> tuple[str, bool]:
    """The voice of an article, and whether it is an agency that the article credits.

    "AFP" for every text that comes from AFP; without a credit line the outlet, or the source if that is unknown.
    """
    for line in _credit_lines(article):
        agency = _agency(line)
        if agency:
            return agency, True
    return article.outlet or article.source, False


def _credit_lines(article: Article) -> list[str]:
    paragraphs = [line.strip() for line in article.body.split("\n") if line.strip()]
    found = [article.author]
    for paragraph in paragraphs[:3]:  # a caption or a kicker may be above the dateline
        datelines = (form.match(paragraph[:140]) for form in (_BRACKETED, _WIRE, _DASHED))
        found += [next(filter(None, match.groups())) for match in datelines if match]
    if len(paragraphs) > 1:
        found += [line for line in paragraphs[-3:] if len(line) <= _LONGEST_SIGNATURE]
        found.append(_closing_brackets(paragraphs[-1]))
    return [line for line in found if line]


def _closing_brackets(paragraph: str) -> str:
    """The text in brackets at the very end: "… said the minister. (Reuters)"."""
    match = re.search(r"[(（\[]([^()（）\[\]]{2,40})[)）\]]\s*\.?$", paragraph)
    return match[1] if match else ""


def _agency(line: str) -> str:
    signed = _SIGNED.search(line) or re.fullmatch(rf"(?P<name>{_NAMES})", line)
    if not signed or len(_LEAD_WORDS.findall(line)) > 10:
        return ""
    return next((agency for agency, names in _BY_NAME if names.fullmatch(signed["name"])), "")


SKETCHED_WORDS = 25
"""Texts of fewer words are the same only under the same headline: "Live updates follow" is no story."""

EXACT_WORDS = 100
"""From this length on a text is the same under any headline, because teasers and disclaimers are shorter."""

LEAD_WORDS = 40
"""So many content words from the beginning of a text are compared with another text's headline."""

OPENING_WORDS = 30
OPENING = 8
WORD_DIGITS = 4
"""A word's hash in hex: one pair of different words in 65,536 is taken for the same."""

_SHORTEST_WORD, _SHORTEST_ARABIC = 5, 3  # "with", "from", "dans" stand under every headline
_CACHED = 40  # letters; longer ones are hardly words
_STEM = 5  # letters: "гонец" and "гонца" differ, most forms do not
_ARABIC_PREFIX = re.compile("^[وف]?(?:[بكل]?ال|لل)(?=..)")  # and, so, in, like, for, the


def signature(article: Article, document: Document | None = None) -> Signature:
    """What stories compare of an article. It is the same on every machine.

    `document` is the article as queries saw it, if that is at hand: its words need not be folded again.
    """
    index = text_of(article, document)  # decoded: many feeds leave &eacute; in the middle of a word
    words = index.folded
    hashes = shingles(words) if len(words) >= SKETCHED_WORDS else []
    spoken, credited = voice(article)
    outlet = _name(article.outlet or article.source)
    title, entry = folded_text(article.title), _entry_of(article, document)
    return Signature(
        article=article.id,
        story=story_of(article),
        exact=_exact(article, title, words),
        sketch=tuple(f"{value:0{DIGITS}x}" for value in hashes[:SKETCH]),
        whole=len(hashes) <= SKETCH,
        outlet=outlet,
        voice=spoken if credited else outlet,
        credited=credited,
        day=int((article.published or article.fetched).timestamp() * 1000),
        series=derive_id("series", folded_text(FIGURE.sub(" ", article.title)))[:DIGITS],
        numbers=figures(article.title),
        figures=figures_of(article, index),
        size=len(hashes),
        headline=_content_words(title.split(), LEAD_WORDS),
        lead=_content_words(words, LEAD_WORDS),
        opening=tuple(f"{value:0{DIGITS}x}" for value in shingles(words[:OPENING_WORDS])[:OPENING]),
        page=next((_page(mark, title) for mark in article.fingerprints if title and mark.startswith("url:")), ""),
        siblings=derive_id("siblings", article.source, outlet, title)[:DIGITS],
        words=derive_id("words", entry, " ".join(words))[:DIGITS],
        entry=derive_id("entry", entry)[:DIGITS] if entry else "",
    )


def text_of(article: Article, document: Document | None = None) -> Index:
    """The words of the article's text, or of its summary if it has no text."""
    if document is None:
        return Index(article.body or article.summary)
    return document.index("body" if article.body else "summary")


def figures_of(article: Article, text: Index) -> tuple[str, ...]:
    """The figures of headline and text, in reading order."""
    return figures(f"{article.title}\n{text.decoded}")


def _content_words(words: Iterable[str], most: int) -> tuple[str, ...]:
    """Short hashes of the stems of the first `most` content words, each once."""
    found: dict[str, None] = {}
    for word in words:
        for value in _hashes_of(word) if len(word) <= _CACHED else _hashes_of.__wrapped__(word):
            found[value] = None
            if len(found) == most:
                return tuple(found)
    return tuple(found)


@lru_cache(16_384)  # most words of an article are in many others
def _hashes_of(word: str) -> tuple[str, ...]:
    digests = (xxh3_64_intdigest(stem.encode("utf-8", "replace")) >> 64 - 4 * WORD_DIGITS for stem in _stems(word))
    return tuple(f"{digest:0{WORD_DIGITS}x}" for digest in digests)


def _stems(word: str) -> Sequence[str]:
    """The stem of a word; pairs of letters in scripts without spaces; nothing for a short word."""
    if is_unspaced(word[0]):
        return [word[at : at + 2] for at in range(max(1, len(word) - 1))]
    bare = _ARABIC_PREFIX.sub("", word)
    shortest = _SHORTEST_ARABIC if "\u0600" <= word[0] <= "\u06ff" else _SHORTEST_WORD
    return [bare[:_STEM]] if len(bare) >= shortest and not word.isdigit() else []


def story_of(article: Article) -> str:
    """The id of the story that the article opens: from its address, headline and text, or from its own id.

    Without the text, bulletins that replace each other at one address would be one story.
    """
    if not article.fingerprints:
        return derive_id("story", article.id)
    title = folded_text(article.title)
    return derive_id("story", article.fingerprints[0], title, article.summary, article.body, article.entry)


def _entry_of(article: Article, document: Document | None) -> str:
    """What the feed says beside the text: a digest of its own text, or the folded words of the summary."""
    if article.entry or not article.summary or not article.body:
        return article.entry
    return " ".join((Index(article.summary) if document is None else document.index("summary")).folded)


def _exact(article: Article, title: str, words: list[str]) -> tuple[str, ...]:
    """Keys of which one in common is enough: the article, and its address or text under the same headline."""
    keys = [f"article:{article.id}", *([f"article:{article.revises}"] if article.revises else [])]
    text = derive_id("body", " ".join(words))[:24] if words else ""
    for mark in article.fingerprints:
        if not mark.startswith("url:"):
            keys.append(mark)
            continue
        keys += [_page(mark, title)] if title else []
        keys += [derive_id("page", mark, text)[:24]] if text else []
    if len(words) >= EXACT_WORDS:
        keys.append("body:" + text)
    if words:
        keys.append("short:" + derive_id("short", title, " ".join(words))[:24])
    return tuple(keys)


def _page(mark: str, title: str) -> str:
    return derive_id("page", mark, f"title {title}")[:24]


def _name(outlet: str) -> str:
    return " ".join(outlet.split())
