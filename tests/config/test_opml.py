"""Lists of feeds as other programs write them, and as enemies would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.config.opml import MAX_BYTES, MAX_DEPTH, MAX_OUTLINES, Outline, read_opml, write_opml

SAHEL = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Sahel</title></head><body>
  <outline text="Mali">
    <outline type="rss" text="Studio Tamani" xmlUrl="https://www.studiotamani.example/rss?a=1&amp;b=2"/>
    <outline title="Français, de là-bas">
      <outline text="t" title="Le Sahel" xmlUrl="feed://sahel.example/rss" language="fr-FR"
        category="/News/West,daily"/>
    </outline>
  </outline>
  <outline text="BBC" xmlUrl=" https://bbc.example/rss "/>
</body></opml>
"""


def urls(data: bytes | str) -> list[str]:
    outlines, complaints = read_opml(data.encode() if isinstance(data, str) else data, "list.opml")
    assert complaints == ()
    return [outline.url for outline in outlines]


def refusal(data: bytes | str) -> str:
    """The one error of a list that is refused as a whole."""
    outlines, (complaint,) = read_opml(data.encode() if isinstance(data, str) else data, "list.opml")
    assert (outlines, complaint.severity) == ((), "error")
    return str(complaint)


def body(outlines: str) -> str:
    return f'<opml version="1.0"><body>{outlines}</body></opml>'


def test_folders_and_categories_are_tags() -> None:
    tamani, sahel, bbc = read_opml(SAHEL.encode(), "list.opml")[0]
    assert (tamani.title, tamani.url) == ("Studio Tamani", "https://www.studiotamani.example/rss?a=1&b=2")
    assert (tamani.tags, tamani.lang, tamani.mark.line) == (("Mali",), "", 4)
    assert (sahel.title, sahel.url, sahel.lang) == ("Le Sahel", "http://sahel.example/rss", "fr")
    assert sahel.tags == ("Mali", "Français de là-bas", "News/West", "daily")
    assert (bbc.url, bbc.tags, bbc.mark.line) == ("https://bbc.example/rss", (), 10)


@pytest.mark.parametrize(
    "attributes", ['xmlUrl="http://a.example/"', 'xmlurl="http://a.example/"', 'XMLURL="http://a.example/" TYPE="RSS"']
)
def test_the_case_of_attributes_does_not_matter(attributes: str) -> None:
    assert urls(f"<OPML><BODY><Outline {attributes}/></BODY></OPML>") == ["http://a.example/"]


def test_bare_ampersands_and_the_entities_of_html_are_mended() -> None:
    data = body('<outline text="Caf&eacute;&nbsp;R&D" xmlUrl="http://a.example/?a=1&b=2&copy=3&amp;d=4&#38;e=5"/>')
    (outline,), complaints = read_opml(data.encode(), "list.opml")
    assert complaints == ()
    assert (outline.title, outline.url) == ("Café R&D", "http://a.example/?a=1&b=2&copy=3&d=4&e=5")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_every_usual_encoding(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>' + body('<outline text="Café" xmlUrl="http://a.example/"/>')
    (outline,), complaints = read_opml(text.encode(encoding), "list.opml")
    assert (outline.title, complaints) == ("Café", ())


def test_an_outline_that_is_no_feed_is_a_warning_with_its_line_and_stops_nobody() -> None:
    outlines, complaints = read_opml(
        body(
            '<outline text="Empty"/>\n<outline text="Bad" type="rss"><outline text="In" xmlUrl="http://a.example/"/>'
            '</outline>\n<outline text="Other" type="include" url="http://b.example/o.opml"/>'
        ).encode(),
        "list.opml",
    )
    assert [outline.title for outline in outlines] == ["In"]
    assert [str(complaint) for complaint in complaints] == [
        "list.opml:1:27: warning: left out: the outline 'Empty' has no xmlUrl",
        "list.opml:2:1: warning: left out: the outline 'Bad' has no xmlUrl",
        "list.opml:3:1: warning: left out: the outline 'Other' includes another list, which is not read",
    ]


def test_empty_lines_before_the_declaration_are_forgiven_and_counted() -> None:
    (first, *_), complaints = read_opml(b"\r\n\n" + SAHEL.encode(), "list.opml")
    assert (first.mark.line, complaints) == (6, ())
    assert refusal(b"\n\n<opml>").startswith("list.opml:3:")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "the file is empty; export the list again"),
        ("just a text", "not well-formed"),
        ("<html><body/></html>", "begins with <html>"),
        (SAHEL[:-30], "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "encoding is unknown"),
        (body("<outline text='\x01'/>"), "not well-formed"),
        (body("<outline>" * (MAX_DEPTH + 1)), f"nested more than {MAX_DEPTH} levels deep"),
        (body('<outline xmlUrl="http://a.example/"/>' * (MAX_OUTLINES + 1)), "split the list"),
        (b" " * MAX_BYTES + b"<opml/>", "larger than 16 MiB"),
        (body("&" * 1_000_001), "a million ampersands"),
        (body("<outline " + " ".join(f'a{n}="x"' for n in range(10_000)) + "/>"), "a tag has more than"),
        ('<!DOCTYPE opml [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + body("&b;"), "defines XML entities"),
        ('<!DOCTYPE opml [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + body("&f;"), "defines XML entities"),
        ('<!DOCTYPE opml [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd"> %p;]>' + body(""), "defines XML entities"),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused_whole(data: bytes | str, said: str) -> None:
    assert said in refusal(data)


def test_a_foreign_document_type_is_not_fetched() -> None:
    data = '<!DOCTYPE opml SYSTEM "http://127.0.0.1:1/opml.dtd">' + body('<outline xmlUrl="http://a.example/"/>')
    assert urls(data) == ["http://a.example/"]


def test_titles_become_one_short_printable_line() -> None:
    long = "x" * 10_000
    data = body(f'<outline text="a&#10;b&#x202e;c {long}" xmlUrl="http://a.example/"/>')
    (outline,), _ = read_opml(data.encode(), "list.opml")
    assert outline.title.startswith("a b c x")
    assert len(outline.title) <= 200


def test_what_is_written_is_read_again() -> None:
    written = (
        Outline("Le Sahel", "https://a.example/?a=1&b=2", ("Mali", "fr"), "fr"),
        Outline('<"R&D">', "https://b.example/", ("Mali",)),
        Outline("plain", "https://c.example/"),
    )
    text = write_opml("all & sundry", written)
    read, complaints = read_opml(text.encode(), "list.opml")
    assert complaints == ()
    assert tuple(replace(outline, mark=written[0].mark) for outline in read) == written


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.builds(Outline, _WORDS, _WORDS, st.tuples(_WORDS), st.sampled_from(["", "fr"])), max_size=5))
def test_whatever_is_written_is_well_formed(outlines: list[Outline]) -> None:
    _, complaints = read_opml(write_opml("t", outlines).encode(), "list.opml")
    assert not [complaint for complaint in complaints if complaint.severity == "error"]


@given(st.binary(max_size=300), st.integers(0, len(SAHEL)))
def test_no_bytes_raise(noise: bytes, at: int) -> None:
    read_opml(noise, "list.opml")
    read_opml(SAHEL.encode()[:at] + noise + SAHEL.encode()[at:], "list.opml")


def test_the_file_is_named_as_it_was_given() -> None:
    assert (
        str(read_opml(b"", str(Path("lists") / "a.opml"))[1][0])
        == "lists/a.opml: the file is empty; export the list again"
    )
