"""Pure: which new entry of a feed is a known one under another id.

Some systems make an entry's id and address from its headline, so that an edited headline makes another entry. One that
appears while a known one vanishes is taken for the same article if the text is the same apart from small edits, the
headlines are alike, and it has the date or the place of the one that vanished. A document that lists both proves that
they are two; one that is cut off, or lists changes only, proves nothing.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watchpost.documents.figures import figures
from watchpost.documents.results import EntryHead
from watchpost.documents.shingles import shingles
from watchpost.model import Article, derive_id
from watchpost.query.words import folded_text, is_unspaced

MOST = 12
"""So many entries of a feed are known by their text: the last ones that became articles."""

WORDS = 150
"""So many words from the beginning of a text are compared."""

SMALL_EDITS, SMALLEST_EDITS = 0.6, 0.8
"""The share of the longer text that the other one has, at the same date, and at the same place.

Texts are compared by shingles, short ones by their words: one edit breaks three shingles.
"""

WITH_TEXT = 10
"""Where the date differs, texts of fewer words show nothing: "Live updates follow"."""

SOON = timedelta(minutes=10)
ANOTHER_DAY = timedelta(hours=18)

_SKETCH = 24
_SHORT, _LONG = 25, 40  # words: shorter texts have no shingles, longer ones no words; an edit may lead over one limit
_HASH_BYTES, _SHIFT = 4, 16  # 32 of the 48 bits of a hash are enough for one feed
_TITLE = 300
_NEVER = datetime.min.replace(tzinfo=UTC)
_MARK = 8  # characters of an id that tell the entries of one document apart
_STEM = 5  # letters: "retakes" and "retaken" are one word
_SHORTEST, _SHORTEST_CONTENT = 3, 5  # letters; "with" and "from" are in every text
_TEXT_CHARACTERS = 12 * WORDS


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that became an article, as the last document listed it.

    `dated_alone`: no other entry of the document has its date. `before` and `after` are the first characters of its
    neighbours' ids, "" at the ends. Of its text there are the number of words, the smallest shingles and whether these
    are all (none of a short text), the hashes of its words (none of a long text), a digest, and one of its figures.
    """

    id: str
    title: str
    published: datetime | None
    dated_alone: bool
    before: str
    after: str
    size: int
    whole: bool
    sketch: tuple[int, ...]
    words: tuple[int, ...]
    text: str
    figures: str


class Listed:
    """The entries of one document: where each of them is, and which dates they have."""

    def __init__(self, heads: Sequence[EntryHead]) -> None:
        self._heads = heads
        self._places = {head.id: place for place, head in enumerate(heads)}
        self._dates = Counter(head.published for head in heads)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._places

    def known(self, id_: str, article: Article) -> KnownEntry:
        """What is kept of the entry that became this article."""
        text = article.body or article.summary
        words = folded_text(text[:_TEXT_CHARACTERS]).split()[:WORDS]
        hashes = [value >> _SHIFT for value in shingles(words)] if len(words) >= _SHORT else []
        entry = KnownEntry(
            id=id_,
            title=article.title[:_TITLE],
            published=None,
            dated_alone=False,
            before="",
            after="",
            size=len(words),
            whole=len(hashes) <= _SKETCH,
            sketch=tuple(hashes[:_SKETCH]),
            words=tuple(sorted({_hash_of(word) for word in words})) if len(words) < _LONG else (),
            text=derive_id("words", " ".join(words))[:_MARK],
            figures=derive_id("figures", *figures(text[:_TEXT_CHARACTERS]))[:_MARK],
        )
        return self.placed(entry)

    def placed(self, entry: KnownEntry) -> KnownEntry:
        """The entry with the date and the place that it has in this document."""
        place = self._places[entry.id]
        published = self._heads[place].published
        return replace(
            entry,
            published=published,
            dated_alone=published is not None and self._dates[published] == 1,
            before=self._heads[place - 1].id[:_MARK] if place else "",
            after=self._heads[place + 1].id[:_MARK] if place + 1 < len(self._heads) else "",
        )


