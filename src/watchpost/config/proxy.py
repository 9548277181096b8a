"""An HTTP proxy through which feeds are read and messages are posted."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Options, Secret


def web_parts(url: str) -> SplitResult | None:
    """The parts of a web address, None if it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    return parts if usable else None


def _proxy_address(value: str | Secret) -> str | Secret:
    if isinstance(value, Secret) and value.is_absent:
        return value
    parts = web_parts(value.reveal() if isinstance(value, Secret) else value)
    if parts is None:
        raise PydanticCustomError("proxy_url", "a proxy's url begins with http:// or https:// and names a host")
    if isinstance(value, str) and (parts.username or parts.password):
        raise PydanticCustomError("proxy_url_secret", "a url must not contain a password: use url: {env: NAME}")
    return value


class Proxy(Options):
    """An HTTP proxy that makes the connections. It decides which addresses are allowed."""

    url: Annotated[str | Secret, AfterValidator(_proxy_address)]

    @property
    def address(self) -> Secret:
        """The url, which may hold a password."""
        return self.url if isinstance(self.url, Secret) else Secret(self.url)
