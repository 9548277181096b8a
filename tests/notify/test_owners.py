"""Sources of one owner are one voice."""

from __future__ import annotations

import pytest

from tests.making import article, hit
from watchpost.model import Hit, Publisher
from watchpost.notify.notification_log import voice
from watchpost.notify.owners import with_owners

OWNED = {"ria": Publisher("Rossiya"), "sputnik": Publisher("Rossiya"), "rfi": Publisher("", "FR", state_media=True)}


def said(source: str, outlet: str, by: str = "") -> Hit:
    return hit(article=article(f"{source} {outlet} {by}", source=source, outlet=outlet), voice=by)


@pytest.mark.parametrize(
    ("hits", "voices"),
    [
        ([said("ria", "РИА"), said("sputnik", "Sputnik")], ["Rossiya", "Rossiya"]),
        ([said("rfi", "RFI"), said("other", "Other")], ["RFI", "Other"]),
        ([said("ria", "РИА"), said("other", "Other", "РИА")], ["Rossiya", "Rossiya"]),
        ([said("other", "Other", "ria")], ["Rossiya"]),
        ([said("ria", "РИА", "AFP"), said("ria", "РИА", "РИА"), said("ria", "")], ["AFP", "Rossiya", "Rossiya"]),
    ],
)
def test_the_voice_is_the_owner_of_who_wrote_it(hits: list[Hit], voices: list[str]) -> None:
    assert [voice(one) for one in with_owners(hits, OWNED)] == voices


def test_without_owners_hits_stay_as_they_are() -> None:
    hits = [said("ria", "РИА"), said("rfi", "RFI", "AFP")]
    assert with_owners(hits, {}) is hits
    assert with_owners(hits, {"rfi": OWNED["rfi"]}) is hits
