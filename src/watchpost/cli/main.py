"""The command line: arguments → one call in app → an exit code. The only place that prints.

Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 nothing found (with --exit-code), 4 a dependency is not
reachable, 5 partial success, 130 interrupted. Messages go to stderr, results to stdout.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from watchpost.cli import deliveries, digests, options, queue, receivers, routes, silences
from watchpost.cli.config import config_app
from watchpost.cli.feeds import feed_app
from watchpost.cli.options import ConfigOption, DataOption, JsonOption, PrivateOption
from watchpost.cli.output import CommandGroup

app = typer.Typer(
    cls=CommandGroup,
    help="watchpost: an always-on news monitoring service with alerts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config_app, name="config")
topic_app = typer.Typer(help="Topics: what there is, and what they do.", no_args_is_help=True)
app.add_typer(topic_app, name="topic")
app.add_typer(feed_app, name="feed")
secret_app = typer.Typer(help="Passwords, tokens and keys, and what may be kept of them.", no_args_is_help=True)
app.add_typer(secret_app, name="secret")
app.add_typer(queue.queue_app, name="queue")
app.add_typer(deliveries.delivery_app, name="delivery")
app.add_typer(receivers.receiver_app, name="receiver")
app.add_typer(digests.digest_app, name="digest")
app.add_typer(routes.route_app, name="route")
app.add_typer(silences.silence_app, name="silence")


Role = Literal["poll", "match", "notify", "web", "all"]
ROLES: tuple[Role, ...] = ("poll", "match", "notify", "web", "all")


def _role(name: str) -> str:
    if name not in ROLES:
        from watchpost.config.errors import suggest

        raise typer.BadParameter(f"'{name}' is none of {', '.join(ROLES)}{suggest(name, ROLES)}")
    return name


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from watchpost import __version__

        typer.echo(f"watchpost {__version__}")
        raise typer.Exit


@app.command()
def run(
    role: Annotated[
        str,
        typer.Argument(
            metavar="[poll|match|notify|web|all]",
            help="One role, or all of them in one process.",
            callback=_role,
            autocompletion=options.roles,
        ),
    ] = "all",
    once: Annotated[bool, typer.Option("--once", help="Read every source once, deliver everything, end.")] = False,
    config: ConfigOption = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data directory [WATCHPOST_DATA].")] = None,
) -> None:
    """Run the service: watch the sources, match, and tell the receivers."""
    from watchpost.cli import run as cli_run

    raise typer.Exit(cli_run.run(next(one for one in ROLES if one == role), once, config, data, os.environ))


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Configuration file [WATCHPOST_CONFIG].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, every mistake at once, without opening a socket."""
    from watchpost.cli import config as cli_config

    raise typer.Exit(cli_config.check(file, as_json, os.environ))


@app.command()
def match(
    files: Annotated[list[str], typer.Argument(help="Articles, feeds, JSON Lines, or folders of them; - is stdin.")],
    query: Annotated[str, typer.Option("--query", "-q", help="A query instead of the configured topics.")] = "",
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="Only this topic; may be repeated.", autocompletion=options.topics),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Show only the articles that match.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 if nothing matches.")] = False,
) -> None:
    """Which topics do these articles match? Works offline, without Redis."""
    from watchpost.cli import match as cli_match

    asked = cli_match.MatchRequest(query, tuple(topic or ()), only)
    raise typer.Exit(cli_match.match(files, asked, config, as_json, exit_code, os.environ))


