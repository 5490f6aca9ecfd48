"""A state view in memory, and the records that planning tests begin with."""

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from counterfoil.planning.mapping import Mapping, parse_mapping
from counterfoil.planning.plan import content_hash
from counterfoil.planning.types import Intent, Link, Plan, PlanRequest, Reversal
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Invoice, InvoiceLine, PayRun, Record

MINIMAL = '[connection]\nsource = "hubspot"\nzone = "America/New_York"\n'
DEAL = "hubspot:deal:512"
COMPANY = "hubspot:company:12"
WIDGET = "hubspot:product:7"
GADGET = "hubspot:product:8"


@dataclass
class View:
    """State, spelled out by each test."""

    links: dict[str, Link] = field(default_factory=dict)
    known: set[str] = field(default_factory=lambda: {COMPANY, WIDGET, GADGET, DEAL})
    numbers: dict[str, str] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    home: str = "USD"
    multi: bool = False
    closed: date | None = None
    taxes: TaxMode = "none"
    records: dict[str, Record] = field(default_factory=dict)
    tracked: tuple[str, ...] = ("class", "department")
    account_types: dict[str, str] = field(default_factory=dict)

    def link(self, record_key: str) -> Link | None:
        return self.links.get(record_key)

    def is_known(self, record_key: str) -> bool:
        return record_key in self.known

    def sent_number(self, doc_number: str) -> str | None:
        return self.numbers.get(doc_number)

    def name_taken(self, entity: str, name: str) -> str | None:
        return self.names.get((entity, name.casefold()))

    def body_hash(self, body: JsonObject) -> str:
        return content_hash(body)

    def home_currency(self) -> str:
        return self.home

    def multi_currency(self) -> bool:
        return self.multi

    def closed_until(self) -> date | None:
        return self.closed

    def tax_mode(self) -> TaxMode:
        return self.taxes

    def tracks(self, dimension: Literal["class", "department"]) -> bool:
        return dimension in self.tracked

    def account_type(self, *, name: str = "", document_id: str = "") -> str | None:
        return self.account_types.get(document_id or name)

    def record(self, record_key: str) -> Record | None:
        return self.records.get(record_key)

    def reversals_of(self, record_key: str) -> Sequence[Reversal]:
        """Observed in the order in which the records stand here."""
        return [
            Reversal(record_key=key, position=place, record=record)
            for place, (key, record) in enumerate(self.records.items())
            if isinstance(record, PayRun) and record.reverses == record_key
        ]


def mapping(extra: str = "") -> Mapping:
    """The smallest mapping, and whatever a test adds."""
    return parse_mapping(MINIMAL + extra, file="mapping.toml")


def request(record: Record | None, key: str = DEAL) -> PlanRequest:
    """An observed change of one record."""
    return PlanRequest(connection=key.partition(":")[0], record_key=key, record=record, position=1)


def only(planned: Plan) -> Intent:
    """The one intent of a plan."""
    assert isinstance(planned, tuple), planned
    (intent,) = planned
    assert isinstance(intent, Intent)
    return intent


def link_of(intent: Intent, key: str = DEAL, document: JsonObject | None = None, **more: object) -> Link:
    """The link that an accepted intent leaves behind."""
    base = Link(
        record_key=key,
        entity=intent.entity,
        document_id="77",
        sync_token="0",
        content_hash=content_hash(intent.body),
        image=document or {},
        latest=document or {},
    )
    return changed(base, more)


def changed(link: Link, more: AbstractMapping[str, object]) -> Link:
    """The link with other values in some places."""
    values = {name: getattr(link, name) for name in link.__dataclass_fields__}
    return Link(**{**values, **more})


def line(line_id: str = "1", **values: object) -> InvoiceLine:
    """A line of one widget at 10.00, unless said otherwise."""
    return InvoiceLine.model_validate(
        {"line_id": line_id, "product": WIDGET, "quantity": Decimal(1), "unit_price": Decimal("10.00"), **values}
    )


def sale(*lines: InvoiceLine, **values: object) -> Invoice:
    """A won sale of one widget in March, unless said otherwise."""
    return Invoice.model_validate(
        {
            "customer": COMPANY,
            "number": "1001",
            "status": "closedwon",
            "won": True,
            "dated": date(2026, 3, 14),
            "currency": "USD",
            "lines": lines or (line(),),
            **values,
        }
    )


def lines_of(body: JsonObject) -> list[JsonObject]:
    """The lines of a body."""
    lines = body["Line"]
    assert isinstance(lines, list)
    return [entry for entry in lines if isinstance(entry, dict)]


def amounts(lines: Sequence[JsonObject]) -> list[object]:
    """The amounts of lines, in order."""
    return [entry["Amount"] for entry in lines]
