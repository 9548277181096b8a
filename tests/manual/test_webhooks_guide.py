"""The code of the receiver's guide verifies what we send, and refuses what we did not."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

GUIDE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
BODY = '{"title":"Вагнер 🙂 \\" <b>"}'.encode()

Verify = Callable[[str, dict[str, str], bytes], bool]


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where the program is absent; in CI that is a failure."""
    return pytest.mark.skipif(not shutil.which(program) and "CI" not in os.environ, reason=f"no {program} here")


def code(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return found[1]


def headers(*secrets: str, at: float | None = None) -> dict[str, str]:
    moment = datetime.fromtimestamp(int(at or time.time()), UTC)
    signatures = [str(Webhook(secret).sign("msg_7f3a", moment, BODY.decode())) for secret in secrets]
    return {
        "webhook-id": "msg_7f3a",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def in_python(secret: str, given: dict[str, str], body: bytes) -> bool:
    scope: dict[str, Verify] = {}
    exec(code("python"), scope)
    return scope["verify"](secret, given, body)


def in_node(secret: str, given: dict[str, str], body: bytes) -> bool:
    call = f"verify({json.dumps(secret)}, {json.dumps(given)}, Buffer.from({json.dumps(list(body))}))"
    done = subprocess.run(
        [str(shutil.which("node")), "-e", f"{code('javascript')}\nconsole.log({call})"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "true"


@pytest.mark.parametrize(
    "verify",
    [in_python, pytest.param(in_node, marks=needs("node"))],
)
def test_the_code_of_the_guide_accepts_our_messages_and_no_others(verify: Verify) -> None:
    assert verify(SECRET, headers(SECRET), BODY)
    assert verify(SECRET, headers(OTHER, SECRET), BODY), "while a secret is being replaced"
    assert not verify(SECRET, headers(OTHER), BODY)
    assert not verify(SECRET, headers(SECRET), BODY + b" ")
    assert not verify(SECRET, headers(SECRET, at=time.time() - 400), BODY)
    assert not verify(SECRET, headers(SECRET) | {"webhook-id": "msg_other"}, BODY)
    for odd in ({}, {"webhook-signature": "v1"}, {"webhook-signature": "garbage v1,a,b"}, {"webhook-timestamp": "x"}):
        assert not verify(SECRET, (headers(OTHER) | odd) if odd else {}, BODY)


@needs("openssl")
def test_the_shell_of_the_guide_makes_the_same_signature(tmp_path: Path) -> None:
    given = headers(SECRET)
    (tmp_path / "body.json").write_bytes(BODY)
    done = subprocess.run(
        ["sh", "-c", code("sh")],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "SECRET": SECRET,
            "ID": given["webhook-id"],
            "TIMESTAMP": given["webhook-timestamp"],
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "v1," + done.stdout.strip() == given["webhook-signature"]
