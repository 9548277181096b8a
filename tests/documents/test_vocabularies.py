"""Elements of other vocabularies in feeds: judged by their namespace, and read where only they have the text."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from watchpost.documents.entry import EntryDraft
from watchpost.documents.feed import read_feed

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OWN = (
    "<title>Wagner leaves Gao</title>",
    "<link>https://desk.example/3</link>",
    "<guid isPermaLink='false'>g3</guid>",
    "<description>Officials said so.</description>",
    "<pubDate>Tue, 14 May 2024 08:00:00 GMT</pubDate>",
)
FOREIGN = (
    "<x:title>Slug 1234</x:title>",
    "<x:link>https://other.example/</x:link>",
    "<x:id>42</x:id>",
    "<x:guid>43</x:guid>",
    "<x:description>no</x:description>",
    "<x:summary>no</x:summary>",
    "<x:published>2020-01-01T00:00:00Z</x:published>",
    "<x:date>2020-01-01T00:00:00Z</x:date>",
)
SPACES = [
    "http://www.itunes.com/DTDs/Podcast-1.0.dtd",
    "http://www.google.com/schemas/play-podcasts/1.0",
    "https://cms.example/ns",
    "urn:cms",
    "http://www.w3.org/2005/Atom",
    "http://purl.org/rss/1.0/modules/slash/",
    "http://www.w3.org/1999/xhtml",
    "http://search.yahoo.com/mrss/",
]


def only(items: str, root: str = "") -> EntryDraft:
    (draft,) = read_feed(f"<rss version='2.0' {root}><channel>{items}</channel></rss>".encode(), now=NOW).drafts
    return draft


@pytest.mark.parametrize("space", [*SPACES, ""])
@pytest.mark.parametrize("before", [True, False])
def test_the_entrys_own_elements_come_before_those_of_any_other_vocabulary(space: str, before: bool) -> None:
    order = (*FOREIGN, *OWN) if before else (*OWN, *FOREIGN)
    draft = only(f"<item>{''.join(order)}</item>", f"xmlns:x='{space}'" if space else "")
    assert (draft.title, draft.link, draft.identity) == ("Wagner leaves Gao", "https://desk.example/3", "g3")
    assert draft.text == "Officials said so."
    assert draft.published == datetime(2024, 5, 14, 8, 0, tzinfo=UTC)


def test_atom_in_rss_counts_where_rss_says_nothing() -> None:
    entry = "<a:title>Wagner leaves Gao</a:title><a:id>g3</a:id><a:link href='https://desk.example/3'/>"
    draft = only(f"<item>{entry}<a:updated>2024-05-14T08:00:00Z</a:updated></item>", f"xmlns:a='{SPACES[4]}'")
    assert (draft.title, draft.link, draft.identity) == ("Wagner leaves Gao", "https://desk.example/3", "g3")
    assert draft.published == datetime(2024, 5, 14, 8, 0, tzinfo=UTC)


def test_a_title_of_media_counts_where_there_is_no_other() -> None:
    spaces = "xmlns:media='http://search.yahoo.com/mrss/' xmlns:i='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    assert (
        only("<item><title/><media:title>Wagner leaves Gao</media:title></item>", spaces).title == "Wagner leaves Gao"
    )
    assert only("<item><i:title>Wagner leaves Gao</i:title><guid>1</guid></item>", spaces).title == "Wagner leaves Gao"


FULL = "Wagner left Gao in the morning, officials said. " * 10


@pytest.mark.parametrize(
    "name",
    [
        "x:full-text",
        "x:fulltext",
        "x:Full_Text",
        "x:fullstory",
        "x:articleBody",
        "x:text",
        "x:story",
        "fulltext",
        "x:body",
    ],
)
@pytest.mark.parametrize("space", ["http://news.mail.ru/", "urn:x", ""])
def test_the_whole_text_is_read_from_any_vocabulary(name: str, space: str) -> None:
    root = f"xmlns:x='{space}'" if space else ""
    draft = only(f"<item><guid>1</guid><description>One line</description><{name}>{FULL}</{name}></item>", root)
    assert (draft.text, draft.summary) == (FULL.strip(), "One line")
    draft = only(f"<item><guid>1</guid><description>{FULL}</description><{name}></{name}></item>", root)
    assert draft.text == FULL.strip()


def test_a_whole_text_that_is_shorter_than_the_summary_is_none() -> None:
    draft = only(f"<item><guid>1</guid><description>{FULL}</description><x:text>no</x:text></item>", "xmlns:x='urn:x'")
    assert draft.text == FULL.strip()


def test_atom_entries_are_judged_alike() -> None:
    entry = "<id>g</id><title>Wagner leaves Gao</title><updated>2024-05-14T08:00:00Z</updated><summary>Text</summary>"
    other = "<x:title>Slug</x:title><x:description>no</x:description><x:published>2020-01-01T00:00:00Z</x:published>"
    for parts in permutations([entry, other]):
        atom = f"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:x='urn:x'><entry>{''.join(parts)}</entry></feed>"
        (draft,) = read_feed(atom.encode(), now=NOW).drafts
        assert (draft.title, draft.text, draft.identity) == ("Wagner leaves Gao", "Text", "g")
        assert draft.published == datetime(2024, 5, 14, 8, 0, tzinfo=UTC)


def test_rss_in_a_namespace_of_its_own_is_its_own_vocabulary() -> None:
    draft = only("<item><title>A</title><guid>1</guid></item>", "xmlns='urn:somebody'")
    assert (draft.title, draft.identity) == ("A", "1")
    atom_in_rss = "<item><a:title>A</a:title><a:id>1</a:id></item>"
    draft = only(atom_in_rss, "xmlns:a='http://www.w3.org/2005/Atom'")
    assert (draft.title, draft.identity) == ("A", "1")


def test_what_only_another_vocabulary_has_is_read_but_no_id() -> None:
    draft = only("<item><x:title>Slug</x:title><x:id>42</x:id><link>https://e.org/1</link></item>", "xmlns:x='urn:x'")
    assert (draft.title, draft.identity) == ("Slug", "")


FULL = "The Wagner group left its camp near Gao on Monday, officials said."


@pytest.mark.parametrize(
    "element",
    ["yandex:full-text", "rambler:fulltext", "mailru:full-text", "rambler:full-text", "turbo:content", "fulltext"],
)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("text", [FULL, f"<![CDATA[<p>{FULL}</p>]]>", f"&lt;p&gt;{FULL}&lt;/p&gt;"])
def test_full_texts_of_the_russian_press_are_the_text(element: str, declared: bool, text: str) -> None:
    prefix = element.partition(":")[0]
    root = f"xmlns:{prefix}='http://news.{prefix}.ru'" if declared and ":" in element else ""
    item = f"<item><title>T</title><description>Short.</description><{element}>{text}</{element}></item>"
    draft = only(item, root)
    assert (draft.text, draft.summary) == (FULL, "Short.")
