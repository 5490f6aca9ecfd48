"""The load format: what a generator of sample data posts to the control port. README.md describes it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from counterfoil_adapters.gusto.emulator.figures import complete, totals
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import (
    BadRequestError,
    cents,
    entry,
    flag,
    money,
    not_found,
    rows,
    text,
    text_or_none,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

METHODS = ("Direct Deposit", "Check", "Historical Payment", "Correction Payment")


def load(store: Store, body: JsonObject) -> JsonObject:
    """Take departments, people and what they are paid into the company; no event is recorded for them.

    Returns:
        How many of each are there now.

    Raises:
        BadRequestError: a field is missing or wrong; what came before it stays.
    """
    for given in _departments(body):
        add_department(store, given)
    for given in rows(body, "employees"):
        add_employee(store, given)
    for given in rows(body, "payrolls"):
        add_payroll(store, given)
    for given in rows(body, "contractors"):
        add_contractor(store, given)
    for given in rows(body, "contractor_payments"):
        add_payment(store, given)
    return {
        "departments": len(store.departments),
        "employees": len(store.employees),
        "payrolls": len(store.payrolls),
        "contractors": len(store.contractors),
        "contractor_payments": len(store.payments),
    }


def _departments(body: JsonObject) -> list[JsonObject]:
    value = body.get("departments", [])
    if not isinstance(value, list):
        raise BadRequestError("departments must be a list", key="departments")
    return [{"title": item} if isinstance(item, str) else entry(item, "departments") for item in value]


def add_department(store: Store, given: JsonObject) -> str:
    """A department; one of the same title is not made twice."""
    title = text(given, "title")
    wanted = text_or_none(given, "uuid")
    if wanted is None:
        return store.department_named(title)
    store.departments[wanted] = {"uuid": wanted, "title": title, "version": store.version()}
    return wanted


def add_employee(store: Store, given: JsonObject) -> JsonObject:
    """An employee with one job; `department` is a title, and makes the department where it is missing."""
    made = text_or_none(given, "uuid") or store.ids.uuid()
    department = text_or_none(given, "department")
    department_uuid = text_or_none(given, "department_uuid")
    if department is not None and department_uuid is None:
        department_uuid = store.department_named(department)
    hired = text(given, "hire_date", "2020-01-06")
    title = text(given, "title", "Staff")
    job, compensation = store.ids.uuid(), store.ids.uuid()
    rate, unit = text(given, "rate", "0.00"), text(given, "payment_unit", "Year")
    store.employees[made] = {
        "uuid": made,
        "version": store.version(),
        "company_uuid": store.company_uuid,
        "first_name": text(given, "first_name"),
        "middle_initial": text_or_none(given, "middle_initial"),
        "last_name": text(given, "last_name"),
        "email": text_or_none(given, "email"),
        "work_email": text_or_none(given, "work_email"),
        "phone": text_or_none(given, "phone"),
        "department_uuid": department_uuid,
        "terminated": flag(given, "terminated"),
        "onboarded": flag(given, "onboarded", default=True),
        "onboarding_status": "onboarding_completed",
        "date_of_birth": text(given, "date_of_birth", "1985-02-17"),
        "has_ssn": True,
        "ssn": text(given, "ssn", ""),
        "hidden_ssn": "XXX-XX-1234",
        "terminations": list(rows(given, "terminations")),
        "garnishments": [],
        "eligible_paid_time_off": [],
        "jobs": [_job(store, made, (job, compensation), hired, title, (rate, unit))],
    }
    return store.employees[made]


def _job(
    store: Store, employee: str, uuids: tuple[str, str], hired: str, title: str, pay: tuple[str, str]
) -> JsonValue:
    job, compensation = uuids
    rate, unit = pay
    return {
        "uuid": job,
        "version": store.version(),
        "employee_uuid": employee,
        "hire_date": hired,
        "title": title,
        "primary": True,
        "rate": rate,
        "payment_unit": unit,
        "current_compensation_uuid": compensation,
        "compensations": [
            {
                "uuid": compensation,
                "version": store.version(),
                "job_uuid": job,
                "employee_uuid": employee,
                "rate": rate,
                "payment_unit": unit,
                "flsa_status": "Exempt",
                "effective_date": hired,
            }
        ],
    }


def add_payroll(store: Store, given: JsonObject) -> JsonObject:
    """A payroll with its people; `totals` in the load override single figures of the computed ones."""
    made = text_or_none(given, "uuid") or store.ids.uuid()
    for key in ("check_date", "start_date", "end_date"):
        _check_date(text(given, key), key)
    people = [complete(person) for person in rows(given, "employee_compensations")]
    for person in people:
        known = store.employees.get(text(person, "employee_uuid"), {})
        person["first_name"] = person["first_name"] or known.get("first_name")
        person["last_name"] = person["last_name"] or known.get("last_name")
    processed = flag(given, "processed", default=True)
    stated = given.get("totals")
    store.payrolls[made] = {
        "uuid": made,
        "payroll_uuid": made,
        "company_uuid": store.company_uuid,
        "check_date": text(given, "check_date"),
        "processed": processed,
        "processed_date": text(given, "processed_date", text(given, "check_date")) if processed else None,
        "off_cycle": flag(given, "off_cycle"),
        "off_cycle_reason": text_or_none(given, "off_cycle_reason"),
        "external": flag(given, "external"),
        "pay_period": {
            "start_date": text(given, "start_date"),
            "end_date": text(given, "end_date"),
            "pay_schedule_uuid": text_or_none(given, "pay_schedule_uuid"),
        },
        "created_at": store.now_text(),
        "company_taxes": list(rows(given, "company_taxes")),
        "employee_compensations": list(people),
        "totals": {**totals(people), **(entry(stated, "totals") if stated is not None else {})},
    }
    return store.payrolls[made]


def add_contractor(store: Store, given: JsonObject) -> JsonObject:
    """A contractor as in the load format: a business where `business_name` is given."""
    business = text_or_none(given, "business_name")
    department = text_or_none(given, "department")
    made = text_or_none(given, "uuid") or store.ids.uuid()
    store.contractors[made] = {
        "uuid": made,
        "company_uuid": store.company_uuid,
        "version": store.version(),
        "type": "Business" if business is not None else "Individual",
        "wage_type": "Fixed",
        "business_name": business,
        "first_name": text(given, "first_name") if business is None else None,
        "last_name": text(given, "last_name") if business is None else None,
        "middle_initial": None,
        "email": text_or_none(given, "email"),
        "ein": "XX-XXX4321" if business is not None else None,
        "has_ein": business is not None,
        "has_ssn": business is None,
        "is_active": flag(given, "is_active", default=True),
        "onboarded": True,
        "onboarding_status": "onboarding_completed",
        "payment_method": "Direct Deposit",
        "start_date": text(given, "start_date", "2024-01-08"),
        "hourly_rate": "0.00",
        "file_new_hire_report": False,
        "work_state": None,
        "department_uuid": store.department_named(department) if department is not None else None,
        "address": {"street_1": "100 Market Street", "city": "Springfield", "state": "IL", "zip": "62701"},
    }
    return store.contractors[made]


def add_payment(store: Store, given: JsonObject) -> JsonObject:
    """A payment as in the load format; `wage_total` is worked out: hours at their rate, or the wage, and bonus."""
    contractor = text(given, "contractor_uuid")
    if contractor not in store.contractors:
        raise not_found()
    method = text(given, "payment_method", "Direct Deposit")
    if method not in METHODS:
        raise BadRequestError(f"payment_method must be one of {', '.join(METHODS)}", key="payment_method")
    hours, rate = money(given.get("hours", 0), "hours"), money(given.get("hourly_rate", 0), "hourly_rate")
    wage, bonus = money(given.get("wage", 0), "wage"), money(given.get("bonus", 0), "bonus")
    made = text_or_none(given, "uuid") or store.ids.uuid()
    store.payments[made] = {
        "uuid": made,
        "contractor_uuid": contractor,
        "date": day_of(given, "date"),
        "payment_method": method,
        "status": "Funded" if flag(given, "funded", default=True) else "Unfunded",
        "wage_type": "Hourly" if hours else "Fixed",
        "hours": cents(hours),
        "hourly_rate": cents(rate),
        "wage": cents(wage),
        "bonus": cents(bonus),
        "reimbursement": cents(money(given.get("reimbursement", 0), "reimbursement")),
        "wage_total": cents((hours * rate).quantize(Decimal("0.01")) + wage + bonus),
        "may_cancel": True,
    }
    return store.payments[made]


def day_of(query: Mapping[str, JsonValue], key: str) -> str:
    value = query.get(key)
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise BadRequestError(f"{key} must be a date", key=key) from None


def _check_date(value: str, key: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise BadRequestError(f"{key} is not a date: {value!r}", key=key) from None
