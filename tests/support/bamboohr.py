"""A BambooHR company for tests, and an adapter pointed at the emulator."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from counterfoil.emulating import EmulatorOptions
from counterfoil.sources import Seen, SourceChange, SourceContext
from counterfoil_adapters.bamboohr.adapter import BambooSource
from counterfoil_adapters.bamboohr.emulator import BambooEmulator
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads
from support.seeded import SeededEntropy

MAPPING: Mapping[str, Any] = {"connection": {"source": "bamboohr", "zone": "America/Denver"}}


@dataclass
class HastyClock:
    """The emulator's time; waiting takes none, but is noted."""

    emulator: BambooEmulator
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.emulator.clock.now()

    def monotonic(self) -> float:
        return self.emulator.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def person(number: int, **values: JsonValue) -> JsonObject:
    """An employee in the emulator's load format; ids count from 100."""
    return {
        "id": 100 + number,
        "firstName": f"Zoë{number}",
        "lastName": f"Ødegård-{number} 🦊",
        "workEmail": f"person{number}@example.test",
        "birthDate": "1985-02-17",
        "ssn": "123-45-6789",
        "department": "Design",
        "location": "Lindon",
        "jobTitle": "Designer",
        "pay": {"rate": {"value": "31.50", "currency": "USD"}, "type": "Hourly", "paidPer": "Hour"},
        **values,
    }


def project(number: int, name: str, task: JsonObject | None = None) -> JsonObject:
    return {"project": {"id": number, "name": name}, "task": task}


def worked(employee: int, day: str, hours: JsonValue, **values: JsonValue) -> JsonObject:
    """An approved entry of a time sheet on site A."""
    info = project(3, "Site A")
    return {"employeeId": employee, "date": day, "hours": hours, "approved": True, "projectInfo": info, **values}


@dataclass
class Company:
    """The emulator, with the control port at hand."""

    emulator: BambooEmulator
    session: aiohttp.ClientSession
    clock: HastyClock

    def day(self, days: int = 0) -> str:
        """A day in the company's zone, counted from today."""
        return (self.emulator.company.today() + timedelta(days=days)).isoformat()

    async def control(self, path: str, body: JsonObject | None = None) -> Any:
        """POST to the control port; its answer."""
        async with self.session.post(self.emulator.control_url + path, data=dumps(body or {})) as answer:
            text = await answer.text()
            assert answer.status in {200, 201}, text
            return loads(text)

    async def state(self) -> Any:
        async with self.session.get(self.emulator.control_url + "/state") as answer:
            return loads(await answer.text())

    def context(
        self, settings: Mapping[str, Any] | None = None, mapping: Mapping[str, Any] | None = None, **more: Any
    ) -> SourceContext:
        """For an adapter with the full API key; `settings` of None are left out."""
        ready = self.emulator.ready()
        given: dict[str, Any] = {
            "base_url": ready["base_url"],
            "company_domain": ready["company_domain"],
            "company_id": ready["company_id"],
            "api_key": ready["api_key"],
            "webhook_key": ready["webhook_key"],
            "requests_per_second": 1000,
            **(settings or {}),
        }
        return SourceContext(
            connection="bamboohr",
            settings={key: value for key, value in given.items() if value is not None},
            mapping={**MAPPING, **(mapping or {})},
            http=self.session,
            clock=self.clock,
            entropy=SeededEntropy(),
            **more,
        )

    def source(
        self, settings: Mapping[str, Any] | None = None, mapping: Mapping[str, Any] | None = None, **more: Any
    ) -> BambooSource:
        """An adapter; it holds nothing open."""
        return BambooSource(self.context(settings, mapping, **more))


@asynccontextmanager
async def bamboohr(emulator: BambooEmulator | None = None) -> AsyncIterator[Company]:
    """A running emulator with nobody in it; without limits, unless the one given has them."""
    made = emulator or BambooEmulator(EmulatorOptions(limits=False, webhook_pause_seconds=0.01))
    async with made as running, aiohttp.ClientSession() as session:
        yield Company(running, session, HastyClock(running))


async def collect(source: BambooSource, kind: str, cursor: str | None = None) -> tuple[list[SourceChange], str]:
    """All changes up to the page that says it is the last, and the cursor after it."""
    changes: list[SourceChange] = []
    async for page in source.changes(kind, cursor):
        changes.extend(page.changes)
        cursor = page.cursor
    assert cursor is not None
    return changes, cursor


def seen_ids(changes: Sequence[SourceChange]) -> list[str]:
    return [change.source_id for change in changes if isinstance(change, Seen)]
