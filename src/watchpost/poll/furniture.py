"""Still: the words that web pages put around an article, in the languages that we meet most."""

from __future__ import annotations

import re

_LABELS = (
    # After one of these the page is done with the article, if nothing but short lines follows.
    r"related (articles?|stories|posts|news|topics|content)",
    r"you (may|might) also like",
    r"more (stories|news|on this story)",
    r"recommended( for you)?",
    r"most (read|popular)",
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
    r"à lire également",
    r"mehr zum thema",
    r"lesen sie auch",
    r"das könnte sie auch interessieren",
    r"ähnliche artikel",
    r"auch interessant",
    r"artículos? relacionados?",
    r"noticias relacionadas",
    r"te puede interesar",
    r"lea también",
    r"artigos? relacionados?",
    r"leia (também|mais)",
    r"notícias relacionadas",
    r"articoli correlati",
    r"leggi anche",
    r"potrebbe interessarti",
    r"lees ook",
    r"читайте также",
    r"(материалы )?по теме",
    r"похожие (статьи|материалы)",
    r"مقالات ذات صلة",
    r"اقرأ أيضا\u064b?",
    r"相关(阅读|新闻)",
    r"延伸阅读",
    r"関連記事",
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
_BUTTON = re.compile(r"\W*(?:" + "|".join(_BUTTONS) + r")\W*", re.IGNORECASE)


def is_label(line: str) -> bool:
    """Whether the line announces what is no longer the article ("Related Articles", "Lire aussi")."""
    return len(line) <= 80 and _LABEL.fullmatch(line.replace("\u00a0", " ")) is not None


def is_button(line: str) -> bool:
    """Whether the line is something to press, or a notice ("Show More", "Facebook", "© 2021 …")."""
    return len(line) <= 160 and _BUTTON.fullmatch(line.replace("\u00a0", " ")) is not None
