"""An employee as Gusto shows one, turned into a canonical record."""

from collections.abc import Mapping
from datetime import date

from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Employee


class EmployeeError(Exception):
    """An employee that cannot be normalised; the message names the field, never its value."""


def department_of(payload: JsonObject, departments: Mapping[str, str]) -> str | None:
    """The title of an employee's department, from the employee or by the department's uuid."""
    title = payload.get("department")
    if isinstance(title, str) and title:
        return title
    found = payload.get("department_uuid")
    return departments.get(found) if isinstance(found, str) else None


def employee(payload: JsonObject, departments: Mapping[str, str]) -> Employee:
    """The record of an employee.

    Args:
        departments: title by the uuid of the department.

    Raises:
        EmployeeError: a name is missing, or a date is none.
    """
    return Employee(
        given_name=_name(payload, "first_name"),
        family_name=_name(payload, "last_name"),
        email=_text(payload, "work_email") or _text(payload, "email"),
        department=department_of(payload, departments),
        hired=_hired(payload),
        active=payload.get("terminated") is not True,
    )


def version_of(payload: JsonObject, record: Employee) -> str:
    """Gusto's own version, and what it may not count: department and end of employment."""
    return (
        f"{payload.get('version') or 'unversioned'}/{record.department or ''}/{'active' if record.active else 'left'}"
    )


def _name(payload: JsonObject, field: str) -> str:
    value = _text(payload, field)
    if value is None:
        raise EmployeeError(f"{field} is missing")
    return value


def _text(payload: JsonObject, field: str) -> str | None:
    value = payload.get(field)
    if value is not None and not isinstance(value, str):
        raise EmployeeError(f"{field} is not text")
    return value.strip() or None if value is not None else None


def _hired(payload: JsonObject) -> date | None:
    jobs = payload.get("jobs")
    days: list[date] = []
    for job in jobs if isinstance(jobs, list) else []:
        hired = job.get("hire_date") if isinstance(job, dict) else None
        if hired is None:
            continue
        try:
            days.append(date.fromisoformat(hired if isinstance(hired, str) else ""))
        except ValueError:
            raise EmployeeError("hire_date is not a date") from None
    return min(days, default=None)
