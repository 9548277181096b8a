"""A wire report, what editors do to it, and a text that somebody else wrote about the same event."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.making import article
from watchpost.model import Article

WHEN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

REPORT = (
    "A convoy of nine fuel lorries was set on fire before dawn on the road from Sikasso to the capital, two drivers "
    "and a customs officer said, the fourth such attack since the rainy season ended.",
    "The lorries had waited for an escort at the border post for three days. When none came, their owners let them "
    "leave in the night with headlights off, one of the drivers told a local radio station by telephone.",
    "“We saw motorcycles on both sides and jumped,” he said. “The last lorry was still moving when it caught fire.” "
    "Eleven people were treated for burns in the hospital of Sikasso, among them a child who slept in a cabin.",
    "The army said in the evening that an aircraft had destroyed a camp of the attackers in a forest south of the "
    "road and that traffic would be possible again within days. It gave no figures of its own.",
    "Filling stations in three quarters of the capital closed at noon. Taxi fares doubled, and the electricity "
    "company announced that it would supply households for six hours a day until further notice.",
    "Traders have asked the government to let them buy through a port in the west instead, a detour of some 700 "
    "kilometres for which most of the lorries have neither permits nor tyres.",
)
SIBLING = (
    "Drivers queued through the night at the few pumps still open in Mali's capital after yet another attack on the "
    "tankers that keep the landlocked country moving.",
    "Witnesses reached by this newspaper counted nine burnt vehicles along a stretch of asphalt near Sikasso. "
    "Villagers had begun to carry away tyres and tools by the time soldiers arrived.",
    "For the junta the fires are a test. It promised in October that every convoy would be guarded; haulage firms say "
    "that escorts come late, cost money, or do not come.",
    "“We saw motorcycles on both sides and jumped,” a driver said on local radio.",
    "An economist in Dakar put the daily loss at two million dollars. Bakeries that run on generators are the next to "
    "feel it, she said, and after them the mills, the dairies and the cold stores of the butchers.",
)
BOILERPLATE = (
    "Sign up for our newsletter and never miss a story from the region: every morning at seven, free of charge, with "
    "pictures, maps and the numbers behind the news.",
    "This site uses cookies. By reading on you accept our terms of use and the way in which we count our readers.",
)
GAPS = "     \u00a0"
LOOKALIKES = str.maketrans("aceopxy", "асеорху")


def told(paragraphs: Sequence[str], title: str, outlet: str, **fields: Any) -> Article:
    """An article of these paragraphs."""
    values: dict[str, Any] = {"body": "\n\n".join(paragraphs), "outlet": outlet, "source": outlet, "published": WHEN}
    return article(title, id=f"{outlet}/{title}", **(values | fields))


def edited(chance: random.Random) -> tuple[str, ...]:
    """The report as another outlet prints it: each of the usual edits happens or does not."""
    paragraphs = list(REPORT)
    if chance.random() < 0.6:
        paragraphs.pop(chance.randrange(1, len(paragraphs)))
    if chance.random() < 0.5:
        one, two = chance.sample(range(len(paragraphs)), 2)
        paragraphs[one], paragraphs[two] = paragraphs[two], paragraphs[one]
    if chance.random() < 0.5:
        paragraphs = [noisy(text, chance) for text in paragraphs]
    if chance.random() < 0.5:
        paragraphs = [mistyped(text, chance) for text in paragraphs]
    if chance.random() < 0.5:
        paragraphs[0] = f"DAKAR (Harmattan Wire) – {paragraphs[0]}"
    if chance.random() < 0.6:
        paragraphs += BOILERPLATE
    return tuple(paragraphs)


def noisy(text: str, chance: random.Random) -> str:
    """Soft hyphens, look-alike letters, decomposed accents and no-break spaces."""
    words = []
    for word in text.split(" "):
        if len(word) > 6 and chance.random() < 0.3:
            word = word[:3] + "\u00ad" + word[3:]
        elif word.isalpha() and chance.random() < 0.05:
            word = word[0] + word[1:].translate(LOOKALIKES)
        words.append(word)
    return unicodedata.normalize("NFD", "".join(word + chance.choice(GAPS) for word in words).strip())


def mistyped(text: str, chance: random.Random) -> str:
    """One letter in a hundred is wrong."""
    return "".join(chance.choice("etaoin") if char.isalpha() and chance.random() < 0.01 else char for char in text)


def bulletin(day: int, *, outlet: str = "Sahel Risk Daily") -> Article:
    """The bulletin of a day in November 2026: the frame is always the same."""
    chance = random.Random(day)
    places = chance.sample(["Gao", "Kidal", "Mopti", "Ségou", "Kayes", "Ménaka", "Nioro", "Djenné"], 3)
    figures = [chance.randrange(3, 90) for _ in range(5)]
    return told(
        (
            "This bulletin is compiled every morning from public reports, from calls to contacts in the field and from "
            "what the unions of drivers tell us. It should be read together with the map of the month.",
            f"Roads: {figures[0]} lorries passed the checkpoint of {places[0]}, {figures[1]} were turned back.",
            f"Incidents: {figures[2]} reported, of which {figures[3]} near {places[1]}; {figures[4]} people fled "
            f"to {places[2]}.",
            "Our advice remains the same: no journeys after four in the afternoon, a second telephone with another "
            "network, and word to the coordination office before you leave.",
        ),
        f"Security bulletin, {day} November 2026",
        outlet,
        published=WHEN.replace(day=day),
    )
