"""The whole of what a mapping wants of a record, whatever the books hold of it already."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Link, Plan, PlanRequest, Reversal, StateView
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Record, split_key
from counterfoil_schema.records import record_key as join_key


def wanted(request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """What the mapping makes of a record, as though nothing of it were in the books and no period were closed.

    A record that its source removed is planned as things are: all that can be wanted of it is about its document.
    """
    seen = view if request.record is None else Alone(view, request.record_key)
    return plan(request, mapping, seen)


def owner_of(record_key: str) -> str:
    """The record whose plan makes a document: itself; for a further one, `connection:kind@…:id`, that of the kind."""
    connection, kind, source_id = split_key(record_key)
    return join_key(connection, kind.partition("@")[0], source_id)


class Alone:
    """The state without one record's own documents: a plan on it holds them whole, and not what differs.

    Periods are closed after the fact; what is in them was once posted, so that none counts as closed.
    """

    def __init__(self, view: StateView, record_key: str) -> None:
        self._view = view
        self._own = owner_of(record_key)

    def link(self, record_key: str) -> Link | None:
        """See `StateView.link`; nothing for the record and its further documents, `connection:kind@…:id`."""
        return None if owner_of(record_key) == self._own else self._view.link(record_key)

    def is_known(self, record_key: str) -> bool:
        """See `StateView.is_known`."""
        return self._view.is_known(record_key)

    def sent_number(self, doc_number: str) -> str | None:
        """See `StateView.sent_number`."""
        return self._view.sent_number(doc_number)

    def name_taken(self, entity: str, name: str) -> str | None:
        """See `StateView.name_taken`; not by what is the record's own."""
        holder = self._view.name_taken(entity, name)
        return None if holder is None or owner_of(holder) == self._own else holder

    def body_hash(self, body: JsonObject) -> str:
        """See `StateView.body_hash`."""
        return self._view.body_hash(body)

    def home_currency(self) -> str:
        """See `StateView.home_currency`."""
        return self._view.home_currency()

    def multi_currency(self) -> bool:
        """See `StateView.multi_currency`."""
        return self._view.multi_currency()

    def closed_until(self) -> date | None:
        """None: see the class."""
        return None

    def tax_mode(self) -> TaxMode:
        """See `StateView.tax_mode`."""
        return self._view.tax_mode()

    def tracks(self, dimension: Literal["class", "department"]) -> bool:
        """See `StateView.tracks`."""
        return self._view.tracks(dimension)

    def account_type(self, *, name: str = "", document_id: str = "") -> str | None:
        """See `StateView.account_type`."""
        return self._view.account_type(name=name, document_id=document_id)

    def record(self, record_key: str) -> Record | None:
        """See `StateView.record`."""
        return self._view.record(record_key)

    def reversals_of(self, record_key: str) -> Sequence[Reversal]:
        """See `StateView.reversals_of`."""
        return self._view.reversals_of(record_key)
