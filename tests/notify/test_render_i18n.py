"""The catalogues: complete, with the placeholders of the source text, and plural forms as CLDR has them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, get_args

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from watchpost.config.schema import MainFile
from watchpost.notify.render import i18n
from watchpost.notify.render.i18n import LANGUAGES, read_catalogue, translation

RENDER = Path(i18n.__file__).parent
TRANSLATED = LANGUAGES[1:]
PLACEHOLDER = re.compile(r"{\w*}")
Key = tuple[str | None, Any]  # context, and the message or its English forms

POLISH = """\
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "{number} article"
msgid_plural "{number} articles"
msgstr[0] "{number} artykuł"
msgstr[1] "{number} artykuły"
msgstr[2] "{number} artykułów"
"""


def catalogue(language: str) -> Catalog:
    with (RENDER / "locale" / language / "LC_MESSAGES" / "watchpost.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(language: str) -> dict[Key, Any]:
    return {(one.context, one.id): one.string for one in catalogue(language) if one.id}


def used() -> set[Key]:
    """Every message in the code."""
    keys: set[Key] = set()
    for path in RENDER.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                if call.func.attr == "gettext" and texts:
                    keys.add((None, texts[0]))
                elif call.func.attr == "ngettext" and texts:
                    keys.add((None, (texts[0], texts[1])))
                elif call.func.attr == "pgettext" and texts:
                    keys.add((texts[0], texts[1]))
    return keys


def form_of(language: str, number: int) -> int:
    """The plural form that the number takes."""
    compiled = translation(language)._catalogue
    assert isinstance(compiled, GNUTranslations)
    return int(compiled.plural(number))  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_message_and_no_other(language: str) -> None:
    assert len(used()) > 60
    assert set(messages(language)) == used()
    assert not [one.id for one in catalogue(language) if one.fuzzy and one.id]
    assert all(all(text) if isinstance(text, tuple) else text for text in messages(language).values())


def test_the_extraction_of_make_catalogues_finds_every_message() -> None:
    assert {(context, message) for _, _, message, _, context in extract_from_dir(RENDER)} == used()


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_those_of_the_source_text(language: str) -> None:
    for (_, message), text in messages(language).items():
        if isinstance(message, str):
            assert isinstance(text, str)
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(message)), text
            continue
        for form, variant in enumerate(text):
            # A form of none, one or two alone may have the number in words: "مقالان" are two articles.
            in_words = all(form_of(language, number) != form for number in range(3, 1000))
            optional = {"{number}"} if in_words else set()
            assert set(PLACEHOLDER.findall(variant)) | optional == set(PLACEHOLDER.findall(message[-1])) | optional


@pytest.mark.parametrize("language", TRANSLATED)
def test_plural_forms_are_those_of_cldr(language: str) -> None:
    forms: dict[str, set[int]] = {}
    for number in range(1000):
        forms.setdefault(Locale(language).plural_form(number), set()).add(form_of(language, number))
    assert all(len(numbers) == 1 for numbers in forms.values()), forms
    assert len(forms) == catalogue(language).num_plurals
    assert {len(text) for text in messages(language).values() if isinstance(text, tuple)} == {len(forms)}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["0 articles", "1 article", "2 articles", "5 articles", "21 articles", "2,016 articles"]),
        ("fr", ["0 article", "1 article", "2 articles", "5 articles", "21 articles", "2 016 articles"]),
        ("ru", ["0 публикаций", "1 публикация", "2 публикации", "5 публикаций", "21 публикация", "2 016 публикаций"]),
        ("ar", ["لا مقالات", "مقال واحد", "مقالان", "5 مقالات", "21 مقالًا", "2,016 مقالًا"]),
        ("pl", ["0 artykułów", "1 artykuł", "2 artykuły", "5 artykułów", "21 artykułów", "2 016 artykułów"]),
    ],
)
def test_numbers_take_the_form_that_they_need(language: str, expected: list[str]) -> None:
    words = read_catalogue("pl", POLISH) if language == "pl" else translation(language)
    assert [" ".join(words.articles(number).split()) for number in (0, 1, 2, 5, 21, 2016)] == expected


def test_a_message_without_translation_stays_english() -> None:
    assert read_catalogue("pl", POLISH).stories(3) == "3 stories"
    assert translation("tlh") is translation("en") is translation("en-US")
    assert translation("fr-CA") is translation("fr")


def test_the_configuration_offers_each_language() -> None:
    assert get_args(MainFile.model_fields["language"].annotation) == LANGUAGES


def test_french_has_a_no_break_space_before_double_punctuation() -> None:
    text = "".join("".join(value) for value in messages("fr").values())
    assert not re.search(r"(?<!\N{NO-BREAK SPACE})[:;»]|«(?!\N{NO-BREAK SPACE})", text)


def test_importing_the_forms_of_a_digest_loads_no_catalogue() -> None:
    code = (
        "import sys; from watchpost.notify.render import html, plain, template; "
        "sys.exit(bool({'babel', 'jinja2', 'css_inline'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
