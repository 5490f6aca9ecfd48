"""Won deals as invoices: their products as lines, or one invoice for each instalment. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from counterfoil.sources.port import SourceChange
from counterfoil_adapters.pipedrive.fields import FieldDefinition
from counterfoil_adapters.pipedrive.normalise import INSTALLMENT, change
from counterfoil_adapters.pipedrive.settings import PipedriveSettings
from counterfoil_adapters.pipedrive.values import Row
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Invoice, InvoiceLine, record_key

CENT = Decimal("0.01")
NOTHING = Decimal(0)
IN_INSTALLMENTS = "billed in installments"
"""The status of a deal whose instalments are invoiced in its stead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRules:
    """What of the settings decides how deals are read. `stages`: names by id, where those are the statuses."""

    connection: str
    settings: PipedriveSettings
    stages: Mapping[str, str] = field(default_factory=dict)
    number: FieldDefinition | None = None
    due: FieldDefinition | None = None
    rate: FieldDefinition | None = None

    def status_of(self, deal: JsonObject) -> str:
        """What the mapping's `when` is compared with."""
        if self.settings.status == "stage":
            stage = str(deal.get("stage_id"))
            return self.stages.get(stage, stage)
        return str(deal.get("status") or "")

    def customer_of(self, deal: JsonObject) -> tuple[str, str] | None:
        """Kind and id of whom a deal is billed to."""
        held = Row("deal", deal)
        named = {"organization": held.link("org_id"), "person": held.link("person_id")}
        wanted = ("organization", "person") if self.settings.customer == "either" else (self.settings.customer,)
        for kind in wanted:
            source_id = named[kind]
            if source_id is not None:
                return kind, source_id
        return None


@dataclass(frozen=True, slots=True)
class DealParts:
    """A deal with its products and instalments."""

    deal: JsonObject
    products: Sequence[JsonObject] = ()
    installments: Sequence[JsonObject] = ()

    @property
    def deal_id(self) -> str:
        return str(self.deal.get("id"))

    def raw(self) -> JsonObject:
        """The parts as one payload."""
        return {"deal": self.deal, "products": list(self.products), "installments": list(self.installments)}


def deal_change(parts: DealParts, rules: DealRules) -> SourceChange:
    """A deal as an invoice, won or not; with instalments it is none itself."""
    rows = [parts.deal, *parts.products, *parts.installments]
    return change("deal", parts.deal_id, parts.raw(), rows, lambda: invoice(parts, rules))


def installment_changes(parts: DealParts, rules: DealRules) -> Sequence[SourceChange]:
    """The instalments of a deal, each as an invoice."""
    return [installment_change(parts, row, rules) for row in parts.installments]


def installment_change(parts: DealParts, row: JsonObject, rules: DealRules) -> SourceChange:
    """One instalment as an invoice."""
    payload: JsonObject = {"deal": parts.deal, "products": list(parts.products), "installment": row}
    source_id = f"{parts.deal_id}-{row.get('id')}"
    return change(INSTALLMENT, source_id, payload, [parts.deal, row], lambda: installment(parts, row, rules))


def invoice(parts: DealParts, rules: DealRules) -> Invoice:
    """A deal with its products. What Pipedrive sums up decides what a discount of an amount means, and whether the
    deal's value contains the tax: the documents do not say.

    Raises:
        BadValueError: a number or date that is none, a currency that is missing, a product that is billed again and
            again, taxes that are contained in some prices only.
    """
    held = Row("deal", parts.deal)
    enabled = [Row("deal product", row) for row in parts.products if row.get("is_enabled") is not False]
    lines = tuple(_line(row, rules) for row in sorted(enabled, key=_place_of))
    is_split = bool(parts.installments)
    return _invoice(
        held,
        rules,
        status=IN_INSTALLMENTS if is_split else rules.status_of(parts.deal),
        won=parts.deal.get("status") == "won" and not is_split,
        number=rules.number.text(parts.deal) if rules.number is not None else None,
        lines=lines,
        tax_included=_tax_included(held, enabled),
        stated_total=_stated_total(held, lines),
        memo=held.text("title"),
    )


def installment(parts: DealParts, row: JsonObject, rules: DealRules) -> Invoice:
    """A part of a deal's value, due on its billing date: one line, with the product where the deal has only one.

    What of the amount is tax Pipedrive does not say, so the invoice says nothing of it either.

    Raises:
        BadValueError: an amount or a date that is none, a currency that is missing.
    """
    held, own = Row("deal", parts.deal), Row("installment", row)
    amount = own.number("amount")
    if amount is None:
        raise own.missing("amount", "Give the installment an amount in Pipedrive.")
    billed = own.as_day("billing_date", own.text("billing_date"))
    products = {str(one.get("product_id")) for one in parts.products if one.get("is_enabled") is not False}
    product = record_key(rules.connection, "product", next(iter(products))) if len(products) == 1 else None
    line = InvoiceLine(
        line_id=str(row.get("id")),
        product=product,
        description=own.text("description") or held.text("title"),
        unit_price=amount,
        amount=amount,
    )
    made = _invoice(
        held,
        rules,
        status=rules.status_of(parts.deal),
        won=parts.deal.get("status") == "won",
        number=None,
        lines=(line,),
        tax_included=False,
        stated_total=amount,
        memo=own.text("description") or held.text("title"),
    )
    return made.model_copy(update={"dated": billed, "due": billed})


