"""The traps of real text: what a query finds in it, at offsets of the original."""

from __future__ import annotations

import unicodedata

import pytest

from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.words import fold, letters, word_patterns, words

NFD = unicodedata.normalize("NFD", "Assimi Goïta, été")

# text, query, the pieces of the text that are found
TRAPS: list[tuple[str, str, list[str]]] = [
    # whole words, in any case
    ("Mali, MALI; mali. Somalia anomalie malié Mali2", "mali", ["Mali", "MALI", "mali"]),
    ("Malian Maliens mali malt", "mali*", ["Malian", "Maliens", "mali"]),
    ("#Wagner_Group @mali", "wagner OR mali", ["Wagner", "mali"]),
    # invisible characters inside and around words
    ("Wag\u00adner", "wagner", ["Wag\u00adner"]),
    ("Wag\u200bner Wag\u2060ner Wag\ufeffner", "wagner", ["Wag\u200bner", "Wag\u2060ner", "Wag\ufeffner"]),
    ("\ufeff\u202aWagner\u202c\u200b group", '"wagner group"', ["Wagner\u202c\u200b group"]),
    ("Wagner", "wag\u00adner", ["Wagner"]),
    ("Africa\u00a0Corps, Africa\u202fCorps", '"africa corps"', ["Africa\u00a0Corps", "Africa\u202fCorps"]),
    ("Africa\n   Corps", '"Africa Corps"', ["Africa\n   Corps"]),
    # accents, composed or not
    (NFD, "goita", ["Goi\u0308ta"]),
    (NFD, "Goïta AND ete", ["Goi\u0308ta", "e\u0301te\u0301"]),
    ("opération Operation OPÉRATION", "opération", ["opération", "Operation", "OPÉRATION"]),
    ("Łódź Ørsted œuvre", "lodz AND orsted AND oeuvre", ["Łódź", "Ørsted", "œuvre"]),
    ("Αθήνα ΑΘΗΝΑΣ", "αθηνα OR αθήνας", ["Αθήνα", "ΑΘΗΝΑΣ"]),
    ("Nguyễn Việt", '"nguyen viet"', ["Nguyễn Việt"]),
    # French elision, English possessive, apostrophes of all shapes
    ("l’opération d'opération lʼopération", "opération", ["opération", "opération", "opération"]),
    ("l’opération", "l'operation", ["l’opération"]),
    ("Mali’s Mali's Malis", "mali", ["Mali", "Mali"]),
    ("Mali’s army", '"Mali\'s army"', ["Mali’s army"]),
    ("aujourd’hui", "aujourd'hui", ["aujourd’hui"]),
    # hyphens
    ("Franco-Malian", "franco-malian", ["Franco-Malian"]),
    ("Franco\u2011Malian", '"franco malian"', ["Franco\u2011Malian"]),
    ("Franco-Malian", "malian", ["Malian"]),
    ("franco malian", "franco-malian", ["franco malian"]),
    ("francomalian", "franco-malian", []),
    ("Mali-G710 Mali-400", '"mali-g*"', ["Mali-G710"]),
    # German, Turkish
    ("Straße STRASSE strasse", "straße", ["Straße", "STRASSE", "strasse"]),
    ("Strasse Straßen", "Straß*", ["Strasse", "Straßen"]),
    ("Bayern München", "munchen", ["München"]),
    ("İİİ İstanbul, ISTANBUL, ıstanbul", "istanbul", ["İstanbul", "ISTANBUL", "ıstanbul"]),
    ("İ İ Mali", "mali", ["Mali"]),
    # Cyrillic: й is a letter of its own, ё is е with dots that few write
    ("мой мои", "мой", ["мой"]),
    ("мой мои", "мои", ["мои"]),
    (unicodedata.normalize("NFD", "Мой край"), "мой", ["Мои\u0306"]),
    ("ещё еще ЕЩЁ", "еще", ["ещё", "еще", "ЕЩЁ"]),
    ("Ма\u0301ли", "мали", ["Ма\u0301ли"]),
    ("Україна Украина", "Україна", ["Україна"]),
    ("Мали Малибу Сомали", "мали", ["Мали"]),
    ("вагнера Вагнеру вагнеровцы", "вагнер*", ["вагнера", "Вагнеру", "вагнеровцы"]),
    # Arabic and Hebrew: signs that come and go, letters that stay
    ("مالـــي مَالِي مالي", "مالي", ["مالـــي", "مَالِي", "مالي"]),
    ("المالي إجمالي", "مالي", []),
    ("أفريقيا افريقيا إفريقيا", "افريقيا", ["أفريقيا", "افريقيا", "إفريقيا"]),
    ("مالى مالی", "مالي", ["مالى", "مالی"]),
    ("ﻣﺎﻟﻲ", "مالي", ["ﻣﺎﻟﻲ"]),
    ("فاغنر، مجموعة", "فاغنر AND مجموعة", ["فاغنر", "مجموعة"]),
    ("שָׁלוֹם", "שלום", ["שָׁלוֹם"]),
    # full width
    ("Ｗａｇｎｅｒ　Ｇｒｏｕｐ", '"wagner group"', ["Ｗａｇｎｅｒ　Ｇｒｏｕｐ"]),
    # Chinese and Japanese: no spaces, a term matches inside a run
    ("瓦格纳集团在马里活动", "马里", ["马里"]),
    ("瓦格纳集团在马里活动", "瓦格纳 AND 马里", ["瓦格纳", "马里"]),
    ("马里JNIM武装", "jnim AND 马里", ["马里", "JNIM"]),
    ("马，里。马 里", "马里", []),
    ("马\u200b里", "马里", ["马\u200b里"]),
    ("马里，军政府", '"马里 军政府"', ["马里，军政府"]),
    ("マリ共和国のワグネル・グループ", "マリ AND ワグネル・グループ", ["マリ", "ワグネル・グループ"]),
    ("ワグネルグループ", "ワグネル・グループ", ["ワグネルグループ"]),
    ("ガーナ カーナ", "ガーナ", ["ガーナ"]),
    ("ガーナ カーナ", "カーナ", ["カーナ"]),
    ("ｶﾞｰﾅ", "ガーナ", ["ｶﾞｰﾅ"]),
    (unicodedata.normalize("NFD", "ガーナ"), "ガーナ", ["カ\u3099ーナ"]),
    ("はは ばば ぱぱ", "ばば", ["ばば"]),
    # Korean: words with endings
    ("말리 정부", "말리", ["말리"]),
    ("말리에서 말리의 마리", "말리*", ["말리에서", "말리의"]),
    ("말리에서", "말리", []),
    (unicodedata.normalize("NFD", "말리 정부"), '"말리 정부"', [unicodedata.normalize("NFD", "말리 정부")]),
    # Hindi: vowel signs make words
    ("माली मल माल", "माली", ["माली"]),
    ("माली मल माल", "मल", ["मल"]),
    ("माली में", '"माली में"', ["माली में"]),
    ("क़ \u0958", "क़", ["क़", "\u0958"]),
    # Thai
    ("ประเทศมาลีวันนี้", "มาลี", ["มาลี"]),
    ("ปา ป้า", "ปา", ["ปา"]),
    # digits
    ("Mali¹ CO₂ ½", "mali AND co2", ["Mali", "CO₂"]),
    ("٣٥٠٠ 3500", "3500", ["3500"]),
]


