"""Whom and what a posting is about: as its line says, else as its document says."""

from counterfoil.quickbooks.emulator.postings import Posting
from counterfoil.quickbooks.emulator.reports.asked import Filters
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, reference_id

UNNAMED = ""
_HEADERS = {
    "Class": ("ClassRef", ""),
    "Customer": ("CustomerRef", "Customer"),
    "Department": ("DepartmentRef", ""),
    "Employee": ("EmployeeRef", "Employee"),
    "Vendor": ("VendorRef", "Vendor"),
}


def subject(kind: str, posting: Posting, row: Row) -> str:
    """The Id of the record of this kind that a posting is about; empty where it is about none."""
    about = posting.about
    if kind == "Item":
        return about.item
    if kind == "Class" and about.tracked_class:
        return about.tracked_class
    if kind == "Department" and about.department:
        return about.department
    if about.party_kind == kind:
        return about.party
    header, party = _HEADERS[kind]
    named = reference_id(row.body.get(header))
    if named or not party:
        return named
    entity = as_object(row.body.get("EntityRef"))
    return as_text(entity.get("value")) if entity.get("type") == party else UNNAMED


def headed(row: Row, filters: Filters) -> bool:
    """Whether a document as a whole is about what is asked for; its lines are not looked at."""
    return all(_head(kind, row) in wanted for kind, wanted in filters if kind in _HEADERS)


def _head(kind: str, row: Row) -> str:
    return subject(kind, Posting("", ZERO), row)


def name_of(tables: Tables, kind: str, identifier: str) -> str:
    """How a column about a record is headed."""
    row = tables.get(kind, identifier)
    body = row.body if row is not None else {}
    return as_text(body.get("DisplayName") or body.get("FullyQualifiedName") or body.get("Name") or identifier)
