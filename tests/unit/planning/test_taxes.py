"""What a line bears and what a document says of tax, by how the books tax; figures by hand."""

from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Park
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Invoice
from support.planning import View, line, lines_of, mapping, only, request, sale

BRITISH = '[tax]\ntaxed = "20.0% S"\nexempt = "No VAT"\n[tax.codes]\nreduced = "5.0% R"\n'
MODES: tuple[TaxMode, ...] = ("none", "codes", "automated", "abroad", "abroad_none")


def planned(record: Invoice, mode: TaxMode, extra: str = "") -> Intent:
    return only(plan(request(record), mapping(extra), View(taxes=mode)))


def parked(record: Invoice, mode: TaxMode, extra: str = "") -> Park:
    found = plan(request(record), mapping(extra), View(taxes=mode))
    assert isinstance(found, Park), found
    return found


def codes(intent: Intent) -> list[JsonValue]:
    """The tax codes of the lines."""
    found: list[JsonValue] = []
    for entry in lines_of(intent.body):
        detail = entry["SalesItemLineDetail"]
        assert isinstance(detail, dict)
        found.append(detail.get("TaxCodeRef"))
    return found


def tax_of(intent: Intent) -> Decimal | None:
    assert intent.figures is not None
    return intent.figures.tax


@pytest.mark.parametrize("extra", ["", '[invoice]\ntax_code = ""\n'], ids=["default", "no code"])
def test_where_tax_is_automated_what_the_source_did_not_tax_says_so(extra: str) -> None:
    intent = planned(sale(line(), line("2", taxed=False), line("3", tax=Decimal(0))), "automated", extra)
    assert codes(intent) == [{"value": "NON"}] * 3
    assert tax_of(intent) == 0


def test_where_tax_is_automated_a_blanket_code_is_no_word_of_the_source() -> None:
    park = parked(sale(), "automated", '[invoice]\ntax_code = "TAX"\n')
    assert park.code == "tax_unstated"
    assert 'unstated = "taxed"' in park.fix
    intent = planned(sale(), "automated", '[tax]\nunstated = "taxed"\n')
    assert (codes(intent), tax_of(intent)) == ([{"value": "TAX"}], None)


@pytest.mark.parametrize("mode", MODES)
def test_silence_of_the_source_parks_where_the_mapping_wants_it(mode: TaxMode) -> None:
    assert parked(sale(), mode, '[tax]\nunstated = "park"\n').code == "tax_unstated"


@pytest.mark.parametrize("mode", ["codes", "automated"])
def test_what_the_source_taxed_is_taxed_and_its_figure_is_held_to(mode: TaxMode) -> None:
    intent = planned(sale(line(tax=Decimal("0.83")), line("2", taxed=False)), mode)
    assert codes(intent) == [{"value": "TAX"}, {"value": "NON"}]
    assert tax_of(intent) == Decimal("0.83")
    wanted: JsonValue = {"TotalTax": Decimal("0.83")} if mode == "codes" else None
    assert intent.body.get("TxnTaxDetail") == wanted


@pytest.mark.parametrize("mode", ["none", "abroad_none"])
def test_tax_in_books_that_collect_none_parks(mode: TaxMode) -> None:
    park = parked(sale(line(tax=Decimal("0.83"))), mode)
    assert park.code == "tax_switched_off"
    assert "Line 1 of deal 512" in park.reason
    assert tax_of(planned(sale(line(tax_rate=Decimal(0), taxed=True)), mode)) == 0


def test_abroad_each_line_bears_a_code_of_the_books() -> None:
    record = sale(
        line("1", tax_rate=Decimal("0.2")),
        line("2", tax_rate=Decimal("0.05"), tax_code="reduced"),
        line("3", taxed=False),
    )
    intent = planned(record, "abroad", BRITISH)
    named: list[JsonObject] = [{"$name": ["TaxCode", name]} for name in ("20.0% S", "5.0% R", "No VAT")]
    assert codes(intent) == named
    assert intent.body["GlobalTaxCalculation"] == "TaxExcluded"
    assert tax_of(intent) == Decimal("2.50")


def test_abroad_a_code_that_the_mapping_does_not_know_parks() -> None:
    assert parked(sale(line(tax_code="luxury")), "abroad", BRITISH).code == "unknown_tax_code"
    assert parked(sale(line(taxed=True)), "abroad").code == "unknown_tax_code"
    assert parked(sale(), "abroad").code == "no_exempt_code"


def test_abroad_prices_may_contain_the_tax() -> None:
    """Three at 9.99 with 20 % inside: 29.97, of which 4.995, so 5.00, is tax and 24.97 net."""
    record = sale(
        line(quantity=Decimal(3), unit_price=Decimal("9.99"), tax_rate=Decimal("0.2")),
        tax_included=True,
        stated_total=Decimal("29.97"),
    )
    intent = planned(record, "abroad", BRITISH)
    (sold,) = lines_of(intent.body)
    detail = sold["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert intent.body["GlobalTaxCalculation"] == "TaxInclusive"
    assert (sold["Amount"], detail["TaxInclusiveAmt"]) == (Decimal("24.97"), Decimal("29.97"))
    quantity, price = detail["Qty"], detail["UnitPrice"]
    assert isinstance(quantity, Decimal)
    assert isinstance(price, Decimal)
    # QuickBooks refuses a line that is not quantity times price (6070).
    assert round(quantity * price, 2) == Decimal("24.97")
    assert intent.figures is not None
    assert (intent.figures.net, intent.figures.tax) == (Decimal("24.97"), Decimal("5.00"))
    assert intent.figures.included


def test_prices_with_tax_inside_park_where_nobody_says_how_much() -> None:
    assert parked(sale(line(taxed=True), tax_included=True), "abroad", BRITISH).code == "no_line_tax"


def test_without_a_registration_abroad_tax_does_not_apply() -> None:
    intent = planned(sale(), "abroad_none")
    assert (intent.body["GlobalTaxCalculation"], codes(intent)) == ("NotApplicable", [None])


def test_the_tax_of_the_whole_and_of_its_lines_must_agree_to_the_cent() -> None:
    lines = [line(str(number), tax=Decimal("0.07"), unit_price=Decimal("0.33")) for number in range(1, 4)]
    # 0.99 at 20 % is 0.198: the source rounds once, its lines three times.
    assert tax_of(planned(sale(*lines, stated_tax=Decimal("0.20")), "codes")) == Decimal("0.20")
    park = parked(sale(*lines, stated_tax=Decimal("0.30")), "codes")
    assert park.code == "tax_mismatch"
    assert "a difference of 0.09" in park.reason
    assert parked(sale(stated_tax=Decimal("1.00")), "codes").code == "tax_mismatch"


def test_a_stated_tax_without_lines_is_that_of_the_whole() -> None:
    extra = '[invoice]\nno_lines = "one_line"\ncatch_all = "Services"\n'
    record = sale(lines=(), stated_total=Decimal("100.00"), stated_tax=Decimal("8.25"))
    intent = planned(record, "codes", extra)
    assert (codes(intent), intent.amount, tax_of(intent)) == ([{"value": "TAX"}], Decimal("100.00"), Decimal("8.25"))
