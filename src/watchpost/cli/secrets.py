"""`watchpost secret hash|token|new`: what may lie on a disk instead of a password, what a program shows, a key."""

from __future__ import annotations

import base64
import getpass
import secrets
import sys

from watchpost.cli.saying import note, say, tell
from watchpost.plan import passwords

OK, USAGE = 0, 2
SHORTEST = 10


def make_token() -> int:
    """The exit code of `secret token`: 256 bits that nobody can guess, in 43 characters."""
    tell(secrets.token_urlsafe(32))
    return OK


def make_new() -> int:
    """The exit code of `secret new`. What it prints is a key for Standard Webhooks: 32 bytes that nobody has chosen."""
    tell("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    note(
        "to replace a secret: add this one to the webhook's `secrets`, give it to the other side, take the old one out"
    )
    return OK


def make_hash() -> int:
    """The exit code of `secret hash`. A person is asked twice without an echo; in a pipe the first line is taken."""
    if sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if password != getpass.getpass("once more: "):
            say("these are two different passwords")
            return USAGE
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST:
        say(f"a password has at least {SHORTEST} characters")
        return USAGE
    tell(passwords.hashed(password, secrets.token_bytes(16)))
    return OK
