"""Asks OSV (https://osv.dev) about known vulnerabilities of the pinned packages; `make audit` runs it.

    python tools/audit.py PIP-AUDIT CONSTRAINTS

It ends with 1 if there are any. Where OSV cannot be reached, it says so and ends with 0: that is no fault of the code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 300
_OFFLINE = ("ConnectionError", "NameResolutionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError")


def verdict(code: int, out: str, err: str, packages: int) -> tuple[int, str]:
    """What to end with, and what to say, after this output of pip-audit. `packages`: how many are pinned."""
    try:
        document: dict[str, Any] = json.loads(out)
    except ValueError:
        if any(name in err for name in _OFFLINE):
            return 0, f"osv.dev cannot be reached from here: none of {packages} packages was checked"
        return 1, f"pip-audit ended with {code}: {err.strip().splitlines()[-1] if err.strip() else 'no output'}"
    checked = [one for one in document["dependencies"] if "vulns" in one]
    lines = [
        f"{one['name']} {one['version']}: {vuln['id']}, fixed in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for one in checked
        for vuln in one["vulns"]
    ]
    said = f"{len(checked)} of {packages} packages were checked, {len(lines)} vulnerabilities are known"
    return int(bool(lines)), "\n".join([*lines, said])


def main() -> None:
    """The command."""
    program, constraints = sys.argv[1:]
    packages = sum("==" in line for line in Path(constraints).read_text().splitlines())
    words = [program, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--vulnerability-service", "osv"]
    try:
        done = subprocess.run(  # noqa: S603 - the Makefile gives the program
            [*words, "--format", "json", "--requirement", constraints],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        code, said = verdict(done.returncode, done.stdout, done.stderr, packages)
    except FileNotFoundError:
        code, said = 0, f"pip-audit could not be installed: none of {packages} packages was checked"
    except subprocess.TimeoutExpired:
        code, said = 0, f"osv.dev did not answer within {_SECONDS} s: not all of {packages} packages were checked"
    sys.stdout.write(f"{said}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
