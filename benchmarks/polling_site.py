"""The other side of benchmarks/polling.py: nginx with the documents of real feeds, each feed on an address of its own.

All of 127.0.0.0/8 is loopback on Linux, so that ten thousand feeds are ten thousand hosts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  types {{ application/xml xml; }}
  log_format status '$status'; access_log {root}/access.log status;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  sendfile on;
  server {{ listen {port}; allow 127.0.0.0/8; deny all; root {root}/www; }}
}}
"""

_ENTRY = re.compile(rb"<((?:[\w-]+:)?(?:item|entry))[\s>/]")
_CHANNEL_DATE = re.compile(rb"(<(?:lastBuildDate|pubDate|updated)>)[^<]*")
_NEW_ITEM = (
    "<{p}item><{p}title>Report {number}</{p}title><{p}link>https://news.example/{number}</{p}link>"
    "<{p}guid>https://news.example/{number}</{p}guid><{p}pubDate>{rfc822}</{p}pubDate>"
    "<{p}description>Ministers met in Geneva.</{p}description></{p}item>"
)
_NEW_ENTRY = (
    "<{p}entry><{p}title>Report {number}</{p}title><{p}link href='https://news.example/{number}'/>"
    "<{p}id>tag:{number}</{p}id><{p}updated>{rfc3339}</{p}updated><{p}summary>Ministers met.</{p}summary></{p}entry>"
)


@dataclass(frozen=True, slots=True)
class Site:
    """A running nginx. Feed n is the n-th document, from the beginning again when there are no more."""

    root: Path
    port: int
    documents: int

    def urls(self, count: int, *, hosts: bool = True) -> list[str]:
        """The addresses of so many feeds: each on its own host, or all on one."""
        return [f"http://{_address(n) if hosts else '127.0.0.1'}:{self.port}/{n:05}.xml" for n in range(count)]

    def change(self, every: int = 1) -> None:
        """From now on every document, or one of `every`, has other bytes, and the entries that it had."""
        for path in (self.root / "www").iterdir():
            number = int(path.stem)
            if number < self.documents and number % every == 0:  # the others are links to these
                with path.open("ab") as file:
                    file.write(b"\n")

    def name_another_moment(self) -> None:
        """From now on every document says that it was made now, where it says so at all; nothing else in it changes."""
        now = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()).encode()
        for path in self._documents():
            data = path.read_bytes()
            entry = _ENTRY.search(data)
            end = entry.start() if entry else 0
            path.write_bytes(_CHANNEL_DATE.sub(rb"\g<1>" + now, data[:end]) + data[end:])

    def publish(self, number: int) -> None:
        """From now on every document has another entry at the top, and lists its last one no more."""
        moment = time.gmtime()
        rfc822 = time.strftime("%a, %d %b %Y %H:%M:%S +0000", moment)
        rfc3339 = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
        for path in self._documents():
            data = path.read_bytes()
            first = _ENTRY.search(data)
            if first is None:
                continue
            tag = first[1].decode()
            form = _NEW_ENTRY if tag.endswith("entry") else _NEW_ITEM
            prefix = tag[: tag.find(":") + 1]
            new = form.format(p=prefix, number=number, rfc822=rfc822, rfc3339=rfc3339).encode()
            last, end = data.rfind(b"<" + first[1]), data.rfind(b"</" + first[1] + b">")
            kept = data[:last] + data[end + len(tag) + 3 :] if first.start() < last < end else data
            path.write_bytes(kept[: first.start()] + new + kept[first.start() :])

    def _documents(self) -> Iterator[Path]:
        """Those that are files of their own: the others are links to these."""
        return (path for path in (self.root / "www").iterdir() if int(path.stem) < self.documents)

    def statuses(self) -> Counter[str]:
        """How often it answered with which status since the last time of asking."""
        log = self.root / "access.log"
        counted = Counter(log.read_text().split())
        os.truncate(log, 0)
        return counted


def _address(n: int) -> str:
    return f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}"


def version() -> str:
    """ "nginx/1.22.1"."""
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.split()[-1]


@contextlib.contextmanager
def site(documents: Sequence[Path], count: int) -> Iterator[Site]:
    """Serve `count` feeds. Raises FileNotFoundError if nginx is not installed."""
    if shutil.which("nginx") is None:
        raise FileNotFoundError("no nginx: install the package nginx-light")
    with tempfile.TemporaryDirectory(prefix="wp-") as name, socket.create_server(("127.0.0.1", 0)) as probe:
        root, port = Path(name), int(probe.getsockname()[1])
        root.chmod(0o755)
        (root / "www").mkdir()
        for n in range(count):
            document = documents[n % len(documents)]
            copy = root / "www" / f"{n:05}.xml"
            if n < len(documents):
                shutil.copyfile(document, copy)
                copy.chmod(0o644)
            else:
                copy.hardlink_to(root / "www" / f"{n % len(documents):05}.xml")
        user = "user nobody nogroup;" if os.geteuid() == 0 else ""
        (root / "nginx.conf").write_text(_CONFIG.format(root=root, port=port, user=user))
        probe.close()
        process = subprocess.Popen(["nginx", "-e", root / "error.log", "-c", root / "nginx.conf"])
        try:
            _wait(port, process, root)
            yield Site(root, port, len(documents))
        finally:
            process.terminate()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], root: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nginx does not answer: {(root / 'error.log').read_text()}")