@pytest.mark.parametrize(("text", "query", "found"), TRAPS, ids=[f"{query} in {text}" for text, query, _ in TRAPS])
def test_what_is_found(text: str, query: str, found: list[str]) -> None:
    evidence = parse(query).evaluate(Document.of({"body": text})) or ()
    assert [text[item.start : item.end] for item in evidence] == found
    assert [item.text for item in evidence] == found


@pytest.mark.parametrize(
    "pair",
    [
        ("й", "и"),
        ("ї", "і"),
        ("ў", "у"),
        ("が", "か"),
        ("パ", "ハ"),
        ("말", "마"),
        ("ली", "ल"),
        ("ใ", "ไ"),
        ("ש", "ס"),
        ("ث", "ت"),
    ],
)
def test_letters_that_are_never_folded_together(pair: tuple[str, str]) -> None:
    composed, plain = (fold(letter) for letter in pair)
    assert composed != plain
    assert fold(unicodedata.normalize("NFD", pair[0])) == composed


@pytest.mark.parametrize("text", ["", " \n", "…—!?", "\u0640", "\u0301", "\u200b", "\ud800", "\0", "\u3164"])
def test_text_without_words(text: str) -> None:
    assert words(text) == []
    assert word_patterns(text) == ()


def test_offsets_survive_characters_that_change_length_when_folded() -> None:
    text = "ﬃ İ ß ŉ ǆ ﷺ 𝐌𝐚𝐥𝐢 Mali"
    assert [text[word.start : word.end] for word in words(text)] == text.split()
    assert words(text)[-2].folded == words(text)[-1].folded == "mali"


def test_a_hangul_syllable_counts_as_the_letters_in_it() -> None:
    assert [letters(word) for word in ("ma", "말리", "мой", "")] == [2, 5, 3, 0]
