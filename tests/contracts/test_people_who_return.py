"""BambooHR dismisses somebody and takes them back: one employee in the books, whatever id they come back under."""

import asyncio
from pathlib import Path
from typing import Any

from counterfoil import Engine
from counterfoil.postgres import Pool
from counterfoil.recovery.dead_letters import Letter, letters_of
from counterfoil.state.store import PostgresStateStore
from support.bamboohr import bamboohr, person
from support.between import settings_between, source_settings
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

BOUND_SECONDS = 90.0
MAPPING = """
[connection]
source = "bamboohr"
zone = "America/Denver"

[employee]
create = true
inactive = "deactivate"
"""


async def test_who_is_dismissed_and_rehired_is_one_employee(database: Database, pool: Pool, tmp_path: Path) -> None:
    with emulator_process("--limits", "off") as books:
        async with bamboohr() as company:
            await company.control("/load", {"employees": [person(0, firstName="Zoë", lastName="Lee")]})
            source = source_settings("bamboohr", MAPPING, company.context().settings)
            async with Engine(settings_between(database, tmp_path, books, source)) as engine:
                engine.start()

                async def employees() -> list[dict[str, Any]]:
                    state: Any = await asyncio.to_thread(books.control, "/state?entity=Employee")
                    found: list[dict[str, Any]] = state["Employee"]
                    return found

                async def until(active: bool) -> str:
                    async with asyncio.timeout(BOUND_SECONDS):
                        while [one["Active"] for one in await employees()] != [active]:
                            await asyncio.sleep(0.1)
                    (one,) = await employees()
                    return str(one["Id"])

                async def parked() -> Letter:
                    store = PostgresStateStore(pool, database.names)
                    async with asyncio.timeout(BOUND_SECONDS):
                        while not (found := await letters_of(store, engine.reader, 1)):
                            await asyncio.sleep(0.1)
                    (letter,) = found
                    return letter

                made = await until(active=True)
                await company.control("/people/100/dismiss", {})
                assert await until(active=False) == made
                await company.control("/people/100/rehire", {})
                assert await until(active=True) == made

                # Dismissed again, and entered as somebody new: nobody guesses.
                await company.control("/people/100/dismiss", {})
                assert await until(active=False) == made
                await company.control("/people", {"firstName": "Zoë", "lastName": "Lee", "hireDate": "2026-01-05"})
                letter = await parked()
                assert (letter.code, letter.record_key.rpartition(":")[0]) == ("rehired", "bamboohr:employee")
                assert f'deadletters map {letter.record_key} "Employee {made}"' in letter.fix
                assert await until(active=False) == made
