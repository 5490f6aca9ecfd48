"""Normalising: figures worked out here, from the meaning of HubSpot's properties."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.sources.port import Seen, SourceChange, Unreadable
from counterfoil_adapters.hubspot.client import Linked
from counterfoil_adapters.hubspot.kinds import KINDS, SALES
from counterfoil_adapters.hubspot.normalise import Parties, Rules, company_change, contact_change, product_change
from counterfoil_adapters.hubspot.payments import PaymentParts, Step, payment_change, refund_changes
from counterfoil_adapters.hubspot.sales import SaleParts, sale_change
from counterfoil_adapters.hubspot.write_back import same_values
from counterfoil_schema.exact_json import JsonObject, dumps
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, Product

RULES = Rules("crm", currency="USD")
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
cents = st.decimals(min_value=Decimal("-99999999.99"), max_value=Decimal("99999999.99"), places=2)


def row(source_id: str = "1", **properties: str | None) -> JsonObject:
    return {"id": source_id, "updatedAt": "2026-11-01T00:00:00Z", "properties": dict(properties)}


def of(deal: JsonObject, *lines: JsonObject, companies: Linked | None = None) -> SourceChange:
    ids = [str(line["id"]) for line in lines]
    parties = Parties({"company": companies} if companies is not None else {})
    return sale_change(RULES, SaleParts("deal", deal, parties, ids, {str(line["id"]): line for line in lines}))


def invoice_of(change: SourceChange) -> Invoice:
    assert isinstance(change, Seen), change
    assert isinstance(change.record, Invoice)
    return change.record


def line_of(**properties: str | None) -> InvoiceLine:
    (line,) = invoice_of(of(row(), row("9", **properties))).lines
    return line


@given(price=cents, off=cents, quantity=st.decimals(min_value=0, max_value=10_000, places=3))
def test_a_unit_discount_comes_off_the_price_exactly(price: Decimal, off: Decimal, quantity: Decimal) -> None:
    line = line_of(price=str(price), discount=str(off), quantity=str(quantity))
    assert line.quantity * line.unit_price * (1 - line.discount) == quantity * (price - off)


@given(price=cents, percentage=st.decimals(min_value=0, max_value=100, places=2))
def test_a_percentage_is_a_part_of_the_line(price: Decimal, percentage: Decimal) -> None:
    line = line_of(price=str(price), hs_discount_percentage=str(percentage))
    assert (price, percentage) == (line.unit_price, line.discount * 100)


def test_a_percentage_of_zero_leaves_the_unit_discount_in_force() -> None:
    line = line_of(price="10", discount="1", hs_discount_percentage="0")
    assert (Decimal(9), Decimal(0)) == (line.unit_price, line.discount)


@pytest.mark.parametrize("text", ["19.999999999999999999", "0.1", "-5", "1E+3", " 7.50 "])
def test_amounts_keep_every_digit(text: str) -> None:
    assert Decimal(text.strip()) == invoice_of(of(row(amount=text))).stated_total


@pytest.mark.parametrize("text", ["12,50", "NaN", "Infinity", "1 000", "$5", "five"])
def test_what_is_no_amount_is_kept_whole_and_explained(text: str) -> None:
    change = of(row("512", amount=text))
    assert isinstance(change, Unreadable)
    assert change.place == "deal 512, property amount"
    assert change.fix == "Correct amount in HubSpot."
    assert dumps(text).decode() in change.raw


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-31T23:30:00Z", "2026-10-31T23:30:00+00:00"),
        ("2026-10-31T23:30:00.123Z", "2026-10-31T23:30:00.123000+00:00"),
        ("2026-10-31T19:30:00-04:00", "2026-10-31T23:30:00+00:00"),
        ("1793489400000", "2026-10-31T23:30:00+00:00"),
        ("-1", "1969-12-31T23:59:59.999000+00:00"),
        ("2026-10-31", "2026-10-31T00:00:00+00:00"),
    ],
)
def test_instants_come_as_text_or_milliseconds(text: str, instant: str) -> None:
    happened_at = invoice_of(of(row(closedate=text))).happened_at
    assert happened_at is not None
    assert instant == happened_at.isoformat()


@pytest.mark.parametrize("text", ["yesterday", "99999999999999999", "2026-13-01"])
def test_an_impossible_date_is_explained(text: str) -> None:
    change = of(row("512", closedate=text))
    assert isinstance(change, Unreadable)
    assert change.place == "deal 512, property closedate"


@pytest.mark.parametrize(
    ("linked", "customer"),
    [
        (None, None),
        (Linked(["7"]), "crm:company:7"),
        (Linked(["7", "8"]), None),
        (Linked(["7", "8"], "8"), "crm:company:8"),
    ],
)
def test_the_customer_is_never_guessed(linked: Linked | None, customer: str | None) -> None:
    assert customer == invoice_of(of(row(), companies=linked)).customer


def test_lines_stand_as_on_the_quote_then_by_age() -> None:
    lines = [row("100", price="1"), row("99", price="1"), row("50", price="1", hs_position_on_quote="1")]
    assert [line.line_id for line in invoice_of(of(row(), *lines)).lines] == ["50", "99", "100"]


def test_a_line_without_a_price_names_the_line() -> None:
    change = of(row("512"), row("9", price=None))
    assert isinstance(change, Unreadable)
    assert (change.source_id, change.place) == ("512", "line item 9, property price")


def test_a_line_that_hubspot_does_not_show_is_no_line_less() -> None:
    change = sale_change(RULES, SaleParts("deal", row("512"), line_ids=["9"]))
    assert isinstance(change, Unreadable)
    assert change.place == "deal 512, line item 9"


def test_a_company_goes_by_its_domain_if_it_must() -> None:
    change = company_change(row(name="  ", domain="acme.test"))
    assert isinstance(change, Seen)
    assert Customer(name="acme.test") == change.record
    assert isinstance(company_change(row(name=None)), Unreadable)


def test_a_product_without_a_price_has_none() -> None:
    change = product_change(RULES, row(name="Thing", price=None))
    assert isinstance(change, Seen)
    assert Product(name="Thing", currency="USD") == change.record


def test_the_version_follows_the_content_and_not_its_wrapping() -> None:
    plain, wrapped = row(dealname="A"), {**row(dealname="A"), "url": "https://app.hubspot.test/1", "archived": False}
    other = row(dealname="A", qbo_status="paid")
    versions = [change.version for change in map(of, (plain, wrapped, other)) if isinstance(change, Seen)]
    assert versions[0] == versions[1]
    assert versions[0] != versions[2]


values = st.none() | st.text() | st.sampled_from(["1E+9999999", "-5", "2026-11-01", "succeeded", "refunded", "0.30"])
"""Of properties: whatever text, and some that are read."""


@given(st.dictionaries(st.sampled_from(sorted({p for kind in KINDS.values() for p in kind.properties})), values))
def test_whatever_an_object_holds_it_is_seen_or_explained(properties: dict[str, str | None]) -> None:
    whole: JsonObject = {**row(), "properties": dict(properties)}
    line: JsonObject = {**row("9", price="1", hs_tax_amount="0.10"), "createdAt": "2026-11-01T00:00:00Z"}
    parties = Parties({"company": Linked(["7"])})
    changes = [company_change(whole), contact_change(whole), product_change(RULES, whole)]
    for kind in SALES:
        sale = SaleParts(kind, whole, parties, ["9"], {"9": line})
        paid = PaymentParts(whole, parties, [sale, sale], [Step(str(properties.get("hs_refunds_amount")), MOMENT)])
        changes.extend([sale_change(RULES, sale), payment_change(RULES, paid), *refund_changes(RULES, paid)])
    assert all(isinstance(change, Seen | Unreadable) for change in changes)


@given(st.text())
def test_same_values_never_raises(raw: str) -> None:
    assert not same_values("deal", {"a": "1"}, raw)
