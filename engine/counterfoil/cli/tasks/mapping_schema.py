"""`counterfoil mapping schema`."""

import sys

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import pretty, write_json
from counterfoil.planning.mapping_schema import mapping_schema

FILE_NAME = "mapping.schema.json"


def schema_text() -> str:
    """The schema as a file holds it."""
    return pretty(mapping_schema()) + "\n"


def show(*, as_json: bool) -> int:
    """Print it: over several lines, or in one."""
    if as_json:
        write_json(mapping_schema())
    else:
        sys.stdout.write(schema_text())
    return ExitCode.OK
