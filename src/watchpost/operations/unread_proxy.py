"""What connects directly although a variable of the environment names a proxy.

Only the configuration chooses a proxy, because a proxy resolves names, and so decides which of them are private. Where
nothing else leads out, an operator expects `HTTPS_PROXY` to be read, as curl does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from watchpost.config.config import Config
from watchpost.config.fields import Secret
from watchpost.net import is_public

_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class UnreadProxy:
    """A variable that is set and not read. Neither text contains its value."""

    text: str
    cure: str


def unread_proxy(config: Config, env: Mapping[str, str]) -> UnreadProxy | None:
    """Return what to say of the variables for proxies; None if none is set, or nothing would be sent through it.

    `NO_PROXY` excepts hosts, with those below them, and a private address is never sent through a proxy.
    """
    found = next((name for each in _VARIABLES for name in (each, each.lower()) if env.get(name)), None)
    if found is None:
        return None
    excepted = env.get("no_proxy") or env.get("NO_PROXY") or ""
    direct = [name for name, address in _direct(config) if not _is_near(address, excepted)]
    if not direct:
        return None
    more = f" and {len(direct) - _NAMED} more" if len(direct) > _NAMED else ""
    return UnreadProxy(
        f"{found} is set and not read; these connect directly: {', '.join(direct[:_NAMED])}{more}",
        f"if only the proxy leads out, write proxy: {{url: {{env: {found}}}}} at each; docs/receivers.md",
    )


def _direct(config: Config) -> Iterator[tuple[str, str]]:
    """Name and address of what could have a proxy and has none; "" for an address that is not known here."""
    options: dict[str, Any] = {part.name: part.options for part in config.sources}
    options |= {part.name: part.options for part in config.receivers}
    if config.heartbeat is not None:
        options["heartbeat"] = config.heartbeat
    for name, one in options.items():
        if "proxy" in type(one).model_fields and one.proxy is None:
            address = getattr(one, "url", "")
            yield name, address.reveal_or("") if isinstance(address, Secret) else str(address or "")


def _is_near(address: str, excepted: str) -> bool:
    """Whether `NO_PROXY` names the host of this address, or it is a private address itself."""
    host = urlsplit(address).hostname or ""
    if not host:
        return False
    names = [name.strip().lstrip(".").lower() for name in excepted.split(",")]
    if any(name and (name == "*" or host == name or host.endswith(f".{name}")) for name in names):
        return True
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
