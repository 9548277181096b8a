"""A small client of the language server that editors use for YAML, over its standard input and output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "completion": True, "hover": True}, "http": {}}


def find() -> str:
    """The program; without it the test is skipped at home and fails in CI, which installs it."""
    own = ROOT / ".venv" / "node_modules" / ".bin" / "yaml-language-server"
    found = str(own) if own.exists() else shutil.which("yaml-language-server")
    if found is None:
        missing = "no yaml-language-server: `make editors` installs it (needs npm)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class LanguageServer:
    """`with LanguageServer() as server: server.diagnostics(path)`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([find(), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: Queue[dict[str, Any]] = Queue()
        self._number = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> LanguageServer:
        abilities = {"workspace": {"configuration": True}, "textDocument": {"publishDiagnostics": {}}}
        self._ask("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": abilities})
        self._say("initialized", {})
        self._say("workspace/didChangeConfiguration", {"settings": SETTINGS})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def diagnostics(self, path: Path, text: str | None = None) -> list[str]:
        """What the editor would underline in the file, or in `text` in its place: "line: message"."""
        uri = self._open(path, text)
        while True:
            message = self._answers.get(timeout=60)
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]
                return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def completions(self, path: Path, text: str, line: int, column: int) -> set[str]:
        """What the editor offers at a place (from 0) of `text`, taken for the file `path`."""
        uri = self._open(path, text)
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        found = self._ask("textDocument/completion", place)
        return {one["label"] for one in (found["items"] if isinstance(found, dict) else found)}

    def _open(self, path: Path, text: str | None) -> str:
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1}
        self._say("textDocument/didOpen", {"textDocument": document | {"text": text or path.read_text("utf-8")}})
        return path.as_uri()

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._answers.get(timeout=60)
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def _say(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _listen(self) -> None:
        out = self._process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            out.readline()
            message = json.loads(out.read(length))
            if message.get("method") == "workspace/configuration":
                wanted = [SETTINGS.get(item.get("section", ""), {}) for item in message["params"]["items"]]
                self._send({"id": message["id"], "result": wanted})
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})
            else:
                self._answers.put(message)
