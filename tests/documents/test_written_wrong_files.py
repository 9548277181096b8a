"""What programs write wrong into JSON Feeds, sitemaps, letters, pages and office files, and what a reader expects."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from watchpost.documents.clean import language
from watchpost.documents.parse import read_document, read_feed_document
from watchpost.model import Article

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TEN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HERE = "https://desk.example/1"


def read(name: str, data: str | bytes) -> tuple[Article, ...]:
    return read_document(name, data if isinstance(data, bytes) else data.encode(), NOW, source="desk").articles


def only(name: str, data: str | bytes) -> Article:
    (article,) = read(name, data)
    return article


def item(**fields: Any) -> Article:
    known = {"id": "1", "url": HERE, "title": "A", "content_text": "Officials said so."}
    kept = {name: value for name, value in (known | fields).items() if value != ""}
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [kept]}
    (article,) = read_feed_document(json.dumps(feed).encode(), now=NOW, source="desk").articles
    return article


def test_html_in_the_plain_texts_of_a_json_feed() -> None:
    assert item(content_text="<p>Officials said so.</p>").body == "Officials said so."
    assert item(content_text="If x<y then.").body == "If x<y then."
    assert item(summary="<p>In short &amp; well.</p>").summary == "In short & well."
    assert item(content_text="", content_html="&lt;p&gt;Officials said so.&lt;/p&gt;").body == "Officials said so."
    assert item(title="If x<y then z>0").title == "If x<y then z>0"


@pytest.mark.parametrize("author", [{"author": "Anna"}, {"authors": ["Anna", "Bo"]}, {"authors": [{"name": "Anna"}]}])
def test_authors_of_a_json_feed_in_any_form(author: dict[str, Any]) -> None:
    assert item(**author).author == "Anna"


def test_the_id_of_a_json_feeds_item_is_its_link_if_there_is_no_other() -> None:
    assert item(id=HERE, url="").url == HERE
    assert item(id="1", url="").url == ""


def test_the_first_date_that_can_be_read_counts() -> None:
    assert item(date_published="0001-01-01T00:00:00Z", date_modified="2026-11-26T10:00:00Z").published == TEN
    assert news("A", date="soon", lastmod="2026-11-26T10:00:00Z").published == TEN


def news(title: str, date: str = "", lastmod: str = "") -> Article:
    spaces = (
        "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'"
    )
    return only(
        "sitemap.xml",
        f"<urlset {spaces}><url><loc>{HERE}</loc><lastmod>{lastmod}</lastmod><n:news><n:publication_date>{date}"
        f"</n:publication_date><n:title>{title}</n:title></n:news></url></urlset>",
    )


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<![CDATA[R&B in <b>Gao</b> &amp; more]]>", "R&B in Gao & more"),
        ("L&amp;#039;armée &amp;amp; Gao", "L'armée & Gao"),
        ("Editor of &lt;Le Pays&gt; held", "Editor of <Le Pays> held"),
    ],
)
def test_markup_in_the_titles_of_a_news_sitemap(written: str, title: str) -> None:
    assert news(written).title == title


def letter(body: str, kind: str = "text/plain; charset=utf-8", subject: str = "Subject: A\n") -> Article:
    return only("a.eml", f"From: desk@desk.example\n{subject}Content-Type: {kind}\n\n{body}")


def test_what_the_style_of_a_letter_hides_is_no_text_of_it() -> None:
    page = (
        "<html><head><title>T</title></head><body><div style='display:none;max-height:0'>Preheader &#847;&zwnj;</div>"
        "<span style='mso-hide: all'>twice</span><p>Officials said so.</p></body></html>"
    )
    assert letter(page, "text/html; charset=utf-8").body == "Officials said so."
    assert letter("<div style='display:none'>All.</div>", "text/html").body == "All."  # better than nothing


def test_lines_of_flowed_text_are_joined() -> None:
    flowed = "text/plain; charset=utf-8; format=flowed"
    assert (
        letter("The convoy \nleft Gao.\n From here.\n\nEnd.", flowed).body == "The convoy left Gao.\nFrom here.\n\nEnd."
    )
    assert letter("On Tues \nday.", flowed + "; delsp=yes").body == "On Tuesday."
    assert letter("The convoy \nleft.\n-- \nAnna", flowed).body == "The convoy left."
    assert letter("The convoy \nleft Gao.").body == "The convoy\nleft Gao."


def test_a_letter_without_a_subject_has_its_first_line_for_one() -> None:
    assert letter("Officials said so.\n\nMore.", subject="").title == "Officials said so."


def test_a_line_of_a_letter_that_begins_as_a_mailbox_separates_begins_no_letter() -> None:
    first = "From a@desk.example Thu Nov 26 10:00:00 2026\nFrom: a@desk.example\nSubject: One\n\nBody.\n\n"
    second = (
        "From Gao at 10:00 the convoy left\nand more.\n\nFrom - Thu Nov 26 10:05:00 2026\nSubject: Two\n\nBody two.\n"
    )
    one, two = read("a.mbox", first + second)
    assert (one.title, two.title) == ("One", "Two")
    assert one.body == "Body.\n\nFrom Gao at 10:00 the convoy left\nand more."


def test_front_matter_in_toml() -> None:
    article = only("a.md", '+++\ntitle = "Convoy: \\"gone\\""\ndate = 2026-11-26T10:00:00Z\n+++\n\nOfficials said so.')
    assert (article.title, article.published, article.body) == ('Convoy: "gone"', TEN, "Officials said so.")
    assert "+++" in only("a.md", "+++\nno toml\n+++\n\nOfficials said so.").body


@pytest.mark.parametrize(
    "comment",
    [
        f"<!-- saved from url=(0022){HERE} -->",
        f"<!DOCTYPE html> <html lang=en><!--\n Page saved with SingleFile \n url: {HERE} \n saved date: Thu\n-->",
    ],
)
def test_a_saved_page_names_its_address_in_a_comment(comment: str) -> None:
    page = f"{comment}\n<html><body><h1>A</h1><p>{'Officials said that the convoy had left. ' * 9}</p></body></html>"
    assert only("a.html", page).url == HERE


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("English", "en"),
        ("eng", "en"),
        ("français", "fr"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("Русский", "ru"),
        ("pt-BR", "pt"),
        ("bam", "bm"),
        ("ckb", "ckb"),
        ("und", ""),
        ("Klingon", ""),
        ("", ""),
    ],
)
def test_languages_by_their_names(name: str, tag: str) -> None:
    assert language(name) == tag


def test_entities_in_json_lines_are_letters_and_every_character_keeps_its_place() -> None:
    title, body = "L&#039;armée &amp; Gao", "caf&eacute; &quot;Wagner&quot; &unknown; A&B;"
    article = only("a.jsonl", json.dumps({"title": title, "body": body}))
    assert [len(article.title), len(article.body)] == [len(title), len(body)]
    assert article.title.replace("\u2060", "") == "L'armée & Gao"
    assert article.body.replace("\u2060", "") == 'café "Wagner" &unknown; A&B;'


def test_marks_that_no_reader_sees_are_written_out_nowhere() -> None:
    title = "Gao \ufeffconvoy \ufff9left\U000e0041"
    article = only("a.jsonl", json.dumps({"title": title, "body": "B"}))
    assert article.title == "Gao \u2060convoy \u2060left\u2060"


def docx(body: str) -> bytes:
    spaces = "xmlns:w='urn:w' xmlns:mc='urn:mc'"
    return packed({"word/document.xml": f"<w:document {spaces}><w:body>{body}</w:body></w:document>"})


def odt(body: str) -> bytes:
    spaces = "xmlns:office='urn:office' xmlns:text='urn:text' xmlns:dc='urn:dc'"
    return packed({"content.xml": f"<office:document-content {spaces}>{body}</office:document-content>"})


def packed(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return file.getvalue()


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def run(text: str, marks: str = "") -> str:
    return f"<w:r><w:rPr>{marks}</w:rPr><w:t>{text}</w:t></w:r>"


def test_a_text_box_that_word_writes_in_two_forms_is_read_once() -> None:
    boxes = f"<mc:Choice>{paragraph(run('Boxed.'))}</mc:Choice><mc:Fallback>{paragraph(run('Boxed.'))}</mc:Fallback>"
    body = paragraph(run("A")) + paragraph(f"<w:r><mc:AlternateContent>{boxes}</mc:AlternateContent></w:r>")
    article = only("a.docx", docx(body + paragraph(run("Officials said so."))))
    assert f"{article.title} {article.body}".count("Boxed.") == 1


def test_text_that_word_hides_is_not_read() -> None:
    runs = run("no", "<w:vanish/>") + run("Officials said so.", "<w:vanish w:val='0'/>")
    body = only("a.docx", docx(paragraph(run("A")) + paragraph(runs))).body
    assert "Officials said so." in body
    assert "no" not in body
    rtf = rb"{\rtf1\ansi Convoy leaves Gao\par Officials {\v hidden}said so.{\b\v1 gone}\par}"
    assert "Officials said so." in only("a.rtf", rtf).body


def test_a_comment_in_the_margin_of_a_document_is_no_text() -> None:
    comment = "<office:annotation><dc:creator>Bob</dc:creator><text:p>check this</text:p></office:annotation>"
    article = only("a.odt", odt(f"<text:h>A</text:h><text:p>Officials {comment}said so.</text:p>"))
    assert article.body == "Officials said so."
