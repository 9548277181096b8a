"""The arguments and options that several commands have, and the names that the shell completes for them."""

from __future__ import annotations

from typing import Annotated

import typer


def topics(incomplete: str) -> list[str]:
    """The topics whose names begin so."""
    return _names("topics", incomplete)


def feeds(incomplete: str) -> list[str]:
    """The feeds, pages and mailboxes whose names begin so; feeds of OPML lists are left out."""
    return [name for section in ("feeds", "pages", "mailboxes") for name in _names(section, incomplete)]


def pages(incomplete: str) -> list[str]:
    """The pages whose names begin so."""
    return _names("pages", incomplete)


def sources(incomplete: str) -> list[str]:
    """The sources whose names begin so."""
    return feeds(incomplete) + _names("folders", incomplete)


def receivers(incomplete: str) -> list[str]:
    """The receivers whose names begin so."""
    return _names("receivers", incomplete)


def severities(incomplete: str) -> list[str]:
    """The severities that begin so."""
    from watchpost.model import SEVERITIES

    return [severity for severity in SEVERITIES if severity.startswith(incomplete)]


def _names(section: str, incomplete: str) -> list[str]:
    """Read the names of a section, and check nothing: a mistake elsewhere must not stop the completion."""
    from watchpost.config.files import read_files
    from watchpost.config.settings import read_settings
    from watchpost.errors import ConfigError

    try:
        blocks = getattr(read_files(read_settings().config).sections, section)
    except ConfigError:
        return []
    return [block.name for block in blocks if block.name.startswith(incomplete)]


SINCE_FORMS = "12h, 7d, yesterday, 2026-11-20 or 2026-11-20T08:00Z"

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
PrivateOption = Annotated[
    list[str] | None,
    typer.Option("--allow-private", metavar="NETWORK", help="Also connect to this private network, like 10.0.0.0/8."),
]
SinceOption = Annotated[str, typer.Option("--since", metavar="WHEN", help=f"How far back: {SINCE_FORMS}.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
DeadOption = Annotated[bool, typer.Option("--dead", help="Dead letters: what failed for good.")]
ReceiverOption = Annotated[
    str,
    typer.Option("--receiver", metavar="NAME", help="Only messages for this receiver.", autocompletion=receivers),
]
TopicOption = Annotated[str, typer.Option("--topic", "-t", metavar="NAME", help="A topic.", autocompletion=topics)]
SeverityOption = Annotated[
    str, typer.Option("--severity", metavar="LEVEL", help="low, normal or high.", autocompletion=severities)
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--source",
        "--feed",
        metavar="NAME",
        help="A source: a feed, a page, a mailbox or a folder.",
        autocompletion=sources,
    ),
]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Deliveries or dead letters.", show_default=False)
]
ReceiverArgument = Annotated[str, typer.Argument(metavar="RECEIVER", help="A receiver.", autocompletion=receivers)]
TopicArgument = Annotated[str, typer.Argument(metavar="TOPIC", help="A topic.", autocompletion=topics)]
FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="A feed, page or mailbox.", autocompletion=feeds)]
