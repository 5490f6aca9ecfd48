"""What settles a document or holds its money, and who names a record of a name list: why it may have to stay."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from counterfoil.dispatch.rollback.images import PAGE, Images
from counterfoil.dispatch.watched import DOCUMENTS, POLLED_DOCUMENTS
from counterfoil.planning.references import references_in
from counterfoil.planning.rollback import Applied, User
from counterfoil.planning.values import number
from counterfoil.state.rows import DocumentRow, SettlementRow
from counterfoil.state.store import StateStore
from counterfoil_schema.exact_json import JsonObject

HOLDING: Final[Mapping[str, str]] = {
    "Payment": "Payment",
    "BillPayment": "BillPayment",
    "BillPaymentCheck": "BillPayment",
    "BillPaymentCreditCard": "BillPayment",
    "Deposit": "Deposit",
}
"""Kinds of links that hold a document, and the entities behind them (Intuit: linked transactions)."""

_NAMING: Final = sorted({*DOCUMENTS, *POLLED_DOCUMENTS} - {"Customer", "Vendor", "Employee", "Item"})
_HOLDS_ITSELF: Final = frozenset({"Payment", "BillPayment", "Deposit"})


async def applied_to(
    store: StateStore, company: int, entity: str, document_id: str, latest: JsonObject
) -> list[Applied]:
    """What settles a document, as far as it is known here."""
    found: dict[tuple[str, str], None] = {}
    if entity == "Invoice":
        for part in await store.some(SettlementRow, "settlements_of", company, document_id):
            if part.cash or part.credited:
                found["Payment", part.payment_id] = None
    links = latest.get("LinkedTxn")
    for one in links if isinstance(links, list) else []:
        kind = HOLDING.get(str(one.get("TxnType"))) if isinstance(one, dict) else None
        if kind is not None and isinstance(one, dict) and not (kind == entity and kind != "Deposit"):
            found[kind, str(one.get("TxnId"))] = None
    rows = await store.load(company, DocumentRow.table, list(found))
    living = [
        Applied(entity=kind, document_id=identity, label=f"{kind} id {identity}")
        for kind, identity in found
        if not isinstance(row := rows.get((kind, identity)), DocumentRow) or row.status == "live"
    ]
    return living or _unknown(entity, latest, known=bool(found))


def _unknown(entity: str, latest: JsonObject, *, known: bool) -> list[Applied]:
    """An amount that the document shows to be settled, by what was never seen here."""
    if known or entity in _HOLDS_ITSELF:
        return []
    for name in ("Balance", "RemainingCredit"):
        if name in latest and "TotalAmt" in latest:
            settled = number(latest.get("TotalAmt")) - number(latest.get(name))
            return [Applied(entity="", document_id="", label=f"an amount of {settled}")] if settled else []
    return []


async def users_of(
    store: StateStore, images: Images, company: int, masters: Mapping[str, tuple[str, str]]
) -> dict[str, list[User]]:
    """Living documents that name records of name lists, ours and those of other people.

    Args:
        masters: entity and Id of each record of a name list, by record key.
    """
    found: defaultdict[str, list[User]] = defaultdict(list)
    for row in await store.records("users_of", company, list(masters)):
        label = f"{row['entity']} {row['doc_number'] or 'id ' + row['document_id']}"
        found[row["used"]].append(User(entity=row["entity"], document_id=row["document_id"], label=label))
    by_document = {document: key for key, document in masters.items()}
    after = ("", "")
    while True:
        page = await store.records("strangers", company, _NAMING, *after, PAGE)
        await images.load(row["position"] for row in page)
        for row in page:
            named = references_in(images.document(row["position"]), row["entity"])
            for document in named & by_document.keys():
                label = f"{row['entity']} id {row['document_id']}, which comes from no source"
                user = User(entity=row["entity"], document_id=row["document_id"], label=label)
                found[by_document[document]].append(user)
        if len(page) < PAGE:
            return found
        after = (page[-1]["entity"], page[-1]["document_id"])
