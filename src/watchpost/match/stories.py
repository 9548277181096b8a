"""Pure: which story an article belongs to.

A story is one text and its copies: the same address, the same words, or so many shingles in common that one was
made from the other. Texts of a series (the bulletin of each day) share their frame, but not their story. Nor do
entries that one feed publishes under one headline with ids and texts of their own, even at one address.
The service decides in the store, by store/scripts/shared/stories.lua. `Shelf` decides by the same rules in memory, for
`watchpost match`; change both. One contract suite holds the two together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchpost.model import WINDOW, Signature, Verdict

CONTAINED = 0.45
"""The share of the smaller sketch's hashes that two texts of one story have in common at least."""

COPIED = 0.6
"""From this share on a text without a credit line has the voice of the text that it copies."""

LEAST_SHARED = 8
"""Fewer hashes in common are no evidence."""

FEW, CONTAINED_OF_FEW = 40, 0.6
"""Where the smaller one has less than `FEW` hashes to compare, more of them must be in common."""

EDITION = 0.8
"""If an outlet publishes a text on another day, less than this in common makes it the next bulletin."""

BEYOND_BOILERPLATE = 95
"""So many shingles in common are more than teasers, subscription lines and disclaimers have: a text of its own."""

MOST_BOILERPLATE = 190
"""Below that it is boilerplate, too, if each headline is about the part that the texts do not share."""

WITNESSES = 2
"""So many words of a headline at the beginning of the other text show that both are about the same."""

NOTHING_OWN = 0.95
"""From this share on the shorter text is a part of the other one."""

NEARLY_ALL, SAME_OPENING = 0.8, 0.4
"""Below that: the share of the shorter text that must be in the other one, or how alike both must begin."""

OWN_COPY = 0.85
"""An outlet prints its own text again under another headline only if it has hardly changed.

The same goes for another entry of a feed under the same headline."""

ANOTHER_DAY_MS = 18 * 3_600_000
SAME_FIGURES = 0.5
FEWEST_FIGURES = 3
INDEXED = 24
"""So many of a sketch's smallest hashes are looked up."""

COMMON = 64
"""A hash that is in more stories is not used to find one."""

BOILERPLATE = 4
"""What is in so many stories is the outlets' boilerplate, not their text."""

CANDIDATES = 8
TEXTS = 8
"""So many texts of a story are compared: its first ones and its last one."""

SIBLINGS = 8
"""So many texts of one source under one headline are known in a story word for word."""


@dataclass(slots=True)
class _Text:
    signature: Signature
    voice: str
    seen: datetime


@dataclass(slots=True)
class _Story:
    opened: Signature
    texts: list[_Text] = field(default_factory=list)
    siblings: dict[str, list[str]] = field(default_factory=dict)  # the words of each source's texts under a headline


