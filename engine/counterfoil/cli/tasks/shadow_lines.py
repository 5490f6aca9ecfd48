"""Plans and differences as lines of a file, with personal fields hashed under the company's key unless asked for.

A file begins with a head that says what it is, and ends with a line that counts: so a file that was cut is known.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from counterfoil.dispatch.mappings import HeldMapping
from counterfoil.dispatch.redrive.steps import Stays, Step
from counterfoil.dispatch.shadow.planning import Planned
from counterfoil.dispatch.view import LoadedView, ViewLoader
from counterfoil.planning.shadow import DocumentChange, FieldChange, RecordChange, leaves, outcome_of
from counterfoil.planning.types import PLANNER_VERSION, Intent, Park, Plan, Skip
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.exact_json import JsonObject, JsonValue

EXPORT: Final = "counterfoil plans"
PREVIEW: Final = "counterfoil previews of mappings"
VERSION: Final = 1


class Lines:
    """Makes the lines of one connection's files."""

    def __init__(self, *, view: ViewLoader, company: int, connection: str, personal: bool) -> None:
        self._view = view
        self._company = company
        self._connection = connection
        self._personal = personal

    def export_head(self, held: HeldMapping, position: int) -> dict[str, object]:
        """The first line of an export."""
        return {**self._head(EXPORT, position), "mapping": held.digest, "planner": PLANNER_VERSION}

    def preview_head(self, before: HeldMapping, after: HeldMapping, position: int) -> dict[str, object]:
        """The first line of what differs between two mappings."""
        mappings = {"before": before.digest, "after": after.digest}
        return {**self._head(PREVIEW, position), "mappings": mappings, "planner": PLANNER_VERSION}

    def _head(self, what: str, position: int) -> dict[str, object]:
        return {
            "file": what,
            "version": VERSION,
            "company": self._company,
            "connection": self._connection,
            "position": position,
            "personal": self._personal,
        }

    def end(self, records: int) -> dict[str, object]:
        """The last line."""
        return {"end": True, "records": records}

    async def plan(self, planned: Planned, held: HeldMapping) -> dict[str, object]:
        """One record with the first of its plans, and the hashes of what that was made from."""
        (found, *_) = planned.plans
        company = await self._view.company()
        intents = found if isinstance(found, Sequence) else ()
        return {
            "record_key": planned.row.record_key,
            "position": planned.row.position,
            "inputs": {
                "record": planned.content_hash,
                "mapping": held.digest,
                "planner": PLANNER_VERSION,
                "preferences": company.preferences_hash,
                "rates": await self._rates(intents),
            },
            "outcome": outcome_of(found),
            **told(found),
            "documents": [await self._intent(intent, planned.row.record_key) for intent in intents],
        }

    async def _intent(self, intent: Intent, record_key: str) -> dict[str, object]:
        document = Document.of(intent.entity, intent.body)
        sealed = exact_json.loads_object(document.personal) if document.personal is not None else {}
        return {
            "record_key": intent.record_key or record_key,
            "target": intent.target,
            "entity": intent.entity,
            "operation": intent.operation,
            "amount": intent.amount,
            "currency": intent.currency,
            "review": intent.review,
            "needs": intent.needs,
            "body": exact_json.loads_object(document.clear),
            "personal": {name: await self._veiled(value) for name, value in sealed.items()},
        }

    async def _veiled(self, value: JsonValue) -> JsonValue:
        """A personal value, or what it is known by: the same for equal values of one company, and for nobody else's."""
        if self._personal or value is None:
            return value
        return {"hash": await self._view.body_hash({"value": value})}

    async def _rates(self, intents: Sequence[Intent]) -> str:
        """The hash of the books' rates that the documents will be reckoned with; "" where they need none."""
        named = sorted({rate for intent in intents for rate in rates_in(intent.body)})
        if not named:
            return ""
        held: list[JsonValue] = []
        for currency, day in named:
            rate = await self._view.run("", partial(_rate, currency, day))
            held.append([currency, day, rate])
        return hashlib.sha256(exact_json.canonical(held)).hexdigest()

    async def change(self, change: RecordChange, step: Step | Stays) -> dict[str, object]:
        """One record of which something else would become, and what planning it once more would send."""
        return {
            **step_as_json(step),
            "before": change.before,
            "after": change.after,
            "code": change.code,
            "reason": change.reason,
            "documents": [await self._document(one) for one in change.documents],
        }

    async def _document(self, change: DocumentChange) -> dict[str, object]:
        fields = [
            {"path": one.path, "before": await self._field(one, one.before), "after": await self._field(one, one.after)}
            for one in change.fields
        ]
        return {**document_as_json(change), "fields": fields}

    async def _field(self, change: FieldChange, value: JsonValue) -> JsonValue:
        return await self._veiled(value) if change.personal else value


def step_as_json(step: Step | Stays) -> dict[str, object]:
    """What a redrive would do for a record, or why nothing."""
    if isinstance(step, Stays):
        return {"record_key": step.record_key, "stays": {"code": step.code, "reason": step.reason}}
    return {"record_key": step.record_key, "step": {"digest": step.digest, "documents": step.documents}}


def document_as_json(change: DocumentChange) -> dict[str, object]:
    """A document that differs, without its fields."""
    before, after = change.amounts
    return {
        "kind": change.kind,
        "record_key": change.record_key,
        "entity": change.entity,
        "currency": change.currency,
        "amount_before": before,
        "amount_after": after,
    }


def told(plan: Plan) -> Mapping[str, str]:
    """Why a record is parked or passed over; nothing otherwise."""
    return {"code": plan.code, "reason": plan.reason} if isinstance(plan, Skip | Park) else {}


def _rate(currency: str, day: str, view: LoadedView) -> Decimal | None:
    return view.rate(currency, day)


def rates_in(body: JsonObject) -> Iterator[tuple[str, str]]:
    """The rates of the books that a symbolic body names, as (currency, day)."""
    for _, leaf in leaves(body):
        match leaf:
            case {"$rate": [str(currency), str(day)]}:
                yield currency, day
            case _:
                continue
