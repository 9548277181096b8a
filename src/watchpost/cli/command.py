"""What all commands have in common: the layout of their help, the options -q, -v and --no-color, lazy loading."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from watchpost.cli import output, session

SETTINGS = {"help_option_names": ["-h", "--help"]}
Reads = Literal["nothing", "config", "service"]
COMMON = ("quiet", "verbose", "no_color")  # every command takes these options; only the help of `watchpost` lists them


class CommandApp(typer.Typer):
    """The commands of one noun. Their help names the pages `manual`; `examples` begin the help of the noun itself."""

    def __init__(self, manual: str, *examples: str) -> None:
        super().__init__(cls=Group, context_settings=SETTINGS, add_completion=False, rich_markup_mode=None)
        self.manual = f"Manual: {manual}"
        self.examples = examples

    def command(self, name: str | None = None, *, reads: Reads = "nothing", **_: Any) -> Callable[[Any], Any]:
        """Declare a command: a function or a coroutine function that returns the exit code, or None for 0.

        What it `reads` gives it --config, and for a service --data; `session` has their values.
        """
        declare = super().command(name, cls=_CLASSES[reads], context_settings=SETTINGS, epilog=self.manual)

        def register(function: Any) -> Any:
            declare(_blocking(function) if inspect.iscoroutinefunction(function) else function)
            return function

        return register


def _blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(function(*args, **kwargs))

    return run


class _WithHelp:
    """The help of this module, for a command or a group."""

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        """Write what it does with examples, then usage, arguments, options and commands, then its manual."""
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            formatter.write_paragraph()
            if paragraph.startswith("watchpost "):
                formatter.write("\n  ".join(["Examples:", *paragraph.splitlines()]) + "\n")
            else:
                formatter.write_text(paragraph)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        params = [param for param in self.get_params(ctx) if param.name != "help" or not ctx.parent]
        common = [param for param in params if param.name in COMMON]
        arguments = [param for param in params if _is_argument(param)]
        options = [param for param in params if param not in common and param not in arguments]
        write_section(formatter, "Arguments", [(_name_of(param), param.help) for param in arguments])
        write_section(formatter, "Options", [param.get_help_record(ctx) for param in options])
        if isinstance(self, Group):
            self.format_commands(ctx, formatter)
        if not ctx.parent:
            write_section(formatter, "Options of every command", [param.get_help_record(ctx) for param in common])
        formatter.write_paragraph()
        formatter.write_text(self.epilog or "")


class Command(_WithHelp, TyperCommand):
    """A command with the options and the help of this module."""

    options: ClassVar[tuple[str, ...]] = COMMON

    def __init__(self, name: str | None, **attributes: Any) -> None:
        super().__init__(name, **attributes)
        _add_options(self, self.options)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as the usage line has them."""
        return ["[OPTIONS]", *(_name_of(param) for param in self.params if _is_argument(param))]


class _ConfigCommand(Command):
    options = ("config", *COMMON)


class _ServiceCommand(Command):
    options = ("config", "data", *COMMON)


_CLASSES: dict[Reads, type[Command]] = {"nothing": Command, "config": _ConfigCommand, "service": _ServiceCommand}


class Group(_WithHelp, TyperGroup):
    """Several commands. `help NAME` is the same as `NAME --help`; without any command the help is printed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        _add_options(self, COMMON)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that `args` begin with: its name, itself, and the other arguments."""
        if args[0] != "help":
            return super().resolve_command(ctx, args)
        if ctx.resilient_parsing:  # the shell completes
            return super().resolve_command(ctx, args[1:]) if args[1:] else (None, None, [])
        if args[1:]:
            return super().resolve_command(ctx, [*args[1:], "--help"])
        typer.echo(ctx.get_help())
        raise typer.Exit

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with the first paragraph of its help."""
        write_section(formatter, "Commands", ((name, summary(each)) for name, each in self.commands.items()))


class LazyCommand(TyperCommand):
    """A command or a noun whose module is imported when it is called; name and summary are known before.

    `--help` and the shell's completion stay quick that way:
    https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
    """

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._module = module

    def load(self) -> Any:
        """Import the module. Returns the command of this name in its `app`, or all of the app as a group."""
        app: CommandApp = import_module(self._module).app
        group = get_group(app)
        if (command := group.commands.get(self.name or "")) is not None:
            return command
        group.name, group.epilog = self.name, app.manual
        group.help = "\n\n".join([self.help or "", "\n".join(app.examples)])
        return group

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments of the command that is loaded now."""
        return self.load().make_context(info_name, args, parent, **extra)


def summary(command: Any) -> str:
    """The first paragraph of a command's help, as one line."""
    return " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())


def write_section(formatter: Any, heading: str, rows: Iterable[tuple[str, str]]) -> None:
    """Write two columns under a heading, which is bold on a terminal."""
    rows = list(rows)
    if rows:
        bold = heading if "NO_COLOR" in os.environ else typer.style(heading, bold=True)
        with formatter.section(bold):
            formatter.write_dl(rows)


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _name_of(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs != 1 else "")


# The options that many commands take. Of -q and -v the last one counts.


def _no_color(value: bool) -> None:
    if value:
        os.environ["NO_COLOR"] = "1"  # https://no-color.org: libraries that write in colours look there


def _verbosity(verbosity: output.Verbosity) -> Callable[[bool], None]:
    return lambda value: output.set_verbosity(verbosity) if value else None


def _option(text: str, callback: Callable[[Any], None], *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=text, callback=callback, expose_value=False, show_default=False, **settings)


_CONFIG_TEXT = "Configuration file [$WATCHPOST_CONFIG or config/watchpost.yaml]."
_VERBOSE_TEXT = "Also print details: which files are read, each visit to a source."
_Config = Annotated[Path | None, _option(_CONFIG_TEXT, session.set_config, "--config", metavar="FILE")]
_Data = Annotated[
    Path | None, _option("Data directory [$WATCHPOST_DATA or var].", session.set_data, "--data", metavar="DIR")
]
_Quiet = Annotated[
    bool, _option("Print only errors on stderr; results on stdout stay.", _verbosity("quiet"), "--quiet", "-q")
]
_Verbose = Annotated[bool, _option(_VERBOSE_TEXT, _verbosity("verbose"), "--verbose", "-v")]
_NoColor = Annotated[bool, _option("Print no colours, as with $NO_COLOR.", _no_color, "--no-color", is_eager=True)]
_options = typer.Typer(add_completion=False)


@_options.command()
def _declare(
    config: _Config = None,
    data: _Data = None,
    quiet: _Quiet = False,
    verbose: _Verbose = False,
    no_color: _NoColor = False,
) -> None:
    """Declare the options, to be copied; this function is never called."""


def _add_options(command: Any, names: tuple[str, ...]) -> None:
    """Add these options, without a letter that the command needs for itself: `match` has its own -q."""
    taken = {name for param in command.params for name in param.opts}
    for option in get_command(_options).params:  # new ones at each call
        if option.name in names:
            option.opts = [name for name in option.opts if name not in taken]
            command.params.append(option)