class Succession:
    """What one document changes in the entries of a feed that are known.

    `stored` is what `kept` returned last. `heads` are all entries of the document, `articles` those that were made of
    its new entries and changed headlines. `whole`: the document lists everything that the feed has. Afterwards
    `articles` has them again; each that is a known entry under another id revises that one.
    """

    def __init__(self, stored: str, heads: Sequence[EntryHead], articles: Sequence[Article], *, whole: bool) -> None:
        self._stored = stored
        self._known = read(stored)
        self._listed = _Listed(heads)
        self._whole = whole
        self._entries = {article.id: self._entry(article) for article in articles}
        replaced = self._replaced(articles) if whole else {}
        self.articles = tuple(
            replace(article, revises=replaced[article.id]) if article.id in replaced else article
            for article in articles
        )

    def kept(self, committed: Sequence[Article], *, unfinished: bool) -> str:
        """What to keep for the next visit. `unfinished`: others of the articles wait for it, and may yet replace."""
        new = [self._entries[article.id] for article in committed]
        new.sort(key=lambda entry: entry.published or _NEVER, reverse=True)  # those without a date stay in their order
        known = [entry for entry in self._known if entry.id not in {each.id for each in new}]
        if self._whole:
            replaced = {article.revises for article in committed}
            known = [
                self._listed.placed(entry) if entry.id in self._listed else entry
                for entry in known
                if entry.id in self._listed or (unfinished and entry.id not in replaced)
            ]
        return write((*new, *known)[:MOST])

    def _entry(self, article: Article) -> KnownEntry:
        """What is known of the entry that an article was made of."""
        text = article.body or article.summary
        words = folded_text(text[:_TEXT_CHARACTERS]).split()[:WORDS]
        hashes = [value >> _SHIFT for value in shingles(words)] if len(words) >= _SHORT else []
        entry = KnownEntry(
            id=article.id if article.id in self._listed else article.revises,
            title=article.title[:_TITLE],
            published=None,
            dated_alone=False,
            before="",
            after="",
            size=len(words),
            whole=len(hashes) <= _SKETCH,
            sketch=tuple(hashes[:_SKETCH]),
            words=tuple(sorted({_hash_of(word) for word in words})) if len(words) < _LONG else (),
            text=derive_id("words", " ".join(words))[:_MARK],
            figures=derive_id("figures", *figures(text[:_TEXT_CHARACTERS]))[:_MARK],
        )
        return self._listed.placed(entry)

    def _replaced(self, articles: Sequence[Article]) -> Mapping[str, str]:
        """For each article that is a known entry under another id: the id of that entry."""
        vanished = [entry for entry in self._known if entry.id not in self._listed]
        known, found = {entry.id for entry in self._known}, dict[str, str]()
        for article in articles if vanished else ():
            entry = self._entries[article.id]
            if entry.id != article.id or entry.id in known:  # another headline where it is
                continue
            others = [each for each in (*self._known, *self._entries.values()) if each.id != entry.id]
            fitting = [
                old for old in vanished if old.id not in found.values() and _replaces(entry, old, article, others)
            ]
            if fitting:
                found[article.id] = max(fitting, key=lambda old: _share(entry, old)).id
        return found


class _Listed:
    """The entries of one document: where each of them is, and which dates they have."""

    def __init__(self, heads: Sequence[EntryHead]) -> None:
        self._heads = heads
        self._places = {head.id: place for place, head in enumerate(heads)}
        self._dates = Counter(head.published for head in heads)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._places

    def placed(self, entry: KnownEntry) -> KnownEntry:
        """The entry with the date and the place that it has in this document."""
        place = self._places[entry.id]
        published = self._heads[place].published
        return replace(
            entry,
            published=published,
            dated_alone=published is not None and self._dates[published] == 1,
            before=self._heads[place - 1].id[:_MARK] if place else "",
            after=self._heads[place + 1].id[:_MARK] if place + 1 < len(self._heads) else "",
        )


def _replaces(new: KnownEntry, old: KnownEntry, article: Article, others: Sequence[KnownEntry]) -> bool:
    """Whether the new entry is the vanished one. `others` are all other entries that are known, `old` among them."""
    share = _share(new, old)
    is_own = not any(_share(new, other) >= SMALL_EDITS for other in others if other.id != old.id)
    if new.text != old.text and folded_text(new.title) == folded_text(old.title):
        return is_own and _is_edited(new, old, share)
    alike = _are_alike(new.title, old.title)
    if new.published is not None and new.published == old.published and new.dated_alone and old.dated_alone:
        if _is_day(new.published) and not _same_figures(new.title, old.title):
            return False
        if not new.size and not old.size:
            return alike
        return share >= SMALL_EDITS and (alike or (is_own and _takes_up(article, new.title, old.title, least=2)))
    if not alike or not is_own or not _is_in_place(new, old) or not _same_figures(new.title, old.title):
        return False
    between = abs(new.published - old.published) if new.published and old.published else None
    if new.text == old.text and new.size >= WITH_TEXT and _takes_up(article, new.title, old.title, least=1):
        return between is None or between < ANOTHER_DAY
    return between is not None and between <= SOON and share >= SMALLEST_EDITS and new.figures == old.figures


