"""Still: what the board shows → one page of HTML. No script; it asks to be read again each 15 s."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, Template, select_autoescape

from watchpost.wire.status import Depths, SourceStatus

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>watchpost</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="15">
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top }
th { font-weight: 600 } tr + tr td { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent) }
.bad { font-weight: 600 } .dim { opacity: .7 }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 } dt { opacity: .7 } dd { margin: 0; font-size: 1.3rem }
</style></head><body>
<h1>watchpost</h1>
<p>Watching {{ sources|length }} sources for {{ topics|join(", ") or "nothing" }}.</p>
{% if trouble %}<p class="bad" role="alert">{{ trouble }}</p>{% endif %}
{% if depths %}
<h2>Queues</h2>
<dl>
<div><dt>articles to match</dt><dd>{{ depths.articles }}</dd></div>
<div><dt>hits parked for a digest</dt><dd>{{ depths.parked }}</dd></div>
{% for name, depth in depths.outbox.items() %}<div><dt>to send: {{ name }}</dt><dd>{{ depth }}</dd></div>{% endfor %}
<div><dt>waiting for another try</dt><dd>{{ depths.retry }}</dd></div>
<div><dt>dead letters</dt><dd>{{ depths.dead }}</dd></div>
</dl>
{% endif %}
<h2>Sources</h2>
<table><thead><tr><th scope="col">source</th><th scope="col">state</th>
<th scope="col">last read</th><th scope="col">next visit</th></tr></thead><tbody>
{% for source in sources %}<tr><td>{{ source.name }}</td>
<td>{% if source.failures %}<span class="bad">cannot be read</span> ({{ source.failures }}×): {{ source.detail }}
{% elif source.last_read %}fine{% else %}<span class="dim">not visited yet</span>{% endif %}</td>
<td>{{ source.last_read.strftime("%Y-%m-%d %H:%M:%S UTC") if source.last_read else "–" }}</td>
<td class="dim">{{ source.next_visit or "–" }}</td></tr>
{% else %}<tr><td colspan="4">The store cannot be reached, or nothing is configured.</td></tr>{% endfor %}
</tbody></table>
</body></html>
"""


@cache
def _template() -> Template:
    return Environment(autoescape=select_autoescape(default=True, default_for_string=True)).from_string(_PAGE)


def page(depths: Depths | None, sources: Sequence[SourceStatus], topics: Sequence[str], trouble: str) -> str:
    """The page. `trouble` is a sentence that is shown on top; `depths` None means that they are not known."""
    return _template().render(depths=depths, sources=sources, topics=topics, trouble=trouble)
