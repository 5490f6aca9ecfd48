"""TimeActivity: hours of an employee or a vendor; it posts nothing until it is billed.

Source: Intuit's entity page of TimeActivity.
"""

from datetime import UTC, datetime

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.values import ZERO, as_text, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

WORKERS = {"Employee": "EmployeeRef", "Vendor": "VendorRef"}
HOURS_MAX = 8760
MINUTES_MAX = 59


def shape_time_activity(draft: Draft) -> Shaped:
    """Time worked, as a length or from a beginning to an end.

    Raises:
        QuickBooksFaultError: 2020 for what is missing, 2170 for another kind of worker, 6290 for two of them,
            6310 for impossible hours, 6350 for an end before the start.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    kind = as_text(body.get("NameOf"))
    if not kind:
        raise faults.required("NameOf")
    if kind not in WORKERS:
        raise faults.bad_enum("NameOf", kind)
    reference = WORKERS[kind]
    if reference not in body:
        raise faults.required(reference)
    if all(other in body for other in WORKERS.values()):
        raise faults.both_workers()
    body[reference] = draft.reference(body[reference], kind, reference)
    for name, entity in (("CustomerRef", "Customer"), ("DepartmentRef", "Department"), ("ItemRef", "Item"),
                         ("ClassRef", "Class")):  # fmt: skip
        if name in body:
            body[name] = draft.reference(body[name], entity, name)
    _check_length(body)
    body.setdefault("BillableStatus", "NotBillable")
    if body["BillableStatus"] == "Billable":
        for name in ("CustomerRef", "HourlyRate"):
            if name not in body:
                raise faults.required(name)
    return Shaped(body)


def _check_length(body: JsonObject) -> None:
    if not {"Hours", "Minutes"} & body.keys() and not {"StartTime", "EndTime"} <= body.keys():
        raise faults.required("Hours and Minutes, or StartTime and EndTime")
    for name, most in (("Hours", HOURS_MAX), ("Minutes", MINUTES_MAX)):
        if not ZERO <= to_decimal(body.get(name, 0), name) <= most:
            raise faults.bad_hours(name, as_text(body[name])[:40])
    start, end = (_instant(body.get(name), name) for name in ("StartTime", "EndTime"))
    if start is not None and end is not None and end < start:
        raise faults.ends_before_start()


def _instant(value: JsonValue, name: str) -> datetime | None:
    text = as_text(value)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise faults.bad_date(name, text[:40]) from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
