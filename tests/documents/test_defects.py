"""One defect in one entry leaves every other entry exactly as it was, and the entry itself as whole as it can be."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.documents.defects import CATALOGUE, FORMATS, Defect, Entry, broken, document, drafts, entries, sound
from watchpost.documents.clean import clean_text
from watchpost.documents.entry import EntryDraft

DOCUMENTS = int(os.environ.get("WATCHPOST_DEFECT_DOCUMENTS", "600"))
"""How many documents are tried. 20,000 take some minutes."""
_BATCHES = 20


def test_the_catalogue_has_at_least_forty_defects_and_knows_every_format() -> None:
    assert len({defect.name for defect in CATALOGUE}) == len(CATALOGUE) >= 40
    assert {kind for defect in CATALOGUE for kind in defect.formats} == set(FORMATS)


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_a_defect_costs_its_own_entry_at_most(batch: int) -> None:
    for seed in range(batch, DOCUMENTS, _BATCHES):
        choice = random.Random(seed)
        pairs = [(kind, defect) for defect in CATALOGUE for kind in defect.formats]
        kind, defect = pairs[seed % len(pairs)]
        made = entries(choice, choice.randint(2, 7))
        at = choice.randrange(len(made))
        parts = [sound(kind, entry) for entry in made]
        whole = drafts(kind, document(kind, parts))
        parts[at] = broken(kind, made[at], defect)
        found = drafts(kind, document(kind, parts))
        where = f"seed {seed}: {defect.name} in entry {at} of {len(made)} of {kind}"
        if kind in ("letter", "page"):
            _check_text(found[0].text, made, at, defect, where)
        else:
            _check_entries(found, whole, made[at], at, defect, where)


def _check_entries(
    found: Sequence[EntryDraft], whole: Sequence[EntryDraft], entry: Entry, at: int, defect: Defect, where: str
) -> None:
    assert len(found) == len(whole), where
    for n, (draft, before) in enumerate(zip(found, whole, strict=True)):
        if n != at:
            assert draft == before, where
    text = clean_text(f"{found[at].title}\n{found[at].text}\n{found[at].summary}").replace("\n", " ")
    if "id" in defect.keeps:
        assert f"https://e.org/{entry.number}" in (found[at].identity, found[at].link), where
    wanted = {"title": entry.title, "before": entry.before, "after": entry.after}
    for part, words in wanted.items():
        is_there = part in defect.keeps and (part == "title" or words in whole[at].title + whole[at].text)
        assert not is_there or words in text, f"{where}: {part} is lost: {text[:300]!r}"
    assert replace(found[at], title="", text="", summary="", published=None, identity="", link="") == replace(
        whole[at], title="", text="", summary="", published=None, identity="", link=""
    ), where


def _check_text(text: str, made: Sequence[Entry], at: int, defect: Defect, where: str) -> None:
    text = clean_text(text).replace("\n", " ")
    for n, entry in enumerate(made):
        parts = ("before", "after") if n != at else defect.keeps
        for part in ("before", "after"):
            words = getattr(entry, part)
            assert part not in parts or words in text, f"{where}: {part} of entry {n} is lost"
