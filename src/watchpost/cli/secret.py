"""`watchpost secret …`: tokens, keys that sign webhooks, and hashes of passwords."""

from __future__ import annotations

import base64
import getpass
import secrets
import sys
from typing import Annotated

import typer

from watchpost.cli.command import CommandApp
from watchpost.cli.options import receivers
from watchpost.cli.output import CommandError, echo, note, pick
from watchpost.cli.session import load_config

app = CommandApp(
    "docs/commands.md#secret, docs/pages.md, docs/webhooks.md",
    "watchpost secret token",
    "watchpost secret rotate archive",
)

PASSWORD_MIN = 10


@app.command("token")
def secret_token() -> None:
    """Make a token for a program: http.auth.tokens.

    watchpost secret token
    """
    echo(secrets.token_urlsafe(32))


@app.command("hash")
def secret_hash() -> None:
    """Make the hash of a password: http.auth.users.

    watchpost secret hash
    watchpost secret hash < password.txt

    At a terminal you type the password twice; otherwise it is the first line of stdin.
    """
    from watchpost.config import passwords

    if sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if password != getpass.getpass("again: "):
            raise CommandError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < PASSWORD_MIN:
        raise CommandError(f"the password is too short; it needs at least {PASSWORD_MIN} characters")
    echo(passwords.hashed(password, secrets.token_bytes(16)))


@app.command("new")
def secret_new() -> None:
    """Make a key that signs the messages of a webhook.

    watchpost secret new

    A webhook signs with all of its `secrets`, so that one can be replaced.
    """
    echo(_signing_key())
    note("to replace a key: add this one to the webhook's `secrets`, give it to the other side, remove the old one")


@app.command("rotate", reads="config")
def secret_rotate(
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="A webhook.", autocompletion=receivers)],
) -> None:
    """Make a new key for a webhook, and show how to change over.

    watchpost secret rotate archive

    Changes nothing itself. No message is lost if you follow the steps.
    """
    webhook = pick("receiver", receiver, {each.name: each for each in load_config().receivers})
    if webhook.kind != "webhook":
        raise CommandError(f"{receiver} is of type {webhook.kind}: only messages of webhooks are signed")
    echo(_signing_key())
    old = "".join(f", {{{key.origin.replace(' ', ': ', 1)}}}" for key in getattr(webhook.options, "secrets", ()))
    note(f"1. put it into an environment variable or a file, and add it to {receiver} as the first of its secrets:")
    note(f"   secrets: [{{env: NEW_NAME}}{old}], then reload: all of them sign")
    note("2. give it to the other side, which can now accept either")
    note("3. remove the old one and reload")


def _signing_key() -> str:
    """32 random bytes in the form of Standard Webhooks: https://www.standardwebhooks.com"""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
