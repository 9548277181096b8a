"""The options for an operator's templates, tried on a sample digest while the configuration is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Options
from watchpost.notify.digest_builder import Installation
from watchpost.notify.notices import sample_digest
from watchpost.notify.render.template import Form, TemplateFault, TemplateText, render_template

_MOST_BYTES = 256 * 1024
_WHEN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def _read(value: Any, info: ValidationInfo) -> TemplateText:
    if isinstance(value, TemplateText):
        return value
    if isinstance(value, str):
        return TemplateText(value, f"template.{info.field_name}")
    if not (isinstance(value, dict) and list(value) == ["file"] and isinstance(value["file"], str) and value["file"]):
        raise PydanticCustomError("template_source", "a template is a text, or {file: PATH}")
    context = info.context or {}
    path = Path(context.get("base", ".")) / Path(value["file"]).expanduser()
    context.get("opened", set()).add(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        name = {"file": value["file"]}
        raise PydanticCustomError("template_file", "template file {file} cannot be read as UTF-8", name) from error
    if len(raw) > _MOST_BYTES:
        raise PydanticCustomError("template_large", "a template must not be larger than 256 KiB")
    return TemplateText(text, value["file"])


_FILE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"file": {"type": "string"}},
    "required": ["file"],
}
TemplateSource = Annotated[
    TemplateText,
    BeforeValidator(_read),
    PlainSerializer(lambda source: [source.name, source.text]),
    WithJsonSchema({"anyOf": [{"type": "string"}, _FILE_SCHEMA]}),
]


class _Templates(Options):
    @model_validator(mode="after")
    def _check_on_a_sample(self) -> Self:
        for name in type(self).model_fields:
            source: TemplateText | None = getattr(self, name)
            form: Form = "html" if name == "html" else "json" if name == "body" else "text"
            if source is not None:
                try:
                    render_template(source, form, sample_digest("desk", _WHEN, Installation()))
                except TemplateFault as fault:
                    raise PydanticCustomError("template", "{problem}", {"problem": str(fault)}) from None
        return self


class TextTemplates(_Templates):
    """`subject`: one line; `text`: the text below it. The default is watchpost's own."""

    subject: TemplateSource | None = None
    text: TemplateSource | None = None


class MailTemplates(TextTemplates):
    """Also `html`, for the same message as HTML."""

    html: TemplateSource | None = None


class BodyTemplates(_Templates):
    """`body`: the JSON that is posted."""

    body: TemplateSource
