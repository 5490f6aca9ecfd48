"""What Gusto shows of the company: employees, departments, payrolls with their optional parts."""

from collections.abc import Collection

from counterfoil_adapters.gusto.emulator.figures import payroll_taxes
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import rows
from counterfoil_schema.exact_json import JsonObject, JsonValue

_ALWAYS = (
    "uuid",
    "payroll_uuid",
    "company_uuid",
    "check_date",
    "processed",
    "processed_date",
    "off_cycle",
    "external",
    "pay_period",
    "created_at",
)
_OFF_CYCLE_ONLY = ("off_cycle_reason",)


def employee_view(store: Store, employee: JsonObject, include: Collection[str]) -> JsonObject:
    """An employee with the title of the department; earlier compensations and custom fields only on request."""
    shown = dict(employee)
    found = employee.get("department_uuid")
    department = store.departments.get(found) if isinstance(found, str) else None
    shown["department_uuid"] = found
    shown["department"] = department["title"] if department is not None else None
    if "custom_fields" in include:
        shown["custom_fields"] = []
    return shown


def department_view(store: Store, department: JsonObject) -> JsonObject:
    """A department with the uuids of its people."""
    people: list[JsonValue] = [
        {"uuid": found} for found, e in store.employees.items() if e["department_uuid"] == department["uuid"]
    ]
    return {**department, "company_uuid": store.company_uuid, "employees": people, "contractors": []}


def payroll_summary(payroll: JsonObject, include: Collection[str]) -> JsonObject:
    """A payroll as lists show it: no people."""
    shown: JsonObject = {key: payroll[key] for key in _ALWAYS}
    if payroll["off_cycle"] is True:
        shown.update({key: payroll[key] for key in _OFF_CYCLE_ONLY})
    if "totals" in include:
        shown["totals"] = payroll["totals"]
    if "taxes" in include:
        shown["company_taxes"] = payroll["company_taxes"]
    return shown


def payroll_detail(payroll: JsonObject, include: Collection[str], people: list[JsonObject]) -> JsonObject:
    """A payroll with one page of its people; of an unprocessed one, people have no figures yet."""
    shown = payroll_summary(payroll, include)
    hidden = {part for part in ("taxes", "benefits", "deductions") if part not in include}
    if payroll["processed"] is not True:
        hidden |= {"taxes", "benefits", "deductions", "gross_pay", "net_pay", "check_amount"}
        shown.pop("totals", None)
    shown["employee_compensations"] = [
        {key: value for key, value in person.items() if key not in hidden} for person in people
    ]
    if "payroll_taxes" in include and payroll["processed"] is True:
        shown["payroll_taxes"] = payroll_taxes(rows(payroll, "employee_compensations"))
    return shown
