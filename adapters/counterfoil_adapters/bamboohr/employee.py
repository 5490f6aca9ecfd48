"""An employee as BambooHR shows one, with the rows of the tables, turned into a canonical record."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

from counterfoil.sources import Seen, SourceChange, Unreadable
from counterfoil_adapters.bamboohr.permissions import fix_for, permission_for
from counterfoil_adapters.bamboohr.tables import RowError, day_of, job_on, kept, pay_of
from counterfoil_schema.exact_json import JsonObject, canonical, dumps
from counterfoil_schema.records import Employee

FIELDS = ("firstName", "lastName", "workEmail", "hireDate", "status")
"""All that is asked for: what the books never need is not even read."""

_NAMES = {"workEmail": "email", "hireDate": "hired", "status": "active"}
Tables = Mapping[str, Sequence[JsonObject] | None]


def withheld_of(shown: JsonObject, asked: Sequence[str]) -> list[str]:
    """The fields that were asked for and not given."""
    restricted = shown.get("_restrictedFields")
    told = set(map(str, restricted)) if isinstance(restricted, list) else set[str]()
    return [field for field in asked if field not in shown or (field in told and shown[field] is None)]


def change_of(
    employee_id: str, shown: JsonObject, tables: Tables, on: date, id_field: str | None, *, with_pay: bool
) -> SourceChange:
    """The record of an employee as of a day, or why there is none.

    Args:
        tables: rows by table; None where the caller may not see one.
        id_field: the custom field that holds the person's id in QuickBooks, if one is asked for.
    """
    asked = [*FIELDS, *([id_field] if id_field else [])]
    missing = withheld_of(shown, asked)
    own: JsonObject = {field: shown[field] for field in ("id", *asked) if field in shown}
    rows: JsonObject = {name: [*kept(name, found)] for name, found in tables.items() if found is not None}
    raw = dumps({"employee": own, **rows, "withheld": [*missing]}).decode()
    try:
        _demand_names(missing)
        record = _record(own, tables, on, missing, id_field, with_pay=with_pay)
    except (_HiddenError, RowError) as error:
        fix = error.fix if isinstance(error, _HiddenError) else "Correct the employee in BambooHR."
        return Unreadable(
            kind="employee",
            source_id=employee_id,
            place=f"BambooHR employee {employee_id}",
            problem=f"The employee cannot be read: {error}.",
            fix=fix,
            raw=raw,
        )
    content = canonical([raw, record.model_dump(mode="json")])
    version = hashlib.sha256(content).hexdigest()
    return Seen(kind="employee", source_id=employee_id, version=version, record=record, raw=raw)


def restrictions(change: SourceChange) -> list[str]:
    """For people: each field that is withheld, and what would show it."""
    if not isinstance(change, Seen) or not isinstance(change.record, Employee):
        return []
    sources = {"email": "workEmail", "hired": "hireDate", "active": "status", "pay": "compensation"}
    tables = dict.fromkeys(("department", "location", "job"), "jobInfo")
    return [
        f"{name} is withheld: it needs {permission_for({**sources, **tables}.get(name, 'a custom field'))}"
        for name in change.record.withheld
    ]


class _HiddenError(Exception):
    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fix = fix


def _demand_names(missing: Sequence[str]) -> None:
    hidden = [field for field in ("firstName", "lastName") if field in missing]
    if hidden:
        raise _HiddenError(f"BambooHR does not show this connection {' and '.join(hidden)}", fix_for(hidden))


def _record(
    own: JsonObject, tables: Tables, on: date, missing: Sequence[str], id_field: str | None, *, with_pay: bool
) -> Employee:
    job, no_job = job_on(tables.get("jobInfo"), on)
    withheld = [_NAMES.get(field, "books_id") for field in missing]
    pay_rows = tables.get("compensation")
    if with_pay and pay_rows is None:
        withheld.append("pay")
    status = _text(own, "status")
    if status is not None and status.casefold() not in {"active", "inactive"}:
        raise RowError("status is neither Active nor Inactive")
    return Employee(
        given_name=_name(own, "firstName"),
        family_name=_name(own, "lastName"),
        email=_text(own, "workEmail"),
        hired=day_of(own.get("hireDate"), "hireDate"),
        active=status is None or status.casefold() == "active",
        department=job.get("department"),
        location=job.get("location"),
        job=job.get("job"),
        pay=pay_of(pay_rows) if with_pay and pay_rows is not None else None,
        books_id=_text(own, id_field) if id_field else None,
        withheld=tuple(sorted({*withheld, *no_job})),
    )


def _name(own: JsonObject, field: str) -> str:
    value = _text(own, field)
    if value is None:
        raise RowError(f"{field} is missing")
    return value


def _text(own: JsonObject, field: str) -> str | None:
    value = own.get(field)
    if value is not None and not isinstance(value, str):
        raise RowError(f"{field} is not text")
    return value.strip() or None if value is not None else None
