"""A record that was missing has come: what was parked for want of it is decided afresh.

Webhooks and polls keep no order between records: a deal may be read before the company that it names.
"""

from collections.abc import Sequence

from counterfoil.dispatch.view import EventSource
from counterfoil.planning.outcome import named
from counterfoil.state.rows import ChangeRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import ChangeReopened
from counterfoil_schema.events.receipts import SourceObserved
from counterfoil_schema.records import CreditMemo, Invoice, Payment, Record

WANTING = {"customer": "unknown_customer", "product": "unknown_product", "invoice": "unknown_invoice"}
"""Codes of what is parked because a record of a kind, which it names, was never shown."""

PARKED_ROWS = 500


class Reopener:
    """Finds what waits for a record of one company."""

    def __init__(self, *, company: int, store: StateStore, events: EventSource) -> None:
        self._company = company
        self._store = store
        self._events = events

    async def waiting_for(self, change: ChangeRow, event: SourceObserved) -> Sequence[ChangeReopened]:
        """Reopenings of the parked changes whose record names this one."""
        wanting = WANTING.get(event.record.kind)
        if wanting is None:
            return ()
        found: list[ChangeReopened] = []
        after = 0
        while True:
            page = await self._store.some(ChangeRow, "changes_in", self._company, "parked", after, PARKED_ROWS)
            for row in page:
                if row.code == wanting and await self._names(row, change.record_key):
                    reason = f"{named(change.record_key)}, which it names, has come."
                    found.append(ChangeReopened(change=row.position, record_key=row.record_key, reason=reason))
            if len(page) < PARKED_ROWS:
                return found
            after = page[-1].position

    async def _names(self, row: ChangeRow, key: str) -> bool:
        event = await self._events.event_at(self._company, row.position)
        return isinstance(event, SourceObserved) and key in references(event.record)


def references(record: Record) -> frozenset[str]:
    """The records that a record names."""
    match record:
        case Invoice() | CreditMemo():
            products = {line.product for line in record.lines if line.product is not None}
            return frozenset(products | ({record.customer} if record.customer is not None else set()))
        case Payment():
            return frozenset({record.customer, *(part.invoice for part in record.applied)})
        case _:
            return frozenset()
