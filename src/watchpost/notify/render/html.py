"""Pure: the HTML edition: one table of 600 pixels, styles and pictures inlined, nothing remote, no script.

Mail programs are browsers of 1999 with a dark mode: hence the table, the inlined styles and `!important` in
the one at-rule that survives. Gmail cuts messages off at about 102 kB: this edition stops at 90 kB and says so.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from watchpost.model import Digest, Report, Story
from watchpost.notify.render import i18n, packing, sentences, story_lines
from watchpost.notify.render.sanitize import direction, language_tag, link, marked, pieces
from watchpost.notify.render.sentences import days, remarks, spikes, trend_words
from watchpost.notify.render.sparkline import HEIGHT, WIDTH, content_id, data_url, png

"""How large it is shown, in CSS pixels; the picture has twice as many."""


if TYPE_CHECKING:
    from css_inline import CSSInliner
    from jinja2 import Template

LIMIT = 90_000

_TEMPLATE = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:">
<title>{{ subject }}</title>
<style>
{{ style }}
</style>
</head>
<body>
<div class="preheader">{{ summary }}</div>
<table role="presentation" class="page" width="600" align="center" cellpadding="0" cellspacing="0" border="0">
<tr><td class="cell">
<h1>{{ heading }}</h1>
<p class="small">{{ dateline }}<br>{{ summary }}{% if spikes %}<br><b>{{ spikes }}</b>{% endif %}\
{% if late %}<br><b>{{ late }}</b>{% endif %}</p>
{% for section in sections %}
<h2 dir="{{ section.direction }}">{{ section.title }}</h2>
{% if section.trend %}<p class="trend" dir="ltr"><img src="{{ section.picture }}" alt="{{ section.days }}" \
width="{{ width }}" height="{{ height }}"> {{ section.trend }}</p>
{% endif %}
{% for story in section.stories %}
<div class="story"{% if story.lang %} lang="{{ story.lang }}"{% endif %} dir="{{ story.direction }}">
<h3><span class="status" lang="{{ language }}">{{ story.status }}</span> \
{% if story.url %}<a href="{{ story.url }}" rel="noopener noreferrer nofollow">{{ story.title }}</a>\
{% else %}{{ story.title }}{% endif %}\
{% if story.count %} <span class="small" lang="{{ language }}">({{ story.count }})</span>{% endif %}</h3>
{% if story.byline %}<p class="small" lang="{{ language }}" dir="ltr">{{ story.byline }}</p>
{% endif %}
{% if story.quote %}<p class="quote">{% for text, lit in story.quote %}\
{% if lit %}<b class="lit">{{ text }}</b>{% else %}{{ text }}{% endif %}{% endfor %}</p>{% endif %}
{% if story.why or story.also or story.topics %}<p class="small" lang="{{ language }}" dir="ltr">\
{% if story.why %}{{ labels.why }} <bdi>{{ story.why }}</bdi>. {% endif %}\
{% if story.also %}{{ labels.also }} {% for name, url in story.also %}\
{% if url %}<a href="{{ url }}" rel="noopener noreferrer nofollow"><bdi>{{ name }}</bdi></a>\
{% else %}<bdi>{{ name }}</bdi>{% endif %}{% if not loop.last %}, {% endif %}{% endfor %}\
{% if story.more %}, +{{ story.more }}{% endif %}. {% endif %}\
{% if story.topics %}{{ labels.topics }} {{ story.topics }}.{% endif %}</p>{% endif %}
</div>
{% endfor %}
{% endfor %}
<p class="small foot">\
{% if omitted %}{{ omitted }}\
{% if edition %} <a href="{{ edition }}" rel="noopener">{{ labels.open }}</a>{% endif %}<br>{% endif %}\
{% if unread %}<b>{{ unread }}</b><br>{% endif %}\
{% for remark in remarks %}{{ remark }}<br>{% endfor %}{{ colophon }}</p>
</td></tr>
</table>
</body>
</html>
"""

_STYLE = """\
body { margin: 0; padding: 0; background: #f4f4f2; color: #1c1c1a; }
.preheader { display: none; max-height: 0; overflow: hidden; }
.page { width: 100%; max-width: 600px; margin: 0 auto; background: #ffffff;
  font-family: system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif; }
.cell { padding: 20px; }
h1 { font-size: 20px; line-height: 26px; margin: 0 0 8px; }
h2 { font-size: 13px; letter-spacing: 1px; margin: 28px 0 4px; padding-bottom: 4px;
  border-bottom: 2px solid #1c1c1a; }
h3 { font-size: 16px; line-height: 22px; margin: 14px 0 2px; }
p { font-size: 15px; line-height: 22px; margin: 2px 0; }
a { color: #0b57a4; }
.small { font-size: 13px; line-height: 19px; color: #5b5b57; }
.trend img { vertical-align: bottom; border: 0; }
.trend { font-size: 13px; line-height: 19px; margin: 2px 0 6px; color: #0b57a4; }
.status { font-size: 11px; letter-spacing: 1px; color: #8a3b12; }
.lit { background: #fff0b3; color: #1c1c1a; }
.foot { margin-top: 28px; padding-top: 8px; border-top: 1px solid #d8d8d4; }
@media (prefers-color-scheme: dark) {
  body, .page { background: #16181a !important; color: #e8e8e4 !important; }
  h2 { border-bottom-color: #e8e8e4 !important; }
  a { color: #8ab8ee !important; }
  .small { color: #a9a9a4 !important; }
  .trend { color: #8ab8ee !important; }
  .status { color: #f0a070 !important; }
  .lit { background: #6b5600 !important; color: #ffffff !important; }
}
"""


