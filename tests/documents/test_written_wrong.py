"""What publishing software writes wrong into feeds, one oddity in each document, and what a reader expects of it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from watchpost.documents.parse import read_feed_document
from watchpost.documents.written_address import meant_address
from watchpost.model import Article

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TEN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SPACES = (
    "xmlns:atom='http://www.w3.org/2005/Atom' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:content='http://purl.org/rss/1.0/modules/content/' "
    "xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'"
)
HERE = "https://desk.example/1"


def only(document: str) -> Article:
    reading = read_feed_document(document.encode(), now=NOW, source="desk", url="https://desk.example/feed.xml")
    (article,) = reading.articles
    return article


def rss(item: str, attributes: str = "") -> Article:
    return only(
        f"<rss version='2.0' {SPACES}><channel><title>Desk</title><item {attributes}>{item}</item></channel></rss>"
    )


def atom(entry: str, space: str = "http://www.w3.org/2005/Atom") -> Article:
    return only(f"<feed xmlns='{space}'><title>Desk</title><entry><id>urn:1</id>{entry}</entry></feed>")


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("/Date(1795687200000)/", TEN),
        ("/Date(1795687200000+0100)/", TEN),
        ("20261126100000", TEN),
        ("202611261000", TEN),
        ("2026-Nov-26 10:00:00", TEN),
        ("Thu, 26 11 2026 10:00:00 +0000", TEN),
        ("26 11 2026 10:00", TEN),
        ("Thu, 26 Nov 2026 10:0:0 GMT", TEN),
        ("Thu, 26 Nov 2026 10:00:7 GMT", TEN.replace(second=7)),
        ("2026-11-26 13:00:00 +0300 +0300", TEN),
        ("&lt;time datetime=&quot;2026-11-26T10:00:00Z&quot;&gt;Thu, 11/26/2026 - 10:00&lt;/time&gt;", TEN),
        ("<time datetime='2026-11-26T11:00:00+01:00'>11:00</time>", TEN),
        ("&lt;span class=&quot;date&quot;&gt;26 Nov 2026 10:00&lt;/span&gt;", TEN),
        ("20261399100000", None),
        ("0001-01-01T00:00:00", None),
        ("1405/09/05 10:00", None),
        ("&lt;time datetime=&quot;soon&quot;&gt;tomorrow&lt;/time&gt;", None),
    ],
)
def test_dates_that_templates_write(written: str, moment: datetime | None) -> None:
    assert rss(f"<title>A</title><guid>1977</guid><pubDate>{written}</pubDate>").published == moment


@pytest.mark.parametrize("bad", ["Thu, 01 Jan 1970 00:00:00 +0000", "Wed, 30 Nov -0001 00:00:00 +0000", "soon"])
def test_a_date_that_cannot_be_read_leaves_the_entry_its_other_date(bad: str) -> None:
    other = "<dc:date>2026-11-26T10:00:00Z</dc:date>"
    assert rss(f"<title>A</title><guid>1977</guid><pubDate>{bad}</pubDate>{other}").published == TEN
    assert rss(f"<title>A</title><guid>1977</guid>{other}<pubDate>{bad}</pubDate>").published == TEN


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("&lt;a href=&quot;https://desk.example/1&quot; hreflang=&quot;en&quot;&gt;view&lt;/a&gt;", HERE),
        ("&lt;a href='/1'&gt;view&lt;/a&gt;", HERE),
        ("<a href='https://desk.example/?a=1&amp;amp;b=2'>view</a>", "https://desk.example/?a=1&b=2"),
        ("&lt;![CDATA[https://desk.example/1]]&gt;", HERE),
        ("www.desk.example/1", "https://www.desk.example/1"),
        ("http://https://desk.example/1", HERE),
        ("https://https:/desk.example/1", HERE),
        ("https:/desk.example/1", HERE),
        ("HTTPS:///desk.example/1", HERE),
        ("//desk.example/1", HERE),
        ("https://desk.example/?a=1&amp;amp;b=2", "https://desk.example/?a=1&b=2"),
        ("http://www.bing.com/news/apiclick.aspx?ref=FexRss&amp;tid=6&amp;url=https%3a%2f%2fdesk.example%2f1", HERE),
        ("https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://desk.example/1&amp;ct=ga&amp;usg=AO", HERE),
        ("https://www.google.co.uk/url?q=https://desk.example/1&amp;sa=U", HERE),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fdesk.example%2F1&amp;h=AT", HERE),
        ("https://www.google.com/url?q=javascript:alert(1)", "https://www.google.com/url?q=javascript:alert(1)"),
        ("https://desk.example/url?url=https://other.example/", "https://desk.example/url?url=https://other.example/"),
        (
            "https://archive.example/web/2026/https://desk.example/1",
            "https://archive.example/web/2026/https://desk.example/1",
        ),
    ],
)
def test_addresses_that_templates_write(written: str, link: str) -> None:
    assert rss(f"<title>A</title><guid isPermaLink='false'>g</guid><link>{written}</link>").url == link


def test_an_alerts_entry_is_the_same_whatever_its_wrapping_is_at_this_visit() -> None:
    wrapped = "<title>A</title><link>http://www.bing.com/news/apiclick.aspx?tid={}&amp;url=https%3a%2f%2fdesk.example%2f1</link>"
    assert rss(wrapped.format("6a01")).id == rss(wrapped.format("7b99")).id


def test_an_address_that_means_itself_stays() -> None:
    for address in (HERE, "https://www.google.com/", "/1", "1?x=www.y.example", "mailto:a@desk.example", ""):
        assert meant_address(address) == address


@pytest.mark.parametrize(
    "link",
    [
        "<link/>https://desk.example/1<description>B</description>",
        "<link href='https://desk.example/1'/>",
        "<atom:link href='https://desk.example/1'/>",
        "<atom:link rel='self' href='https://desk.example/feed'/><link>https://desk.example/1</link>",
        "<link>http://feedproxy.google.com/~r/d/~3/a/</link><feedburner:origLink>https://desk.example/1</feedburner:origLink>",
    ],
)
def test_a_link_of_rss_in_another_form(link: str) -> None:
    assert rss(f"<title>A</title><guid isPermaLink='false'>g</guid>{link}").url == HERE


@pytest.mark.parametrize(
    "link",
    [
        "<link rel='http://www.iana.org/assignments/relation/alternate' href='https://desk.example/1'/>",
        "<link rel='Alternate' type='TEXT/HTML; charset=utf-8' href='https://desk.example/1'/>",
        "<link rel='self' href='https://desk.example/1'/>",
        "<link rel='self' href='https://desk.example/x.atom'/><link rel='related' href='https://desk.example/1'/>",
        "<link rel='edit' href='https://desk.example/e'/><link href='https://desk.example/1'/>",
        "<link>https://desk.example/1</link>",
    ],
)
def test_a_link_of_atom_in_another_form(link: str) -> None:
    assert atom(f"<title>A</title>{link}").url == HERE


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("For all $x&lt;y$ we show $z&gt;0$.", "For all $x<y$ we show $z>0$."),
        ("If i&lt;j then 0&lt;i&lt;n.", "If i<j then 0<i<n."),
        (
            "Anna Diallo &lt;anna@desk.example&gt; of the &lt;b&gt;press&lt;/b&gt;.",
            "Anna Diallo <anna@desk.example> of the press.",
        ),
        ("Read &lt;https://desk.example/press&gt; today.", "Read <https://desk.example/press> today."),
        ("The editor of &lt;Le Pays&gt; is free.", "The editor of <Le Pays> is free."),
        ("Incomes &lt;EUR 300 a month &lt;see table&gt; fall.", "Incomes <EUR 300 a month <see table> fall."),
        ("<![CDATA[One <foo>two</foo> <x-y>three</x-y> <o:p>four</o:p>]]>", "One two three four"),
        ("<![CDATA[One<BR>two <Strong class='x'>three</Strong>]]>", "One\ntwo three"),
        ("&lt;![CDATA[&lt;p&gt;One.&lt;/p&gt;]]&gt;", "One."),
        ("<![CDATA[<![CDATA[One.]]]]><![CDATA[>]]>", "One."),
        ("&amp;lt;p&amp;gt;One.&amp;lt;/p&amp;gt;&amp;lt;p&amp;gt;Two.&amp;lt;/p&amp;gt;", "One.\n\nTwo."),
        ("&lt;p&gt;L&amp;amp;#039;armée &amp;amp;amp; l&amp;amp;rsquo;Etat&lt;/p&gt;", "L'armée & l’Etat"),
        ("&lt;p&gt;Write &amp;lt;b&amp;gt; for bold.&lt;/p&gt;", "Write <b> for bold."),
        ("Q&amp;A; R&amp;D", "Q&A; R&D"),
    ],
)
def test_texts_that_are_escaped_too_often_or_too_little(written: str, text: str) -> None:
    assert rss(f"<title>A</title><guid>1977</guid><description>{written}</description>").body == text


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Editor of &lt;Le Pays&gt; held", "Editor of <Le Pays> held"),
        ("外交部发言人就&lt;北京宣言&gt;答记者问", "外交部发言人就<北京宣言>答记者问"),
        ("&lt;![CDATA[Convoy leaves]]&gt;", "Convoy leaves"),
        ("R&amp;#038;B in Bamako", "R&B in Bamako"),
        ("R&amp;amp;amp;B in Bamako", "R&B in Bamako"),
        ("&lt;a href=&quot;/node/1&quot;&gt;Convoy leaves&lt;/a&gt;", "Convoy leaves"),
        ("Gao &#55357;&#56832; convoy", "Gao 😀 convoy"),
    ],
)
def test_titles_that_are_escaped_too_often_or_too_little(written: str, title: str) -> None:
    assert rss(f"<title>{written}</title><guid>1977</guid>").title == title


def test_atom_that_does_not_say_what_its_texts_are() -> None:
    assert atom("<title>AT&amp;amp;T says &amp;quot;no&amp;quot;</title>").title == 'AT&T says "no"'
    assert atom("<title>A &lt;b&gt;bold&lt;/b&gt; step</title>").title == "A bold step"
    assert atom("<title>A</title><summary>&lt;p&gt;Officials said so.&lt;/p&gt;</summary>").body == "Officials said so."
    assert atom("<title type='text'>Use &lt;b&gt;x&lt;/b&gt;</title>").title == "Use <b>x</b>"


def test_atom_0_3_has_texts_in_base64() -> None:
    text = b64encode(b"<p>Officials said so.</p>").decode()
    for written, read in ((text, "Officials said so."), ("none!", "none!")):
        content = f"<title>A</title><content type='text/html' mode='base64'>{written}</content>"
        assert atom(content, "http://purl.org/atom/ns#").body == read


def test_an_entry_has_a_language_of_its_own() -> None:
    assert rss("<title>A</title><guid>1977</guid>", "xml:lang='fr-CA'").lang == "fr"


@pytest.mark.parametrize(
    "line",
    [
        "The post Convoy leaves Gao appeared first on aBamako.",
        "The post Convoy leaves Gao first appeared on aBamako.",
        "L’article Le convoi quitte Gao est apparu en premier sur aBamako.",
        "Der Beitrag Konvoi verlässt Gao erschien zuerst auf aBamako.",
        "La entrada Convoy sale de Gao se publicó primero en aBamako.",
        "O post Comboio deixa Gao apareceu primeiro em aBamako.",
        "L'articolo Convoglio lascia Gao proviene da aBamako.",
        "Сообщение Колонна покинула Гао появились сначала на aBamako.",
        "ظهرت المقالة غادرت القافلة أولاً على aBamako.",
    ],
)
def test_the_line_that_wordpress_adds_is_no_text_of_the_article(line: str) -> None:
    article = rss(
        f"<title>A</title><guid>1977</guid><description><![CDATA[<p>Officials.</p><p>{line}</p>]]></description>"
    )
    assert article.body == "Officials."
    assert rss(f"<title>A</title><guid>1977</guid><description>{line}</description>").body == line  # there is no other
