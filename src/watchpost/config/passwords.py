"""Pure: hashes of passwords: scrypt (RFC 7914), with its parameters in the text.

`scrypt$16384$8$1$SALT$KEY`, salt and key in URL-safe base64 without padding. Each check takes 16 MiB and about 50 ms.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

_N, _R, _P, _BYTES = 2**14, 8, 1, 32
_FORM = re.compile(r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{16,86})\$([A-Za-z0-9_-]{22,86})")
_MOST_MEMORY = 64 * 1024 * 1024


def hashed(password: str, salt: bytes) -> str:
    """The hash of a password. `salt`: 12 bytes or more that cannot be guessed."""
    key = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=_BYTES, maxmem=_MOST_MEMORY)
    return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(key)}"


def is_hash(text: str) -> bool:
    """Whether the text is a hash whose parameters are valid and not too expensive."""
    match = _FORM.fullmatch(text)
    if match is None:
        return False
    n, r, p = (int(match[i]) for i in (1, 2, 3))
    return n >= 2 and n & (n - 1) == 0 and r > 0 and 0 < p <= 16 and 128 * n * r <= _MOST_MEMORY - 1024 * 1024


def fits(password: str, kept: str) -> bool:
    """Whether `kept` is the hash of this password. Raises ValueError if it is not a hash."""
    match = _FORM.fullmatch(kept)
    if match is None or not is_hash(kept):
        raise ValueError("not a hash of a password")
    try:
        salt, key = (base64.urlsafe_b64decode(match[i] + "=" * (-len(match[i]) % 4)) for i in (4, 5))
    except binascii.Error as error:
        raise ValueError("not a hash of a password") from error
    n, r, p = (int(match[i]) for i in (1, 2, 3))
    given = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=len(key), maxmem=_MOST_MEMORY)
    return hmac.compare_digest(given, key)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
