"""`watchpost secret hash|token|new|rotate`: what may lie on a disk instead of a password, what programs show, keys."""

from __future__ import annotations

import base64
import getpass
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from watchpost.cli.matching import read_plan
from watchpost.cli.receivers import part_of
from watchpost.cli.saying import note, say, tell
from watchpost.exit_codes import OK, USAGE
from watchpost.plan import passwords

SHORTEST = 10


def make_token() -> int:
    """The exit code of `secret token`: 256 bits that nobody can guess, in 43 characters."""
    tell(secrets.token_urlsafe(32))
    return OK


def make_new() -> int:
    """The exit code of `secret new`. What it prints is a key for Standard Webhooks: 32 bytes that nobody has chosen."""
    tell(_key())
    note(
        "to replace a secret: add this one to the webhook's `secrets`, give it to the other side, take the old one out"
    )
    return OK


def make_next(receiver: str, config: Path | None, env: Mapping[str, str]) -> int:
    """The exit code of `secret rotate`: the key on stdout, what to do with it on stderr. Changes nothing itself."""
    plan = read_plan(config, env)
    if plan is None:
        return USAGE
    part = part_of(plan, receiver)
    if part is None:
        return USAGE
    if part.kind != "webhook":
        say(f"{receiver} is a receiver of type {part.kind}: only messages of webhooks are signed")
        return USAGE
    tell(_key())
    old = ", ".join(f"{{{secret.origin.replace(' ', ': ', 1)}}}" for secret in getattr(part.options, "secrets", ()))
    note(f"1. put it into an environment variable or a file, and first of all into the secrets of {receiver}:")
    note(f"   secrets: [{{env: NEW_NAME}}{', ' + old if old else ''}], then reload: all of them sign")
    note("2. give it to the other side, which may take either now")
    note("3. take the old one out and reload")
    return OK


def _key() -> str:
    """As Standard Webhooks want it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


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
