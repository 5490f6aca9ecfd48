"""Won sales become invoices, to the cent; what is doubtful is parked with its figures."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Invoice
from support.planning import (
    COMPANY,
    DEAL,
    GADGET,
    WIDGET,
    View,
    line,
    lines_of,
    link_of,
    mapping,
    only,
    request,
    sale,
)


def parked(record: Invoice, extra: str = "", view: View | None = None) -> Park:
    planned = plan(request(record), mapping(extra), view or View())
    assert isinstance(planned, Park), planned
    return planned


def body(record: Invoice, extra: str = "", view: View | None = None) -> JsonObject:
    return only(plan(request(record), mapping(extra), view or View())).body


def test_a_won_sale_becomes_this_invoice() -> None:
    intent = only(plan(request(sale(line(description="Widget, blue"), due=date(2026, 4, 13))), mapping(), View()))
    assert intent.body == {
        "CustomerRef": {"$record": COMPANY},
        "TxnDate": "2026-03-14",
        "DocNumber": "1001",
        "DueDate": "2026-04-13",
        "Line": [
            {
                "$line": "1",
                "Amount": Decimal("10.00"),
                "Description": "Widget, blue",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"$record": WIDGET},
                    "Qty": Decimal(1),
                    "UnitPrice": Decimal(10),
                    "TaxCodeRef": {"value": "NON"},
                },
            }
        ],
        "PrivateNote": "From hubspot deal 512 {marker}",
    }
    assert (intent.target, intent.entity, intent.operation) == ("quickbooks", "Invoice", "create")
    assert intent.needs == (COMPANY, WIDGET)
    assert intent.person == COMPANY
    assert (intent.doc_number, intent.amount, intent.currency) == ("1001", Decimal("10.00"), "USD")


def test_what_is_not_won_is_skipped() -> None:
    planned = plan(request(sale(won=False, status="proposal")), mapping(), View())
    assert planned == Skip(code="not_won", reason="deal 512 (hubspot) is not won (status proposal).")


def test_a_list_of_statuses_takes_the_place_of_won() -> None:
    extra = '[invoice]\nwhen = ["Invoiced"]\n'
    assert isinstance(plan(request(sale(status="closedwon")), mapping(extra), View()), Skip)
    assert body(sale(status="invoiced", won=False), extra)["DocNumber"] == "1001"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("America/New_York", "2026-10-31"), ("UTC", "2026-11-01"), ("Asia/Tokyo", "2026-11-01")],
)
def test_a_deal_closed_late_on_a_month_s_last_day_is_booked_in_that_month_where_it_happened(
    zone: str, expected: str
) -> None:
    # 23:30 in New York, still on summer time (UTC-4), is 03:30 of the next day in UTC.
    happened = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    planned = plan(
        request(sale(dated=None, happened_at=happened)),
        mapping().model_copy(update={"connection": mapping().connection.model_copy(update={"zone": zone})}),
        View(),
    )
    assert only(planned).body["TxnDate"] == expected


def test_the_day_of_the_zone_counts_across_the_end_of_summer_time() -> None:
    # Clocks in New York go back on 2026-11-01 at 06:00 UTC: 04:30 UTC of the 2nd is then 23:30 of the 1st.
    happened = datetime(2026, 11, 2, 4, 30, tzinfo=UTC)
    assert body(sale(dated=None, happened_at=happened))["TxnDate"] == "2026-11-01"


def test_a_stated_date_wins_unless_the_mapping_prefers_what_happened() -> None:
    both = sale(dated=date(2026, 5, 2), happened_at=datetime(2026, 4, 30, 12, tzinfo=UTC))
    assert body(both)["TxnDate"] == "2026-05-02"
    assert body(both, '[invoice]\ndate = "happened"\n')["TxnDate"] == "2026-04-30"


@pytest.mark.parametrize(
    "values",
    [
        {"dated": None},
        {"dated": date(1970, 1, 1)},
        {"dated": date(9999, 12, 31)},
        {"dated": None, "happened_at": datetime.fromisoformat("2026-05-01T12:00:00")},
    ],
)
def test_a_missing_or_impossible_date_parks(values: dict[str, object]) -> None:
    assert parked(sale(**values)).code == "wrong_date"


def test_a_discount_keeps_the_decimals_that_its_price_needs() -> None:
    # 9 at 14.95 less 5 %: 14.2025 a piece, 127.8225, so 127.82; a price rounded to the cent would give 127.80.
    (only_line,) = lines_of(
        body(sale(line(quantity=Decimal(9), unit_price=Decimal("14.95"), discount=Decimal("0.05"))))
    )
    detail = only_line["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert detail["UnitPrice"] == Decimal("14.2025")
    assert only_line["Amount"] == Decimal("127.82")


def test_half_a_cent_is_rounded_up() -> None:
    (only_line,) = lines_of(body(sale(line(quantity=Decimal("0.5"), unit_price=Decimal("0.25")))))
    assert only_line["Amount"] == Decimal("0.13")


def test_a_price_with_more_than_seven_decimals_is_cut_where_the_cent_holds() -> None:
    (only_line,) = lines_of(body(sale(line(quantity=Decimal(3), unit_price=Decimal("33.333333333333")))))
    detail = only_line["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert detail["UnitPrice"] == Decimal("33.3333333")
    assert only_line["Amount"] == Decimal("100.00")


def test_a_line_that_no_price_can_express_is_parked_with_its_figures() -> None:
    # With 10,000,000 pieces a step of 0.0000001 in the price moves the amount by a whole unit.
    record = sale(line(quantity=Decimal(10_000_000), unit_price=Decimal("0.00000004")))
    assert parked(record).code == "line_inexpressible"
    assert "comes to 0.40" in parked(record).reason


def test_the_source_s_own_rounding_of_a_line_is_followed_to_the_cent() -> None:
    # 3 x 0.335 = 1.005: half up 1.01, half even 1.00. The source says 1.00.
    (only_line,) = lines_of(body(sale(line(quantity=Decimal(3), unit_price=Decimal("0.335"), amount=Decimal("1.00")))))
    detail = only_line["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert only_line["Amount"] == Decimal("1.00")
    assert detail["UnitPrice"] == Decimal("0.3333333")


def test_a_line_whose_amount_is_not_its_product_is_parked_with_both() -> None:
    refusal = parked(sale(line(quantity=Decimal(2), unit_price=Decimal(10), amount=Decimal(25))))
    assert refusal.code == "line_mismatch"
    assert refusal.reason == ("Line 1 of deal 512 (hubspot) states 25.00, but 2 x 10 is 20.00: a difference of 5.00.")


def test_freight_is_a_line_of_its_own_with_its_own_item() -> None:
    freight = line("f", product=None, role="freight", unit_price=Decimal("32.38"))
    sold = lines_of(body(sale(line(), freight), '[invoice]\nfreight_item = "Freight"\n'))
    detail = sold[1]["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert detail["ItemRef"] == {"$name": ["Item", "Freight"]}
    assert sold[1]["Amount"] == Decimal("32.38")
    assert parked(sale(line(), freight)).code == "no_freight_item"


def test_free_freight_makes_no_line() -> None:
    free = line("f", product=None, role="freight", unit_price=Decimal(0))
    assert len(lines_of(body(sale(line(), free)))) == 1


def test_an_unknown_customer_or_product_parks() -> None:
    assert parked(sale(customer=None)).code == "no_customer"
    assert parked(sale(customer="hubspot:company:99")).code == "unknown_customer"
    refusal = parked(sale(line(), line("2", product="hubspot:product:99")))
    assert refusal.code == "unknown_product"
    assert refusal.reason == (
        "Line 2 of deal 512 (hubspot) names product 99 (hubspot), which the source does not show."
    )


def test_an_unknown_product_may_go_to_the_catch_all() -> None:
    extra = '[product]\nunknown = "catch_all"\n[invoice]\ncatch_all = "Sales"\n'
    intent = only(plan(request(sale(line(product="hubspot:product:99"))), mapping(extra), View()))
    detail = lines_of(intent.body)[0]["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert detail["ItemRef"] == {"$name": ["Item", "Sales"]}
    assert intent.needs == (COMPANY,)


def test_a_line_may_name_its_own_item() -> None:
    """By the first line of its words, as item names are written; one that has none goes to the catch-all."""
    rule = '[product]\nunknown = "create"\n[invoice]\ncatch_all = "Sales"\nfreight_item = "Freight"\n'
    lines = (
        line(line_id="1", product=None, description="Set-up: two days\nin May"),
        line(line_id="2", product="hubspot:product:99", description="Lamp, blue"),
        line(line_id="3", product=None, description=" "),
        line(line_id="4", product=None, description="Express", role="freight"),
        line(line_id="5", description="Known to the source"),
    )
    intent = only(plan(request(sale(*lines)), mapping(rule), View()))
    items = [found["ItemRef"] for one in lines_of(intent.body) if isinstance(found := one["SalesItemLineDetail"], dict)]
    named: list[JsonObject] = [
        {"$name": ["Item", name]} for name in ("Set-up - two days", "Lamp, blue", "Sales", "Freight")
    ]
    assert items == [*named, {"$record": WIDGET}]
    assert intent.needs == (COMPANY, WIDGET)
    long = sale(line(product=None, description="x" * 101))
    assert parked(long, rule).code == "name_too_long"
    shortened = body(long, rule.replace("[invoice]", 'name_too_long = "shorten"\n[invoice]'))
    (only_line,) = lines_of(shortened)
    detail = only_line["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert isinstance(item := detail["ItemRef"], dict)
    assert isinstance(names := item["$name"], list)
    assert len(str(names[1])) == 100


def test_a_sum_without_lines_names_no_item() -> None:
    """Its words say why, and not what: each would make an item of its own; so would a refund's."""
    whole = '[product]\nunknown = "create"\n[invoice]\nno_lines = "one_line"\ncatch_all = "Sales"\n'
    (booked,) = lines_of(body(sale(lines=(), stated_total=Decimal(5), memo="As agreed"), whole))
    detail = booked["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert detail["ItemRef"] == {"$name": ["Item", "Sales"]}


def test_a_line_without_product_needs_a_catch_all() -> None:
    assert parked(sale(line(product=None))).code == "no_catch_all"
    assert body(sale(line(product=None)), '[invoice]\ncatch_all = "Sales"\n')["DocNumber"] == "1001"


def test_a_sale_without_lines_parks_or_becomes_one_line() -> None:
    bare = Invoice.model_validate({**sale().model_dump(), "lines": (), "stated_total": Decimal("1200.00")})
    assert parked(bare).code == "no_lines"
    (whole,) = lines_of(body(bare, '[invoice]\nno_lines = "one_line"\ncatch_all = "Sales"\n'))
    assert whole["Amount"] == Decimal("1200.00")


def test_a_stated_total_that_is_not_the_sum_parks_with_both_and_the_difference() -> None:
    record = sale(line(), line("2", unit_price=Decimal("5.50")), stated_total=Decimal("1015.00"))
    assert parked(record).reason == (
        "deal 512 (hubspot) states 1,015.00 USD, but its lines come to 15.50: a difference of 999.50."
    )
    assert body(record, '[invoice]\ntotal_mismatch = "ignore"\n')["DocNumber"] == "1001"


@pytest.mark.parametrize(("stated", "parks"), [("10.05", False), ("9.95", False), ("10.06", True), ("9.94", True)])
def test_the_tolerance_is_inclusive(stated: str, *, parks: bool) -> None:
    extra = '[invoice]\ntolerance = "0.05"\n'
    planned = plan(request(sale(stated_total=Decimal(stated))), mapping(extra), View())
    assert parks == isinstance(planned, Park)


def test_a_sale_below_zero_parks_where_the_mapping_says_so() -> None:
    planned = plan(request(sale(line(unit_price=Decimal(-10)))), mapping('[invoice]\nnegative = "park"\n'), View())
    assert isinstance(planned, Park)
    assert planned.code == "negative_total"


def test_a_sale_below_zero_is_a_credit_memo_whose_lines_have_the_other_sign() -> None:
    returned = sale(
        line(quantity=Decimal(-3), unit_price=Decimal("2.55"), product=None),
        line("2", unit_price=Decimal("-1.10"), discount=Decimal("0.5"), product=None),
        line("3", unit_price=Decimal("0.20"), product=None),
        number="C536379",
        stated_total=Decimal("-8.00"),
    )
    rules = '[invoice]\ncatch_all = "Services"\nnumber = "R-{number}"\n'
    intent = only(plan(request(returned), mapping(rules), View()))
    assert (intent.entity, intent.amount, intent.doc_number) == ("CreditMemo", Decimal("8.00"), "R-C536379")
    details = [one["SalesItemLineDetail"] for one in lines_of(intent.body)]
    assert [(one["Qty"], one["UnitPrice"]) for one in details if isinstance(one, dict)] == [
        (Decimal(3), Decimal("2.55")),
        (Decimal(1), Decimal("0.55")),
        (Decimal(1), Decimal("-0.20")),
    ]
    wrong = plan(request(returned.model_copy(update={"stated_total": Decimal("-9.00")})), mapping(rules), View())
    assert isinstance(wrong, Park)
    assert wrong.code == "total_mismatch"
    own = mapping(rules + '[credit_memo]\nnumber = "CM-{id}"\n')
    assert only(plan(request(returned), own, View())).doc_number == "CM-512"
    nobody = plan(request(returned.model_copy(update={"customer": None})), mapping(rules), View())
    assert isinstance(nobody, Park)
    assert nobody.code == "no_customer"


def test_a_sale_that_changes_its_sign_after_it_was_posted_parks() -> None:
    for before, after in ((10, -10), (-10, 10)):
        posted = only(plan(request(sale(line(unit_price=Decimal(before)))), mapping(), View()))
        view = View(links={DEAL: link_of(posted)})
        found = plan(request(sale(line(unit_price=Decimal(after)))), mapping(), view)
        assert isinstance(found, Park)
        assert found.code == "changed_sign"
    reopened = plan(
        request(sale(line(unit_price=Decimal(-10)), won=False)),
        mapping('[invoice]\nreopened = "void"\n'),
        View(links={DEAL: link_of(only(plan(request(sale(line(unit_price=Decimal(-10)))), mapping(), View())))}),
    )
    assert isinstance(reopened, Park)
    assert reopened.code == "reopened"


@pytest.mark.parametrize(
    ("template", "number", "expected"),
    [
        ("{number}", "A-7", "A-7"),
        ("{number}", None, "512"),
        ("HS-{id}", "A-7", "HS-512"),
        ("{id:2}/{kind}", "A-7", "12/deal"),
    ],
)
def test_the_number_follows_its_template(template: str, number: str | None, expected: str) -> None:
    assert body(sale(number=number), f'[invoice]\nnumber = "{template}"\n')["DocNumber"] == expected


def test_a_number_over_21_characters_parks_or_is_shortened_in_the_same_way_each_time() -> None:
    long = "2026-NORTH-EAST-00000042-REV-B"
    refusal = parked(sale(number=long))
    assert refusal.code == "number_too_long"
    assert "it has 30 characters, QuickBooks takes 21" in refusal.reason
    extra = '[invoice]\nnumber_too_long = "shorten"\n'
    first = body(sale(number=long), extra)["DocNumber"]
    other = body(sale(number=long + "C"), extra)["DocNumber"]
    assert first == body(sale(number=long), extra)["DocNumber"]
    assert first != other
    assert isinstance(first, str)
    assert len(first) <= 21
    assert body(sale(number="x" * 21))["DocNumber"] == "x" * 21


def test_a_number_that_another_record_bears_parks() -> None:
    taken = View(numbers={"1001": "hubspot:deal:3"})
    assert parked(sale(), view=taken).code == "number_taken"
    assert body(sale(), view=View(numbers={"1001": DEAL}))["DocNumber"] == "1001"


def test_a_foreign_currency_needs_books_that_take_it() -> None:
    assert parked(sale(currency="EUR")).code == "foreign_currency"
    european = View(multi=True, records={COMPANY: Customer(name="Zoé", currency="EUR")})
    sent = body(sale(currency="EUR", exchange_rate=Decimal("1.0835")), view=european)
    assert (sent["CurrencyRef"], sent["ExchangeRate"]) == ({"value": "EUR"}, Decimal("1.0835"))
    assert "CurrencyRef" not in body(sale())


def test_a_customer_kept_in_another_currency_parks() -> None:
    customer = only(plan(request(sale()), mapping(), View()))
    held: JsonObject = {"CurrencyRef": {"value": "USD"}}
    view = View(multi=True, links={COMPANY: link_of(customer, COMPANY, held)})
    assert parked(sale(currency="EUR"), view=view).code == "customer_currency"


def test_lines_with_one_id_stay_apart() -> None:
    sold = lines_of(body(sale(line("a"), line("a", product=GADGET))))
    assert [entry["$line"] for entry in sold] == ["a", "a#2"]


def test_a_marker_s_place_in_the_memo_of_the_source_is_defused() -> None:
    note = body(sale(memo="sly {marker} text"), '[invoice]\nmemo = "{memo}"\n')["PrivateNote"]
    assert note == "sly (marker) text {marker}"


def test_terms_and_a_memo_for_the_customer() -> None:
    sent = body(sale(memo="Thank you"), '[invoice]\nterms = "Net 30"\ncustomer_memo = "{memo}"\n')
    assert sent["SalesTermRef"] == {"$name": ["Term", "Net 30"]}
    assert sent["CustomerMemo"] == {"value": "Thank you"}


def test_large_invoices_wait_for_approval() -> None:
    extra = '[post.invoice]\nreview_above = "9.99"\n'
    assert only(plan(request(sale()), mapping(extra), View())).review
    assert not only(plan(request(sale()), mapping(), View())).review


def test_other_source_kinds_are_skipped_where_the_mapping_names_some() -> None:
    planned = plan(request(sale(), "hubspot:quote:1"), mapping('[invoice]\nfrom = ["deal"]\n'), View())
    assert isinstance(planned, Skip)
    assert planned.code == "not_mapped"
