"""The emulated company: departments, people, what they are paid, and the events that people cause."""

from dataclasses import dataclass, field
from datetime import timedelta

from counterfoil.emulating import Ids, ShiftedClock
from counterfoil_adapters.gusto.emulator.values import not_found
from counterfoil_schema.exact_json import JsonObject

EVENTS_KEPT = timedelta(days=30)
"""Gusto: `/v1/events` holds thirty days."""


@dataclass(slots=True)
class Store:
    """All that the company is; plain JSON objects by uuid, in the order in which they came."""

    ids: Ids
    clock: ShiftedClock
    company: JsonObject
    departments: dict[str, JsonObject] = field(default_factory=dict)
    employees: dict[str, JsonObject] = field(default_factory=dict)
    payrolls: dict[str, JsonObject] = field(default_factory=dict)
    contractors: dict[str, JsonObject] = field(default_factory=dict)
    payments: dict[str, JsonObject] = field(default_factory=dict)
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
