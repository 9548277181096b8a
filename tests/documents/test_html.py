from __future__ import annotations

import pytest

from tests.making import WHEN
from tests.shared import shared
from watchpost.documents.text import dateline, front_matter, read_markdown, read_text, scrape

PROSE = (
    "The deal, which has not been signed, would weaken the influence of France in the whole region, said a diplomat."
)


def test_the_real_page_is_read_as_a_person_reads_it() -> None:
    (path,) = shared("seeds").glob("*.txt")
    page = scrape(path.read_text("utf-8"))
    assert page.title == "France up in arms over prospect of Russian mercenaries training soldiers in Mali"
    assert (page.place, page.outlet) == ("PARIS", "The Southern African Times")
    assert page.body.startswith("PARIS (The Southern African Times) – Russian mercenaries may soon be")
    assert page.body.endswith("the military official said.")
    assert "MaliWest Africa" not in page.body
    assert "Trio of tensions" in page.body


@pytest.mark.parametrize(
    ("line", "place", "outlet"),
    [
        ("PARIS (The Southern African Times) – Text", "PARIS", "The Southern African Times"),
        ("NAIROBI, Kenya (AP) — Text", "NAIROBI", "AP"),
        ("BAMAKO, Sept 15 (Reuters) - Text", "BAMAKO", "Reuters"),
        ("UNITED NATIONS, Sept. 15 (Xinhua) -- Text", "UNITED NATIONS", "Xinhua"),
        ("DAKAR/BAMAKO (Reuters) - Text", "DAKAR/BAMAKO", "Reuters"),
        ("Paris, le 15 septembre (AFP) – Texte", "Paris", "AFP"),
        ("Berlin (dpa) - Text", "Berlin", "dpa"),
        ("PARIS (15 Sept) – Text", "PARIS", ""),
        ("PARIS (France 24) - Text", "PARIS", "France 24"),
        ("(Reuters) - Text", "", "Reuters"),
        ("МОСКВА, 15 сен — РИА Новости. Текст", "МОСКВА", ""),
        ("WASHINGTON — Text", "WASHINGTON", ""),
        ("Mali – a country of the Sahel", "", ""),
        ("The well-known (and loved) - text", "", ""),
        ("A long - sentence", "", ""),
        ("I – we", "", ""),
        ("PARIS-based firm", "", ""),
    ],
)
def test_datelines_are_told_from_sentences(line: str, place: str, outlet: str) -> None:
    assert dateline(line) == (place, outlet)


def page(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


@pytest.mark.parametrize(
    "crumb",
    ["MaliWest Africa", "Home > World > Africa", "HomeNewsWorld", "Africa", "Accueil | Monde", "Skip to content"],
)
def test_breadcrumbs_are_no_headlines(crumb: str) -> None:
    found = scrape(page(crumb, "Mali junta signs mining accord", f"BAMAKO – {PROSE}", PROSE))
    assert found.title == "Mali junta signs mining accord"
    assert crumb not in found.body


def test_the_page_ends_where_the_teasers_begin() -> None:
    found = scrape(page("Title of it", PROSE, PROSE, "Lire aussi", "Wagner au Mali", "Barkhane part", "Partager"))
    assert found.body == page(PROSE, PROSE)


def test_a_label_in_the_middle_of_the_text_does_not_cut_it() -> None:
    found = scrape(
        page("Title of it", PROSE, "Read also:", PROSE, "Advertisement", PROSE, "Show More", "Comments (2)", "first!!")
    )
    assert found.body == page(PROSE, PROSE, PROSE)


def test_a_byline_is_the_author() -> None:
    found = scrape(page("Mali junta signs accord", "By Jean Dupont", PROSE))
    assert (found.title, found.author, found.body) == ("Mali junta signs accord", "Jean Dupont", PROSE)


def test_lines_without_empty_lines_between_are_paragraphs() -> None:
    found = scrape(f"Mali junta signs accord\n{PROSE}\n{PROSE}\nShow More")
    assert (found.title, found.body) == ("Mali junta signs accord", page(PROSE, PROSE))


@pytest.mark.parametrize("text", [PROSE, "One line and no more", "Print", "Wagner"])
def test_a_single_paragraph_is_text_and_no_headline(text: str) -> None:
    found = scrape(text)
    assert (found.title, found.body) == ("", text)


def test_nothing_is_lost_where_no_headline_stands_out() -> None:
    text = page(PROSE + " " + PROSE, PROSE)
    found = scrape(text)
    assert (found.title, found.body) == ("", text)


def test_one_word_is_a_headline_if_there_is_no_better() -> None:
    found = scrape(page("Africa", f"NAIROBI, Kenya (AP) — {PROSE}"))
    assert (found.title, found.place) == ("Africa", "NAIROBI")


def test_hostile_texts_take_no_time() -> None:
    for text in ("A" * 300_000, "A " * 200_000, "(" * 200_000, "\n \n" * 100_000, "Mali > " * 50_000, "A-" * 100_000):
        scrape(text)
        read_markdown(text, WHEN)
        front_matter("---\n" + text)


def test_front_matter_wins_over_what_the_text_suggests() -> None:
    draft = read_text(
        f'---\ntitle: "A \\"quoted\\" one"\ndate: 2024-01-20\nlang: en\nsource: Touchline\n---\n{PROSE}', WHEN
    )
    assert (draft.title, draft.outlet, draft.lang, draft.text) == ('A "quoted" one', "Touchline", "en", PROSE)
    assert draft.published is not None
    assert draft.published.isoformat() == "2024-01-20T00:00:00+00:00"
    assert front_matter("---\nno facts here\n---\nx") == ({}, "---\nno facts here\n---\nx")


@pytest.mark.parametrize("heading", ["# Mali *today*", "Mali today\n==========", "## Mali today ##"])
def test_the_first_heading_of_markdown_is_the_title(heading: str) -> None:
    draft = read_markdown(f"{heading}\n\nBAMAKO (AFP) – [The deal](https://e.org) is **off**.\n\n> Quoted\n", WHEN)
    assert draft.title == "Mali today"
    assert draft.text == "BAMAKO (AFP) – The deal is off.\n\nQuoted"
    assert (draft.place, draft.outlet) == ("BAMAKO", "AFP")
