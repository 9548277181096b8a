"""Pages without feeds, in the shapes that are common: a ministry's press page, a channel's preview, a forum."""

from __future__ import annotations

MINISTRY = """<!doctype html>
<html lang="fr"><head><title>Communiqués | Ministère</title>
<meta property="og:site_name" content="Ministère de la Santé"></head><body>
<header><nav class="menu"><ul>
<li><a href="/le-ministere/presentation">Présentation du ministère et missions</a></li>
<li><a href="/le-ministere/cabinet">Le cabinet du ministre de la santé</a></li>
<li><a href="/organigramme">Organigramme et services du ministère</a></li>
<li><a href="/textes">Textes officiels et documents publics</a></li>
<li><a href="/marches">Marchés publics et appels d'offres ouverts</a></li></ul></nav></header>
<main><h1>Communiqués de presse</h1><div class="view-content">{items}</div>
<ul class="pager"><li><a href="?page=1">1</a></li><li><a href="?page=2">2</a></li><li><a href="?page=3">3</a></li></ul>
</main>
<aside class="sidebar"><h2>Les plus lus</h2><ul>
<li><a href="/actu/90">Tout savoir sur la dengue au Mali</a></li>
<li><a href="/actu/91">Comment obtenir un certificat médical</a></li>
<li><a href="/actu/92">Liste des centres de santé ouverts</a></li>
<li><a href="/actu/93">Numéros verts du ministère de la santé</a></li></ul></aside>
<footer><a href="/mentions">Mentions légales et données personnelles</a> <a href="/plan">Plan du site du ministère</a>
<a href="/contact">Nous contacter par téléphone ou courriel</a></footer></body></html>"""

_RELEASE = """<div class="views-row"><a href="/actu/{0}?utm_source=list"><img src="{0}.jpg" alt=""></a>
<h3><a href="/actu/{0}">{1}</a></h3><span class="date">{2}</span><p>{3}</p>
<a class="more" href="/actu/{0}">Lire la suite</a></div>"""

RELEASES = (
    (4, "Lancement de la campagne de vaccination à Gao", "23/11/2026", "Le ministre a lancé la campagne lundi."),
    (3, "Visite du chantier de l’hôpital de Mopti", "12/11/2026", "Le chantier avance, selon le ministère."),
    (2, "Conférence sur le paludisme à Bamako", "04/11/2026", "Des experts de dix pays sont venus."),
    (1, "Remise de médicaments à Kayes", "02/11/2026", "Dix tonnes ont été remises."),
)


def ministry(*releases: tuple[int, str, str, str]) -> bytes:
    """A press page: menus, teasers with pictures, dates with slashes, a list of the most read."""
    items = "\n".join(_RELEASE.format(*release) for release in releases or RELEASES)
    return MINISTRY.replace("{items}", items).encode()


_MESSAGE = """<div class="msg_wrap"><div class="msg" data-post="desk/{0}">
<div class="msg_author"><a class="owner" href="https://channel.example/desk"><span>Desk</span></a></div>
<div class="msg_text">{1}<br><br>More on <a href="https://elsewhere.example/{0}">our site</a>
and <a href="?q=%23Mali">#Mali</a></div>
<div class="msg_footer"><span class="views">1.2K</span> <a class="msg_date" href="https://channel.example/desk/{0}">
<time datetime="2026-11-23T0{0}:00:00+00:00">0{0}:00</time></a></div></div></div>"""


def channel() -> bytes:
    """A channel's public preview: messages without headlines, oldest first, their times being their links."""
    texts = [
        "Convoy attacked near Gao, three soldiers wounded, the army says",
        "Переговоры в Бамако продолжаются, сообщает министерство",
        "马里北部发生武装袭击事件，造成多人受伤",
        "The border at Labbezanga is open again since this morning",
    ]
    messages = "\n".join(_MESSAGE.format(number, text) for number, text in enumerate(texts, 1))
    return f"""<!doctype html><html><head><title>Desk – channel</title></head><body>
<header class="top"><a href="/">Channel</a><a href="/apps">Download the application for phones</a></header>
<main><section class="history">{messages}</section></main></body></html>""".encode()


_TOPIC = """<tr class="row{2}"><td class="icon"><a href="view.php?t={0}&amp;view=unread"><img src="u.gif"></a></td>
<td class="topic"><a class="topictitle" href="view.php?t={0}">{1}</a> <a href="view.php?t={0}&amp;start=20">2</a></td>
<td class="author"><a href="user.php?u={0}">member{0}</a></td><td>1{0}</td>
<td class="last"><a href="user.php?u=9">member9</a> Mon Nov 2{0}, 2026 10:0{0} am</td></tr>"""


def forum() -> bytes:
    """A forum's list of topics in a table: several links in each row, the date being that of the last answer."""
    titles = [
        "Roads closed around Kidal this week",
        "Fuel prices in Ségou since Monday",
        "Who repairs radios in Niono?",
    ]
    rows = "\n".join(_TOPIC.format(number, title, number % 2) for number, title in enumerate(titles, 1))
    return f"""<html><head><title>Sahel forum</title></head><body><div id="menu"><a href="/faq.php">Frequently asked
questions and rules</a><a href="/search.php">Search all of the topics here</a><a href="/login.php">Log in or register
an account</a></div><table class="forumline"><tr><th>Topics</th></tr>{rows}</table></body></html>""".encode()


def blog_cards() -> bytes:
    """Cards that are one link each, with a heading and a teaser inside; the first one is built differently."""
    card = """<a class="card" href="/posts/{0}.html"><h2>Report number {0} on the wells of Timbuktu</h2>
<p>Teaser {0} of some words.</p><time datetime="2026-11-{0}">{0} November</time></a>"""
    cards = "".join(card.format(number) for number in range(22, 15, -1))
    return f"<html><body><div class='grid'>{cards}</div></body></html>".encode()
