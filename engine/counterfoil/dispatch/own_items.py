"""Items that a mapping names, such as the one for freight: made once where the books do not hold them."""

from collections.abc import Sequence

from counterfoil.dispatch.ids import intent_id
from counterfoil.dispatch.outbox import MissingItems
from counterfoil.dispatch.view import ViewLoader
from counterfoil.planning.types import NAME_REF, PLANNER_VERSION
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import Inputs, IntentPlanned
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import record_key


async def plan_own_items(
    company: int, missing: Sequence[MissingItems], store: StateStore, view: ViewLoader, begun: set[str]
) -> list[Event]:
    """Plans for items that are named and missing, each once however many documents ask for it.

    `begun` remembers what this process has planned, since rows do not show it before the next fold.
    """
    planned: dict[str, Event] = {}
    for one in missing:
        connection = one.row.record_key.split(":", 1)[0]
        for name in one.names:
            key = record_key(connection, "item", name)
            identity = intent_id(company, "quickbooks", key, 0, 0)
            if identity in begun or await store.one(IntentRow, company, identity) is not None:
                continue
            begun.add(identity)
            section = one.mapping.mapping.product
            body: JsonObject = {
                "Name": name,
                "Type": section.type,
                "IncomeAccountRef": {NAME_REF: ["Account", section.income_account]},
            }
            content = await view.body_hash(body)
            planned[identity] = IntentPlanned(
                change=one.row.change,
                record_key=key,
                intent_id=identity,
                target="quickbooks",
                entity="Item",
                operation="create",
                body=Document.of("Item", body),
                content_hash=content,
                lane="live",
                name_key=await view.name_key(name),
                inputs=Inputs(record=content, mapping=one.mapping.digest, planner=PLANNER_VERSION, preferences=""),
            )
    return list(planned.values())
