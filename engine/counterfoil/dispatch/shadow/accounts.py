"""What planned documents come to on which account, under one mapping: items are looked up as they are met."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from counterfoil.dispatch.view import LoadedView, ViewLoader
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.rollback.types import Chart
from counterfoil.planning.shadow import grounded, items_in, posted, wanted
from counterfoil.planning.types import Intent, PlanRequest
from counterfoil.state.rows import DocumentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import split_key

ITEMS_MAX: Final = 10_000
"""Items remembered; beyond it, all are looked up again."""


async def chart_of(store: StateStore, company: int) -> Chart:
    """The accounts that the books hold."""
    rows = await store.records("accounts_known", company)
    return Chart(accounts={row["document_id"]: (row["name"] or "", row["account_type"]) for row in rows})


class Accounts:
    """Postings of planned documents of one company under one mapping."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        view: ViewLoader,
        chart: Chart,
        mapping: MappingRules,
    ) -> None:
        self._company = company
        self._store = store
        self._view = view
        self._chart = chart
        self._mapping = mapping
        self._income: dict[str, str] = {}

    async def posted(self, intent: Intent) -> Mapping[str, Decimal]:
        """By account, debits less credits in the document's currency."""
        income = {
            identity: account
            for reference in items_in(intent.body)
            if (identity := _identity(grounded(reference))) and (account := await self._account(identity, reference))
        }
        return posted(intent, self._chart, income)

    async def _account(self, identity: str, reference: JsonObject) -> str:
        if identity not in self._income:
            if len(self._income) >= ITEMS_MAX:
                self._income.clear()
            self._income[identity] = await self._look_up(reference)
        return self._income[identity]

    async def _look_up(self, reference: JsonObject) -> str:
        match reference:
            case {"$record": str(key)}:
                return await self._of_product(key)
            case {"$name": [str(entity), str(name)]}:
                found = await self._store.answer("document_named", self._company, entity, name)
                return await self._of_item(found) if found is not None else ""
            case _:
                return ""

    async def _of_product(self, key: str) -> str:
        """As the mapping would have it; as the books have it where the source no longer shows the product."""
        request = await self._view.run(key, partial(_request, key))
        planned = await self._view.run(key, partial(wanted, request, self._mapping)) if request is not None else ()
        bodies = [intent.body for intent in planned] if isinstance(planned, Sequence) else []
        account = next((_identity(grounded(body.get("IncomeAccountRef"))) for body in bodies), "")
        if account:
            return account
        link = await self._view.link(key)
        return await self._of_item(link.document_id) if link is not None and link.entity == "Item" else ""

    async def _of_item(self, document_id: str) -> str:
        row = await self._store.one(DocumentRow, self._company, "Item", document_id)
        if row is None:
            return ""
        document = await self._view.document_at(row.position)
        return _identity(document.fields().get("IncomeAccountRef"))


def _request(key: str, view: LoadedView) -> PlanRequest | None:
    record = view.record(key)
    if record is None:
        return None
    return PlanRequest(connection=split_key(key)[0], record_key=key, record=record, position=0)


def _identity(reference: JsonValue) -> str:
    held = reference.get("value") if isinstance(reference, dict) else None
    return held if isinstance(held, str) else ""
