"""What stands around an article is blanked, what is the article stays, and nothing moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.documents.boilerplate import blank_margins

PROSE = "The ministry said on Monday that the road to the north would stay closed until the rains are over."


def left(text: str) -> str:
    return " ".join(blank_margins(text).split())


@pytest.mark.parametrize(
    "boilerplate",
    [
        "Related Articles\n\nMali votes again\n\nWagner leaves Bangui",
        "Lire aussi\n\nLe Mali vote",
        "Читайте также\n\nМали голосует",
        "Show More\n\nRelated Articles\n\nBack to top button",
        "مقالات ذات صلة\n\nمالي تصوت",
    ],
)
def test_what_follows_the_article_is_blanked(boilerplate: str) -> None:
    assert left(f"{PROSE}\n\n{boilerplate}") == PROSE


@pytest.mark.parametrize("menu", ["Home | World | Africa | Mali", "Accueil > Afrique > Mali", "News\tSport\tMali"])
def test_a_menu_above_the_article_is_blanked(menu: str) -> None:
    assert left(f"{menu}\n\n{PROSE}") == PROSE
    assert left(f"{PROSE}\n\n{menu}") == f"{PROSE} {' '.join(menu.split())}", "below, it may be a table"


@pytest.mark.parametrize(
    "caption",
    [
        "[File photo: French troops of Operation Barkhane in Gao, Mali]",
        "Photo d’archives : des soldats de Barkhane à Gao.",
        "Архивное фото: бойцы в Мали",
        "صورة أرشيفية: جنود في مالي",
        "资料图片：马里首都巴马科",
    ],
)
def test_the_caption_of_an_archive_picture_is_blanked_wherever_it_stands(caption: str) -> None:
    assert left(f"{PROSE}\n\n{caption}\n\n{PROSE}") == f"{PROSE} {PROSE}"


@pytest.mark.parametrize(
    "text",
    [
        "Mali votes",
        "Mali votes\n\nGao – Kidal – Bamako",
        f"Mali votes\n\n{PROSE}",
        f"{PROSE}\n\nMore news\n\n{PROSE} Mali.",
        "马里政府星期一说，通往北部的道路在雨季结束之前将一直关闭，请旅客注意安全。\n\n加奥",
    ],
)
def test_the_article_itself_stays(text: str) -> None:
    assert left(text).replace("More news ", "") == " ".join(text.split()).replace("More news ", "")


@given(st.lists(st.sampled_from([PROSE, "Related Articles", "Home | A | B | C", "Share", "Mali", "", " ", "\n"])))
def test_nothing_moves(parts: list[str]) -> None:
    text = "\n".join(parts)
    blanked = blank_margins(text)
    assert len(blanked) == len(text)
    assert all(new in (old, " ") for new, old in zip(blanked, text, strict=True))


TEASERS = """The river rose again on Tuesday, and the traders of the yam market carried their stalls to the school yard.

{boilerplate}
"""


@pytest.mark.parametrize(
    "boilerplate",
    [
        "MORE FROM THIS SECTION\n\nConvoy ambushed near Bamako\n\nVeterans of Barkhane meet",
        "Read also: Mali’s army retakes a town",
        "À lire aussi : au Mali, le carburant manque",
        "Baca juga: Tentara di Mali rebut kota",
        "اقرأ أيضا:\n• مالي: كمين قرب باماكو\n• ماذا تريد فاغنر من الساحل؟",
        "Tags: Mali, Wagner, Barkhane",
        "Ключевые слова: Мали, Вагнер",
        "Filed under Africa, Mali",
    ],
)
def test_teasers_and_tags_below_an_article_are_blanked(boilerplate: str) -> None:
    text = TEASERS.format(boilerplate=boilerplate)
    blank = blank_margins(text)
    assert len(blank) == len(text)
    assert blank.split() == text.split("\n")[0].split()


def test_a_sentence_that_begins_like_a_label_stays() -> None:
    text = TEASERS.format(
        boilerplate="More from the river is to come, said the forecaster, who has seen it rise for the sixth day now."
    )
    assert blank_margins(text) == text
