"""The traps of text that was copied, escaped, wrapped and disguised: what a query finds in it, where, and what not."""

from __future__ import annotations

import pytest

from watchpost.query.document import Document, Index
from watchpost.query.parser import parse
from watchpost.query.words import Word, fold, folded_words, spans, words

# text, query, the pieces of the original text that are found
TRAPS: list[tuple[str, str, list[str]]] = [
    # letters of another alphabet that look the same
    ("W\u0430gner", "wagner", ["W\u0430gner"]),  # Cyrillic а
    ("\u041cALI, M\u0391LI", "mali", ["\u041cALI", "M\u0391LI"]),  # Cyrillic М, Greek Α
    ("Вaгнер", "вагнер", ["Вaгнер"]),  # Latin a
    ("Wagner", "w\u0430gner", ["Wagner"]),  # in the query as well
    ("Gо\u0456\u0308ta", "goïta", ["Gо\u0456\u0308ta"]),
    ("Zасвободу", "zасвободу", ["Zасвободу"]),  # no alphabet can hold it: left as it is
    ("сор", "cop", []),  # one alphabet: a word of its own
    ("Роре", "pope", []),
    # HTML entities that were left in the text
    ("Assimi Go&iuml;ta &eacute;lu", "goita AND elu", ["Go&iuml;ta", "&eacute;lu"]),
    ("в &#1052;&#1072;&#1083;&#1080;.", "мали", ["&#1052;&#1072;&#1083;&#1080;"]),
    ("&#x4d;ali", "mali", ["&#x4d;ali"]),
    ("&#39532;&#37324;", "马里", ["&#39532;&#37324;"]),
    ("马&#8203;里", "马里", ["马&#8203;里"]),
    ("Wag&shy;ner&nbsp;Group", '"wagner group"', ["Wag&shy;ner&nbsp;Group"]),
    ("AT&amp;T AT&amp;amp;T", "AT&T", ["AT&amp;T", "AT&amp;amp;T"]),
    ("Mali&rsquo;s Mali&#8217;s", "mali", ["Mali", "Mali"]),
    ("l&rsquo;op&eacute;ration Barkhane", '"opération barkhane"', ["op&eacute;ration Barkhane"]),
    ("&lt;b&gt;Mali&lt;/b&gt; Mali", "mali", ["Mali", "Mali"]),
    ("R&D;mali &unknown; mali &#0; mali &#xD800;", "mali", ["mali", "mali", "mali"]),
    ("?a=1&copy=2&mali", "copy", ["copy"]),  # no semicolon: an address
    # words broken at the end of a line
    ("merce-\nnaries of Wagner", "mercenaries", ["merce-\nnaries"]),
    ("merce-\r\n  naries", "mercenar*", ["merce-\r\n  naries"]),
    ("merce\u00ad\nnaries", "mercenaries", ["merce\u00ad\nnaries"]),
    ("WAG-\nNER", "wagner", ["WAG-\nNER"]),
    ("Wag-\nner Group", '"wagner group"', ["Wag-\nner Group"]),
    ("the Wag-\nner", '"the wagner"', ["the Wag-\nner"]),
    ("of Wag-\nner", "{Wagner}", ["Wag-\nner"]),
    ("of wag-\nner", "{Wagner}", []),
    ("anti-\nwagner", "wagner", ["wagner"]),  # the halves may be words, too
    ("anti-\nwagner", "anti-wagner", ["anti-\nwagner"]),
    ("franco-\nMalian", "francomalian", []),
    ("merce-\n\nnaries", "mercenaries", []),  # a paragraph ends: not one word
    ("merce- naries", "mercenaries", []),
    ("opé-\nration Bar-\nkhane", '"operation barkhane"', ["opé-\nration Bar-\nkhane"]),
    # scripts without spaces, wrapped
    ("武装在马\n里活动", "马里", ["马\n里"]),
    ("武装在马 \r\n　里活动", "马里", ["马 \r\n　里"]),
    ("武装在马\n\n里活动", "马里", []),
    ("マ\nリ共和国", "マリ", ["マ\nリ"]),
    # names inside longer names
    ("马里乌波尔 马里兰 馬里蘭 索马里 马里奥 马里", "马里", ["马里"]),
    ("馬里蘭 馬里", "馬里 OR 马里", ["馬里"]),
    ("他在马里兰", '"马里"', ["马里"]),  # a phrase is taken as it is
    ("马里内阁与尼日尔", "马里", ["马里"]),  # Mali's cabinet
    ("参加奥运会 加奥", "加奥", ["加奥"]),
    ("上海地区 海地", "海地", ["海地"]),
    ("索\n马里", "马里", []),
    ("马里乌波尔", "马里 UNLESS 马里乌波尔", []),
    ("马里军 马里乌波尔", '"马里" UNLESS 马里乌波尔', ["马里"]),
    ("ソマリア マリウポリ カナダ・マリ マリ軍 マリー", "マリ", ["マリ", "マリ"]),
    ("ｿﾏﾘｱ ﾏﾘ", "マリ", ["ﾏﾘ"]),
    ("ソマリア", '"マリ"', ["マリ"]),
    ("ワグネルグループ", "ワグネル", ["ワグネル"]),  # four characters may be part of a compound
    # exact spelling
    ("Mali mali MALI Malí", "{Mali}", ["Mali"]),
    ("Goïta Goita GOÏTA Goi\u0308ta", "{Goïta}", ["Goïta", "Goi\u0308ta"]),
    ("Africa Corps, africa corps", "{Africa Corps}", ["Africa Corps"]),
    ("Wag\u00adner wagner", "{Wagner}", ["Wag\u00adner"]),
    ("Mali’s MALI’s", "{Mali}", ["Mali"]),
    ("Still in Bt than BT", "{BT}", ["BT"]),
    ("ﻣﺎﻟﻲ مالي", "{مالي}", ["مالي"]),
    # the first n words
    ("one two mali four mali", "first/3:mali", ["mali"]),
    ("one two mali", "first/2:mali", []),
    ("one africa corps", 'first/2:"africa corps"', []),
]