def page(digest: Digest, *, mailed: bool = False) -> str:
    """The digest as an HTML document of at most 90,000 bytes; what does not fit is counted in its foot.

    Pictures are in it; `mailed` leaves them to parts of the mail, which `pictures` gives.
    """
    shown, html = _fitting(digest)
    return _render(shown, mailed=True) if mailed else html


def pictures(digest: Digest) -> dict[str, bytes]:
    """The PNG pictures of a mailed page by their Content-ID."""
    found = (days(digest, section.name) for section in story_lines.sections(digest.stories))
    return {content_id(one): png(one) for one in found if one}


def fit(digest: Digest) -> Digest:
    """The digest with as many stories as `page` shows, so that a text twin can tell the same ones."""
    return _fitting(digest)[0]


def _fitting(digest: Digest) -> tuple[Digest, str]:
    shown = packing.limit_stories(digest, 150)  # a story takes 900 bytes and more, so these never fit all
    html = _render(shown)
    # Mail ends its lines in CR LF: one byte more for each.
    while (size := len(html.encode()) + html.count("\n")) > LIMIT and shown.stories:
        stories = len(shown.stories)
        shown = packing.limit_stories(digest, min(stories - 1, stories * LIMIT // size))
        html = _render(shown)
    return shown, html


def _render(digest: Digest, *, mailed: bool = False) -> str:
    return _inliner().inline(_template().render(_view(digest, mailed)))


def _view(digest: Digest, mailed: bool) -> dict[str, Any]:
    say = i18n.phrases_of(digest)
    return {
        "labels": {
            "why": say.why.format(words="").rstrip(" ."),
            "also": say.also.format(outlets="").rstrip(" ."),
            "topics": say.topics.format(topics="").rstrip(" ."),
            "open": say.open,
        },
        "language": say.language,
        "width": WIDTH,
        "height": HEIGHT,
        "subject": sentences.subject(digest),
        "heading": sentences.heading(digest),
        "dateline": sentences.dateline(digest),
        "summary": sentences.summary(digest),
        "late": sentences.lateness(digest),
        "spikes": spikes(digest),
        "omitted": sentences.not_shown(digest),
        "edition": sentences.pages_link(digest),
        "unread": sentences.not_read(digest),
        "remarks": remarks(digest),
        "colophon": sentences.footer(digest),
        "sections": [
            {
                "title": section.title,
                "direction": direction(section.title),
                "trend": trend_words(digest, section.name),
                "days": " ".join(map(str, days(digest, section.name))),
                "picture": _picture(days(digest, section.name), mailed),
                "stories": [_story(digest, story) for story in section.stories],
            }
            for section in story_lines.sections(digest.stories)
        ],
    }


def _picture(bars: tuple[int, ...], mailed: bool) -> str:
    if not bars:
        return ""
    return f"cid:{content_id(bars)}" if mailed else data_url(bars)


def _story(digest: Digest, story: Story) -> dict[str, Any]:
    title = story_lines.headline(story.lead)
    severity = f"{story_lines.severity_label(digest, story)} · " if digest.kind == "alert" else ""
    view: dict[str, Any] = {
        "status": severity + story_lines.status_label(digest, story),
        "title": title,
        "url": link(story.lead.url),
        "lang": language_tag(story.lead.lang),
        "direction": direction(title),
        "byline": story_lines.byline(digest, story),
        "count": "",
        "quote": (),
        "why": "",
        "also": (),
        "more": 0,
        "topics": "",
    }
    if story.status == "continuing":  # one line
        return view | {"byline": "", "count": story_lines.sources_in_words(digest, story)}
    others, more = story_lines.further_reports(story)
    return view | {
        "quote": pieces(marked(story.snippet)),
        "why": story_lines.matched_words(story),
        "also": [_other(story, report) for report in others],
        "more": more,
        "topics": ", ".join(story_lines.other_topics(story)),
    }


def _other(story: Story, report: Report) -> tuple[str, str]:
    return story_lines.outlet_and_language(story, report), link(report.url, 500)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string(_TEMPLATE.replace("{{ style }}", _STYLE))


@cache
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner

    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False, minify_css=True)
