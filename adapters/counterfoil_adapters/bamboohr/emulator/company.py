"""The emulated company: people, tables with effective dates, time sheets, and when each person changed last."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from counterfoil.emulating import BadRequestError, ShiftedClock
from counterfoil_schema.exact_json import JsonObject, JsonValue

TABLES: dict[str, dict[str, str]] = {
    "jobInfo": {
        "date": "date",
        "location": "list",
        "department": "list",
        "division": "list",
        "jobTitle": "list",
        "reportsTo": "employee",
    },
    "employmentStatus": {"date": "date", "employmentStatus": "list", "comment": "textarea"},
    "compensation": {
        "startDate": "date",
        "rate": "currency",
        "type": "pay_type",
        "paidPer": "paid_per",
        "reason": "list",
        "comment": "textarea",
    },
}
"""Tables and the types of their fields."""

FIELDS: dict[str, str] = {
    "firstName": "text",
    "lastName": "text",
    "preferredName": "text",
    "middleName": "text",
    "workEmail": "email",
    "homeEmail": "email",
    "workPhone": "phone",
    "birthDate": "date",
    "ssn": "ssn",
    "hireDate": "date",
    "originalHireDate": "date",
    "terminationDate": "date",
}
"""Fields of a person that are kept as they are; others follow from the tables."""

DERIVED = ("status", "jobTitle", "jobTitleName", "department", "location", "division", "employmentStatus", "payRate")
TERMINATED = "Terminated"

Announce = Callable[[str, str, list[str]], None]
"""What happened, to whom, in which fields."""


@dataclass(slots=True)
class Person:
    """One employee; `rows` by table."""

    fields: JsonObject
    rows: dict[str, list[JsonObject]] = field(default_factory=lambda: {name: [] for name in TABLES})
    changed: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    inserted: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class Company:
    """All state. `announce` hears of what webhooks tell."""

    def __init__(self, clock: ShiftedClock, zone: ZoneInfo, announce: Announce) -> None:
        self._clock = clock
        self.zone = zone
        self._announce = announce
        self.name = "Sample Company"
        self.people: dict[str, Person] = {}
        self.deleted: dict[str, datetime] = {}
        self.custom: dict[str, str] = {}
        """Custom fields: names and types."""
        self.entries: dict[int, JsonObject] = {}
        self._last_person = 99
        self._last_row = 0
        self._last_entry = 0

    def now(self) -> datetime:
        """Now, to the second: that is as finely as BambooHR tells of changes."""
        return self._clock.now().replace(microsecond=0)

    def today(self) -> date:
        """The day in the company's own zone."""
        return self._clock.now().astimezone(self.zone).date()

    def person(self, employee_id: str) -> Person:
        """One employee, or 404."""
        if employee_id not in self.people:
            raise BadRequestError("The employee does not exist.", status=404)
        return self.people[employee_id]

    def field_names(self) -> dict[str, str]:
        return {**FIELDS, **self.custom}

    def holding(self, person: Person, table: str) -> JsonObject:
        """The row that holds today; empty where none does."""
        key = "startDate" if table == "compensation" else "date"
        begun = [row for row in person.rows[table] if str(row[key]) <= self.today().isoformat()]
        return max(begun, key=lambda row: (str(row[key]), int(str(row["id"]))), default={})

    def shown(self, employee_id: str) -> JsonObject:
        """All fields of a person as they are today."""
        person = self.person(employee_id)
        job, status = self.holding(person, "jobInfo"), self.holding(person, "employmentStatus")
        ended = status.get("employmentStatus") == TERMINATED
        pay = self.holding(person, "compensation").get("rate")
        return {
            **dict.fromkeys(self.field_names()),
            **person.fields,
            "id": employee_id,
            "status": "Inactive" if ended else "Active",
            "terminationDate": status.get("date") if ended else "0000-00-00",
            "jobTitle": job.get("jobTitle"),
            "jobTitleName": job.get("jobTitle"),
            "department": job.get("department"),
            "location": job.get("location"),
            "division": job.get("division"),
            "employmentStatus": status.get("employmentStatus"),
            "payRate": f"{pay.get('value')} {pay.get('currency')}" if isinstance(pay, dict) else None,
        }

    def hire(self, body: JsonObject, *, quiet: bool = False) -> str:
        """A new employee: fields, `department`, `location`, `jobTitle`, `pay`, and whole `rows` by table."""
        employee_id = str(body.get("id") or self._last_person + 1)
        if not employee_id.isdigit():
            raise BadRequestError("id must be a number")
        self._last_person = max(self._last_person, int(employee_id))
        hired = str(body.get("hireDate") or "2020-01-06")
        fields: JsonObject = {name: value for name, value in body.items() if name in self.field_names()}
        person = Person({**fields, "hireDate": hired, "originalHireDate": hired})
        self.people[employee_id] = person
        self.deleted.pop(employee_id, None)
        job: JsonObject = {name: body.get(name) for name in ("department", "location", "division", "jobTitle")}
        self._put(employee_id, "jobInfo", {"date": hired, "reportsTo": None, **job})
        status = str(body.get("employmentStatus") or "Full-Time")
        self._put(employee_id, "employmentStatus", {"date": hired, "employmentStatus": status, "comment": None})
        pay = body.get("pay")
        if isinstance(pay, dict):
            self._put(employee_id, "compensation", {"startDate": hired, **pay})
        rows = body.get("rows")
        for table, several in rows.items() if isinstance(rows, dict) else ():
            for row in several if isinstance(several, list) else ():
                if isinstance(row, dict):
                    self._put(employee_id, table, row)
        person.inserted = self.now()
        self._touch(employee_id)
        if not quiet:
            self._announce("created", employee_id, [])
            self._announce("updated", employee_id, [*fields])
        return employee_id

    def change(self, employee_id: str, body: JsonObject) -> list[str]:
        """Set fields; what is no field is passed over, as BambooHR does. The names of those that were set."""
        person = self.person(employee_id)
        known = self.field_names()
        told = {name: value for name, value in body.items() if name in known and person.fields.get(name) != value}
        person.fields.update(told)
        if told:
            self._touch(employee_id)
            self._announce("updated", employee_id, [*told])
        return [*told]

    def add_row(self, employee_id: str, table: str, row: JsonObject) -> str:
        """A row of a table. It is told of at once only if it holds already."""
        self.person(employee_id)
        made = self._put(employee_id, table, row)
        self._touch(employee_id)
        begins = str(row.get("date") or row.get("startDate") or "")
        if begins <= self.today().isoformat():
            self._announce("updated", employee_id, [name for name in row if name in TABLES[table]])
        return made

    def dismiss(self, employee_id: str, day: str) -> None:
        """End an employment from a day on."""
        self.add_row(employee_id, "employmentStatus", {"date": day, "employmentStatus": TERMINATED, "comment": None})

    def rehire(self, employee_id: str, day: str) -> None:
        """Begin one anew: another status, another hire date."""
        self.person(employee_id).fields["hireDate"] = day
        row: JsonObject = {"date": day, "employmentStatus": "Full-Time", "comment": None}
        self.add_row(employee_id, "employmentStatus", row)

    def delete(self, employee_id: str) -> None:
        """Delete an employee, time included."""
        self.person(employee_id)
        del self.people[employee_id]
        self.entries = {key: row for key, row in self.entries.items() if str(row["employeeId"]) != employee_id}
        self.deleted[employee_id] = self.now()
        self._announce("deleted", employee_id, [])

    def changes(self, since: datetime, kind: str) -> dict[str, tuple[str, datetime]]:
        """Who changed since an instant: what happened, and when."""
        found: dict[str, tuple[str, datetime]] = {}
        for employee_id, person in self.people.items():
            if person.changed >= since:
                found[employee_id] = ("Inserted" if person.inserted >= since else "Updated", person.changed)
        found.update({key: ("Deleted", at) for key, at in self.deleted.items() if at >= since})
        return {key: told for key, told in found.items() if kind in {"all", told[0].casefold()}}

    def put_entry(self, body: JsonObject) -> JsonObject:
        """Make or change an entry of a time sheet: `hours`, or `start` and `end` of a clock."""
        identity = body.get("id")
        before = self.entries.get(int(str(identity))) if identity is not None else None
        if identity is not None and before is None:
            raise BadRequestError("The time sheet entry does not exist.", status=404)
        number = int(str(identity)) if before is not None else self._next_entry()
        employee_id = str(body.get("employeeId") or (before or {}).get("employeeId"))
        self.person(employee_id)
        stamp = self.now().isoformat()
        clocked = body.get("start") is not None
        made: JsonObject = {
            "id": number,
            "employeeId": int(employee_id),
            "type": "clock" if clocked else "hour",
            "date": body.get("date"),
            "start": None,
            "end": None,
            "timezone": str(self.zone) if clocked else None,
            "hours": None,
            "note": None,
            "projectInfo": None,
            "approved": False,
            "approvedAt": None,
            "createdAt": stamp,
            "updatedAt": None,
            **(before or {}),
        }
        made.update({key: body[key] for key in ("date", "hours", "note", "start", "end", "projectInfo") if key in body})
        made["hours"] = _number(made["hours"])
        if before is not None:
            made.update({"updatedAt": stamp, "approved": False, "approvedAt": None})
        if body.get("approved") is True:
            made.update({"approved": True, "approvedAt": stamp})
        self.entries[number] = made
        return made

    def approve(self, numbers: Iterable[int] | None, *, approved: bool = True) -> int:
        """Approve entries (None: all), or take their approval back; how many."""
        chosen = list(self.entries) if numbers is None else list(numbers)
        for number in chosen:
            if number not in self.entries:
                raise BadRequestError("The time sheet entry does not exist.", status=404)
            at: JsonValue = self.now().isoformat() if approved else None
            self.entries[number].update({"approved": approved, "approvedAt": at})
        return len(chosen)

    def seed(self, people: int, days: int) -> None:
        """So many people in four departments, with so many days of approved time behind them."""
        for number in range(people):
            hourly = number % 3 == 0
            rate: JsonObject = {"value": "31.50" if hourly else "64000.00", "currency": "USD"}
            per = "Hour" if hourly else "Year"
            employee_id = self.hire(
                {
                    "firstName": f"Zoë{number}",
                    "lastName": f"Ødegård-{number}",
                    "workEmail": f"person{number}@example.test",
                    "department": ("Design", "Sales", "Legal", "Operations")[number % 4],
                    "location": ("Lindon", "Wien")[number % 2],
                    "jobTitle": "Staff",
                    "pay": {"rate": rate, "type": "Hourly" if hourly else "Salary", "paidPer": per},
                },
                quiet=True,
            )
            for back in range(1, days + 1):
                day = self.today() - timedelta(days=back)
                project = number % 3 + 1
                info: JsonObject = {"project": {"id": project, "name": f"Site {'ABC'[project - 1]}"}, "task": None}
                entry: JsonObject = {"employeeId": employee_id, "date": day.isoformat(), "hours": 8, "approved": True}
                self.put_entry({**entry, "projectInfo": info})

    def _next_entry(self) -> int:
        self._last_entry += 1
        return self._last_entry

    def _put(self, employee_id: str, table: str, row: JsonObject) -> str:
        if table not in TABLES:
            raise BadRequestError("The table does not exist.", status=404)
        self._last_row += 1
        made: JsonObject = {"id": str(self._last_row), "employeeId": employee_id}
        self.people[employee_id].rows[table].append({**made, **dict.fromkeys(TABLES[table]), **row})
        return str(self._last_row)

    def _touch(self, employee_id: str) -> None:
        self.people[employee_id].changed = self.now()


def _number(value: JsonValue) -> JsonValue:
    """Hours given as text as the number that they are; anything else stays, for what is wrong must be loadable."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value