@app.command()
def explain(
    topic: Annotated[str, typer.Argument(help="A topic of the configuration.", autocompletion=options.topics)],
    file: Annotated[str, typer.Argument(help="An article; - is stdin.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why does this article match the topic, or why not?"""
    from watchpost.cli import match as cli_match

    raise typer.Exit(cli_match.explain(topic, file, config, as_json, os.environ))


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("config"),
    as_json: JsonOption = False,
) -> None:
    """Write a commented configuration to begin with. Asks nothing, overwrites nothing."""
    from watchpost.cli import run as cli_run

    raise typer.Exit(cli_run.init(directory, as_json, os.environ))


@app.command()
def doctor(
    all_feeds: Annotated[bool, typer.Option("--all-feeds", help="Ask every feed, not 50 of a long list.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is wrong, and the cure: store, clock, name server, mail server, folders, receivers, feeds."""
    from watchpost.cli import run as cli_run

    raise typer.Exit(cli_run.doctor(config, data, all_feeds, as_json, os.environ))


@topic_app.command("list")
def topic_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The topics, and their queries as they are understood."""
    from watchpost.cli import topics

    raise typer.Exit(topics.show(config, as_json, os.environ))


@topic_app.command("test")
def topic_test(
    name: Annotated[str, typer.Argument(help="A topic of the configuration.", autocompletion=options.topics)],
    files: Annotated[list[str] | None, typer.Argument(help="Articles to try it on.")] = None,
    text: Annotated[str, typer.Option("--text", help="A text to try it on.")] = "",
    url: Annotated[str, typer.Option("--url", help="The page of an article to try it on.")] = "",
    since: Annotated[str, typer.Option("--since", help="What a service has read in the last 90m, 12h, 7d.")] = "",
    explaining: Annotated[bool, typer.Option("--explain", help="Also what each clause of the query found.")] = False,
    allow_private: PrivateOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a topic: on its own examples, on a text, on files. Each with the words that matched, or what is missing.

    With --since only those that match are shown.
    """
    from watchpost.cli import topics

    if since and (files or text or url or explaining):
        raise typer.BadParameter("--since stands alone: it shows what matches of what was read")
    if since:
        raise typer.Exit(topics.recent_articles(name, since, config, data, as_json, os.environ))
    tried = topics.Tried(tuple(files or ()), text, url, tuple(allow_private or ()), explaining)
    raise typer.Exit(topics.test(name, tried, config, as_json, os.environ))


@topic_app.command("lint")
def topic_lint(
    files: Annotated[
        list[str] | None, typer.Argument(help="A sample of articles; else the configured folders.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each topic costs and catches in 1,000 articles, and which of them look wrong."""
    from watchpost.cli import topics

    raise typer.Exit(topics.lint(files or [], config, as_json, os.environ))


@secret_app.command("token")
def secret_token() -> None:
    """A token for a program: http.auth.tokens."""
    from watchpost.cli import receivers

    raise typer.Exit(receivers.make_token())


@secret_app.command("hash")
def secret_hash() -> None:
    """Make the hash of a password that http.auth.users takes; the password comes from the terminal or stdin."""
    from watchpost.cli import receivers

    raise typer.Exit(receivers.make_hash())


@secret_app.command("rotate")
def secret_rotate(
    receiver: Annotated[str, typer.Argument(help="A webhook of the configuration.", autocompletion=options.receivers)],
    config: ConfigOption = None,
) -> None:
    """Make a new secret for a webhook, and say how to change over without losing a message."""
    from watchpost.cli import receivers

    raise typer.Exit(receivers.make_next(receiver, config, os.environ))


@secret_app.command("new")
def secret_new() -> None:
    """Make a secret with which a webhook's messages are signed. All `secrets` sign: so one can be replaced."""
    from watchpost.cli import receivers

    raise typer.Exit(receivers.make_new())


@topic_app.command("diff")
def topic_diff(
    name: Annotated[str, typer.Argument(help="Only this topic.", autocompletion=options.topics)] = "",
    against: Annotated[Path | None, typer.Option("--against", help="Another configuration, not what runs.")] = None,
    since: Annotated[str, typer.Option("--since", help="Only articles of the last 90m, 12h, 7d.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the topics on disk would have found otherwise than those that run. Exit 1 if anything."""
    from watchpost.cli import topics as differing

    raise typer.Exit(differing.diff(name, against, since, config, data, as_json, os.environ))
