"""Contractors and what they are paid, as Gusto shows them, turned into canonical records."""

from collections.abc import Mapping
from datetime import date

from counterfoil_adapters.gusto.employee import department_of
from counterfoil_adapters.gusto.figures import CURRENCY, FigureError, amount_of, date_of
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import ContractorPayment, Vendor, record_key


class ContractorError(Exception):
    """A contractor that cannot be normalised; the message names the field, never its value."""


def department(payload: JsonObject, titles: Mapping[str, str]) -> str | None:
    """The title of a contractor's department; newer versions call the field `department_title`."""
    title = payload.get("department_title")
    return title if isinstance(title, str) and title else department_of(payload, titles)


def vendor(payload: JsonObject) -> Vendor:
    """The record of a contractor: a business bears its name, a person both of theirs.

    Raises:
        ContractorError: the name is missing.
    """
    parts = ("business_name",) if payload.get("type") == "Business" else ("first_name", "last_name")
    name = " ".join(filter(None, (_text(payload, part) for part in parts)))
    if not name:
        raise ContractorError(f"{' and '.join(parts)} {'is' if len(parts) == 1 else 'are'} missing")
    return Vendor(name=name, email=_text(payload, "email"), active=payload.get("is_active") is not False)


def version_of(payload: JsonObject, record: Vendor) -> str:
    """Gusto's own version, and what it may not count: whether the contractor still works here."""
    return f"{payload.get('version') or 'unversioned'}/{'active' if record.active else 'left'}"


def payment(payload: JsonObject, connection: str, department: str | None) -> ContractorPayment:
    """The record of a payment: `wage_total` is hours or the fixed wage, and bonus.

    Raises:
        FigureError: its date, contractor or a figure is missing or wrong.
    """
    contractor = contractor_of(payload)
    if contractor is None:
        raise FigureError("it names no contractor")
    method = payload.get("payment_method")
    return ContractorPayment(
        contractor=record_key(connection, "contractor", contractor),
        dated=date_of(payload, "date"),
        currency=CURRENCY,
        wages=amount_of(payload.get("wage_total"), "its wage_total"),
        reimbursement=amount_of(payload.get("reimbursement") or 0, "its reimbursement"),
        method=method if isinstance(method, str) else None,
        department=department,
    )


def payment_version(record: ContractorPayment) -> str:
    """A payment bears no version: what it says stands for one."""
    day: date = record.dated
    return f"{day.isoformat()}/{record.wages}/{record.reimbursement}/{record.method}/{record.department}"


def contractor_of(payload: JsonObject) -> str | None:
    """The uuid of the contractor whom a payment pays."""
    found = payload.get("contractor_uuid")
    return found if isinstance(found, str) and found else None


def _text(payload: JsonObject, field: str) -> str | None:
    value = payload.get(field)
    if value is not None and not isinstance(value, str):
        raise ContractorError(f"{field} is not text")
    return value.strip() or None if value is not None else None