def _is_edited(new: KnownEntry, old: KnownEntry, share: float) -> bool:
    """Whether an entry with the same headline is the old one, edited. Its id does not follow the headline.

    Bulletins replace each other in this way, too: so the date must be the same to the second, no other entry of the
    document may have it, and one that is listed alone shows nothing.
    """
    if new.published is None or new.published != old.published or _is_day(new.published):
        return False
    if not (new.dated_alone and old.dated_alone and (new.before or new.after)):
        return False
    return share >= SMALLEST_EDITS and new.figures == old.figures


def _share(one: KnownEntry, other: KnownEntry) -> float:
    """The share of the longer text that the other one has, too, as far as the sketches tell."""
    if not one.sketch or not other.sketch:
        return _in_common(one.words, other.words)
    ends = [entry.sketch[-1] for entry in (one, other) if not entry.whole]
    mine, theirs = ([value for value in each.sketch if value <= min(ends, default=value)] for each in (one, other))
    return _in_common(mine, theirs)


def _in_common(one: Sequence[int], other: Sequence[int]) -> float:
    return len({*one} & {*other}) / max(len(one), len(other), 1)


def _hash_of(word: str) -> int:
    return int(derive_id("word", word)[: 2 * _HASH_BYTES], 16)


def _are_alike(one: str, other: str) -> bool:
    """Whether half of the shorter headline's words are in the other one, two at least."""
    mine, theirs = (set(_stems(title, _SHORTEST)) for title in (one, other))
    shared, fewest = len(mine & theirs), min(len(mine), len(theirs))
    return fewest > 0 and shared * 2 >= fewest and shared >= min(2, fewest)


def _takes_up(article: Article, *titles: str, least: int) -> bool:
    """Whether the text has half of each headline's content words, and `least` of them: then it is no teaser."""
    text = {*_stems((article.body or article.summary)[:_TEXT_CHARACTERS], _SHORTEST_CONTENT)}
    stems = [set(_stems(title, _SHORTEST_CONTENT)) for title in titles]
    return all(len(title & text) >= max(least, len(title) / 2) for title in stems)


def _stems(text: str, shortest: int) -> Iterator[str]:
    """The beginnings of the words that have so many letters; signs of scripts without spaces."""
    for word in folded_text(text).split():
        if len(word) >= shortest or is_unspaced(word[0]):
            yield word[:_STEM]


def _is_in_place(new: KnownEntry, old: KnownEntry) -> bool:
    """Whether the new entry has a neighbour that the vanished one had."""
    return (new.before == old.before != "") or (new.after == old.after != "")


def _is_day(moment: datetime) -> bool:
    """Whether the date names no time: so are those of feeds that give days."""
    return moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _same_figures(one: str, other: str) -> bool:
    return set(figures(one)) == set(figures(other))


def write(entries: Sequence[KnownEntry]) -> str:
    """The entries as text for the store."""
    rows = [
        (
            entry.id,
            entry.title,
            entry.published.timestamp() if entry.published else None,
            int(entry.dated_alone),
            entry.before,
            entry.after,
            entry.size,
            int(entry.whole),
            _packed(entry.sketch),
            _packed(entry.words),
            entry.text,
            entry.figures,
        )
        for entry in entries
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")) if rows else ""


def read(text: str) -> tuple[KnownEntry, ...]:
    """The entries that `write` was given; none for any other text."""
    try:
        return tuple(_entry(row) for row in json.loads(text)) if text else ()
    except (ValueError, TypeError, OverflowError, OSError):
        return ()


def _entry(row: Any) -> KnownEntry:
    id_, title, published, dated_alone, before, after, size, whole, sketch, words, digest, of_figures = row
    return KnownEntry(
        str(id_),
        str(title),
        None if published is None else datetime.fromtimestamp(float(published), UTC),
        bool(dated_alone),
        str(before),
        str(after),
        int(size),
        bool(whole),
        _unpacked(str(sketch)),
        _unpacked(str(words)),
        str(digest),
        str(of_figures),
    )


def _packed(hashes: Sequence[int]) -> str:
    return base64.b64encode(b"".join(value.to_bytes(_HASH_BYTES, "big") for value in hashes)).decode()


def _unpacked(text: str) -> tuple[int, ...]:
    raw = base64.b64decode(text)
    return tuple(int.from_bytes(raw[at : at + _HASH_BYTES], "big") for at in range(0, len(raw), _HASH_BYTES))
