"""`watchpost` on the command line. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import errno
import os
import sys

_NOBODY_TAKES_IT = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main() -> None:
    """Run the command line with the process's arguments; ends the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from watchpost import __version__

        print(f"watchpost {__version__}")  # noqa: T201 - the one thing that is said without the command line
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

        if isinstance(error, OSError) and error.errno in _NOBODY_TAKES_IT:
            # What is left in the buffer would be tried once more at the end, and complained of by the interpreter.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            said = "" if error.errno == errno.EPIPE else f"watchpost: the result cannot be written: {error.strerror}\n"
        else:
            said = clean(traceback.format_exc())
        print(said, end="", file=sys.stderr)  # noqa: T201 - what nobody foresaw
        sys.exit(1)


if __name__ == "__main__":
    main()
