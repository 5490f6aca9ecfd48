"""What of a party's contact details QuickBooks takes, and what of them does not fit."""

import re

from counterfoil.planning.names import clean
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Address, Customer, Employee, Vendor

PARTY_ENTITIES = ("Customer", "Vendor", "Employee")
NAME_MAX = 500
_NAME_PART_MAX, _PHONE_MAX, _ADDRESS_LINES = 100, 30, 5
_EMAIL = re.compile(r"^[^\s@]+@[^\s@]+\.[^\s@]+$")


def details_of(record: Customer | Vendor | Employee, colon: str) -> tuple[JsonObject, list[str]]:
    """The contact details that fit, and the names of those that do not. No part of a name keeps a colon."""
    body: JsonObject = {}
    unfit: list[str] = []

    def put_text(field: str, value: str | None, longest: int) -> None:
        if value is None or not value.strip():
            return
        if len(value.strip()) > longest:
            unfit.append(f"{field} over {longest} characters")
        else:
            body[field] = clean(value, colon)

    if isinstance(record, Customer):
        put_text("CompanyName", record.company_name, _NAME_PART_MAX)
    if not isinstance(record, Vendor):
        put_text("GivenName", record.given_name, _NAME_PART_MAX)
        put_text("FamilyName", record.family_name, _NAME_PART_MAX)
    if record.email is not None and record.email.strip():
        if _EMAIL.match(record.email.strip()):
            body["PrimaryEmailAddr"] = {"Address": record.email.strip()}
        else:
            unfit.append("e-mail address")
    if isinstance(record, Customer):
        _put_customer_contact(record, body, unfit)
    if isinstance(record, Employee) and record.hired is not None:
        body["HiredDate"] = record.hired.isoformat()
    return body, unfit


def _put_customer_contact(record: Customer, body: JsonObject, unfit: list[str]) -> None:
    phone = (record.phone or "").strip()
    if len(phone) > _PHONE_MAX:
        unfit.append(f"telephone number over {_PHONE_MAX} characters")
    elif phone:
        body["PrimaryPhone"] = {"FreeFormNumber": phone}
    address = _address(record.billing) if record.billing is not None else {}
    if address:
        body["BillAddr"] = address


def _address(billing: Address) -> JsonObject:
    lines = [line.strip() for line in billing.lines if line.strip()]
    if len(lines) > _ADDRESS_LINES:
        lines = [*lines[: _ADDRESS_LINES - 1], ", ".join(lines[_ADDRESS_LINES - 1 :])]
    address: JsonObject = {f"Line{number}": line for number, line in enumerate(lines, start=1)}
    parts = {
        "City": billing.city,
        "CountrySubDivisionCode": billing.region,
        "PostalCode": billing.postal_code,
        "Country": billing.country,
    }
    address.update({field: value.strip() for field, value in parts.items() if value is not None and value.strip()})
    return address
