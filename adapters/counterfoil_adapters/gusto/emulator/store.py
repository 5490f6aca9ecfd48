"""The emulated company: departments, employees, payrolls, reversals, and the events that people cause."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from counterfoil.ports import Clock
from counterfoil_adapters.gusto.emulator.values import not_found
from counterfoil_schema.exact_json import JsonObject

EVENTS_KEPT = timedelta(days=30)
"""Gusto: `/v1/events` holds thirty days."""


class Ids:
    """Ids that look random and follow from a seed, so that two runs with one seed are alike."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def uuid(self) -> str:
        """A new uuid."""
        return str(uuid.UUID(bytes=self._digest()[:16], version=4))

    def secret(self) -> str:
        """43 characters fit for a token of an emulator, and for nothing else."""
        return self._digest().hex()[:43]

    def _digest(self) -> bytes:
        self._count += 1
        return hashlib.sha256(f"gusto:{self._seed}:{self._count}".encode()).digest()


class ShiftedClock:
    """The given clock, put forward by what the control port asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._shift

    def monotonic(self) -> float:
        return self._clock.monotonic() + self._shift.total_seconds()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def advance(self, seconds: int) -> None:
        """Let time pass at once."""
        self._shift += timedelta(seconds=seconds)

    def set(self, instant: datetime) -> None:
        """Go to an instant."""
        self._shift = instant.astimezone(UTC) - self._clock.now()


@dataclass(slots=True)
class Store:
    """All that the company is; plain JSON objects by uuid, in the order in which they came."""

    ids: Ids
    clock: ShiftedClock
    company: JsonObject
    departments: dict[str, JsonObject] = field(default_factory=dict)
    employees: dict[str, JsonObject] = field(default_factory=dict)
    payrolls: dict[str, JsonObject] = field(default_factory=dict)
    reversals: list[JsonObject] = field(default_factory=list)
    events: list[JsonObject] = field(default_factory=list)

    @property
    def company_uuid(self) -> str:
        return str(self.company["uuid"])

    def now_text(self) -> str:
        """The instant as Gusto writes it."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def today(self) -> str:
        return self.clock.now().date().isoformat()

    def version(self) -> str:
        """A new value for a record's `version`."""
        return self.ids.uuid().replace("-", "")

    def record(self, event_type: str, entity_type: str, entity_uuid: str) -> JsonObject:
        """Append an event and return it."""
        event: JsonObject = {
            "uuid": self.ids.uuid(),
            "event_type": event_type,
            "resource_type": "Company",
            "resource_uuid": self.company_uuid,
            "entity_type": entity_type,
            "entity_uuid": entity_uuid,
            "timestamp": int(self.clock.now().timestamp()),
        }
        self.events.append(event)
        return event

    def kept_events(self) -> list[JsonObject]:
        """Events that are not yet too old to be listed."""
        oldest = (self.clock.now() - EVENTS_KEPT).timestamp()
        return [event for event in self.events if isinstance(at := event["timestamp"], int) and at >= oldest]

    def employee(self, employee_uuid: str) -> JsonObject:
        """An employee, or 404."""
        if employee_uuid not in self.employees:
            raise not_found()
        return self.employees[employee_uuid]

    def payroll(self, payroll_uuid: str) -> JsonObject:
        """A payroll, or 404."""
        if payroll_uuid not in self.payrolls:
            raise not_found()
        return self.payrolls[payroll_uuid]

    def department_named(self, title: str) -> str:
        """The uuid of a department, made where there is none of that title."""
        for found, department in self.departments.items():
            if department["title"] == title:
                return found
        made = self.ids.uuid()
        self.departments[made] = {"uuid": made, "title": title, "version": self.version()}
        return made


def new_company(ids: Ids, name: str) -> JsonObject:
    """A company with nobody in it."""
    return {
        "uuid": ids.uuid(),
        "name": name,
        "ein": "00-0000000",
        "contractor_only": False,
        "is_suspended": False,
        "company_status": "Approved",
        "slug": "sample-company",
        "trade_name": name,
        "locations": [],
        "compensations": {"hourly": [], "fixed": [], "paid_time_off": []},
    }
