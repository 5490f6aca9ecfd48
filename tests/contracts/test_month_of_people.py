"""BambooHR and the books edit the same person for a month, and nothing comes round again.

Each day somebody in HR changes the family name, and a bookkeeper the telephone number: each side's edit stays, the
books are written to once a day, and the person's id in the books goes back to HR once.
"""

import asyncio
from pathlib import Path
from typing import Any

from counterfoil import Engine
from support.bamboohr import bamboohr, person
from support.between import settings_between, source_settings
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

DAYS = 30
BOUND_SECONDS = 90.0
STILL_SECONDS = 2.0
FIELD = "customQuickBooksId"
MAPPING = """
[connection]
source = "bamboohr"
zone = "America/Denver"

[employee]
create = true

[write_back]
employee_id = "customQuickBooksId"
"""


async def test_a_month_of_both_sides_editing_a_person_makes_no_loop(database: Database, tmp_path: Path) -> None:
    with emulator_process("--limits", "off") as books:
        async with bamboohr() as company:
            await company.control(
                "/load", {"employees": [person(0, lastName="Lee 0")], "custom_fields": {FIELD: "text"}}
            )
            source = source_settings("bamboohr", MAPPING, company.context().settings)
            async with Engine(settings_between(database, tmp_path, books, source)) as engine:
                engine.start()
                held = company.emulator.company.people["100"].fields

                async def employee() -> dict[str, Any]:
                    state: Any = await asyncio.to_thread(books.control, "/state?entity=Employee")
                    return next(iter(state["Employee"]), {})

                async def until(family_name: str) -> dict[str, Any]:
                    async with asyncio.timeout(BOUND_SECONDS):
                        while (found := await employee()).get("FamilyName") != family_name or FIELD not in held:
                            await asyncio.sleep(0.1)
                    return found

                shown = await until("Lee 0")
                for day in range(1, DAYS + 1):
                    phone = {"PrimaryPhone": {"FreeFormNumber": f"555-{day:04}"}}
                    key = {"Id": shown["Id"], "SyncToken": shown["SyncToken"], "sparse": True}
                    body = {**key, "GivenName": shown["GivenName"], "FamilyName": shown["FamilyName"], **phone}
                    await asyncio.to_thread(books.control, "/books/Employee", {"operation": "update", "body": body})
                    await company.control("/people/100/change", {"lastName": f"Lee {day}"})
                    shown = await until(f"Lee {day}")
                    assert shown["PrimaryPhone"]["FreeFormNumber"] == f"555-{day:04}"
                before, count = -1, 0
                async with asyncio.timeout(BOUND_SECONDS):
                    while count != before:
                        before = count
                        await asyncio.sleep(STILL_SECONDS)
                        count = len([one async for one in engine.reader.stream(1)])
                told = company.emulator.calls["POST /api/v1/employees/{id}"]
                shown = await employee()
        effects: Any = (await asyncio.to_thread(books.control, "/journal"))["effects"]
    ours = [one["operation"] for one in effects if one["app"] == "api" and one["entity"] == "Employee"]
    assert ours == ["create", *["update"] * DAYS]
    assert (told, held[FIELD]) == (1, shown["Id"])
