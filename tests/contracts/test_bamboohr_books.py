"""From BambooHR into the books: people and approved hours, a correction, a deletion, and then nothing more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from counterfoil import Engine, Settings
from counterfoil.postgres import Pool
from counterfoil_schema.exact_json import JsonObject
from support.bamboohr import Company, bamboohr, person, project, worked
from support.between import settings_between, source_settings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

FIELD = "customQuickBooksId"
MAPPING = """
[connection]
source = "bamboohr"
zone = "America/Denver"

[employee]
create = true

[time]
item = "Hours"
people = "hourly"
notes = true

[time.projects."Site A"]
customer = "{customer}"

[time.projects."Site B"]
customer = "{customer}"
billable = true
hourly_rate = "95.00"

[write_back]
employee_id = "customQuickBooksId"
"""
BOUND_SECONDS = 90.0
PAY = ("31.50", "47.25")


@pytest.fixture
def books() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


def settings(database: Database, home: Path, books: EmulatorProcess, company: Company, customer: str) -> Settings:
    options = company.context({"compensation": True}).settings
    source = source_settings("bamboohr", MAPPING.format(customer=customer), options)
    return settings_between(database, home, books, source)


def activities(books: EmulatorProcess) -> dict[str, Any]:
    """Time activities by day and employee."""
    state: Any = books.control("/state?entity=TimeActivity")
    living = [row for row in state["TimeActivity"] if row.get("status") != "Deleted"]
    return {f"{row['TxnDate']} {row['EmployeeRef']['value']}": row for row in living}


def hours(books: EmulatorProcess) -> list[tuple[str, int, int, str]]:
    return sorted(
        (row["TxnDate"], int(row["Hours"]), int(row["Minutes"]), row["BillableStatus"])
        for row in activities(books).values()
    )


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds, within a bound."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.1)


async def settled(pool: Pool) -> None:
    """Wait until nothing is on its way any more."""
    async with asyncio.timeout(BOUND_SECONDS):
        while await pool.fetchval(
            "select count(*) from counterfoil_state.intents where state not in ('accepted', 'withdrawn')"
        ):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def staff() -> AsyncIterator[Company]:
    async with bamboohr() as company:
        pay: JsonObject = {"rate": {"value": PAY[1], "currency": "USD"}, "type": "Hourly", "paidPer": "Hour"}
        salary: JsonObject = {"rate": {"value": "98765.00", "currency": "USD"}, "type": "Salary", "paidPer": "Year"}
        site_b = project(4, "Site B")
        entries = [
            worked(100, company.day(-2), "7.33", note="Roof"),
            worked(100, company.day(-2), "0.25"),
            worked(100, company.day(-3), 8),
            worked(101, company.day(-2), "0.5", projectInfo=site_b),
            worked(101, company.day(-3), 8, approved=False),
            worked(102, company.day(-2), 8),
        ]
        people = [
            person(0, lastName="Ødegård"),
            person(1, lastName="Nuñez", pay=pay),
            person(2, lastName="O'Neill", pay=salary),
        ]
        await company.control("/load", {"employees": [*people], "time": [*entries], "custom_fields": {FIELD: "text"}})
        yield company


async def test_people_and_hours_arrive_corrections_follow_and_the_same_again_changes_nothing(
    database: Database, pool: Pool, tmp_path: Path, books: EmulatorProcess
) -> None:
    made: Any = books.control("/books/Customer", {"body": {"DisplayName": "Lindon Roofs"}})
    async with staff() as company:
        before, two = company.day(-3), company.day(-2)
        configured = settings(database, tmp_path, books, company, str(made["Customer"]["Id"]))
        async with Engine(configured) as engine:
            engine.start()

            # 7.33 h are 7 h 20; somebody on a salary is left out, and so is what nobody approved.
            first = [(before, 8, 0, "NotBillable"), (two, 0, 30, "Billable"), (two, 7, 35, "NotBillable")]
            await until(lambda: hours(books) == first)
            written = company.emulator.company.people
            await until(lambda: all(FIELD in written[key].fields for key in ("100", "101", "102")))

            await company.control("/time", {"id": 1, "hours": "6.5"})
            await company.control("/time/approve", {"entries": [1]})
            await company.control("/time/3/delete")
            corrected = [(two, 0, 30, "Billable"), (two, 6, 45, "NotBillable")]
            await until(lambda: hours(books) == corrected)

            await settled(pool)
            told = {key: written[key].fields[FIELD] for key in ("100", "101", "102")}
            stands, head = activities(books), await pool.fetchval("select max(position) from counterfoil_log.events")
            calls = company.emulator.calls["GET /api/v1/time_tracking/timesheet_entries"]
            await until(lambda: company.emulator.calls["GET /api/v1/time_tracking/timesheet_entries"] > calls + 20)
            moved = await pool.fetch(
                "select event_type from counterfoil_log.events where position > $1 and event_type like 'intent.%'", head
            )
            parked = await pool.fetch("select event_type from counterfoil_log.events where event_type like '%parked'")

    names: Any = books.control("/state?entity=Employee")
    by_id = {row["Id"]: row["DisplayName"] for row in names["Employee"]}
    assert {key: by_id[identity] for key, identity in told.items()} == {
        "100": "Zoë0 Ødegård",
        "101": "Zoë1 Nuñez",
        "102": "Zoë2 O'Neill",
    }
    assert activities(books) == stands
    roof = stands[f"{two} {told['100']}"]
    assert (roof["SyncToken"], roof["Description"].startswith("Roof cf-")) == ("1", True)
    assert [str(row["HourlyRate"]) for row in stands.values() if "HourlyRate" in row] == ["95.00"]
    assert (moved, parked) == ([], [])
    await nobodys_pay_is_seen(pool, books)


async def nobodys_pay_is_seen(pool: Pool, books: EmulatorProcess) -> None:
    """Not in the books, and readable nowhere in the database, although the mapping asked for it."""
    everything: Any = books.control("/state")
    tables = await pool.fetch(
        "select schemaname || '.' || tablename as name from pg_tables where schemaname like 'counterfoil%'"
    )
    texts = [str(everything)]
    for table in tables:
        texts += [str(row[0]) for row in await pool.fetch(f"select found::text from {table['name']} as found")]
    bodies = await pool.fetch("select body from counterfoil_log.events")
    texts += [bytes(row["body"]).decode(errors="replace") for row in bodies]
    assert [secret for secret in (*PAY, "98765") if any(secret in text for text in texts)] == []