def _invoice(
    held: Row,
    rules: DealRules,
    *,
    status: str,
    won: bool,
    number: str | None,
    lines: tuple[InvoiceLine, ...],
    tax_included: bool,
    stated_total: Decimal | None,
    memo: str | None,
) -> Invoice:
    if held.text("status") is None:
        raise held.missing("status", "Look at the deal in Pipedrive: whether it is won decides what it becomes.")
    currency = held.text("currency")
    if currency is None:
        raise held.missing("currency", "Set the deal's currency in Pipedrive.")
    customer = rules.customer_of(held.values)
    due = rules.due.text(held.values) if rules.due is not None else None
    rate = rules.rate.text(held.values) if rules.rate is not None else None
    return Invoice(
        customer=record_key(rules.connection, *customer) if customer is not None else None,
        number=number,
        status=status,
        won=won,
        happened_at=held.instant("won_time") or held.instant("close_time"),
        due=held.as_day(rules.due.name, due) if rules.due is not None else None,
        exchange_rate=held.as_number(rules.rate.name, rate) if rules.rate is not None else None,
        currency=currency,
        stated_total=stated_total,
        memo=memo,
        lines=lines,
        tax_included=tax_included,
    )


def _line(row: Row, rules: DealRules) -> InvoiceLine:
    price = row.number("item_price")
    if price is None:
        raise row.missing("item_price", "Give the product on the deal a price in Pipedrive (0 if it is free).")
    if row.text("billing_frequency") not in {None, "one-time"} and rules.settings.recurring == "park":
        raise row.bad(
            "billing_frequency", row.text("billing_frequency") or "", "a single billing, and only those are invoiced"
        )
    quantity = row.number("quantity")
    quantity = quantity if quantity is not None else Decimal(1)
    fraction, unit_price, amount = _discounted(row, quantity, price)
    product_id = row.link("product_id")
    return InvoiceLine(
        line_id=row.text("id") or "",
        product=record_key(rules.connection, "product", product_id) if product_id is not None else None,
        description=row.text("name") or row.text("comments"),
        quantity=quantity,
        unit_price=unit_price,
        discount=fraction,
        amount=amount,
        tax_rate=_rate(row) if row.text("tax_method") in {"exclusive", "inclusive"} else None,
    )


def _discounted(row: Row, quantity: Decimal, price: Decimal) -> tuple[Decimal, Decimal, Decimal | None]:
    """Discount as a fraction, unit price, and the line's amount as Pipedrive itself sums it up (without tax on top)."""
    discount = row.number("discount") or NOTHING
    stated = row.number("sum")
    if row.text("discount_type") != "amount":
        fraction = discount / 100
        net = quantity * price * (1 - fraction)
        return fraction, price, _own_sum(row, stated, net)
    whole = quantity * price - discount
    each = quantity * (price - discount)
    net = each if stated is not None and whole != each and _fits(row, stated, each) else whole
    return NOTHING, net / quantity if quantity else price, _own_sum(row, stated, net)


def _own_sum(row: Row, stated: Decimal | None, net: Decimal) -> Decimal | None:
    """Pipedrive's own sum of a line, without the tax where it was put on top; None where it says none."""
    if stated is None or not _on_top(row, net, stated):
        return stated
    return cents(net)


def _on_top(row: Row, net: Decimal, stated: Decimal) -> bool:
    """Whether a sum is an amount with its tax put on top."""
    rate = _rate(row) if row.text("tax_method") == "exclusive" else NOTHING
    return rate != 0 and abs(stated - net * (1 + rate)) < abs(stated - net)


def _fits(row: Row, stated: Decimal, net: Decimal) -> bool:
    rate = _rate(row) if row.text("tax_method") == "exclusive" else NOTHING
    return any(abs(stated - wanted) <= CENT for wanted in (net, net * (1 + rate)))


def _rate(row: Row) -> Decimal:
    return (row.number("tax") or NOTHING) / 100


def _tax_included(deal: Row, rows: Sequence[Row]) -> bool:
    methods = {row.text("tax_method") for row in rows if _rate(row)}
    if "inclusive" in methods and len(methods) > 1:
        raise deal.bad("tax_method", ", ".join(sorted(map(str, methods))), "one method for all products of a deal")
    return methods == {"inclusive"}


def _stated_total(deal: Row, lines: Sequence[InvoiceLine]) -> Decimal | None:
    """The deal's value as the sum of its lines is compared with it: without a tax that was put on top."""
    value = deal.number("value")
    if value is None or not lines:
        return value
    tax = sum((cents(amount_of(line) * (line.tax_rate or NOTHING)) for line in lines), NOTHING)
    net = sum((cents(amount_of(line)) for line in lines), NOTHING)
    return value - tax if tax and abs(value - net - tax) <= CENT * len(lines) else value


def amount_of(line: InvoiceLine) -> Decimal:
    """What a line comes to, by Pipedrive's word or by its parts."""
    return line.amount if line.amount is not None else line.quantity * line.unit_price * (1 - line.discount)


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def _place_of(row: Row) -> tuple[Decimal, int, str]:
    place, identity = row.text("order_nr"), row.text("id") or ""
    number = Decimal(place) if place is not None and place.isdigit() else Decimal("Infinity")
    return (number, len(identity), identity)
