"""Everything that a secret could show in: rows, arguments of processes, events; and how it could be written there."""

import base64
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

from counterfoil.engine import Engine
from counterfoil.postgres import Pool


def process_arguments() -> str:
    """The arguments and titles of all processes of this machine, as anybody on it sees them."""
    found: list[str] = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(found)


async def dump(pool: Pool) -> str:
    """Every row of every table of the database, as text; bytes as characters."""
    tables = await pool.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname like 'counterfoil%'"
    )
    texts: list[str] = []
    for table in tables:
        for row in await pool.fetch(f"select * from {table['name']}"):  # names from the catalogue
            texts += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()]
    return "\n".join(texts)


async def events_of(engine: Engine, company: int) -> str:
    """What the log says of a company; in the database it is sealed."""
    told = [recorded async for recorded in engine.reader.stream(company)]
    return "\n".join([repr(one) + (await one.event()).model_dump_json() for one in told])


def written(secret: str) -> set[str]:
    """A secret as it is, and as addresses, bytes and headers write it."""
    data = secret.encode()
    in_address = {quote(secret, safe=""), quote_plus(secret)}
    return {secret, data.hex(), base64.b64encode(data).decode().rstrip("="), repr(data)[2:-1], *in_address}
