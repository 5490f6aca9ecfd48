"""`counterfoil init`, `mapping check` of a file alone, `migrate`, `version`."""

import sys
from importlib import metadata, resources
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.example import CONFIGURATION, SOURCES
from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import mapping_digest, parse_mapping
from counterfoil.postgres import Names, create_pool, open_postgres
from counterfoil.settings import Settings


def write_example(folder: Path, source: str, *, as_json: bool) -> int:
    """Write configuration and mapping; nothing that exists is replaced."""
    if source not in SOURCES:
        raise ConfigurationError(
            f"There is no example for {source}; there are {', '.join(sorted(SOURCES))}.", remedy="Choose one of them."
        )
    example = resources.files("counterfoil.planning") / "examples" / f"{source}.toml"
    contents = {
        "counterfoil.toml": CONFIGURATION.replace("{source}", SOURCES[source]),
        f"{source}.toml": example.read_text(encoding="utf-8"),
    }
    taken = [name for name in contents if (folder / name).exists()]
    if taken:
        raise ConfigurationError(
            f"{folder / taken[0]} exists already, and nothing was written.", remedy="Choose another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(
            f"{folder} cannot be written to: {problem.strerror}.", remedy="Choose another folder."
        ) from None
    if as_json:
        write_json({"written": [str(folder / name) for name in contents]})
    else:
        written = " and ".join(str(folder / name) for name in contents)
        console().print(
            Text(f"Wrote {written}. Fill in what they ask for, then: counterfoil connect quickbooks; counterfoil sync"),
            soft_wrap=True,
        )
    return ExitCode.OK


def read_mapping_file(file: Path) -> str:
    """The text of a mapping.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"There is no mapping {file}.", remedy="Correct the name.") from None
    except OSError as problem:
        raise ConfigurationError(
            f"{file} cannot be read: {problem.strerror}.", remedy="Name a readable file."
        ) from None
    except UnicodeDecodeError as problem:
        raise ConfigurationError(
            f"{file} is no UTF-8: byte {problem.start} cannot be decoded.", remedy="Save it as UTF-8."
        ) from None


def check_mapping_file(file: Path, *, as_json: bool) -> int:
    """Say whether a mapping file can be used."""
    text = read_mapping_file(file)
    mapping = parse_mapping(text, file=str(file), default_zone="UTC")
    digest = mapping_digest(text)
    if as_json:
        write_json({"file": file, "usable": True, "source": mapping.connection.source, "digest": digest})
    else:
        console().print(Text(f"{file} can be used (source {mapping.connection.source}, digest {digest[:12]}…)."))
    return ExitCode.OK


async def migrate_database(settings: Settings, *, as_json: bool) -> int:
    """Apply what is missing, check what the engine's login may do, and say both."""
    async with open_postgres(
        dsn=settings.dsn,
        admin_dsn=settings.admin_dsn,
        home=settings.home / "postgres",
        names=Names(settings.prefix),
    ) as server:
        pool = await create_pool(server.engine_dsn, server.names, application_name="counterfoil migrate")
        await pool.close()
    if as_json:
        write_json({"applied": server.applied, "warnings": server.warnings, "embedded": server.embedded})
        return ExitCode.OK
    applied = f"Applied {', '.join(server.applied)}." if server.applied else "Nothing to apply: up to date."
    console().print(Text(applied), soft_wrap=True)
    for warning in server.warnings:
        console().print(Text(f"Mind: {warning}", style="yellow"), soft_wrap=True)
    return ExitCode.OK


def show_version(*, as_json: bool) -> int:
    """Print the version."""
    version = metadata.version("counterfoil")
    if as_json:
        write_json({"version": version, "python": sys.version.split()[0]})
    else:
        sys.stdout.write(f"counterfoil {version}\n")
    return ExitCode.OK
