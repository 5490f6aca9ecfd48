"""Puts objects together with what they are linked to: whole records, in as few calls as can be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.sources.port import SourceChange, SourceError
from counterfoil_adapters.hubspot.client import HubSpotClient, Linked
from counterfoil_adapters.hubspot.kinds import (
    KINDS,
    LINE_PROPERTIES,
    LINES,
    OF_PAYMENTS,
    PARTIES,
    TAXED_LINE_PROPERTIES,
)
from counterfoil_adapters.hubspot.normalise import Parties, Rules, company_change, contact_change, product_change
from counterfoil_adapters.hubspot.payments import (
    REFUNDED,
    PaymentParts,
    Step,
    is_given_back,
    payment_change,
    refund_changes,
)
from counterfoil_adapters.hubspot.payouts import is_paid_out, payout_change
from counterfoil_adapters.hubspot.sales import SaleParts, sale_change
from counterfoil_adapters.hubspot.values import Properties, parse_instant
from counterfoil_schema.exact_json import JsonObject

PAYMENTS = KINDS["payment"].plural


@dataclass(frozen=True, slots=True)
class Whole:
    """Changes, and the line items that went into them."""

    changes: Sequence[SourceChange]
    lines: Sequence[JsonObject] = ()


class Assembler:
    """Reads what objects name.

    Args:
        properties: what is asked for of each kind.
    """

    def __init__(self, client: HubSpotClient, rules: Rules, properties: Mapping[str, Sequence[str]]) -> None:
        self._client = client
        self._rules = rules
        self._properties = properties

    async def whole(self, kind: str, rows: Sequence[JsonObject]) -> Whole:
        """Objects of a kind as changes."""
        match kind:
            case "company":
                return Whole([company_change(row) for row in rows])
            case "contact":
                return Whole([contact_change(row) for row in rows])
            case "product":
                return Whole([product_change(self._rules, row) for row in rows])
            case "payment":
                return Whole([payment_change(self._rules, part) for part in await self.payments(rows)])
            case "refund":
                given_back = [row for row in rows if is_given_back(row)]
                parts = await self.payments(given_back, steps=True)
                return Whole([change for part in parts for change in refund_changes(self._rules, part)])
            case "payout":
                parts = await self.payments([row for row in rows if is_paid_out(row)])
                return Whole([payout_change(self._rules, part) for part in parts])
            case _:
                sales = await self.sales(kind, rows)
                lines = [line for part in sales for line in part.lines.values()]
                return Whole([sale_change(self._rules, part) for part in sales], lines)

    async def with_named(self, kind: str, row: JsonObject) -> Sequence[SourceChange]:
        """One object, behind those that it names and that must be known first."""
        if kind in PARTIES or kind == "product":
            return (await self.whole(kind, [row])).changes
        if kind not in OF_PAYMENTS:
            parts = await self.sales(kind, [row])
            return [*await self._named_by(parts), *(sale_change(self._rules, part) for part in parts)]
        (payment,) = await self.payments([row], steps=True)
        sales: list[SaleParts] = []
        for sale in payment.sales:
            sales.extend(await self.sales(sale.kind, [sale.row]))
        return [
            *await self._named_by(sales, payment.parties),
            *(sale_change(self._rules, sale) for sale in sales),
            payment_change(self._rules, payment),
            *refund_changes(self._rules, payment),
            *([payout_change(self._rules, payment)] if self._rules.paid_out and is_paid_out(row) else ()),
        ]

    async def sales(self, kind: str, rows: Sequence[JsonObject]) -> Sequence[SaleParts]:
        """Deals, quotes or invoices with their parties and lines."""
        ids = [str(row.get("id")) for row in rows]
        if not ids:
            return []
        plural = KINDS[kind].plural
        parties = await self._parties(plural, ids)
        links = await self._client.linked(plural, ids, LINES)
        wanted = [line_id for found in links.values() for line_id in found.ids]
        names = LINE_PROPERTIES if kind == "deal" else TAXED_LINE_PROPERTIES
        lines = await self._client.batch_read(LINES, wanted, names)
        return [
            SaleParts(kind, row, parties[source_id], *_own(links.get(source_id, Linked(())), lines))
            for source_id, row in zip(ids, rows, strict=True)
        ]

    async def sales_of_lines(self, kind: str, rows: Sequence[JsonObject]) -> Sequence[SourceChange]:
        """The sales that these line items are on: a line may change without its sale counting as modified."""
        plural = KINDS[kind].plural
        links = await self._client.linked(LINES, [str(row.get("id")) for row in rows], plural)
        ids = [sale_id for found in links.values() for sale_id in found.ids]
        found = await self._client.batch_read(plural, ids, self._properties[kind])
        return [sale_change(self._rules, part) for part in await self.sales(kind, list(found.values()))]

    async def payments(self, rows: Sequence[JsonObject], *, steps: bool = False) -> Sequence[PaymentParts]:
        """Payments with their parties, the sales that they are for, and, if asked, the steps of their refunds."""
        ids = [str(row.get("id")) for row in rows]
        if not ids:
            return []
        parties = await self._parties(PAYMENTS, ids)
        sales: dict[str, list[SaleParts]] = {source_id: [] for source_id in ids}
        for kind in self._rules.sold:
            for source_id, sale in await self._sold(kind, ids):
                sales[source_id].append(sale)
        given_back = [str(row.get("id")) for row in rows if Properties("payment", row).text(REFUNDED)]
        told = await self._client.histories(PAYMENTS, given_back, REFUNDED) if steps else {}
        return [
            PaymentParts(row, parties[source_id], sales[source_id], _steps(told.get(source_id, ())))
            for source_id, row in zip(ids, rows, strict=True)
        ]

    async def _sold(self, kind: str, payments: Sequence[str]) -> Sequence[tuple[str, SaleParts]]:
        plural = KINDS[kind].plural
        links = await self._client.linked(PAYMENTS, payments, plural)
        ids = sorted({sale_id for link in links.values() for sale_id in link.ids})
        found = await self._client.batch_read(plural, ids, self._properties[kind])
        parties = await self._parties(plural, list(found))
        return [
            (source_id, SaleParts(kind, found[sale_id], parties[sale_id]))
            for source_id, link in links.items()
            for sale_id in link.ids
            if sale_id in found
        ]

    async def _parties(self, plural: str, ids: Sequence[str]) -> Mapping[str, Parties]:
        held: dict[str, dict[str, Linked]] = {source_id: {} for source_id in ids}
        for kind in self._rules.customers:
            links = await self._client.linked(plural, ids, KINDS[kind].plural) if ids else {}
            for source_id, link in links.items():
                held[source_id][kind] = link
        return {source_id: Parties(links) for source_id, links in held.items()}

    async def _named_by(self, parts: Sequence[SaleParts], *more: Parties) -> Sequence[SourceChange]:
        """The customers and products that sales name, and the customers of other parties."""
        named: list[SourceChange] = []
        for kind in self._rules.customers:
            links = (every.links.get(kind, Linked(())) for every in (*(part.parties for part in parts), *more))
            named.extend(await self._by_id(kind, [end for link in links for end in link.ids]))
        lines = [line for part in parts for line in part.lines.values()]
        products = (Properties("line item", line).text("hs_product_id") for line in lines)
        named.extend(await self._by_id("product", [product for product in products if product is not None]))
        return named

    async def _by_id(self, kind: str, ids: Iterable[str]) -> Sequence[SourceChange]:
        found = await self._client.batch_read(KINDS[kind].plural, ids, KINDS[kind].properties)
        return (await self.whole(kind, list(found.values()))).changes


def _own(links: Linked, lines: Mapping[str, JsonObject]) -> tuple[Sequence[str], Mapping[str, JsonObject]]:
    return links.ids, {line_id: lines[line_id] for line_id in links.ids if line_id in lines}


def _steps(told: Sequence[tuple[str, str]]) -> Sequence[Step]:
    try:
        return [Step(value, parse_instant(at)) for value, at in told]
    except (ValueError, OverflowError, OSError):
        raise SourceError("HubSpot's history of a refund bears no instants.", retry_after=10.0) from None
