"""What the books never need is dropped here, before anything is kept: not in a record, not in the raw payload."""

from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

_EMPLOYEE_FIELDS = frozenset(
    {
        "uuid",
        "version",
        "company_uuid",
        "first_name",
        "middle_initial",
        "last_name",
        "preferred_first_name",
        "email",
        "work_email",
        "department",
        "department_uuid",
        "title",
        "terminated",
        "onboarded",
        "jobs",
        "terminations",
    }
)
_CONTRACTOR_FIELDS = frozenset(
    {
        "uuid",
        "version",
        "company_uuid",
        "type",
        "first_name",
        "last_name",
        "business_name",
        "email",
        "department",
        "department_uuid",
        "department_title",
        "start_date",
        "dismissal_date",
        "is_active",
        "onboarded",
    }
)
_JOB_FIELDS = frozenset({"uuid", "hire_date", "title", "primary"})
_TERMINATION_FIELDS = frozenset({"uuid", "effective_date", "active"})
_NEVER = ("ssn", "social_security", "birth", "bank", "account_number", "routing", "tax_id", "home_address", "phone")


def employee_raw(payload: JsonObject) -> str:
    """An employee's payload, by the list of what may stay: a field that Gusto adds tomorrow is not kept by accident."""
    kept: JsonObject = {name: value for name, value in payload.items() if name in _EMPLOYEE_FIELDS}
    for name, fields in (("jobs", _JOB_FIELDS), ("terminations", _TERMINATION_FIELDS)):
        rows = kept.get(name)
        if isinstance(rows, list):
            kept[name] = [
                {field: value for field, value in row.items() if field in fields}
                for row in rows
                if isinstance(row, dict)
            ]
        elif rows is not None:
            del kept[name]
    return dumps(kept).decode()


def contractor_raw(payload: JsonObject) -> str:
    """A contractor's payload, by the list of what may stay."""
    return dumps({name: value for name, value in payload.items() if name in _CONTRACTOR_FIELDS}).decode()


def payroll_raw(payload: JsonObject) -> str:
    """The payload of a payroll or payment, whole but for what identifies a person to banks and offices."""
    return dumps(_without(payload)).decode()


def _without(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {
            name: _without(inner) for name, inner in value.items() if not any(word in name.lower() for word in _NEVER)
        }
    if isinstance(value, list):
        return [_without(inner) for inner in value]
    return value
