"""`smtp.ehlo`: names that a mail server accepts in EHLO, and what cannot be one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from watchpost.notify.receivers.email import EmailOptions, SmtpOptions


@pytest.mark.parametrize("name", ["watch.example.org", "a.b.c.example.museum", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
def test_a_full_name_or_an_address_literal(name: str) -> None:
    assert SmtpOptions(host="mail.example.org", ehlo=name).ehlo == name


@pytest.mark.parametrize(
    "name", ["localhost", "", "a b.example.org", "-a.example.org", "a..org", "x@example.org", "[x]"]
)
def test_what_no_server_accepts_is_a_mistake(name: str) -> None:
    with pytest.raises(ValidationError):
        SmtpOptions(host="mail.example.org", ehlo=name)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"smtp": {"host": "h.example", "ehlo": "localhost"}}, "'localhost' is not the full name of a host; write it"),
        ({"smtp": {"host": "h.example/25"}}, "is no host; write a name or an address, without a port"),
        ({"smtp": {"host": "h.example"}, "unsubscribe": {"url": "http://h.example/"}}, "it begins with https://"),
    ],
)
def test_a_mistake_is_a_sentence_and_not_an_expression(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EmailOptions.model_validate({"from": "a@example.org", "to": ["b@example.org"], **options})
    text = "\n".join(str(error["msg"]) for error in caught.value.errors())
    assert sentence in text
    assert "pattern" not in text
