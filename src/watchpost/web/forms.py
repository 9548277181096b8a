"""What forms send, within bounds."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

FORM_BYTES = 400_000  # a text to try: 100 000 characters of any script


class TooLongError(Exception):
    """A form beyond FORM_BYTES."""


async def body_of(request: Request) -> bytes:
    """The whole body. Raises TooLongError beyond 1.2 MB."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES * 3:  # three bytes of a form are one of the text, where it is not ASCII
            raise TooLongError
    return body


async def form_of(request: Request) -> dict[str, str]:
    """A form's fields (application/x-www-form-urlencoded), of each the last value. Raises TooLongError."""
    body = await body_of(request)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:  # more fields than any form of ours has
        return {}
