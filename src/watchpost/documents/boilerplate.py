"""Pure: boilerplate of web pages around an article: labels, buttons, teasers, menus, captions of archive pictures.

A topic must not match on it. It is blanked, not cut: every character keeps its place, so that evidence can point into
the text as delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_LABELS = (
    # After one of these the article is over, if only short lines follow.
    r"related (articles?|stories|posts|news|topics|content)",
    r"you (may|might) also like",
    r"more (stories|news|headlines|on this (story|topic)|(from|in|by|about) .{1,40})",
    r"(latest|top|other|popular|today[’']s) (news|stories|headlines|articles|posts)",
    r"(editors?[’']?s? picks?|don[’']t miss|in other news|elsewhere( on .{1,30})?|in case you missed it)",
    r"recommended( for you| reading| stories)?",
    r"(most|also) (read|popular|viewed|shared|on .{1,30})",
    r"read (next|also|more)",
    r"see also",
    r"what to read next",
    r"up next",
    r"trending( now)?",
    r"leave a (reply|comment)",
    r"(post|add|write) a comment",
    r"(comments?|commentaires?|kommentare?|comentarios|comentários|комментарии)( \(?\d+\)?)?",
    r"\d+ comments?",
    r"show comments",
    r"about the author",
    r"share (this|on|article).{0,30}",
    r"(à )?lire aussi",
    r"articles? (similaires|liés|connexes)",
    r"sur le même (sujet|thème)",
    r"à (lire également|ne pas manquer|découvrir|voir aussi)",
    r"(dans la même rubrique|les plus (lus|partagés)|nos derniers articles|plus d[’']articles|l[’']essentiel)",
    r"(voir|lire) (aussi|également)",
    r"mehr zum thema",
    r"lesen sie auch",
    r"das könnte sie auch interessieren",
    r"ähnliche artikel",
    r"auch interessant",
    r"(mehr|weitere) (artikel|meldungen|nachrichten|beiträge|themen)( .{1,30})?",
    r"mehr (aus|von|über) .{1,40}",
    r"(meistgelesen|am meisten gelesen|zum thema|aus dem ressort|verwandte themen)",
    r"artículos? relacionados?",
    r"noticias relacionadas",
    r"te puede interesar",
    r"(lea|lee|ver|vea) (también|además|más)",
    r"(más (noticias|artículos|leídas?|sobre .{1,40})|lo más (leído|visto)|también te puede interesar)",
    r"últimas (noticias|notícias)",
    r"artigos? relacionados?",
    r"(leia|veja|saiba) (também|mais)",
    r"(mais (notícias|lidas|sobre .{1,40})|(as )?mais lidas|você também pode gostar)",
    r"notícias relacionadas",
    r"articoli correlati",
    r"(leggi|vedi|guarda) anche",
    r"(altre notizie|i più letti|ultime notizie|ti potrebbe(ro)? interessare)",
    r"potrebbe interessarti",
    r"(lees (ook|meer|verder)|meest gelezen|meer (nieuws|over .{1,40}))",
    r"(läs (också|mer)|les (også|mer)|læs (også|mere)|mest (lest|läst|læst)|lue (myös|lisää))",
    r"(czytaj|zobacz|przeczytaj) (też|także|również|więcej)",
    r"(powiązane|najczęściej czytane|więcej na ten temat)",
    r"(čtěte|čítajte) (také|také|tiež|více)",
    r"(pročitajte|čitajte) (i|još|također|takođe)( .{1,20})?",
    r"(povezan[ei] (vijesti|vesti|članci)|najčitanije)",
    r"(ilgili|benzer|diğer) haberler",
    r"(çok okunanlar|bunlar da ilginizi çekebilir)",
    r"(baca juga|(berita|artikel) (terkait|lainnya|terpopuler)|soma (pia|zaidi)|habari zinazohusiana)",
    r"читайте (также|ещё|также по теме|також)",
    r"((ещё|материалы|новости|статьи) )?(по|за) тем[еою]+",
    r"(самое (читаемое|популярное|главное)|популярное|другие новости|смотрите также|ещё новости|більше новин)",
    r"похожие (статьи|материалы)",
    r"مقالات ذات صلة",
    r"(اقرأ|شاهد|طالع) (أيضا\u064b?|المزيد)",
    r"(موضوعات|أخبار|مواضيع) (ذات صلة|متعلقة|أخرى)",
    r"(الأكثر (قراءة|مشاهدة)|قد يهمك( أيضا\u064b?)?|آخر الأخبار)",
    r"(مطالب|اخبار|خبرهای) (مرتبط|بیشتر)",
    r"بیشتر بخوانید",
    r"(相关|相關|更多|热门|熱門|推荐|推薦|热点|延伸|最新)(阅读|閱讀|新闻|新聞|报道|報導|文章|推荐|推薦|消息)",
    r"(関連|おすすめ|人気|最新|あわせて読みたい)(記事|ニュース|リンク)?",
    r"(관련|추천|인기|많이 본) ?(기사|뉴스)",
)
_BUTTONS = (
    # These are never part of an article.
    r"(show|load) (more|less)",
    r"back to top( button)?",
    r"scroll to top",
    r"(share|share via email|tweet|pin it|print|print article|e-?mail|copy link|save|gift|play|listen)",
    r"(facebook|twitter|x|whatsapp|telegram|linkedin|pinterest|reddit|messenger|instagram|youtube)",
    r"(advertisement|sponsored( content)?|publicité|anzeige|publicidad|реклама)",
    r"(sign (up|in)|log in|subscribe( now)?|s[’']abonner|abonnieren|suscríbete)",
    r"(skip to (main )?content|menu|search|home|close)",
    r"(previous|next)( article| post)?",
    r"tags?:?",
    r"(tags?|keywords?|mots[- ]clés|étiquettes?|schlag(wörter|worte)|stichwörter|etiquetas?|parole chiave|tagi|oznake"
    r"|etiket(ler)?|теги|метки|мітки|ключевые слова|الوسوم|وسوم|كلمات مفتاحية|برچسب\u200c?ها|标签|標籤|关键词|關鍵詞"
    r"|タグ|태그)\s*[:：].*",
    r"(filed under|posted in|(topics?|categor(y|ies)|sections?|rubriques?|thèmes?|catégories?|kategorien?|ressorts?"
    r"|temas|categor[ií]as?|categorie|рубрик[аи]|разделы?|kategori(ler)?|kategorie?)\s*[:：]).{1,120}",
    r"follow us( on .{1,20})?",
    r"(afficher plus|voir plus|partager|imprimer|retour en haut)",
    r"(mehr anzeigen|teilen|drucken|nach oben)",
    r"(ver más|compartir|imprimir)",
    r"(поделиться|показать ещё|наверх)",
    r"\d{1,2} min(ute)?s? read",
    r"©.{0,120}",
    r"all rights reserved\.?",
)
_LABEL = re.compile(r"\W*(?:" + "|".join(_LABELS) + r")\W*", re.IGNORECASE)
# "Read also: Mali's army retakes a town": a teaser in one line.
_TEASER = re.compile(r"\W*(?:" + "|".join(_LABELS) + r")\s*[:：|>»–—]\s*\S.{0,200}", re.IGNORECASE)
_POINTER = re.compile(r"[:：|>»–—]")
_BUTTON = re.compile(r"\W*(?:" + "|".join(_BUTTONS) + r")\W*", re.IGNORECASE)


_LINE_MAX = 240
"""Longer lines are none of these, in code points."""


def is_label(line: str) -> bool:
    """Whether the line begins what is no longer the article ("Related Articles", "Lire aussi")."""
    return len(line) <= 80 and _LABEL.fullmatch(line.replace("\u00a0", " ")) is not None


def is_button(line: str) -> bool:
    """Whether the line is a button or a notice ("Show More", "Facebook", "© 2021 …")."""
    return len(line) <= 160 and _BUTTON.fullmatch(line.replace("\u00a0", " ")) is not None


def is_teaser(line: str) -> bool:
    """Whether the line points to another article ("Read also: …", "À lire aussi : …", "Baca juga: …")."""
    return (
        len(line) <= _LINE_MAX
        and _POINTER.search(line) is not None
        and _TEASER.fullmatch(line.replace("\u00a0", " ")) is not None
    )


_INK, _GAP = re.compile(r"\S"), re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"[^\n]+")
_END = ".!?…»”\"')]。！？؟।"
_PROSE_MIN = 80
_SEPARATOR = re.compile(r"\s[>»›/|•·–—]\s|\s{2,}|\t")
# "[File photo: …]", "(Photo d’archives – …)": a picture from another day, described in words of its own.
_CAPTION = re.compile(
    r"\W{0,3}(?:(?:file|archive|stock|undated)\s+(?:photo|picture|image|footage)|(?:photo|image)s?\s+d[’']archives?"
    r"|archivbild|symbolbild|foto\s+de\s+archivo|imagen\s+de\s+archivo|foto\s+de\s+arquivo|foto\s+d[’']archivio"
    r"|архивное\s+фото|фото\s+из\s+архива|صورة\s+أرشيفية|صورة\s+من\s+الأرشيف|资料图片?|档案照片|資料写真)\b",
    re.IGNORECASE,
)


# "The post X appeared first on Y.", the last line in WordPress' feeds: X is the headline, Y the outlet.
_REFERENCE = re.compile(
    r"(?:(?:the (?:post|article)|(?:l[’']|cet )article|der (?:beitrag|artikel)|(?:la (?:entrada|noticia)|el artículo)"
    r"|o (?:post|artigo|conteúdo)|a notícia|l[’']articolo|het (?:bericht|artikel)|inlägget|indlægget"
    r"|(?:artykuł|post|wpis)|(?:сообщение|запись|стаття|допис)|příspěvek|artikel|المقالة|نوشته)\s.{1,400}\s"
    r"(?:(?:first appeared|appeared first) on|(?:est apparu en premier|apparaît en premier) sur"
    r"|(?:erschien|erscheint) zuerst (?:auf|bei)|(?:se publicó|apareció|aparece) primero en"
    r"|(?:apareceu|aparece) primeiro em|(?:proviene da|sembra essere il primo su)"
    r"|(?:verscheen eerst|verscheen als eerste) op|dök först upp på"
    r"|(?:pochodzi z serwisu|pojawił się (?:po ?raz|najpierw).{0,20}(?:w|na))"
    r"|(?:появились|появилась|появилося) (?:сначала|впервые|спочатку) (?:на|в)|pochází z"
    r"|pertama kali (?:tampil|muncul) (?:pada|di)|أولا[\u064b]? على|اولین بار در)\s.{1,150}"
    r"|ظهرت المقالة\s.{1,400}\sأولا[\u064b]? على\s.{1,150})",
    re.IGNORECASE,
)
_REFERENCE_MAX = 600


class _Piece(NamedTuple):  # there are many: a dataclass takes three times as long to make
    start: int
    end: int
    text: str


def blank_margins(text: str) -> str:
    """The text with page boilerplate replaced by spaces, character for character; line breaks stay.

    Blanked are buttons, everything after a label such as "Related Articles" if no prose follows, menus and breadcrumbs
    above the first prose, captions of archive pictures, and "The post … appeared first on …" at the end. A text without
    any prose stays as it is: a headline alone is no menu.
    """
    pieces = _pieces(text)
    reference = [pieces.pop()] if len(pieces) > 1 and _is_reference(pieces[-1].text) else []
    prose = [n for n, piece in enumerate(pieces) if _is_prose(piece.text)]
    if not prose:
        return _blanked(text, reference)
    first, last = prose[0], prose[-1]
    below = next((n for n in range(last + 1, len(pieces)) if is_label(pieces[n].text.strip())), len(pieces))
    to_blank = [
        piece
        for n, piece in enumerate(pieces)
        if n >= below or _is_outside(piece.text.strip()) or (n < first and _is_menu(piece.text.strip()))
    ]
    return _blanked(text, to_blank + reference)


def _blanked(text: str, pieces: Sequence[_Piece]) -> str:
    out, at = [], 0
    for piece in pieces:
        out += [text[at : piece.start], re.sub(r"[^\n]", " ", piece.text)]
        at = piece.end
    return "".join([*out, text[at:]])


def _is_reference(text: str) -> bool:
    text = text.strip()
    return len(text) <= _REFERENCE_MAX and _REFERENCE.fullmatch(text) is not None


def _pieces(text: str) -> list[_Piece]:
    """Paragraphs; buttons and labels at their edges as pieces of their own; lines, if there is no empty line."""
    blocks = list(_blocks(text))
    if len(blocks) == 1:
        return [_Piece(m.start(), m.end(), m[0]) for m in _LINE.finditer(text)]
    pieces: list[_Piece] = []
    for begin, end in blocks:
        if text.find("\n", begin, end) < 0:
            pieces.append(_Piece(begin, end, text[begin:end]))
            continue
        lines = [_Piece(m.start(), m.end(), m[0]) for m in _LINE.finditer(text, begin, end)]
        first, last = 0, len(lines)
        while first < last and _is_boilerplate(lines[first].text):
            first += 1
        while last > first and _is_boilerplate(lines[last - 1].text):
            last -= 1
        if first and is_label(lines[first - 1].text.strip()):
            pieces += lines  # a list of teasers under its heading
        elif first < last:
            start, stop = lines[first].start, lines[last - 1].end
            pieces += [*lines[:first], _Piece(start, stop, text[start:stop]), *lines[last:]]
        else:
            pieces += lines
    return pieces


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each paragraph; empty lines separate them."""
    ink = _INK.search(text)
    at = ink.start() if ink else len(text)
    for gap in _GAP.finditer(text, at):
        yield at, gap.start()
        at = gap.end()
    if at < len(text):
        yield at, len(text)


def _is_outside(text: str) -> bool:
    return _is_boilerplate(text) or _CAPTION.match(text) is not None


def _is_boilerplate(line: str) -> bool:
    line = line.strip()
    return len(line) <= _LINE_MAX and _is_known(line)


@lru_cache(1024)  # each line is checked several times
def _is_known(line: str) -> bool:
    return is_label(line) or is_button(line) or is_teaser(line)


def _is_menu(text: str) -> bool:
    """Several entries with separators, and no sentence: "Home | World | Africa | Mali"."""
    if text[-1:] in _END or len(text) > 300:
        return False
    return len([entry for entry in _SEPARATOR.split(text) if entry.strip()]) >= 3


def _is_prose(text: str) -> bool:
    text = text.strip()
    return len(text) >= 2 * _PROSE_MIN or (len(text) >= _PROSE_MIN and text[-1:] in _END) or _is_dense(text)


def _is_dense(text: str) -> bool:
    """A sentence in a script that needs a third of the characters."""
    return len(text) >= 30 and text[-1:] in "。！？" and bool(re.search(r"[぀-ヿ㐀-鿿가-힣]", text))