class Shelf:
    """The stories of the last `window`, in memory."""

    def __init__(self, window: timedelta = WINDOW) -> None:
        self._window = window
        self._stories: dict[str, _Story] = {}
        self._exact: dict[str, tuple[str, str, datetime]] = {}
        self._index: dict[str, dict[str, datetime]] = {}
        self._bulletins: dict[str, datetime] = {}  # keys of pages under which a feed has published several texts

    def decide(self, signature: Signature, now: datetime) -> Verdict:
        """The article's story, which now includes the article. The same article always gets the same story."""
        since = now - self._window
        noted = self._bulletins.get(signature.page)
        is_series = noted is not None and noted > since
        known, is_series = self._known(signature, is_series, now, since)
        if known:
            verdict = Verdict(known[0], signature.voice if signature.credited else known[1], False)
        else:
            verdict = self._nearest(signature, is_series, since) or Verdict(signature.story, signature.voice, True)
        self._keep(signature, verdict, now, since)
        return verdict

    def _known(
        self, signature: Signature, is_series: bool, now: datetime, since: datetime
    ) -> tuple[tuple[str, str, datetime] | None, bool]:
        """The story, the voice and the last use of the first key that is known, or None; whether its page is a series.

        Under the page of a series a feed publishes one text after the other; there the text decides.
        """
        for key in signature.exact:
            found = self._exact.get(key)
            if not found or found[2] <= since:
                continue
            if key.startswith("article:"):
                return found, is_series
            if key == signature.page and is_series:
                continue
            if not self._holds_another(found[0], signature, is_series, since):
                return found, is_series
            if key == signature.page:
                self._bulletins[key], is_series = now, True
        return None, is_series

    def _holds_another(self, story: str, signature: Signature, is_series: bool, since: datetime) -> bool:
        """Whether the story has another entry of the same source under the same headline, with a text of its own.

        Of a series, also whether another text opened it.
        """
        kept = self._stories[story]
        words = kept.siblings.get(signature.siblings)
        is_known = words is None or signature.words in words
        if is_known and (not is_series or kept.opened.words == signature.words):
            return False
        return not any(
            text.seen > since
            and (
                text.signature.siblings == signature.siblings
                or (is_series and text.signature.article == kept.opened.article)
            )
            and hardly_changed(signature, text.signature)
            for text in kept.texts
        )

    def _nearest(self, signature: Signature, is_series: bool, since: datetime) -> Verdict | None:
        holders = [
            {story for story, seen in self._index.get(value, {}).items() if seen > since}
            for value in signature.sketch[:INDEXED]
        ]
        counts = Counter(story for stories in holders if len(stories) < COMMON for story in stories)
        best: tuple[float, str, str] | None = None
        for story in sorted(counts, key=lambda story: (-counts[story], story))[:CANDIDATES]:
            if self._holds_another(story, signature, is_series, since):
                continue
            boilerplate = boilerplate_share(story, holders)
            for text in self._stories[story].texts:
                if text.seen > since:
                    share = contained(signature, text.signature, boilerplate)
                    if share > (best[0] if best else 0.0) and joins(signature, text.signature, share):
                        best = (share, story, text.voice)
        if best is None:
            return None
        copy = best[0] >= COPIED and not signature.credited
        return Verdict(best[1], best[2] if copy else signature.voice, False)

    def _keep(self, signature: Signature, verdict: Verdict, now: datetime, since: datetime) -> None:
        before = self._exact.get(signature.exact[0])  # the article's own key
        again = before is not None and before[2] > since
        for key in signature.exact:
            self._exact[key] = (verdict.story, verdict.voice, now)
        story = self._stories.setdefault(verdict.story, _Story(signature))
        if again:
            return
        words = story.siblings.setdefault(signature.siblings, [])
        story.siblings[signature.siblings] = [signature.words, *(each for each in words if each != signature.words)][
            :SIBLINGS
        ]
        if not signature.sketch:
            return
        kept = next((n for n, text in enumerate(story.texts) if text.seen <= since), len(story.texts))
        at = min(kept, TEXTS - 1)
        story.texts[at : at + 1] = [_Text(signature, verdict.voice, now)]
        for value in signature.sketch[:INDEXED]:
            self._index.setdefault(value, {})[verdict.story] = now


def boilerplate_share(story: str, holders: Sequence[Set[str]]) -> float:
    """The share of the story's hashes that are in `BOILERPLATE` or more stories. `holders`: those of each hash."""
    held = [len(stories) for stories in holders if story in stories or len(stories) >= COMMON]
    return sum(count >= BOILERPLATE for count in held) / len(held) if held else 0.0


def contained(one: Signature, other: Signature, boilerplate: float = 0.0) -> float:
    """The share of the smaller text that the other one holds, as far as sketches tell; 0 if they tell too little.

    `boilerplate`: this part of what they have in common is in many texts and belongs to neither."""
    limit = min([sketch.sketch[-1] for sketch in (one, other) if not sketch.whole], default="g")
    mine = {value for value in one.sketch if value <= limit}
    theirs = {value for value in other.sketch if value <= limit}
    shared, fewest = len(mine & theirs), min(len(mine), len(theirs))
    if shared < LEAST_SHARED or (fewest < FEW and shared < CONTAINED_OF_FEW * fewest):
        return 0.0
    return shared * (1 - boilerplate) / (fewest - shared * boilerplate) if boilerplate < 1 else 0.0


