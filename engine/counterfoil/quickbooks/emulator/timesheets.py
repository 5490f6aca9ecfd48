"""TimeActivity: hours of an employee or a vendor; it posts nothing until it is billed.

Source: Intuit's entity page of TimeActivity.
"""

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.values import ZERO, as_text, to_decimal
from counterfoil_schema.exact_json import JsonObject

WORKERS = {"Employee": "EmployeeRef", "Vendor": "VendorRef"}
MINUTES_MAX = 59


def shape_time_activity(draft: Draft) -> Shaped:
    """Time worked, as a length or from a beginning to an end.

    Raises:
        QuickBooksFaultError: 2020 for what is missing, 2170 for another kind of worker, 2090 for impossible minutes.
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
    for name in ("Hours", "Minutes"):
        if to_decimal(body.get(name, 0), name) < ZERO:
            raise faults.bad_number(name, as_text(body[name]))
    if to_decimal(body.get("Minutes", 0), "Minutes") > MINUTES_MAX:
        raise faults.bad_number("Minutes", as_text(body["Minutes"]))
