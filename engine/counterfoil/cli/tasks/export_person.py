"""`counterfoil export`: all that is held on a person, in a file of its own."""

import asyncio
import os
from pathlib import Path
from typing import TextIO

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.erase import look, one_person
from counterfoil.errors import ConfigurationError
from counterfoil.privacy import write_export
from counterfoil.settings import Settings


async def export(settings: Settings, key: str, path: Path, *, as_json: bool) -> int:
    """Write the file.

    Raises:
        ConfigurationError: the file cannot be made, or several companies know the person.
        NoPersonError, UnknownKeyError: what was named is no person, or unknown.
    """
    async with open_state(settings) as opened:
        people, person = await one_person(opened, key)
        found = await look(opened, person, hidden=as_json)
        links = await people.links(person)
        with await asyncio.to_thread(_made, path) as out:
            try:
                written = await write_export(
                    person, found.held, links, reader=opened.reader, codec=opened.codec, out=out
                )
            except BaseException:
                await asyncio.to_thread(path.unlink)  # half of it would look like all of it
                raise
    if as_json:
        write_json({"company": person.company, "person": person.subjects, "events": written, "file": path})
    else:
        names = ", ".join(person.subjects)
        told = f"{names}: {written:,} events, opened, are in {path}. It is personal data: give it to nobody else."
        console().print(Text(told), soft_wrap=True)
    return ExitCode.OK


def _made(path: Path) -> TextIO:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already.", remedy="Name another file with --out.") from None
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be made: {problem.strerror}.", remedy="Name another file.") from None
