"""Pure: digests in the form of an operator's own Jinja2 templates, in its sandbox.

The operator is trusted, the articles are not: HTML is escaped, values in JSON bodies are JSON, and an unknown name is
an error rather than an empty string. Templates loop over what they are given only, and write at most a megabyte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from watchpost.model import Digest
from watchpost.notify.render import payload, sentences, story_lines
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.sanitize import clean, link

if TYPE_CHECKING:
    from jinja2 import Template

Form = Literal["text", "html", "json"]
LARGEST = 1_000_000  # code points that a template may write
MAX_STORIES = 500
_AMPLIFIERS = ("center", "format", "indent", "wordwrap")  # filters that make long texts of short ones
_JSON_LIMIT = 64 * 1024 * 1024


class TemplateFault(ValueError):
    """A mistake in a template: `mail.html:12: 'titel' is unknown; did you mean 'title'?`"""


@dataclass(frozen=True, slots=True)
class TemplateText:
    """A template, and the name of its file or of its key in the configuration."""

    text: str
    name: str


def render_template(source: TemplateText, form: Form, digest: Digest) -> str:
    """The digest in the form of the template. Raises TemplateFault."""
    from jinja2 import TemplateSyntaxError

    values = variables(limit_stories(digest, MAX_STORIES))
    try:
        text = _generate(_compiled(source, form), values)
    except TemplateFault as error:
        raise TemplateFault(f"{source.name}: {error}") from None
    except TemplateSyntaxError as error:
        raise TemplateFault(f"{source.name}:{error.lineno}: {error.message}") from None
    except Exception as error:  # an expression can raise anything
        line = _line(error, source.name)
        raise TemplateFault(f"{source.name}{line}: {_problem(error, values)}") from None
    if form == "json":
        try:
            json.loads(text)
        except ValueError as error:
            raise TemplateFault(f"{source.name}: the result is not JSON ({error})") from None
    return text


def variables(digest: Digest) -> Mapping[str, Any]:
    """What a template may use: the `data` of the webhook's JSON, and the sentences of our own digests."""
    document = json.loads(payload.payload(digest, _JSON_LIMIT))
    stories = [
        data
        | {
            "number": number,
            "topic": story_lines.topic_title(story_lines.main_topic(story)),
            "severity": story_lines.main_topic(story).severity,
            "status_text": story_lines.status_label(digest, story),
            "byline": story_lines.byline(digest, story),
            "outlet": story_lines.outlet(story.lead),
            "why": story_lines.matched_words(digest, story),
            "actions": [{"label": label, "url": url} for label, url in story_lines.actions(digest, story)],
        }
        for number, (data, story) in enumerate(zip(document["data"]["stories"], digest.stories, strict=False), 1)
    ]
    values: dict[str, Any] = document["data"] | {
        "stories": stories,
        "id": document["id"],
        "kind": digest.kind,
        "test": digest.test,
        "language": translation(digest.language).language,
        "install": clean(digest.install, 100),
        "url": link(digest.public_url) or None,
        "subject": sentences.subject(digest),
        "heading": sentences.heading(digest),
        "summary": sentences.summary(digest),
        "dateline": sentences.dateline(digest),
        "lateness": sentences.lateness(digest),
        "not_shown": sentences.not_shown(digest),
        "not_read": sentences.not_read(digest),
        "remarks": list(sentences.remarks(digest)),
        "colophon": sentences.footer(digest),
    }
    return values


@lru_cache(maxsize=64)
def _compiled(source: TemplateText, form: Form) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    from watchpost.notify.render import template_filters

    class Sandbox(ImmutableSandboxedEnvironment):
        """Also without repetition of texts, which fills the memory before the result can be measured."""

        intercepted_binops = frozenset({"*", "**", "%", "+"})

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            if isinstance(obj, str) and attr in template_filters.LONG_MAKERS:
                return False
            return super().is_safe_attribute(obj, attr, value)

        def call(self, context: Any, obj: Any, *arguments: Any, **named: Any) -> Any:
            template_filters.measure_call(obj, arguments)
            return super().call(context, obj, *arguments, **named)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "+":
                template_filters.measure(sum(len(side) for side in (left, right) if isinstance(side, str | list)))
                return super().call_binop(context, operator, left, right)
            if not (isinstance(left, int | float) and isinstance(right, int | float)) or operator == "**":
                raise TemplateFault("** is not allowed" if operator == "**" else f"{operator} works on numbers only")
            return super().call_binop(context, operator, left, right)

    def highlighted(snippet: Mapping[str, Any], before: str = "**", after: str = "**") -> str:
        text, at, parts = snippet["text"], 0, []
        escape = Markup.escape if form == "html" else str
        for start, stop in snippet["highlights"]:
            parts += [escape(text[at:start]), before, escape(text[start:stop]), after]
            at = stop
        joined = "".join(map(str, [*parts, escape(text[at:])]))
        return Markup(joined) if form == "html" else joined  # noqa: S704  # each piece is escaped above

    env = Sandbox(
        autoescape=form == "html",
        undefined=StrictUndefined,
        finalize=_as_json if form == "json" else _as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.clear()
    for name in _AMPLIFIERS:
        env.filters.pop(name)
    env.filters |= template_filters.MEASURED
    env.filters["highlighted"] = highlighted
    tree = env.parse(source.text, source.name, source.name)
    template_filters.JoinedInsteadOfConcatenated().visit(tree)
    code = env.compile(tree, source.name, source.name)
    return env.template_class.from_code(env, code, {})


def _as_json(value: Any) -> Any:
    from jinja2 import Undefined
    from markupsafe import Markup

    if isinstance(value, Undefined | Markup):  # Markup: the result of `tojson`
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_text(value: Any) -> Any:
    return "" if value is None else value


def _generate(template: Template, values: Mapping[str, Any]) -> str:
    parts, size = [], 0
    for part in template.generate(values):
        size += len(part)
        if size > LARGEST:
            raise TemplateFault(f"the result has more than {LARGEST:,} characters")
        parts.append(part)
    return "".join(parts)


def _problem(error: Exception, values: Mapping[str, Any]) -> str:
    from jinja2 import UndefinedError

    if not isinstance(error, UndefinedError):
        return f"{type(error).__name__}: {error}"[:300]
    quoted = re.findall(r"'([^']*)'", str(error))
    name = quoted[-1] if quoted else ""
    close = get_close_matches(name, sorted(_all_names(values)), n=1, cutoff=0.6)
    return f"'{name}' is unknown" + (f"; did you mean '{close[0]}'?" if close else "")


def _all_names(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value) | {name for part in value.values() for name in _all_names(part)}
    if isinstance(value, list):
        return {name for part in value for name in _all_names(part)}
    return set()


def _line(error: Exception, name: str) -> str:
    """ ":12", the line of the template that raised the error; "" if it is unknown."""
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line
