"""Still: the words that web pages put around an article, in the languages that we meet most."""

from __future__ import annotations

import re

_LABELS = (
    # After one of these the page is done with the article, if nothing but short lines follows.
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
    # These mean nothing wherever they stand.
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


LONGEST = 240
"""Longer lines are none of these, in code points."""


def is_label(line: str) -> bool:
    """Whether the line announces what is no longer the article ("Related Articles", "Lire aussi")."""
    return len(line) <= 80 and _LABEL.fullmatch(line.replace("\u00a0", " ")) is not None


def is_button(line: str) -> bool:
    """Whether the line is something to press, or a notice ("Show More", "Facebook", "© 2021 …")."""
    return len(line) <= 160 and _BUTTON.fullmatch(line.replace("\u00a0", " ")) is not None


def is_teaser(line: str) -> bool:
    """Whether the line points to another article ("Read also: …", "À lire aussi : …", "Baca juga: …")."""
    return (
        len(line) <= LONGEST
        and _POINTER.search(line) is not None
        and _TEASER.fullmatch(line.replace("\u00a0", " ")) is not None
    )
