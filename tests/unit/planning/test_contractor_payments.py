"""What contractors are paid: bills with their payments, or cheques. Every figure is written out here."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.compose import compose
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Composed, Intent, Link, Park, Plan, Skip, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import ContractorPayment
from support.planning import View, link_of, mapping, only, request

CONTRACTOR = "gusto:contractor:c1"
KEY = "gusto:contractor_payment:0f0e0d0c-000000a1b2c3"
PAYMENT_KEY = "gusto:contractor_payment@payment:0f0e0d0c-000000a1b2c3"
RULES = """
[contractor_payment]
document = "bill"
bank_account = "Checking"

[contractor_payment.accounts]
wages = "Contractors"
reimbursement = "Travel"
"""


def paid(**values: object) -> ContractorPayment:
    """1,250.50 for work and 31.07 laid out: 1,281.57."""
    usual = {
        "contractor": CONTRACTOR,
        "dated": date(2026, 11, 13),
        "currency": "USD",
        "wages": Decimal("1250.50"),
        "reimbursement": Decimal("31.07"),
        "method": "Direct Deposit",
        "department": "Design",
    }
    return ContractorPayment.model_validate({**usual, **values})


def view(**more: object) -> View:
    seen = View(known={CONTRACTOR, KEY})
    for name, value in more.items():
        setattr(seen, name, value)
    return seen


def planned(record: ContractorPayment | None, rules: str = RULES, seen: View | None = None) -> Plan:
    return plan(request(record, KEY), mapping(rules), seen or view())


def both(of: Plan) -> tuple[Intent, Intent]:
    assert isinstance(of, tuple), of
    bill, payment = of
    return bill, payment


def line(key: str, what: str, amount: str, account: str, classed: JsonObject | None = None) -> JsonObject:
    detail: JsonObject = {"AccountRef": {"$name": ["Account", account]}}
    return {
        "$line": key,
        "Description": what,
        "Amount": Decimal(amount),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail if classed is None else {**detail, "ClassRef": classed},
    }


def test_a_payment_is_a_bill_and_what_settles_it() -> None:
    bill, payment = both(planned(paid()))
    assert (bill.entity, bill.record_key, bill.needs, bill.person) == ("Bill", None, (CONTRACTOR,), CONTRACTOR)
    assert bill.body == {
        "VendorRef": {"$record": CONTRACTOR},
        "DueDate": "2026-11-13",
        "TxnDate": "2026-11-13",
        "DocNumber": "CP-2026-11-13-a1b2c3",
        "Line": [
            line("wages", "Contractor's work", "1250.50", "Contractors"),
            line("reimbursement", "Reimbursement", "31.07", "Travel"),
        ],
        "PrivateNote": "From gusto contractor_payment 0f0e0d0c-000000a1b2c3 {marker}",
    }
    assert (payment.entity, payment.record_key, payment.needs) == ("BillPayment", PAYMENT_KEY, (CONTRACTOR, KEY))
    settled: JsonObject = {"TxnId": {"$record": KEY}, "TxnType": "Bill"}
    assert payment.body == {
        "VendorRef": {"$record": CONTRACTOR},
        "TxnDate": "2026-11-13",
        "TotalAmt": Decimal("1281.57"),
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"$name": ["Account", "Checking"]}},
        "Line": [{"$line": KEY, "Amount": Decimal("1281.57"), "LinkedTxn": [settled]}],
        "PrivateNote": "From gusto contractor_payment 0f0e0d0c-000000a1b2c3 {marker}",
    }
    assert (bill.amount, payment.amount) == (Decimal("1281.57"), Decimal("1281.57"))


def test_or_a_cheque_whose_payee_is_a_vendor() -> None:
    intent = only(planned(paid(), RULES.replace('"bill"', '"cheque"')))
    assert (intent.entity, intent.needs) == ("Purchase", (CONTRACTOR,))
    assert (intent.body["PaymentType"], intent.body["AccountRef"]) == ("Check", {"$name": ["Account", "Checking"]})
    composed = compose(intent.body, "create", "Purchase", None, lambda _: ("Vendor", "56"), lambda _e, _n: "35", "[m]")
    assert isinstance(composed, Composed)
    assert composed.body["EntityRef"] == {"type": "Vendor", "value": "56"}


@pytest.mark.parametrize(("track", "at_head"), [("class", False), ("department", True)])
def test_a_department_is_a_class_on_the_lines_or_a_location_at_the_head(track: str, at_head: bool) -> None:
    rules = RULES.replace("bank_account", f'track = "{track}"\nbank_account')
    rules += '\n[contractor_payment.departments.Design]\nname = "Studio"\nwages = "Cost of Goods Sold"\n'
    bill, _ = both(planned(paid(), rules))
    lines = bill.body["Line"]
    assert isinstance(lines, list)
    ref: JsonObject = {"$name": ["Class", "Studio"]}
    classed = None if at_head else ref
    assert lines[0] == line("wages", "Contractor's work", "1250.50", "Cost of Goods Sold", classed)
    assert bill.body.get("DepartmentRef") == ({"$name": ["Department", "Studio"]} if at_head else None)
    off = planned(paid(), rules, view(tracked=()))
    assert isinstance(off, Park)
    assert off.code == "tracking_off"


@pytest.mark.parametrize(
    ("record", "rules", "code", "says"),
    [
        (paid(), "", "no_document", "[contractor_payment] document"),
        (paid(), RULES.replace('wages = "Contractors"', ""), "no_account", "accounts.wages"),
        (paid(), RULES.replace('bank_account = "Checking"', ""), "no_account", "bank_account"),
        (paid(wages=Decimal(-50), reimbursement=Decimal(0)), RULES, "negative_payment", "vendor credit"),
        (paid(currency="EUR"), RULES, "foreign_currency", "by hand"),
        (paid(contractor="gusto:contractor:c9"), RULES, "unknown_vendor", "Restore the contractor"),
    ],
)
def test_what_cannot_be_posted_says_what_to_do(record: ContractorPayment, rules: str, code: str, says: str) -> None:
    found = planned(record, rules)
    assert isinstance(found, Park)
    assert (found.code, says in found.fix) == (code, True), found


@pytest.mark.parametrize(
    ("record", "rules", "code"),
    [
        (paid(), RULES.replace('"bill"', '"skip"'), "not_mapped"),
        (paid(method="Historical Payment"), RULES, "method_left_out"),
        (paid(wages=Decimal(0), reimbursement=Decimal(0)), RULES, "nothing_to_post"),
    ],
)
def test_what_is_left_out_says_why(record: ContractorPayment, rules: str, code: str) -> None:
    found = planned(record, rules)
    assert isinstance(found, Skip)
    assert found.code == code


def posted(seen: View) -> dict[str, Link]:
    bill, payment = both(planned(paid(), RULES, seen))
    return {KEY: link_of(bill, KEY), PAYMENT_KEY: link_of(payment, PAYMENT_KEY)}


def test_what_stands_is_left_alone_and_what_is_missing_of_it_is_made() -> None:
    links = posted(view())
    assert isinstance(planned(paid(), RULES, view(links=links)), Unchanged)
    del links[PAYMENT_KEY]
    missing = only(planned(paid(), RULES, view(links=links)))
    assert (missing.entity, missing.operation, missing.record_key) == ("BillPayment", "create", PAYMENT_KEY)


def test_a_payment_that_changed_after_posting_parks() -> None:
    found = planned(paid(wages=Decimal("1250.51")), RULES, view(links=posted(view())))
    assert isinstance(found, Park)
    assert found.code == "changed_after_posting"


def test_a_cancelled_payment_parks_or_goes_with_all_its_documents() -> None:
    links = posted(view())
    parked = planned(None, RULES, view(links=links))
    assert isinstance(parked, Park)
    assert parked.code == "removed"
    rules = RULES.replace("bank_account", 'removed = "delete"\nbank_account')
    payment, bill = both(planned(None, rules, view(links=links)))
    assert [(one.entity, one.operation, one.record_key) for one in (payment, bill)] == [
        ("BillPayment", "delete", PAYMENT_KEY),
        ("Bill", "delete", None),
    ]
    assert isinstance(planned(None, rules), Skip)
