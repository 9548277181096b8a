"""The command line: which commands there are, and how an error becomes a message and an exit code.

Results go to stdout, messages to stderr. Each command is a function in the module of its noun. Such a module imports
at its top only what its help needs, and the rest in its functions: help and completion must not wait for Redis, XML
or PDF libraries.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watchpost.cli import output, session
from watchpost.cli.command import SETTINGS, Group, LazyCommand, write_section
from watchpost.exit_codes import INTERRUPTED, OK

MOST_USED = {
    "init": "Write a commented configuration to start with.",
    "check": "Check the configuration and list every mistake.",
    "run": "Run the service: read sources, match articles, send digests and alerts.",
    "doctor": "Find out what is wrong, and how to fix it.",
    "feed test": "Read a feed, page or mailbox once and show what it contains.",
    "topic test": "Try a topic on its examples, a text, files, a web page or recent articles.",
    "digest preview": "Show what a receiver would be sent now.",
    "queue status": "Show how much is waiting, and whether all of it is accounted for.",
}
"""What most people need, in the order in which they need it; the help shows it first."""

COMMANDS = {
    "Start": {
        "init": ("run", MOST_USED["init"]),
        "check": ("config", MOST_USED["check"]),
        "doctor": ("run", MOST_USED["doctor"]),
        "run": ("run", MOST_USED["run"]),
        "backup": ("backup", "Copy the data of a service to a file, while it runs or not."),
    },
    "Sources and topics": {
        "feed": ("feeds", "List, read, test, discover, import and export feeds."),
        "page": ("pages", "Test which links of a web page would be read."),
        "topic": ("topics", "List, test, measure and compare topics."),
        "search": ("search", "Search everything that was read."),
        "searches": ("searches", "Keep searches under a name; list, run and delete them."),
        "match": ("match", "Show which topics match an article."),
        "explain": ("match", "Show why a topic matches an article, or why not."),
    },
    "Messages": {
        "digest": ("digests", "Preview the next digest of a receiver, or send it now."),
        "receiver": ("receivers", "List and test receivers; enable one that is disabled."),
        "route": ("routes", "Show which receivers get a hit, and when."),
        "silence": ("silences", "Stop messages about some hits for a while."),
        "story": ("stories", "Export stories and hits."),
        "event": ("events", "Show which stories are one event; correct it."),
        "hit": ("hits", "Show what became of hits, for each receiver."),
        "queue": ("queue", "Show what is waiting in the service; retry or drop it."),
        "delivery": ("deliveries", "Show messages that have not arrived; send them again."),
    },
    "Configuration": {
        "config": ("config", "Show, compare, format and migrate the configuration."),
        "secret": ("secret", "Make tokens, signing keys and password hashes."),
    },
}
"""Heading → name → the module of watchpost.cli that holds it, and its summary."""


class Root(Group):
    """All commands. Whatever one of them raises on purpose ends here as a message and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for commands in COMMANDS.values():
            for name, (module, summary) in commands.items():
                self.add_command(LazyCommand(name, f"watchpost.cli.{module}", summary))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command; an earlier command of this process leaves nothing behind."""
        output.set_verbosity("normal")
        session.set_config(None)
        session.set_data(None)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command and end with its exit code."""
        from watchpost.errors import WatchpostError

        try:
            code = super().invoke(ctx)
        except WatchpostError as error:
            code = output.report(error)
        except KeyboardInterrupt:
            code = INTERRUPTED
        raise typer.Exit(code or OK)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands that most people need, then the others by what they are about."""
        write_section(formatter, "Most used", MOST_USED.items())
        for heading, commands in COMMANDS.items():
            others = ((name, summary) for name, (_, summary) in commands.items() if name not in MOST_USED)
            write_section(formatter, heading, others)


app = typer.Typer(
    cls=Root,
    help="Watch news feeds and folders, and send digests and alerts.\n\n"
    "watchpost init\nwatchpost run\nwatchpost help feed",
    epilog="Manual: docs/commands.md",
    context_settings=SETTINGS,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        from watchpost import __version__

        typer.echo(f"watchpost {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Declare the options of `watchpost` itself."""