@pytest.mark.parametrize(("text", "query", "found"), TRAPS, ids=[f"{query} in {text!r}" for text, query, _ in TRAPS])
def test_what_is_found(text: str, query: str, found: list[str]) -> None:
    evidence = parse(query).evaluate(Document.of({"body": text})) or ()
    assert [text[item.start : item.end] for item in evidence] == found
    assert [item.text for item in evidence] == found


def test_the_first_words_are_counted_in_each_field() -> None:
    document = Document.of({"title": "x mali", "summary": "x x mali", "body": "mali x x", "author": "mali"})
    found = parse("first/2:mali").evaluate(document) or ()
    assert [item.field for item in found] == ["title", "body"]


def test_an_alphabet_is_chosen_for_the_whole_word() -> None:
    assert fold("M\u0430l\u0456") == "mali"
    assert fold("\u041c\u0430\u043b\u0456") == "малі"
    assert fold("Пpигoжин") == "пригожин"  # Latin p, o
    assert fold("αβγ") != fold("abg")


@pytest.mark.parametrize("text", ["", "Mali ", " Mali, «Wagner»", "l’été в Мали 马里 x", "a" * 50 + "é" * 50 + " b-c"])
def test_places_and_folded_words_agree(text: str) -> None:
    assert [(text[start:end]) for start, end in spans(text)] == [text[word.start : word.end] for word in words(text)]
    assert folded_words(text) == [word.folded for word in words(text)]
    assert words(text) == [Word(folded, *span) for folded, span in zip(folded_words(text), spans(text), strict=True)]


def test_offsets_behind_entities_are_those_of_the_original() -> None:
    text = "&amp; &eacute;t&eacute; &hellip; Mali &bne; Niger"  # &bne; stands for two characters
    index = Index(text)
    assert [text[slice(*index.span(place, place))] for place in range(3)] == ["&eacute;t&eacute;", "Mali", "Niger"]
