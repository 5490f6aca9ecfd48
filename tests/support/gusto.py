"""A Gusto company for tests: people and payrolls in whole cents, and an adapter pointed at the emulator."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from counterfoil.sources import SourceChange, SourceContext, TokenKeeper
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_adapters.gusto.emulator import GustoEmulator
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads
from support.seeded import SeededEntropy


@dataclass
class HastyClock:
    """The emulator's time; waiting takes none, but is noted."""

    emulator: GustoEmulator
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.emulator.clock.now()

    def monotonic(self) -> float:
        return self.emulator.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def person(employee: str, gross: str, **more: JsonValue) -> JsonObject:
    """One person's part of a payroll: a tenth of it taxed, 7.65 more borne by the employer, a benefit, a deduction."""
    return {
        "employee_uuid": employee,
        "gross_pay": gross,
        "taxes": [
            {"name": "Federal Income Tax", "employer": False, "amount": "412.37"},
            {"name": "Social Security", "employer": True, "amount": "62.01"},
        ],
        "benefits": [{"name": "Medical", "employee_deduction": "30.10", "company_contribution": "88.25"}],
        "deductions": [{"name": "Garnishment", "amount": "11.11"}],
        **more,
    }


def payroll(uuid: str, check_date: str, people: Sequence[JsonObject], **more: JsonValue) -> JsonObject:
    """A payroll in the emulator's load format, for the fortnight before the given day of the same month."""
    return {
        "uuid": uuid,
        "check_date": check_date,
        "start_date": check_date,
        "end_date": check_date,
        "employee_compensations": list(people),
        **more,
    }


def employees(count: int, departments: Sequence[str] = ("Design", "Vertrieb Süd")) -> list[JsonValue]:
    """People with uuids e0, e1, …, spread over departments in turn."""
    return [
        {
            "uuid": f"e{number}",
            "first_name": f"Zoë{number}",
            "last_name": f"Ødegård-{number} 🦊",
            "email": f"person{number}@example.test",
            "department": departments[number % len(departments)],
            "ssn": f"123-45-{number:04}",
        }
        for number in range(count)
    ]


def contractors() -> list[JsonValue]:
    """A person, c1, in a department, and a business, c2, in none."""
    return [
        {"uuid": "c1", "first_name": "Zoë", "last_name": "Ødegård", "email": "z@example.test", "department": "Design"},
        {"uuid": "c2", "business_name": "Bright Pixels LLC"},
    ]


def contractor_payment(uuid: str, contractor: str, day: str, **more: JsonValue) -> JsonObject:
    """Twelve and a half hours at 85.00 and a bonus of 100.00: 1,162.50; and 43.21 laid out."""
    usual: JsonObject = {"hours": "12.5", "hourly_rate": "85.00", "bonus": "100.00", "reimbursement": "43.21"}
    return {"uuid": uuid, "contractor_uuid": contractor, "date": day, **usual, **more}


@dataclass
class Company:
    """The emulator, with the control port at hand."""

    emulator: GustoEmulator
    session: aiohttp.ClientSession
    clock: HastyClock

    async def control(self, path: str, body: JsonObject | None = None, *, status: int | None = None) -> Any:
        """POST to the control port; its answer."""
        url = self.emulator.control_url + path
        async with self.session.post(url, data=dumps(body or {})) as answer:
            text = await answer.text()
            assert answer.status in ({status} if status is not None else {200, 201}), text
            return loads(text)

    async def state(self) -> Any:
        async with self.session.get(self.emulator.control_url + "/state") as answer:
            return loads(await answer.text())

    def context(
        self,
        settings: Mapping[str, Any] | None = None,
        keeper: TokenKeeper | None = None,
        mapping: Mapping[str, Any] | None = None,
    ) -> SourceContext:
        """For an adapter with the application's credentials; `settings` of None are left out."""
        ready = self.emulator.ready()
        given: dict[str, Any] = {
            "base_url": ready["base_url"],
            "company_uuid": ready["company_uuid"],
            "access_token": ready["access_token"],
            "refresh_token": ready["refresh_token"],
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
            "verification_token": ready["verification_token"],
            "requests_per_minute": 60000,
            **(settings or {}),
        }
        return SourceContext(
            connection="gusto",
            settings={key: value for key, value in given.items() if value is not None},
            mapping=mapping or {},
            http=self.session,
            clock=self.clock,
            entropy=SeededEntropy(),
            tokens=keeper,
        )

    def source(
        self,
        settings: Mapping[str, Any] | None = None,
        keeper: TokenKeeper | None = None,
        mapping: Mapping[str, Any] | None = None,
    ) -> GustoSource:
        """An adapter; it holds nothing open."""
        return GustoSource(self.context(settings, keeper, mapping))


@asynccontextmanager
async def gusto(emulator: GustoEmulator | None = None) -> AsyncIterator[Company]:
    """A running emulator with nobody in it."""
    async with emulator or GustoEmulator() as running, aiohttp.ClientSession() as session:
        yield Company(running, session, HastyClock(running))


async def collect(source: GustoSource, kind: str, cursor: str | None = None) -> tuple[list[SourceChange], str]:
    """All changes up to the page that says it is the last, and the cursor after it."""
    changes: list[SourceChange] = []
    async for page in source.changes(kind, cursor):
        changes.extend(page.changes)
        cursor = page.cursor
        if page.done:
            break
    assert cursor is not None
    return changes, cursor
