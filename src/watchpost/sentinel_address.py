"""Pure: the address of a store whose primary is named by Sentinels: redis+sentinel://host1,host2,host3/name/0.

rediss+sentinel:// uses TLS, to the Sentinels as well. A user and a password in front of the hosts are for the servers;
those for the Sentinels are parameters. The parameters of TLS have the names that redis-py gives them in rediss://.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

SCHEMES = ("redis+sentinel", "rediss+sentinel")
PORT = 26379
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_OWN = ("sentinel_username", "sentinel_password")
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:]+)(:(?P<port>\d{1,5}))?")
_FORM = "redis+sentinel://host1:26379,host2,host3/NAME/0"


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """The Sentinels, the name that they give the primary, the database, who asks, and how TLS is used.

    `tls` is None for plain TCP, else redis-py's arguments for TLS, as strings and booleans.
    """

    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)
    tls: Mapping[str, str | bool] | None = field(default=None, hash=False)


def is_sentinel_address(url: str) -> bool:
    """Whether the URL has one of SCHEMES."""
    return url.partition("://")[0].lower() in SCHEMES


def sentinel_address(url: str) -> SentinelAddress:
    """Read a URL of that form. Raises ValueError with a sentence that contains no part of the URL's secrets."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    user, at, hosts = authority.rpartition("@")
    if "@" in path or "#" in rest:  # a "/", "?" or "#" of the password ended the part before the hosts
        raise ValueError("a user or password must have its special characters percent-encoded: %2F for /, %23 for #")
    username, _, password = user.partition(":")
    name, _, database = path.partition("/")
    if not slash or not name:
        raise ValueError(f"must name the primary that the Sentinels watch, as in {_FORM}")
    if database and not database.isdecimal():
        raise ValueError(f"must end with the number of a database, as in {_FORM}")
    parameters = _parameters(query)
    tls: dict[str, str | bool] = {key: value for key, value in parameters.items() if key in _TLS}
    secure = scheme.lower().startswith("rediss")
    if tls and not secure:
        raise ValueError(f"the parameter {min(tls)} needs TLS: begin with rediss+sentinel://")
    if "ssl_check_hostname" in tls:
        tls["ssl_check_hostname"] = _switch(parameters["ssl_check_hostname"])
    if tls.get("ssl_cert_reqs", "required") not in ("required", "optional", "none"):
        raise ValueError("ssl_cert_reqs must be required, optional or none")
    return SentinelAddress(
        tuple(_sentinel(each) for each in hosts.split(",")),
        unquote(name),
        int(database or 0),
        unquote(username) if at else "",
        unquote(password),
        parameters.get("sentinel_username", ""),
        parameters.get("sentinel_password", ""),
        tls if secure else None,
    )


def _parameters(query: str) -> dict[str, str]:
    found = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(found) - {*_TLS, *_OWN})
    if unknown:  # a name that is none of ours may be a part of a password
        raise ValueError(f"has a parameter that is not known; known are {', '.join((*_OWN, *_TLS))}")
    return found


def _sentinel(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text.strip())
    port = int(found["port"] or PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise ValueError(f"must list Sentinels as host or host:port, with commas, as in {_FORM}")
    return found["host"].strip("[]"), port


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError("ssl_check_hostname must be true or false")
    return text.lower() in ("true", "yes", "1")
