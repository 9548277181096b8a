"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration file [WATCHPOST_CONFIG].")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data directory [WATCHPOST_DATA].")]
PrivateOption = Annotated[
    list[str] | None, typer.Option("--allow-private", metavar="CIDR", help="A private network that may be asked.")
]
