"""What can be done with which entity, against the fact sheet of fields."""

import json

import pytest

from counterfoil.quickbooks.online.operations import DELETABLE, NAME_LISTS, PRINTABLE, READABLE, TRANSACTIONS
from counterfoil.quickbooks.online.query import FILTERABLE
from support.fact_sheets import fact_sheet

Documented = dict[str, list[str]]
NOT_IN_SHEET = frozenset({"CompanyCurrency"})


@pytest.fixture
def documented() -> Documented:
    found: Documented = json.loads(fact_sheet("quickbooks-online-fields.json"))["_ops"]
    return found


def having(documented: Documented, operation: str) -> set[str]:
    return {entity for entity, operations in documented.items() if operation in operations}


def test_what_is_printed_and_mailed(documented: Documented) -> None:
    assert having(documented, "send") == PRINTABLE
    assert having(documented, "pdf") & READABLE == PRINTABLE


def test_what_is_deleted(documented: Documented) -> None:
    assert having(documented, "delete") & READABLE == DELETABLE


def test_what_is_made_read_and_found(documented: Documented) -> None:
    made = NAME_LISTS | TRANSACTIONS | {"Attachable", "TaxAgency"}
    assert having(documented, "create") & READABLE == made
    assert having(documented, "read") & READABLE == READABLE - NOT_IN_SHEET
    assert having(documented, "query") & READABLE <= set(FILTERABLE)
