"""An installation by the lines of deploy/README.md, and the service as the unit describes it: run by test_installation.

`python installation.py PROJECT` runs as root, in a copy of the machine that it may change (mount namespace, overlay).
It has only the standard library. It does what systemd does with the unit: environment, credentials, a user without
rights, a file system that is read-only except for the state. It prints JSON: what each command of the manual gave.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

USER = "61234"  # of the range that systemd takes for DynamicUser
UNIT = Path("/etc/systemd/system/watchpost.service")
CONFIG = Path("/etc/watchpost/watchpost.yaml")
SECRET = Path("/etc/watchpost/secrets/slack_url")
STATE = Path("/var/lib/private/watchpost")
CREDENTIALS = Path("/run/credentials/watchpost.service")
READY_SECONDS = 60.0
ARTICLE = "A truce near Gao\n\nThe two sides agreed on a truce on Monday, and more than one of them kept it.\n"


def blocks(project: Path, page: str, heading: str, language: str) -> list[str]:
    """The code in this language below a heading of a page."""
    text = (project / page).read_text("utf-8").partition(heading)[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell(text: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run lines of a shell."""
    return subprocess.run(
        ["sh", "-eu", "-c", text], capture_output=True, text=True, check=False, timeout=300, **options
    )


def install(project: Path) -> None:
    """The lines of the recipe; what is for the service manager is done below."""
    (lines,) = blocks(project, "deploy/README.md", "To install the service", "sh")
    UNIT.parent.mkdir(parents=True, exist_ok=True)
    done = shell(f"systemctl() {{ :; }}\n{lines}", cwd=project)
    assert done.returncode == 0, (done.stdout, done.stderr)


def add_a_receiver_with_a_secret() -> None:
    """As docs/operations.md says: a credential in the unit, its file in the configuration."""
    SECRET.parent.mkdir(mode=0o700)
    SECRET.write_text("http://127.0.0.1:9/services/T0/B0/token\n")
    SECRET.chmod(0o600)
    UNIT.write_text(UNIT.read_text("utf-8").replace("#LoadCredential", "LoadCredential"))
    text = CONFIG.read_text("utf-8")
    text = text.replace(
        "receivers:\n", 'receivers:\n  newsroom: {type: slack, url: {file: "${CREDENTIALS_DIRECTORY}/slack_url"}}\n'
    )
    text = text.replace("routes:\n", "routes:\n  - {to: newsroom, mode: immediate, continue: true}\n")
    CONFIG.write_text(text)


def unit() -> dict[str, list[str]]:
    """The section Service: each key with its values."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text("utf-8"))
    return {key: value.split() for key, value in parser["Service"].items()}


def start(service: dict[str, list[str]], log: Path) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start it as systemd would. The socket is the one that it notifies."""
    assert service["StateDirectory"] == ["watchpost"]
    STATE.mkdir(parents=True)
    STATE.parent.chmod(0o700)
    Path("/var/lib/watchpost").symlink_to(STATE)
    CREDENTIALS.mkdir(parents=True)
    for pair in service["LoadCredential"]:
        name, _, source = pair.partition(":")
        (CREDENTIALS / name).write_bytes(Path(source).read_bytes())
        (CREDENTIALS / name).chmod(0o400)
        os.chown(CREDENTIALS / name, int(USER), int(USER))
    for path in (STATE, CREDENTIALS):
        path.chmod(0o700)
        os.chown(path, int(USER), int(USER))
    plug = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    plug.bind("/run/notify-watchpost")
    Path("/run/notify-watchpost").chmod(0o777)
    plug.settimeout(READY_SECONDS)
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        **dict(pair.split("=", 1) for pair in service["Environment"]),
        "NOTIFY_SOCKET": "/run/notify-watchpost",
        "STATE_DIRECTORY": "/var/lib/watchpost",
        "CREDENTIALS_DIRECTORY": str(CREDENTIALS),
    }
    # ProtectSystem=strict: everything is read-only, except for the state and a /tmp of its own.
    read_only = (
        f"mount --bind {STATE} /mnt && mount -t tmpfs -o mode=755 none {STATE.parent} && mkdir {STATE} "
        f"&& mount --bind /mnt {STATE} && umount /mnt && mount -o remount,bind,ro / && mount -t tmpfs none /tmp && "
    )
    (limit,) = service["LimitNOFILE"]
    drop = f"exec setpriv --reuid={USER} --regid={USER} --clear-groups --no-new-privs --bounding-set=-all "
    command = f"umask {service['UMask'][0]}; ulimit -n {limit}; {read_only}{drop}{' '.join(service['ExecStart'])}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", command],
            env=env,
            cwd="/",
            stdout=output,
            stderr=output,
        )
    return process, plug


def wait_until_ready(process: subprocess.Popen[bytes], plug: socket.socket, log: Path) -> None:
    """Raises RuntimeError with its log if it ends or says nothing."""
    try:
        while b"READY=1" not in plug.recv(4096):
            if process.poll() is not None:
                break
        else:
            return
    except TimeoutError:
        pass
    raise RuntimeError(f"not ready, {process.poll()}: {log.read_text()}")


def ask(words: str) -> dict[str, Any]:
    """One command from a shell of root, as the manual says."""
    (lines,) = blocks(Path(sys.argv[1]), "docs/operations.md", "\n## systemd", "bash")
    (export,) = (line for line in lines.splitlines() if line.startswith("export "))
    # What sends needs the secrets, as the manual says.
    prefix = f"CREDENTIALS_DIRECTORY={SECRET.parent} " if words.startswith("receiver test") else ""
    done = shell(f"{export}\n{prefix}/opt/watchpost/bin/watchpost {words}")
    return {"command": words, "code": done.returncode, "out": done.stdout, "err": done.stderr}


def main() -> None:
    project = Path(sys.argv[1])
    log = Path("/run/watchpost.log")
    install(project)
    add_a_receiver_with_a_secret()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    process, plug = start(unit(), log)
    try:
        wait_until_ready(process, plug, log)
        (CONFIG.parent / "inbox" / "second.txt").write_text(ARTICLE)
        found: dict[str, Any] = {}
        end = time.monotonic() + READY_SECONDS
        while not found.get("deliveries") and time.monotonic() < end:
            found = json.loads(ask("delivery list --json")["out"])
        (hit, *_) = json.loads(ask("hit list --json")["out"])["hits"]
        (export, *plain) = blocks(project, "docs/operations.md", "\n## systemd", "bash")[0].splitlines()
        asked = [shell(f"{export}\n{line}") for line in plain]
        lines = [
            {"command": line, "code": done.returncode, "out": done.stdout, "err": done.stderr}
            for line, done in zip(plain, asked, strict=True)
        ]
        names = {"NAME": "newsroom", "ID": found["deliveries"][0]["id"], "HIT": hit["id"]}
        lines += [ask(" ".join(names.get(word, word) for word in words.split())) for words in json.loads(sys.argv[2])]
        process.terminate()
        ended = process.wait(30)
    finally:
        process.kill()
    files = sorted(str(path.relative_to(STATE)) for path in STATE.rglob("*"))
    print(json.dumps({"lines": lines, "log": log.read_text(), "ended": ended, "files": files}))  # noqa: T201


if __name__ == "__main__":
    main()
