"""`watchpost` on the command line. `--version` answers before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line with the process's arguments; ends the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from watchpost import __version__

        print(f"watchpost {__version__}")  # noqa: T201 - the one thing that is said without the command line
        return
    from watchpost.cli.main import app

    try:
        app()
    except Exception:
        import traceback

        from watchpost.redaction import clean

        print(clean(traceback.format_exc()), end="", file=sys.stderr)  # noqa: T201 - what nobody foresaw
        sys.exit(1)


if __name__ == "__main__":
    main()
