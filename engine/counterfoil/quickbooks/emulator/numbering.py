"""Document numbers: given by the client, made by the server, refused when taken."""

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import EntitySpec
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject

FIRST_NUMBER = 1001
ALWAYS = frozenset({"InventoryAdjustment"})
SALES_FORMS = frozenset({"Invoice", "CreditMemo", "Estimate", "SalesReceipt", "RefundReceipt"})


class Numbering:
    """Automatic numbers of the sales forms and adjustments and, on request, of journal entries."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def number(
        self, spec: EntitySpec, body: JsonObject, tables: Tables, preferences: JsonObject, include: frozenset[str]
    ) -> None:
        """Put the next number into a new document that needs one."""
        if "DocNumber" in body:
            return
        forms = as_object(preferences.get("SalesFormsPrefs"))
        automatic = spec.name in SALES_FORMS and forms.get("CustomTxnNumbers") is not True
        if automatic or spec.name in ALWAYS or (spec.name == "JournalEntry" and "allowautodocnum" in include):
            body["DocNumber"] = self._next(spec, tables)

    def _next(self, spec: EntitySpec, tables: Tables) -> str:
        group = "sales" if spec.name in SALES_FORMS else spec.name
        number = self.last.get(group, FIRST_NUMBER - 1) + 1
        while tables.holder_of_number(spec.name, str(number)) is not None:
            number += 1
        self.last[group] = number
        return str(number)


def require_free_number(
    spec: EntitySpec,
    identifier: str,
    body: JsonObject,
    tables: Tables,
    preferences: JsonObject,
    include: frozenset[str],
) -> None:
    """Refuse a number that another document of the kind bears, where that is checked.

    Raises:
        QuickBooksFaultError: 6140.
    """
    number = as_text(body.get("DocNumber"))
    if not number or "allowduplicatedocnum" in include or not _checks(spec, preferences):
        return
    holder = tables.holder_of_number(spec.name, number)
    if holder is not None and holder != identifier:
        raise faults.duplicate_number(number, spec.name, holder)


def _checks(spec: EntitySpec, preferences: JsonObject) -> bool:
    if spec.name in SALES_FORMS:
        return True
    if spec.name != "JournalEntry":
        return False
    values = as_list(as_object(preferences.get("OtherPrefs")).get("NameValue"))
    return any(
        pair.get("Name") == "WarnDuplicateJournalNumber" and as_text(pair.get("Value")).lower() == "true"
        for pair in (as_object(value) for value in values)
    )
