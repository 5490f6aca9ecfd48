"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

CONFIG_FILE = Path("counterfoil.toml")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="COUNTERFOIL_CONFIG", help="The configuration file.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of words.")]
CompanyOption = Annotated[
    int | None, typer.Option("--company", metavar="NUMBER", help="Only this company; default: all configured.")
]
