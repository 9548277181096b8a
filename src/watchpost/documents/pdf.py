"""Pure: the text of a PDF, by pdfium. It is native code on untrusted bytes: run it in the parser's process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from watchpost.documents.clean import clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft
from watchpost.errors import FetchError

PAGES_MAX = 300
_NO_TITLE = re.compile(
    r"(?i)untitled.*|microsoft (word|powerpoint).*|.*\.(docx?|indd|pdf|qxd|pptx?|odt|rtf|tex)|document\d*|\W*"
)
_NO_PAGES = re.compile(rb"/Kids\s*\[\s*\]")
_RUNS_MIN, _RUNS_MAX = 12, 5_000
_STEPS = 40
_CROSSING_MAX = 0.25
"""So many of the runs, such as headlines, may reach across both columns."""
_WIDTH_MIN, _RUN_WIDTH_MIN = 0.25, 0.2
"""How wide a column and its average line are at least, as a part of the page's text."""
_FOOTER = re.compile(r"(?i)(?:page|seite|página|стр\.?)?\s*\d{1,4}(?:\s*(?:/|of|von|de|из)\s*\d{1,4})?")


def read_pdf(data: bytes, now: datetime) -> EntryDraft:
    """Text of the first 300 pages; the title from the metadata, else the first line.

    Raises FetchError: "encrypted", "malformed", "no_text" (a scan: pictures of pages).
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        facts = document.get_metadata_dict()
        count = len(document)
        pages = [_text(document[i].get_textpage()) for i in range(min(count, PAGES_MAX))]
    except pypdfium2.PdfiumError as error:
        if _NO_PAGES.search(data):  # pdfium refuses it, with the reason of the document before
            raise FetchError("no_text", "this PDF has no pages") from error
        locked = "password" in str(error).lower()
        reason, problem = ("encrypted", "needs a password") if locked else ("malformed", f"cannot be read: {error}")
        raise FetchError(reason, f"this PDF {problem}") from error
    lines = [line for page in pages for line in _lines(page)]
    if not lines:
        raise FetchError("no_text", f"this PDF has no text on its {count} pages: a scan?")
    title = clean_line(facts.get("Title", ""))
    if is_no_title(title):
        title = lines[0]
    body = [line for line in lines if line != title]
    return EntryDraft(
        title=title,
        text="\n\n".join(_joined(body)),
        author=facts.get("Author", ""),
        published=parse_date(_pdf_date(facts.get("CreationDate", "")), now),
    )


def _text(page: Any) -> str:
    """The text of a page; column by column if it has two, and its program wrote them line by line across both."""
    text = str(page.get_text_bounded())
    number = page.count_rects()
    if not _RUNS_MIN <= number <= _RUNS_MAX:
        return text
    runs = [Run(*page.get_rect(n)) for n in range(number)]
    gutter = find_gutter(runs)
    if gutter is None:
        return text
    lines: list[str] = []
    last: Run | None = None
    for run in by_column(runs, gutter):
        words = str(page.get_text_bounded(run.left - 0.5, run.bottom - 0.5, run.right + 0.5, run.top + 0.5)).strip()
        same_line = last is not None and last.top > run.middle > last.bottom and run.left >= last.right - 1
        if same_line and lines:
            lines[-1] += f" {words}"
        else:
            lines.append(words)
        last = run
    return "\n".join(lines)


class Run(NamedTuple):
    """Where a run of text is on its page, in points from the lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return (self.bottom + self.top) / 2


def find_gutter(runs: Sequence[Run]) -> float | None:
    """The middle of the blank strip between two columns of prose, if the runs change sides with each line.

    None for one column, for a table, whose cells are short, and where the runs come column by column already.
    """
    left, right = min(run.left for run in runs), max(run.right for run in runs)
    width = right - left
    best: tuple[int, float] | None = None
    for step in range(_STEPS + 1):
        x = left + width * (0.3 + 0.4 * step / _STEPS)
        crossing = sum(run.left < x < run.right for run in runs)
        if best is None or (crossing, abs(x - left - width / 2)) < (best[0], abs(best[1] - left - width / 2)):
            best = crossing, x
    if best is None or best[0] > _CROSSING_MAX * len(runs):
        return None
    crossing, gutter = best
    sides = [run.left >= gutter for run in runs if not run.left < gutter < run.right]
    columns = [[run for run in runs if run.right <= gutter], [run for run in runs if run.left >= gutter]]
    if min(map(len, columns)) < _RUNS_MIN / 2:
        return None
    if any(
        max(run.right for run in column) - min(run.left for run in column) < _WIDTH_MIN * width for column in columns
    ):
        return None
    if any(sum(run.right - run.left for run in column) / len(column) < _RUN_WIDTH_MIN * width for column in columns):
        return None
    changes = sum(one != other for one, other in pairwise(sides))
    return gutter if changes >= min(map(len, columns)) / 2 else None


def by_column(runs: Sequence[Run], gutter: float) -> Iterator[Run]:
    """The runs from top to bottom: between two that reach across the gutter, the left column, then the right one."""
    bands: list[list[Run]] = [[]]
    for run in sorted(runs, key=lambda run: (-round(run.middle), run.left)):
        if run.left < gutter < run.right:
            bands += [[run], []]
        else:
            bands[-1].append(run)
    for band in bands:
        yield from (run for run in band if run.left < gutter)
        yield from (run for run in band if run.left >= gutter)


def is_no_title(title: str) -> bool:
    """Whether a program wrote this title, not a person: "Microsoft Word - draft.docx", "Untitled"."""
    return _NO_TITLE.fullmatch(title) is not None


def _lines(page: str) -> list[str]:
    """The lines of a page without its number; words that were hyphenated at a line's end are joined."""
    page = page.replace("\r\n", "\n").replace("\ufffe", "\u00ad")  # pdfium marks a soft line-end hyphen with U+FFFE
    page = re.sub(r"(?<=[^\W\d_])\u00ad\n?(?=[^\W\d_])", "", page)
    lines = [line.strip() for line in page.split("\n") if line.strip()]
    while lines and _FOOTER.fullmatch(lines[-1]):
        lines.pop()
    return lines


def _joined(lines: list[str]) -> list[str]:
    """Lines as paragraphs: a line that ends a sentence and is clearly shorter than the others ends a paragraph."""
    width = max((len(line) for line in lines), default=0)
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        paragraphs[-1].append(line)
        if line[-1] in '.!?…”"»。' and len(line) < 0.97 * width:
            paragraphs.append([])
    return [" ".join(paragraph) for paragraph in paragraphs if paragraph]


def _pdf_date(text: str) -> str:
    """PDF 32000-1, 7.9.4: D:YYYYMMDDHHmmSSOHH'mm'."""
    match = re.fullmatch(r"D:(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|[+-]\d\d'?\d\d)?.*", text)
    if match is None:
        return ""
    zone = (match[7] or "Z").replace("'", "")
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4] or '00'}:{match[5] or '00'}:{match[6] or '00'}{zone}"
