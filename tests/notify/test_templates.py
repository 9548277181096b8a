"""An operator's templates: their variables, their mistakes, and the limits of the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.notify.digests import HOSTILE, digest, endless, hostile, usual
from watchpost.notify.render.template import Form, TemplateFault, TemplateText, render_template, variables
from watchpost.notify.templates import BodyTemplates, MailTemplates, TextTemplates


def written(text: str, form: Form = "text", sample: Any = None) -> str:
    return render_template(TemplateText(text, "desk.txt"), form, sample or usual())


def test_a_template_has_the_data_of_webhooks_and_the_sentences_of_digests() -> None:
    text = written(
        "{{ heading }}|{{ summary }}|{{ counts.articles }}\n"
        "{% for story in stories %}\n"
        "{{ story.number }} {{ story.status_text }} {{ story.title }} {{ story.url }} {{ story.why }}\n"
        "{% endfor %}\n"
        "{{ not_shown }}"
    )
    assert text.startswith("Wagner / Africa Corps and Mali security: 5 stories, 3 shown|5 stories, 3 shown. 1 new")
    assert "1 NEW Explosion near Gao base; JNIM claims attack https://www.rfi.fr/afrique/gao?id=7" in text
    assert text.endswith("Not shown: 2 stories.")


def test_unknown_dates_are_empty_and_an_empty_digest_is_fine() -> None:
    assert written("[{{ stories[1].published }}]") == "[]"
    assert written("{% for s in stories %}x{% else %}none{% endfor %}", sample=digest()) == "none"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_headlines_stay_text_in_html_and_in_json(text: str) -> None:
    sample = hostile(text)
    page = written(
        "<p>{{ stories[0].title }} {{ stories[0].snippet | highlighted('<b>', '</b>') }}</p>", "html", sample
    )
    assert "<script" not in page
    assert "<img" not in page
    body = written('{"title": {{ stories[0].title }}, "all": {{ stories | tojson }}}', "json", sample)
    assert json.loads(body)["all"][0]["title"] == json.loads(body)["title"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\nb {{ hedding }}", "desk.txt:2: 'hedding' is unknown; did you mean 'heading'?"),
        (
            "{% for s in stories %}\n\n{{ s.titel }}{% endfor %}",
            "desk.txt:3: 'titel' is unknown; did you mean 'title'?",
        ),
        ("{{ xyzzy }}", "desk.txt:1: 'xyzzy' is unknown"),
        ("a\n{% for s in stories %}", "desk.txt:2: Unexpected end of template"),
        ("{{ 1 / 0 }}", "desk.txt:1: ZeroDivisionError"),
        ("{{ heading | nofilter }}", "desk.txt:1: No filter named 'nofilter'"),
    ],
)
def test_a_mistake_has_a_place_and_a_cure(text: str, problem: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        written(text)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ stories.append(1) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 2 ** 99999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'x' | center(999999999) }}",
        "{% for i in range(99999) %}{% endfor %}",
        "{% for a in stories %}{% for b in stories %}{{ a.snippet.text }}{% endfor %}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{{ heading.ljust(999999999) }}",
        "{{ heading.zfill(999999999) }}",
        "{% set a = heading %}" + "{% set a = a.replace('e', a) %}" * 60 + "{{ a }}",
        "{% set a = heading %}" + "{% set a = a.join([a, a, a]) %}" * 60 + "{{ a }}",
        "{{ '{:999999999}'.format(1) }}",
        "{% set a = heading %}" + "{% set a = a|replace('e', a) %}" * 60 + "{{ a }}",
        "{% set a = heading %}" + "{% set a = a ~ a %}" * 60 + "{{ a|length }}",
        "{{ [1]|batch(999999999, 0)|list }}",
        "{{ stories|slice(999999999)|list }}",
        "{{ stories|tojson(999999999) }}",
        "{% set a = heading %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    ],
)
def test_the_sandbox_holds(text: str) -> None:
    with pytest.raises(TemplateFault):
        written(text, sample=endless(150))


def test_a_body_must_be_json() -> None:
    with pytest.raises(TemplateFault, match=r"desk.txt: the result is not JSON"):
        written("{{ heading }} and more", "json")


def test_the_options_are_tried_while_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "mail.html").write_text("<p>\n{{ stories[0].titel }}</p>")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    context = {"base": tmp_path}
    with pytest.raises(ValidationError, match=r"mail.html:2: 'titel' is unknown; did you mean 'title'\?"):
        MailTemplates.model_validate({"html": {"file": "mail.html"}}, context=context)
    for name in ("latin.txt", "absent.txt"):
        with pytest.raises(ValidationError, match=f"template file {name} cannot be read as UTF-8"):
            TextTemplates.model_validate({"text": {"file": name}}, context=context)
    with pytest.raises(ValidationError, match="a template is a text"):
        TextTemplates.model_validate({"text": {"env": "X"}}, context=context)
    with pytest.raises(ValidationError, match="not JSON"):
        BodyTemplates.model_validate({"body": "hello"}, context=context)


def test_an_edited_template_is_another_configuration(tmp_path: Path) -> None:
    dumps = []
    for text in ("one", "two"):
        (tmp_path / "a.txt").write_text(text)
        dumps.append(TextTemplates.model_validate({"text": {"file": "a.txt"}}, context={"base": tmp_path}).model_dump())
    assert dumps[0] != dumps[1]


def test_what_a_template_may_use_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "receivers.md").read_text("utf-8")
    known = variables(usual())
    for name in [*known, *known["stories"][0]]:
        assert f"`{name}`" in manual, name
