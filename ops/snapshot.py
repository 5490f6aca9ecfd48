"""Write the schema that all migrations add up to, for reading and for the test that compares the two."""

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from counterfoil.postgres import EmbeddedPostgres
from counterfoil.postgres.binaries import find_binaries
from counterfoil.postgres.postmaster import read_postmaster_file

TARGET = Path(__file__).resolve().parents[1] / "schema" / "counterfoil_schema" / "snapshot.sql"
DUMP_SECONDS_MAX = 60
HEADER = """\
-- What the migrations add up to. Written by `make snapshot`, never by hand; a test compares it with the migrations.
-- The roles counterfoil_owner and counterfoil_engine must exist.

SET LOCAL check_function_bodies = false;
"""


# pg_dump's own headings, blank lines around them included; what stands in function bodies is never touched.
_HEADINGS = re.compile(r"\n+--\n-- Name: [^\n]*\n--\n\n+")
_SETTINGS = re.compile(r"^SET default_[^\n]*\n+", re.MULTILINE)


def cleaned(dump: str) -> str:
    """The dump without what depends on the program, the machine or the session."""
    first = _HEADINGS.search(dump)
    if first is None:
        raise ValueError("not a dump, or one in a form that is not known here")
    body, _, _ = dump[first.end() :].partition("\n--\n-- PostgreSQL database dump complete")
    return HEADER + "\n" + _SETTINGS.sub("", _HEADINGS.sub("\n\n", body)).rstrip() + "\n"


async def dump_schema(home: Path) -> str:
    """Migrate a new database and dump it."""
    async with EmbeddedPostgres(home, settings={"fsync": "off"}) as server:
        await server.prepare()
        lock_file = read_postmaster_file(server.folder.data)
        if lock_file is None:
            raise RuntimeError("the server has lost its lock file")
        done = await asyncio.to_thread(
            subprocess.run,
            [
                str(find_binaries().program("pg_dump")),
                "--schema-only",
                "--no-tablespaces",
                f"--host={lock_file.socket_folder}",
                f"--port={lock_file.port}",
                "--username=postgres",
                f"--schema={server.names.log_schema}",
                f"--schema={server.names.state_schema}",
                server.names.prefix,
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=DUMP_SECONDS_MAX,
        )
        return done.stdout


def main() -> int:
    """Write the file; with `--check`, only say whether it would change."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = cleaned(asyncio.run(dump_schema(Path(folder) / "home")))
    if "--check" in sys.argv[1:]:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh
        print("The snapshot is up to date." if same else "The snapshot is out of date: run `make snapshot`.")
        return 0 if same else 1
    TARGET.write_text(fresh, encoding="utf-8")
    print(f"{TARGET.name}: {len(fresh.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
