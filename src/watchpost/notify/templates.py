"""The options for an operator's templates, tried on a sample edition while the configuration is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Options
from watchpost.model import Digest, Report, Snippet, Story, TopicMatch, UnreadSource, derive_id
from watchpost.notify.render.template import Form, TemplateFault, TemplateText, render_template

# an edition in which nothing happened, to try a receiver or a template with. Marked as a test throughout.


_TEXT = "This is a test of watchpost. If you can read it, the receiver works; nobody has to do anything."


def sample_digest(
    receiver: str,
    now: datetime,
    *,
    timezone: str = "UTC",
    language: str = "en",
    install: str = "watchpost",
    public_url: str = "",
) -> Digest:
    """A digest for `receiver` with two stories, one of high severity in a second script, and one source not read.

    The same arguments give the same digest; its id changes with `now`, so that no receiver drops it as a repeat.
    """
    topics = (TopicMatch("test", "Test", "normal", ("test",)), TopicMatch("urgent", "Urgent", "high", ("works",)))
    reports = (
        _report("A test message of watchpost", "en", now),
        _report("Пробное сообщение watchpost", "ru", now),
    )
    at, works = _TEXT.index("test"), _TEXT.index("works")
    stories = tuple(
        Story(
            id=derive_id("sample", str(number)),
            status="new",
            topics=topics[: number + 1],
            snippet=Snippet(_TEXT, ((at, at + 4), (works, works + 5))),
            lead=report,
            reports=reports,
            score=1.0,
        )
        for number, report in reversed(tuple(enumerate(reports)))
    )
    return Digest(
        id=derive_id("sample", receiver, now.isoformat()),
        kind="digest",
        receiver=receiver,
        window_start=now - timedelta(hours=1),
        window_end=now,
        timezone=timezone,
        language=language,
        created=now,
        stories=stories,
        articles=2,
        unread=(UnreadSource("test-source", "a test of this line", now - timedelta(hours=2)),),
        sources_total=2,
        public_url=public_url,
        install=install,
        test=True,
    )


def _report(title: str, lang: str, now: datetime) -> Report:
    return Report(
        source="test-source",
        outlet=f"Test outlet ({lang})",
        title=title,
        url=f"https://example.org/test/{lang}",
        lang=lang,
        published=now - timedelta(minutes=30),
        first_seen=now - timedelta(minutes=20),
    )


_LARGEST_BYTES = 256 * 1024
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
            raw = file.read(_LARGEST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        name = {"file": value["file"]}
        raise PydanticCustomError("template_file", "template file {file} cannot be read as UTF-8", name) from error
    if len(raw) > _LARGEST_BYTES:
        raise PydanticCustomError("template_large", "a template is at most 256 KiB")
    return TemplateText(text, value["file"])


TemplateSource = Annotated[
    TemplateText,
    BeforeValidator(_read),
    PlainSerializer(lambda source: [source.name, source.text]),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"file": {"type": "string"}},
                    "required": ["file"],
                },
            ]
        }
    ),
]


class _Templates(Options):
    @model_validator(mode="after")
    def _work_on_a_sample(self) -> Self:
        for name in type(self).model_fields:
            source: TemplateText | None = getattr(self, name)
            form: Form = "html" if name == "html" else "json" if name == "body" else "text"
            if source is not None:
                try:
                    render_template(source, form, sample_digest("desk", _WHEN))
                except TemplateFault as fault:
                    raise PydanticCustomError("template", "{problem}", {"problem": str(fault)}) from None
        return self


class TextTemplates(_Templates):
    """`subject`: one line; `text`: what stands below it. One that is left out is ours."""

    subject: TemplateSource | None = None
    text: TemplateSource | None = None


class MailTemplates(TextTemplates):
    """Also `html`, the twin of the text."""

    html: TemplateSource | None = None


class BodyTemplates(_Templates):
    """`body`: the JSON that is posted."""

    body: TemplateSource
