"""No person's pay in any line, memo, trace, row or chain: a whole pay run on its way from Gusto into the books."""

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from counterfoil import Engine, Settings
from counterfoil.explain import Finder, gather
from counterfoil.log import RecordedEvent
from counterfoil.postgres import Pool
from counterfoil_schema.exact_json import JsonObject
from support.between import settings_between, source_settings
from support.gusto import Company, employees, gusto, payroll, person
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

MAPPING = """
[connection]
source = "gusto"
zone = "America/New_York"

[payroll]
entry = "department"
clearing = "Pay on its way"

[payroll.accrual]
by = "days"
account = "Pay on its way"

[payroll.accounts]
wages = "Wages"
reimbursement = "Wages"
employer_tax = "Wages"
employer_benefit = "Wages"
net_pay = "Pay on its way"
tax_payment = "Pay on its way"
employee_benefit = "Pay on its way"
other_deduction = "Pay on its way"

[payroll.accounts.types.employer_tax]
"Social Security" = "Wages"

[payroll.accounts.types.reimbursement]
Train = "Wages"

[post.pay_run]
post = "auto"
"""
GROSS = {"e0": "5123.47", "e1": "6431.19", "e2": "4987.61", "e3": "9876.53"}
TAXES = {"e0": "612.31", "e1": "773.29", "e2": "598.57", "e3": "1185.17"}
GARNISHED = Decimal("11.11")
REIMBURSED = {"e0": "77.31"}
WITHHELD, CONTRIBUTED = {"e1": "130.13"}, {"e1": "88.29"}
"""What one person alone has: it is nobody else's business either. Above sixty, which no instant's seconds are."""
ENTRIES = ("payroll", "payroll@2", "payroll@accrual-2025-10", "payroll@reversing-2025-10")
"""The run's own, that of the one group that is left of two departments, and those over the month's end."""
BOUND_SECONDS = 90.0


def part(employee: str) -> JsonObject:
    taxes: list[JsonObject] = [
        {"name": "Federal Income Tax", "employer": False, "amount": TAXES[employee]},
        {"name": "Social Security", "employer": True, "amount": "62.01"},
    ]
    medical: list[JsonObject] = [
        {
            "name": "Medical",
            "employee_deduction": WITHHELD.get(employee, "0"),
            "company_contribution": CONTRIBUTED.get(employee, "0"),
        }
    ]
    return person(
        employee,
        GROSS[employee],
        taxes=[*taxes],
        benefits=[*medical] if employee in WITHHELD else [],
        reimbursements=[{"description": "Train", "amount": REIMBURSED[employee]}] if employee in REIMBURSED else [],
    )


def secrets() -> list[str]:
    """What each person earns, is taxed and is paid, as programs and people write it."""
    figures: list[str] = []
    for employee, gross in GROSS.items():
        net = Decimal(gross) - Decimal(TAXES[employee]) - Decimal(WITHHELD.get(employee, 0)) - GARNISHED
        figures += [gross, TAXES[employee], str(net), str(net + Decimal(REIMBURSED.get(employee, 0)))]
    figures += [*REIMBURSED.values(), *WITHHELD.values(), *CONTRIBUTED.values(), "218.42"]
    written = [f"{Decimal(figure):,.2f}" for figure in figures]
    return [*figures, *written, "Ødegård", "Zoë", "@example.test"]


@pytest.fixture
def books() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        clearing = {"Name": "Pay on its way", "AccountType": "Other Current Liability"}
        running.control("/books/Account", {"body": clearing})
        yield running


def settings(database: Database, home: Path, books: EmulatorProcess, company: Company) -> Settings:
    return settings_between(
        database, home, books, source_settings("gusto", MAPPING, company.context({"since": "2025-01-01"}).settings)
    )


async def posted(engine: Engine, keys: set[str]) -> list[RecordedEvent]:
    """The acceptances of all these records' documents."""
    found: list[RecordedEvent] = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for recorded in engine.events():
            assert recorded.event_type not in {"change.parked", "intent.parked"}, recorded.light()
            if recorded.event_type == "intent.accepted" and recorded.record_key in keys:
                found.append(recorded)
                if len(found) == len(keys):
                    return found
    raise AssertionError("the log has ended")


async def told(engine: Engine, pool: Pool, database: Database, key: str) -> str:
    """The chain as `counterfoil explain` shows it."""
    finder = Finder(engine.store, pool, database.names)
    target = await finder.find(1, key)
    assert target is not None
    found = await gather(target, store=engine.store, reader=engine.reader, finder=finder)
    return json.dumps(dataclasses.asdict(found), default=str, ensure_ascii=False)


async def rows(pool: Pool) -> str:
    """Everything that lies in the database, as text; bodies of events as far as they are readable."""
    tables = await pool.fetch(
        "select schemaname || '.' || tablename as name from pg_tables where schemaname like 'counterfoil%'"
    )
    texts: list[str] = []
    for table in tables:
        texts += [str(row[0]) for row in await pool.fetch(f"select found::text from {table['name']} as found")]
    bodies = await pool.fetch("select body from counterfoil_log.events")
    return "\n".join([*texts, *(bytes(row["body"]).decode(errors="replace") for row in bodies)])


async def test_nobody_s_pay_is_seen_anywhere(
    database: Database, pool: Pool, tmp_path: Path, books: EmulatorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meter = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[meter])
    async with gusto() as company:
        # One department of one person among them.
        staff = employees(4, ("Design", "Design", "Design", "Legal"))
        run = payroll("p1", "2025-11-14", [part(one) for one in GROSS], start_date="2025-10-26", end_date="2025-11-08")
        await company.control("/load", {"employees": staff, "payrolls": [run]})
        with caplog.at_level("DEBUG"):
            configured = settings(database, tmp_path, books, company)
            async with Engine(configured, tracer_provider=tracers, meter_provider=meters) as engine:
                engine.start()
                ends = await posted(engine, {f"gusto:{kind}:p1" for kind in ENTRIES})
                chain = await told(engine, pool, database, "gusto:payroll:p1")
    metered = meter.get_metrics_data()
    assert metered is not None
    state: Any = books.control("/state?entity=JournalEntry")
    entries = state["JournalEntry"]
    assert len(entries) == len(ENTRIES)
    lines = [line for entry in entries for line in entry["Line"]]
    assert sum(Decimal(str(line["Amount"])) for line in lines) > 4 * sum(map(Decimal, GROSS.values()))
    said = {
        "the journal entries": json.dumps(entries, default=str, ensure_ascii=False),
        "the events": "\n".join(str(end.light()) for end in ends),
        "the chain": chain,
        "spans": "\n".join(span.to_json() for span in exporter.get_finished_spans()),
        "metrics": metered.to_json(),
        "messages": caplog.text,
        "the database": await rows(pool),
    }
    seen = [(place, secret) for place, text in said.items() for secret in secrets() if secret in text]
    assert seen == []
