"""Which document was made out of which: an invoice of an estimate, a bill of an order, a deposit of payments.

The younger one names its sources; each source is marked, shows the link back, and is set free when it is gone.
Source: Intuit's page on linked transactions.
"""

from collections.abc import Iterator

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.postings import DocumentKey
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

_SOURCES = {
    "Bill": frozenset({"PurchaseOrder"}),
    "CreditMemo": frozenset({"TimeActivity"}),
    "Deposit": frozenset({"Payment", "SalesReceipt"}),
    "Invoice": frozenset({"Estimate", "TimeActivity"}),
    "Purchase": frozenset({"PurchaseOrder"}),
    "SalesReceipt": frozenset({"Estimate", "TimeActivity"}),
}
# Property, its value once something was made of the document, and its value before.
_MARKS = {
    "Estimate": ("TxnStatus", "Closed", "Pending"),
    "PurchaseOrder": ("POStatus", "Closed", "Open"),
    "TimeActivity": ("BillableStatus", "HasBeenBilled", "Billable"),
}
_LINKED = frozenset({"Estimate", "Payment", "PurchaseOrder", "SalesReceipt"})
DEPOSITABLE = frozenset({"Payment", "SalesReceipt"})


class Lineage:
    """Both directions of what was made of what."""

    def __init__(self) -> None:
        self._sources: dict[DocumentKey, frozenset[DocumentKey]] = {}
        self._made: dict[DocumentKey, dict[DocumentKey, None]] = {}

    def made_of(self, source: DocumentKey) -> list[DocumentKey]:
        """What was made of a document, oldest first."""
        return list(self._made.get(source, {}))

    def relate(self, document: DocumentKey, body: JsonObject) -> list[DocumentKey]:
        """Take down what a document names as its sources now; returns those that came or went."""
        before = self._sources.pop(document, frozenset())
        now = frozenset(_named(document[0], body))
        for source in before - now:
            self._made[source].pop(document, None)
            if not self._made[source]:
                del self._made[source]
        for source in now:
            self._made.setdefault(source, {})[document] = None
        if now:
            self._sources[document] = now
        return sorted(before ^ now)

    def marked(self, source: DocumentKey, body: JsonObject) -> JsonObject:
        """A source as it stands: marked and linked while something is made of it."""
        entity = source[0]
        made = self.made_of(source)
        shown = dict(body)
        if entity in _MARKS:
            name, used, free = _MARKS[entity]
            if made:
                shown[name] = used
            elif shown.get(name) == used:
                shown[name] = free
        if entity in _LINKED:
            links: list[JsonValue] = [{"TxnId": identifier, "TxnType": kind} for kind, identifier in made]
            shown["LinkedTxn"] = links
            if not links:
                del shown["LinkedTxn"]
        return shown

    def require_free(self, document: DocumentKey, body: JsonObject) -> None:
        """Refuse to deposit what lies in another deposit.

        Raises:
            QuickBooksFaultError: 6540.
        """
        for source in _named(document[0], body) if document[0] == "Deposit" else ():
            others = [made for made in self.made_of(source) if made != document]
            if others:
                raise faults.deposited(f"{source[0]} {source[1]} is already part of deposit {others[0][1]}.")

    def require_undeposited(self, document: DocumentKey, before: JsonObject, after: JsonObject) -> None:
        """Refuse to delete or void what is deposited, or to change its money.

        Raises:
            QuickBooksFaultError: 6540.
        """
        if document[0] not in DEPOSITABLE or not self.made_of(document):
            return
        if any(before.get(name) != after.get(name) for name in ("TotalAmt", "DepositToAccountRef")):
            deposit = self.made_of(document)[0][1]
            raise faults.deposited(f"{document[0]} {document[1]} is part of deposit {deposit}.")


def require_unsettled_card(body: JsonObject) -> None:
    """Refuse to void a payment by card that has been settled.

    Raises:
        QuickBooksFaultError: 6450.
    """
    answer = as_object(as_object(body.get("CreditCardPayment")).get("CreditChargeResponse"))
    if as_text(answer.get("Status")) == "Completed":
        raise faults.settled_card()


def _named(entity: str, body: JsonObject) -> Iterator[DocumentKey]:
    kinds = _SOURCES.get(entity, frozenset())
    if not kinds:
        return
    for holder in (body, *rows(body, "Line")):
        for link in rows(holder, "LinkedTxn"):
            kind = as_text(link.get("TxnType"))
            if kind in kinds:
                yield kind, as_text(link.get("TxnId"))
