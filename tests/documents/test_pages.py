"""Pages as sites write them: logos in headings, articles in JSON-LD, tags that nobody closes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from watchpost.documents.entry import EntryDraft
from watchpost.documents.html import plain_text
from watchpost.documents.page import read_article, read_page

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
TITLE = "Gunmen attack a bus on the northern road"
PROSE = (
    "Nine people died when gunmen opened fire on a bus on the road to the north, the governor said on Friday, and two"
    " soldiers who escorted it were among the dead."
)


def page(head: str = "", body: str = "", title: str = f"{TITLE} - River Courier") -> bytes:
    text = body or f"<article><p>{PROSE}</p><p>{PROSE} Again.</p></article>"
    return f"<html lang=en><head><title>{title}</title>{head}</head><body>{text}</body></html>".encode()


def og(title: str = TITLE, site: str = "River Courier") -> str:
    return f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="{site}">'


ARTICLE = f"<article><h2>Gunmen attack bus</h2><p>{PROSE}</p></article>"


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        (og(), f"<h1>River Courier</h1>{ARTICLE}", TITLE),
        (og(f"{TITLE} - River Courier"), f"<h1>River Courier</h1>{ARTICLE}", TITLE),
        (og(f"{TITLE} | RC", ""), f"<h1>{TITLE}</h1><p>{PROSE}</p>", TITLE),
        (og("River Courier"), f"<h1>{TITLE}</h1><p>{PROSE}</p>", TITLE),
        (og("", "River Courier"), f"<h1>River Courier</h1><h2>{TITLE}</h2>{ARTICLE}", TITLE),
        ("", f"<h1>River Courier</h1><h2>{TITLE}</h2><p>{PROSE}</p>", TITLE),
        ("", f"<h1>River Courier</h1><p>{PROSE}</p>", TITLE),
        ("", f"<h1>Gunmen attack a bus</h1><p>{PROSE}</p>", "Gunmen attack a bus"),
        (og("Mali &amp;amp; Niger"), f"<p>{PROSE}</p>", "Mali & Niger"),
        ('<meta name="twitter:title" content="On the northern road">', f"<p>{PROSE}</p>", "On the northern road"),
    ],
)
def test_the_headline_is_that_of_the_article_and_never_the_name_of_the_site(head: str, body: str, title: str) -> None:
    assert read_page(page(head, body), NOW).title == title


def ld(value: object) -> str:
    return f'<script type="application/ld+json">{value if isinstance(value, str) else json.dumps(value)}</script>'


NEWS = {
    "@type": "NewsArticle",
    "headline": TITLE,
    "articleBody": f"{PROSE} {PROSE}",
    "author": [{"@type": "Person", "name": "Jane Doe"}, {"name": "Ali Ba"}],
    "datePublished": "2024-05-03T08:00:00Z",
}
GRAPH = {"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, NEWS]}


@pytest.mark.parametrize(
    "declared",
    [
        NEWS,
        [NEWS],
        GRAPH,
        {**NEWS, "@type": ["Article", "Thing"]},
        {**NEWS, "articleBody": f"<p>{PROSE}</p><p>{PROSE}</p>"},
        json.dumps(NEWS).replace(PROSE, PROSE.replace("Friday", "Friday\n"), 1),
        f"<!-- {json.dumps(NEWS)} -->",
        json.dumps(NEWS) + ";",
    ],
)
def test_an_article_in_json_ld_alone_is_read(declared: object) -> None:
    for read in (read_article, read_page):
        draft: EntryDraft = read(page(ld({"@type": "Organization"}) + ld(declared), "<div id=app></div>", "x"), NOW)
        assert draft.text.count("the governor said") == 2
        assert (draft.title, draft.author) == (TITLE, "Jane Doe, Ali Ba")
        assert draft.published == datetime(2024, 5, 3, 8, 0, tzinfo=UTC)


def test_the_text_of_the_page_comes_before_a_teaser_in_json_ld() -> None:
    draft = read_article(page(ld({**NEWS, "articleBody": "Short."})), NOW)
    assert draft.text.endswith("Again.")


@pytest.mark.parametrize("author", ["Jane Doe", {"name": "Jane Doe"}, [{"name": "Jane Doe"}, {"name": "Jane Doe"}]])
def test_authors_are_read_in_every_form(author: object) -> None:
    assert read_page(page(ld({"@type": "Article", "author": author})), NOW).author == "Jane Doe"
    meta = '<meta property="article:author" content="https://www.facebook.com/jane">'
    assert read_page(page(meta + ld({"@type": "Article", "author": author})), NOW).author == "Jane Doe"


@pytest.mark.parametrize("broken", ["{", "[[[[", '{"@type": 5, "author": {"name": []}}', "null", "[1, null]"])
def test_broken_json_ld_costs_nothing(broken: str) -> None:
    assert read_page(page(ld(broken)), NOW).text.endswith("Again.")


@pytest.mark.parametrize("tag", ["<p><font size=2>", "<table><tr><td>", "<div><b>", "<ul><li>", "<p><span class=x>"])
@pytest.mark.parametrize("count", [300, 3000, 20_000])
def test_tags_that_nobody_closes_cost_no_text(tag: str, count: int) -> None:
    text = plain_text("".join(f"{tag}paragraph {n} " for n in range(count)))
    assert text.count("paragraph") == count
    assert text.endswith(f"paragraph {count - 1}")


def test_a_long_page_with_open_tags_is_read_to_its_end() -> None:
    body = "".join(f"<p><font size=2>{PROSE} {n}" for n in range(400))
    for read in (read_article, read_page):
        draft: EntryDraft = read(page(og(), body), NOW)
        assert f"{PROSE} 399" in draft.text


def test_tables_within_tables_keep_their_inside() -> None:
    assert plain_text("<table><tr><td>" * 300 + "inside" + "</td></tr></table>" * 300) == "inside"


DECLARED = {"@type": "NewsArticle", "headline": "Report", "articleBody": "Wagner denied it on Tuesday. " * 20}


@pytest.mark.parametrize(
    "script",
    [
        json.dumps({"@type": "LiveBlogPosting", "liveBlogUpdate": [DECLARED | {"@type": "BlogPosting"}]}),
        "/*<![CDATA[*/" + json.dumps(DECLARED) + "/*]]>*/",
        "//<![CDATA[\n" + json.dumps(DECLARED) + "\n//]]>",
        "<!--" + json.dumps([DECLARED]) + "-->",
        "/* made by a plugin */" + json.dumps(DECLARED) + ";",
        json.dumps(DECLARED).replace('"', "'"),
        json.dumps(DECLARED).replace("Tuesday", '"Tuesday"'),
        json.dumps(DECLARED).replace('"', "&quot;"),
        json.dumps({"@graph": [DECLARED]})[:-30],
        "\ufeff" + json.dumps(DECLARED),
        json.dumps({"@type": "Article", "text": DECLARED["articleBody"]}),
        json.dumps({("" if key[0] == "@" else "schema:") + key: value for key, value in DECLARED.items()}),
    ],
)
def test_the_text_that_a_page_declares_is_read_from_nearly_json(script: str) -> None:
    page = f'<title>Report</title><script type="application/ld+json">{script}</script><div id="root"></div>'
    assert "Wagner denied it" in read_article(page.encode(), NOW).text


def test_the_text_of_microdata_and_authors_by_reference_are_read() -> None:
    meta = f'<title>Report</title><meta itemprop="articleBody" content="{DECLARED["articleBody"]}"><div></div>'
    assert "Wagner denied it" in read_article(meta.encode(), NOW).text
    graph = {"@graph": [DECLARED | {"author": {"@id": "#a"}}, {"@id": "#a", "@type": "Person", "name": "Anna Ba"}]}
    page = f'<title>Report</title><script type="application/ld+json">{json.dumps(graph)}</script>'
    assert read_page(page.encode(), NOW).author == "Anna Ba"


@pytest.mark.parametrize(
    "title", ["{} / {}", "{}|{}", "{} -- {}", "{} [{}]", "{}_{}", "{} &lt; {}", "{} – {}, news since 1900", "{} • {}"]
)
@pytest.mark.parametrize("names", [("Gunmen attack a bus on the northern road", "River Courier")])
@pytest.mark.parametrize(
    "head", ["", '<meta property="og:title" content="River Courier: {}"><meta property="og:site_name" content="{}">']
)
def test_a_logo_is_no_headline_whatever_separates_it(title: str, names: tuple[str, str], head: str) -> None:
    shown = (
        f"<title>{title.format(*names)}</title>{head.format(*names)}<h1>River Courier</h1><h2>{names[0]}</h2><p>x</p>"
    )
    assert read_page(shown.encode(), NOW).title == names[0]


def test_the_headline_that_a_page_declares_comes_before_a_logo() -> None:
    script = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Bus attacked in Gao"}</script>'
    page = f"<title>River Courier: Bus attacked</title>{script}<h1>River Courier</h1><p>x</p>"
    assert read_page(page.encode(), NOW).title == "Bus attacked in Gao"
