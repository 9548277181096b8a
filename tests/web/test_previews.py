"""Messages as the pages show them."""

from __future__ import annotations

from dataclasses import replace

from tests.notify.digests import usual
from watchpost.model import Message
from watchpost.notify.render import html, mime
from watchpost.trend import Trend
from watchpost.web.pages.digests import form_of

BARS = (0,) * 13 + (9,)


def test_a_mail_is_shown_with_its_pictures_and_its_source() -> None:
    edition = replace(usual(), trends={"wagner": Trend(BARS, 9, None, spike=False)})
    desk = mime.mailbox("desk@example.org")
    page = html.page(edition, mailed=True)
    told = mime.mail(
        edition, sender=desk, recipient=desk, subject="s", text="t", html=page, pictures=html.pictures(edition)
    )
    message = Message("", "s", {"mime": told})
    shown, text, source = (form_of(message, key) for key in ("html", "text", "source"))
    assert shown is not None
    assert text is not None
    assert source is not None
    assert html.data_url(BARS) in shown.text
    assert "cid:" not in shown.text.replace("img-src data: cid:", "")
    assert text.text.strip() == "t"
    assert source.text == told
