"""`smtp.ehlo`: names that a mail server accepts in EHLO, and what cannot be one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from watchpost.notify.receivers.email import SmtpOptions


@pytest.mark.parametrize("name", ["watch.example.org", "a.b.c.example.museum", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
def test_a_full_name_or_an_address_literal(name: str) -> None:
    assert SmtpOptions(host="mail.example.org", ehlo=name).ehlo == name


@pytest.mark.parametrize(
    "name", ["localhost", "", "a b.example.org", "-a.example.org", "a..org", "x@example.org", "[x]"]
)
def test_what_no_server_accepts_is_a_mistake(name: str) -> None:
    with pytest.raises(ValidationError):
        SmtpOptions(host="mail.example.org", ehlo=name)
