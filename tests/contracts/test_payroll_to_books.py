"""A pay run over a month's end on its way from Gusto into the books, by department, and taken back again.

Expected figures are worked out here by hand; the books' are read from their own reports.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from counterfoil import Engine
from counterfoil.explain import Finder, gather
from counterfoil.log import Append, NewEvent
from counterfoil.postgres import Pool
from counterfoil_schema.events.receipts import OperatorRequested
from counterfoil_schema.exact_json import JsonObject
from support.between import documents, settings_between, source_settings
from support.gusto import Company, employees, gusto, payroll, person
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

MAPPING = """
[connection]
source = "gusto"
zone = "America/New_York"

[payroll]
track = "class"
entry = "department"
clearing = "Payroll Clearing"

[payroll.accounts]
wages = "Wages"
employer_tax = "Payroll Taxes"
employer_benefit = "Payroll Benefits"
net_pay = "Checking"
tax_payment = "Checking"
employee_benefit = "Benefits Payable"
other_deduction = "Payroll Liabilities"

[payroll.accounts.types.other_deduction]
"Child Support" = "Checking"

[payroll.accrual]
by = "days"
account = "Accrued Payroll"
"""
PEOPLE: dict[str, tuple[str, str, str, str, str]] = {
    # gross pay, income tax, employer's tax, deduction; net pay follows: less 50.00 for the medical plan
    "e0": ("3000.00", "600.00", "229.50", "30.00", "2320.00"),
    "e1": ("2500.00", "500.00", "191.25", "30.00", "1920.00"),
    "e2": ("2000.00", "400.00", "153.00", "20.00", "1530.00"),
    "e3": ("1500.00", "300.00", "114.75", "25.00", "1125.00"),
    "e4": ("1000.01", "200.00", "76.50", "0", "750.01"),
}
"""e0, e2 and e4 are in Design, e1 and e3 in Support."""
DEDUCTIONS = {"e0": "Child Support", "e1": "Child Support"}
"""What Gusto pays on by itself, 60.00; the 45.00 of the others it does not, and they are owed."""

# Six of the fourteen days from 26 October to 8 November 2025 are October's. By largest remainder, Design and Support:
# wages of 6,000.01 and 4,000.00: 2,571.43 and 1,714.29; taxes of 459.00 and 306.00: 196.71 and 131.14;
# benefits of 300.00 and 200.00: 128.57 and 85.71.
OCTOBER = {
    "Wages": "4285.72",
    "Payroll Taxes": "327.85",
    "Payroll Benefits": "214.28",
    "Accrued Payroll": "-4827.85",
}
# 7,645.01 to people, 2,765.00 of taxes and 60.00 of child support leave the bank; 750.00 of benefits and 45.00 of other
# deductions are owed, and stay so.
NOVEMBER = {
    "Wages": "10000.01",
    "Payroll Taxes": "765.00",
    "Payroll Benefits": "500.00",
    "Checking": "-10470.01",
    "Benefits Payable": "-750.00",
    "Payroll Liabilities": "-45.00",
}
RUN = "gusto:payroll:p1"
BOUND_SECONDS = 180.0


def part(employee: str) -> JsonObject:
    gross, taxed, employer, deducted, net = PEOPLE[employee]
    return person(
        employee,
        gross,
        taxes=[
            {"name": "Federal Income Tax", "employer": False, "amount": taxed},
            {"name": "Social Security", "employer": True, "amount": employer},
        ],
        benefits=[{"name": "Medical", "employee_deduction": "50.00", "company_contribution": "100.00"}],
        deductions=[{"name": DEDUCTIONS.get(employee, "Garnishment"), "amount": deducted}] if Decimal(deducted) else [],
        net_pay=net,
    )


@pytest.fixture
def books() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        accrued = {"Name": "Accrued Payroll", "AccountType": "Other Current Liability"}
        running.control("/books/Account", {"body": accrued})
        for name in ("Design", "Support"):
            running.control("/books/Class", {"body": {"Name": name}})
        yield running


def balances(books: EmulatorProcess, end: str) -> dict[str, str]:
    """The trial balance on a day as the books report it: debits less credits, by account."""
    answer = requests.get(
        f"{books.company_url}/reports/TrialBalance",
        params={"start_date": "2025-01-01", "end_date": end},
        headers={"Authorization": f"Bearer {books['access_token']}", "Accept": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = {}
    for row in answer.json()["Rows"].get("Row", []):
        cells = [cell["value"] for cell in row.get("ColData", [])]
        if cells:
            amount = Decimal(cells[1] or 0) - Decimal(cells[2] or 0)
            found[cells[0]] = str(amount)
    return {account: amount for account, amount in found.items() if Decimal(amount)}


async def ask(engine: Engine, action: Literal["approve"], key: str) -> None:
    asked = OperatorRequested(action=action, record_key=key, author="Ann")
    await engine.log.append(Append(1, [NewEvent(asked, record_key=key)]))


async def held(engine: Engine, key: str, times: int = 1) -> None:
    """Until a change of a record is planned, for the first time or a later one, and waits for somebody."""
    async with asyncio.timeout(BOUND_SECONDS):
        async for recorded in engine.events():
            assert recorded.event_type not in {"change.parked", "intent.parked"}, recorded.light()
            if (recorded.event_type, recorded.record_key) == ("intent.planned", key):
                times -= 1
                if not times:
                    return
    raise AssertionError("the log has ended")


async def entered(engine: Engine, books: EmulatorProcess, count: int) -> list[dict[str, Any]]:
    """The journal entries, once there are so many."""
    async with asyncio.timeout(BOUND_SECONDS):
        while len(found := await documents(books, "JournalEntry")) < count:
            await asyncio.sleep(0.1)
    return list(found.values())


def shown(entry: dict[str, Any]) -> tuple[str, str, list[tuple[str, str, str, str]]]:
    """Number, date, and of each line side, account, class and amount."""
    lines = []
    for line in entry["Line"]:
        detail = line["JournalEntryLineDetail"]
        tracked = detail.get("ClassRef", {}).get("name", "")
        lines.append(
            (detail["PostingType"], detail["AccountRef"]["name"], tracked, f"{Decimal(str(line['Amount'])):.2f}")
        )
    return entry["DocNumber"], entry["TxnDate"], lines


async def told(engine: Engine, pool: Pool, database: Database, key: str) -> str:
    finder = Finder(engine.store, pool, database.names)
    target = await finder.find(1, key)
    assert target is not None
    found = await gather(target, store=engine.store, reader=engine.reader, finder=finder)
    return json.dumps(asdict(found), default=str)


async def load(company: Company) -> None:
    run = payroll("p1", "2025-11-13", [part(one) for one in PEOPLE], start_date="2025-10-26", end_date="2025-11-08")
    await company.control("/load", {"employees": employees(5, ("Design", "Support")), "payrolls": [run]})


async def test_a_run_over_a_month_s_end_by_department_and_taken_back(
    database: Database, pool: Pool, tmp_path: Path, books: EmulatorProcess
) -> None:
    async with gusto() as company:
        await load(company)
        source = source_settings("gusto", MAPPING, company.context({"since": "2025-01-01"}).settings)
        async with Engine(settings_between(database, tmp_path, books, source)) as engine:
            engine.start()
            await held(engine, RUN)
            # Corrected while it waits: what was planned first is withdrawn, every entry of it.
            await company.control("/people/payrolls/p1/change", {"check_date": "2025-11-14"})
            await held(engine, RUN, times=2)
            # Nothing is in the books before somebody approves; one word approves all entries of the run.
            assert await documents(books, "JournalEntry") == {}
            await ask(engine, "approve", RUN)
            entries = await entered(engine, books, 5)
            assert sorted(map(shown, entries)) == ENTRIES
            on_31_october, on_30_november = balances(books, "2025-10-31"), balances(books, "2025-11-30")
            chain = await told(engine, pool, database, "gusto:payroll@accrual-2025-10:p1")
            whole = await told(engine, pool, database, RUN)

            answer = await company.control("/people/payrolls/p1/reverse", {"check_date": "2025-12-05"})
            await held(engine, f"gusto:payroll:{answer['uuid']}")
            await ask(engine, "approve", f"gusto:payroll:{answer['uuid']}")
            entries = await entered(engine, books, 8)
    assert on_31_october == OCTOBER
    assert on_30_november == NOVEMBER
    assert balances(books, "2025-12-31") == {}
    backwards = [entry for entry in entries if entry["TxnDate"] == "2025-12-05"]
    assert len(backwards) == 3
    assert {note for entry in backwards if (note := entry["PrivateNote"].partition(":")[0])} == {
        "Reversal of PR-2025-11-14-p1",
        "Reversal of P2-2025-11-14-p1",
        "Reversal of P3-2025-11-14-p1",
    }
    # From the accrual one question leads to what Gusto showed, and from the run to the accrual.
    assert "gusto showed payroll p1" in chain
    assert "PA-2025-10-p1" in whole


async def test_a_run_taken_back_in_two_parts_ends_at_zero_on_every_account_and_class(
    database: Database, tmp_path: Path, books: EmulatorProcess
) -> None:
    halves = (["e0", "e1", "e2", "e3"], ["e4", "e5", "e6", "e7"])
    staff = [person(one, "5000.00") for half in halves for one in half]
    run = payroll("p1", "2025-11-14", staff, start_date="2025-11-01", end_date="2025-11-13")
    async with gusto() as company:
        await company.control("/load", {"employees": employees(8, ("Design", "Support")), "payrolls": [run]})
        source = source_settings("gusto", MAPPING, company.context({"since": "2025-01-01"}).settings)
        async with Engine(settings_between(database, tmp_path, books, source)) as engine:
            engine.start()
            await held(engine, RUN)
            await ask(engine, "approve", RUN)
            await entered(engine, books, 3)
            # The second is known, and held against what the first leaves, before the first is in the books.
            for half, day in zip(halves, ("2025-12-05", "2025-12-12"), strict=True):
                body: JsonObject = {"employee_uuids": [*half], "check_date": day}
                answer = await company.control("/people/payrolls/p1/reverse", body)
                await held(engine, f"gusto:payroll:{answer['uuid']}")
                await ask(engine, "approve", f"gusto:payroll:{answer['uuid']}")
            entries = await entered(engine, books, 9)
    assert balances(books, "2025-11-30") != {}
    assert balances(books, "2025-12-31") == {}
    assert sorted(entry["TxnDate"] for entry in entries) == ["2025-11-14"] * 3 + ["2025-12-05"] * 3 + ["2025-12-12"] * 3


ENTRIES = [
    (
        "P2-2025-11-14-p1",
        "2025-11-14",
        [
            ("Debit", "Wages", "Design", "6000.01"),
            ("Debit", "Payroll Taxes", "Design", "459.00"),
            ("Debit", "Payroll Benefits", "Design", "300.00"),
            ("Credit", "Payroll Clearing", "", "6759.01"),
        ],
    ),
    (
        "P3-2025-11-14-p1",
        "2025-11-14",
        [
            ("Debit", "Wages", "Support", "4000.00"),
            ("Debit", "Payroll Taxes", "Support", "306.00"),
            ("Debit", "Payroll Benefits", "Support", "200.00"),
            ("Credit", "Payroll Clearing", "", "4506.00"),
        ],
    ),
    (
        "PA-2025-10-p1",
        "2025-10-31",
        [
            ("Debit", "Wages", "Design", "2571.43"),
            ("Debit", "Wages", "Support", "1714.29"),
            ("Debit", "Payroll Taxes", "Design", "196.71"),
            ("Debit", "Payroll Taxes", "Support", "131.14"),
            ("Debit", "Payroll Benefits", "Design", "128.57"),
            ("Debit", "Payroll Benefits", "Support", "85.71"),
            ("Credit", "Accrued Payroll", "", "4827.85"),
        ],
    ),
    (
        "PA-2025-10-p1R",
        "2025-11-01",
        [
            ("Credit", "Wages", "Design", "2571.43"),
            ("Credit", "Wages", "Support", "1714.29"),
            ("Credit", "Payroll Taxes", "Design", "196.71"),
            ("Credit", "Payroll Taxes", "Support", "131.14"),
            ("Credit", "Payroll Benefits", "Design", "128.57"),
            ("Credit", "Payroll Benefits", "Support", "85.71"),
            ("Debit", "Accrued Payroll", "", "4827.85"),
        ],
    ),
    (
        "PR-2025-11-14-p1",
        "2025-11-14",
        [
            ("Debit", "Payroll Clearing", "", "11265.01"),
            ("Credit", "Checking", "", "7645.01"),
            ("Credit", "Checking", "", "2765.00"),
            ("Credit", "Benefits Payable", "", "750.00"),
            ("Credit", "Payroll Liabilities", "", "45.00"),
            ("Credit", "Checking", "", "60.00"),
        ],
    ),
]
