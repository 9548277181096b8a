"""The program `watchpost`. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import errno
import os
import sys

_CANNOT_WRITE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main() -> None:
    """Run the command line with the arguments of the process, and end the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from watchpost import __version__

        print(f"watchpost {__version__}")  # noqa: T201 - the one answer without the command line
        return
    from watchpost.cli.main import app

    try:
        try:
            app(prog_name="watchpost")
        finally:
            sys.stdout.flush()
    except Exception as error:
        import traceback

        from watchpost.redaction import clean

        if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
            # The interpreter flushes stdout once more at its end, and would report the same failure again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            message = f"watchpost: the result cannot be written: {error.strerror}\n"
            message = "" if error.errno == errno.EPIPE else message
        else:
            message = clean(traceback.format_exc())
        print(message, end="", file=sys.stderr)  # noqa: T201 - an unforeseen error
        sys.exit(1)


if __name__ == "__main__":
    main()