def speaks_of(one: Signature, other: Signature, share: float) -> bool:
    """Whether the headlines show that the texts are about the same: they are alike, or in the texts.

    A word of a headline shows it if both texts begin with it: lists of links have the headlines of other reports, and
    the teaser below two headlines has the words of neither. If the shorter text has nothing of its own, the other text
    is enough.
    """
    mine, theirs = {*one.headline}, {*other.headline}
    if mine and mine == theirs:
        return True
    least = min(WITNESSES, max(1, min(len(mine), len(theirs))))
    if share >= NOTHING_OWN and len(mine & {*other.lead} | theirs & {*one.lead}) >= least:
        return True
    return len((mine | theirs) & {*one.lead} & {*other.lead}) >= least


def _is_about_another(one: Signature, other: Signature, least: int) -> bool:
    """Whether each headline has `least` words that its own text has at the beginning, and neither of the other two."""
    mine, theirs = {*one.headline}, {*other.headline}
    of_one = (mine & {*one.lead}) - theirs - {*other.lead}
    of_other = (theirs & {*other.lead}) - mine - {*one.lead}
    return min(len(of_one), len(of_other)) >= least


def joins(one: Signature, other: Signature, share: float) -> bool:
    """Whether two texts that share so much are one story."""
    if share < CONTAINED or not _is_evidence(one, other, share):
        return False
    same_outlet = one.outlet == other.outlet
    if same_outlet and {*one.headline} != {*other.headline}:
        if share < OWN_COPY or share * min(one.size, other.size) < BEYOND_BOILERPLATE:
            return False
        if _other_figures(one, other):
            return False
    if abs(one.day - other.day) < ANOTHER_DAY_MS:
        return True
    if one.series == other.series and one.numbers and other.numbers and one.numbers != other.numbers:
        return False
    return not _other_figures(one, other) and (not same_outlet or share >= EDITION)


def hardly_changed(one: Signature, other: Signature) -> bool:
    """Whether an entry of a feed has the text of an earlier entry under the same headline, edited at most.

    The text must be longer than what a template holds, and on neither side may much be added. What the feed says
    beside the text must agree.
    """
    if (one.entry and other.entry and one.entry != other.entry) or abs(one.day - other.day) >= ANOTHER_DAY_MS:
        return False
    if not one.sketch or not other.sketch or {*one.figures} != {*other.figures}:
        return False
    shared = contained(one, other) * min(one.size, other.size)
    return shared >= BEYOND_BOILERPLATE and shared >= OWN_COPY * max(one.size, other.size)


def _is_evidence(one: Signature, other: Signature, share: float) -> bool:
    """Whether what two texts share is more than what outlets put under many headlines."""
    shared = share * min(one.size, other.size)
    if shared >= BEYOND_BOILERPLATE:
        return (
            shared >= MOST_BOILERPLATE or speaks_of(one, other, share) or not _is_about_another(one, other, WITNESSES)
        )
    if not speaks_of(one, other, share) or _is_about_another(one, other, 1) or _contradict(one, other):
        return False
    fewest = min(len(one.opening), len(other.opening))
    return share >= NEARLY_ALL or len({*one.opening} & {*other.opening}) >= SAME_OPENING * fewest


def _contradict(one: Signature, other: Signature) -> bool:
    """Whether each has figures that the other one lacks, and no more than half of them in common.

    A copy leaves figures out, or adds some; a few may be mistyped."""
    mine, theirs = {*one.figures}, {*other.figures}
    fewest = min(len(mine), len(theirs))
    return len(mine & theirs) < fewest and 2 * len(mine & theirs) <= fewest


def _other_figures(one: Signature, other: Signature) -> bool:
    fewest = min(len(one.figures), len(other.figures))
    return fewest >= FEWEST_FIGURES and len({*one.figures} & {*other.figures}) < SAME_FIGURES * fewest
