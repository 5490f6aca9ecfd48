"""Documents that were in the books before: equal ones call for nothing, others are seen before they are written."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Link, Park, Plan, Skip, Unchanged
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Application, Customer, Invoice, Payment
from support.planning import COMPANY, DEAL, WIDGET, View, line, mapping, only, request, sale

ANN = Customer(name="Ann Smith", email="ann@shop.example", phone="+1 555 0100")
KEPT: JsonObject = {
    "Id": "77",
    "SyncToken": "3",
    "DisplayName": "Ann Smith",
    "PrimaryEmailAddr": {"Address": "ann@shop.example"},
    "PrimaryPhone": {"FreeFormNumber": "+1 555 0100"},
    "Active": True,
    "Notes": "pays late",
}
BILLED: JsonObject = {
    "Id": "90",
    "SyncToken": "1",
    "CustomerRef": {"value": "77"},
    "TxnDate": "2026-03-14",
    "DocNumber": "1001",
    "TotalAmt": Decimal("10.00"),
    "PrivateNote": "entered by hand",
    "Line": [
        {
            "Id": "1",
            "Amount": Decimal("10.0"),
            "Description": "a widget, as agreed",
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "5", "name": "Widget"}},
        },
        {"Amount": Decimal("10.00"), "DetailType": "SubTotalLineDetail"},
    ],
}


def adopted(key: str, entity: str, document: JsonObject, **changed: JsonValue) -> Link:
    held: JsonObject = {**document, **changed}
    return Link(
        record_key=key,
        entity=entity,
        document_id=str(document["Id"]),
        sync_token="3",
        content_hash="",
        image=held,
        latest=held,
        adopted=True,
    )


def planned_customer(extra: str = "", **changed: JsonValue) -> Plan:
    view = View(links={COMPANY: adopted(COMPANY, "Customer", KEPT, **changed)})
    return plan(request(ANN, COMPANY), mapping(extra), view)


def planned_invoice(
    record: Invoice | None = None, extra: str = "", changed: dict[str, JsonValue] | None = None
) -> Plan:
    links = {
        COMPANY: adopted(COMPANY, "Customer", KEPT),
        WIDGET: adopted(WIDGET, "Item", {"Id": "5", "Name": "Widget"}),
        DEAL: adopted(DEAL, "Invoice", BILLED, **(changed or {})),
    }
    return plan(request(record or sale()), mapping(extra), View(links=links))


def test_a_customer_that_holds_the_same_calls_for_nothing() -> None:
    planned = planned_customer()
    assert isinstance(planned, Unchanged)
    assert planned.reason == "Customer id 77, which was there before, holds the same."


def test_a_customer_that_says_otherwise_waits_for_a_person_who_is_told_where_but_not_what() -> None:
    intent = only(planned_customer(PrimaryPhone={"FreeFormNumber": "+1 555 0199"}, DisplayName="Smith, Ann"))
    assert (intent.operation, intent.review) == ("update", True)
    assert intent.remark == "Customer id 77 was there before and says otherwise: DisplayName, PrimaryPhone."


def test_fields_of_the_books_are_no_difference() -> None:
    ours = '[fields.customer.PrimaryPhone]\nowner = "books"\n'
    assert isinstance(planned_customer(ours, PrimaryPhone={"FreeFormNumber": "+1 555 0199"}), Unchanged)


def test_where_the_mapping_says_that_the_source_counts_nobody_is_asked() -> None:
    ours = '[fields.customer.PrimaryPhone]\nowner = "source"\n'
    intent = only(planned_customer(ours, PrimaryPhone={"FreeFormNumber": "+1 555 0199"}))
    assert (intent.operation, intent.review, intent.remark) == ("update", False, "")


def test_an_invoice_that_comes_to_the_same_calls_for_nothing_however_it_is_worded() -> None:
    assert isinstance(planned_invoice(extra='[invoice]\nnumber = "{number}"\n'), Unchanged)


@pytest.mark.parametrize(
    ("record", "changed", "named"),
    [
        (None, {"TxnDate": "2026-03-15"}, "TxnDate"),
        (None, {"CustomerRef": {"value": "78"}}, "CustomerRef"),
        (sale(line(unit_price=Decimal("12.00"))), {}, "Line"),
        (sale(line(), line("2")), {}, "Line"),
    ],
)
def test_an_invoice_that_differs_is_parked_and_never_written_over(
    record: Invoice | None, changed: dict[str, JsonValue], named: str
) -> None:
    planned = planned_invoice(record, changed=changed)
    assert isinstance(planned, Park)
    assert planned.code == "adopted_differs"
    assert f"differs in {named}" in planned.reason
    assert "skip it" in planned.fix


START = "[start]\ndate = 2026-03-15\npayment = 2026-04-01\n"


@pytest.mark.parametrize(("day", "posted"), [(date(2026, 3, 14), False), (date(2026, 3, 15), True)])
def test_what_is_dated_before_the_start_is_not_posted(day: date, posted: bool) -> None:
    planned = plan(request(sale(dated=day)), mapping(START), View())
    if posted:
        assert only(planned).operation == "create"
    else:
        assert isinstance(planned, Skip)
        assert (planned.code, planned.reason) == (
            "before_start",
            "deal 512 (hubspot) is dated 2026-03-14, before the start date 2026-03-15.",
        )


def test_an_adopted_invoice_from_before_the_start_goes_on() -> None:
    assert isinstance(planned_invoice(extra=START), Unchanged)


def test_lists_have_no_date_and_are_posted_whenever_they_began() -> None:
    assert only(plan(request(ANN, COMPANY), mapping(START), View())).operation == "create"


def test_a_payment_of_an_invoice_that_is_not_posted_says_what_to_do() -> None:
    paid = Payment(
        customer=COMPANY,
        dated=date(2026, 4, 2),
        currency="USD",
        amount=Decimal(10),
        applied=(Application(invoice=DEAL, amount=Decimal(10)),),
    )
    key = "hubspot:payment:9"
    early = plan(request(paid.model_copy(update={"dated": date(2026, 3, 31)}), key), mapping(START), View())
    assert isinstance(early, Skip)
    planned = plan(request(paid, key), mapping(START), View(records={DEAL: sale()}))
    assert isinstance(planned, Park)
    assert planned.code == "invoice_before_start"
    assert "counterfoil onboard" in planned.fix
