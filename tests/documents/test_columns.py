"""PDFs of two columns are read column by column, however their program wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.documents.test_encodings import pdf
from watchpost.documents.pdf import read_pdf

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LEFT = [f"Left line {n} of the first column goes on here" for n in range(20)]
RIGHT = [f"Right line {n} of the second column goes on" for n in range(20)]
Placed = tuple[float, float, str]


def page(placed: Sequence[Placed]) -> bytes:
    """A PDF of one page with texts at these places, in this order."""
    shown = "\n".join(f"BT /F1 9 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET" for x, y, text in placed)
    return pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def words(data: bytes) -> str:
    draft = read_pdf(data, NOW)
    return f"{draft.title} {draft.text}".replace("\n\n", " ")


def columns(top: float = 700) -> tuple[list[Placed], list[Placed]]:
    left: list[Placed] = [(50, top - 14 * n, text) for n, text in enumerate(LEFT)]
    right: list[Placed] = [(310, top - 14 * n, text) for n, text in enumerate(RIGHT)]
    return left, right


IN_ORDER = " ".join([*LEFT, *RIGHT])


@pytest.mark.parametrize("order", ["line by line", "column by column", "right column first"])
def test_two_columns_are_read_one_after_the_other(order: str) -> None:
    left, right = columns()
    placed = [each for pair in zip(left, right, strict=True) for each in pair]
    if order != "line by line":
        placed = [*left, *right] if order == "column by column" else [*right, *left]
    expected = " ".join([*RIGHT, *LEFT]) if order == "right column first" else IN_ORDER
    assert words(page(placed)) == expected


def test_a_headline_across_both_columns_stays_above_them() -> None:
    left, right = columns()
    head = (50.0, 760.0, "A headline that reaches across both of the columns of this page, from the left to the right")
    pairs = [each for pair in zip(left, right, strict=True) for each in pair]
    assert words(page([head, *pairs])) == f"{head[2]} {IN_ORDER}"


def test_a_table_is_read_row_by_row() -> None:
    rows: list[Placed] = []
    for n in range(20):
        rows += [(50, 700 - 14 * n, f"Item {n}"), (310, 700 - 14 * n, f"{n} EUR")]
    assert words(page(rows)).startswith("Item 0 0 EUR Item 1 1 EUR")


def test_one_column_is_read_as_before() -> None:
    left, _ = columns()
    assert words(page(left)) == " ".join(LEFT)
