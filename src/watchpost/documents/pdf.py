"""Pure: the text of a PDF, by pdfium. It is native code on untrusted bytes: run it in the parser's process."""

from __future__ import annotations

import re
from datetime import datetime

from watchpost.documents.clean import clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft
from watchpost.errors import FetchError

PAGES_MAX = 300
_NO_TITLE = re.compile(
    r"(?i)untitled.*|microsoft (word|powerpoint).*|.*\.(docx?|indd|pdf|qxd|pptx?|odt|rtf|tex)|document\d*|\W*"
)
_NO_PAGES = re.compile(rb"/Kids\s*\[\s*\]")
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
        pages = [document[i].get_textpage().get_text_bounded() for i in range(min(count, PAGES_MAX))]
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
