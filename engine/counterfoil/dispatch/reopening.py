"""A record that was missing has come: what was parked for want of it is decided afresh.

Webhooks and polls keep no order between records: a deal may be read before the company that it names.
"""

from collections.abc import Mapping, Sequence

from counterfoil.dispatch.view import EventSource
from counterfoil.gathering import Gatherer
from counterfoil.planning.outcome import named
from counterfoil.state.rows import ChangeRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import ChangeReopened
from counterfoil_schema.events.receipts import SourceObserved
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Record,
    Refund,
    TimeEntry,
)

WANTING = {
    "customer": "unknown_customer",
    "product": "unknown_product",
    "invoice": "unknown_invoice",
    "employee": "unknown_employee",
    "vendor": "unknown_vendor",
    "pay_run": "unknown_pay_run",
}
"""Codes of what is parked because a record of a kind, which it names, was never shown."""

PARKED_ROWS = 500
REMEMBERED_MAX = 20_000


class Reopener:
    """Finds what waits for a record of one company.

    What is parked is looked up once for all the records that are decided on the same state; what it names is in the
    log, and read once.
    """

    def __init__(self, *, company: int, store: StateStore, events: EventSource) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._gatherer = Gatherer()
        self._named: dict[int, frozenset[str]] = {}

    async def waiting_for(self, change: ChangeRow, event: SourceObserved) -> Sequence[ChangeReopened]:
        """Reopenings of the parked changes whose record names this one."""
        wanting = WANTING.get(event.record.kind)
        if wanting is None:
            return ()
        waiting = await self._gatherer.get("waiting", wanting, self._waiting) or {}
        reason = f"{named(change.record_key)}, which it names, has come."
        return [
            ChangeReopened(change=row.position, record_key=row.record_key, reason=reason)
            for row in waiting.get(change.record_key, ())
        ]

    async def _waiting(self, codes: Sequence[str]) -> Mapping[str, Mapping[str, Sequence[ChangeRow]]]:
        """By code and by the record that was missing: what is parked for want of it, oldest first."""
        waiting: dict[str, dict[str, list[ChangeRow]]] = {code: {} for code in codes}
        after = 0
        while True:
            page = await self._store.some(ChangeRow, "parked_for", self._company, codes, after, PARKED_ROWS)
            await self._learn(page)
            for row in page:
                for key in self._named.get(row.position, ()):
                    waiting[row.code].setdefault(key, []).append(row)
            if len(page) < PARKED_ROWS:
                return waiting
            after = page[-1].position

    async def _learn(self, rows: Sequence[ChangeRow]) -> None:
        """What these records name: a change's record never becomes another."""
        unknown = [row.position for row in rows if row.position not in self._named]
        if len(self._named) + len(unknown) > REMEMBERED_MAX:
            self._named.clear()
            unknown = [row.position for row in rows]
        for position, recorded in (await self._events.recorded_many(self._company, unknown)).items():
            event = await recorded.event()
            self._named[position] = references(event.record) if isinstance(event, SourceObserved) else frozenset()


def references(record: Record) -> frozenset[str]:
    """The records that a record names."""
    match record:
        case Invoice() | Estimate() | CreditMemo() | Refund():
            products = {line.product for line in record.lines if line.product is not None}
            return frozenset(products | ({record.customer} if record.customer is not None else set()))
        case Payment():
            return frozenset({record.customer, *(part.invoice for part in record.applied)})
        case Payout():
            return frozenset(part.part_of for part in record.parts)
        case TimeEntry():
            return frozenset({record.employee})
        case ContractorPayment():
            return frozenset({record.contractor})
        case PayRun():
            return frozenset({record.reverses} if record.reverses is not None else ())
        case _:
            return frozenset()
