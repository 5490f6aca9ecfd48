"""What payments do to invoices, and what the source is told: partial, full, over, by credit, and taken back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.inbound import payment_effect, problem_values, settlement_of, write_back_values
from counterfoil.planning.settlements import PaymentEffect, SettledPart
from counterfoil.planning.types import Settlement
from counterfoil.planning.write_back import problem_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.planning import mapping

NAMES = """
[write_back]
invoice_number = "number"
document_id = "id"
status = "status"
balance = "balance"
amount_paid = "paid"
credited = "credited"
overpaid = "overpaid"
last_payment_date = "last"
problem = "problem"
"""
INVOICE: JsonObject = {"Id": "145", "DocNumber": "1001", "TotalAmt": Decimal("100.00"), "Balance": Decimal("100.00")}


def applied(kind: str, identity: str, amount: str | Decimal) -> JsonObject:
    return {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": identity, "TxnType": kind}]}


def payment(
    total: str | Decimal, *lines: JsonObject, unapplied: str | Decimal = "0", identity: str = "9"
) -> JsonObject:
    listed: list[JsonValue] = list(lines)
    return {
        "Id": identity,
        "TxnDate": "2026-03-20",
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "TotalAmt": Decimal(total),
        "UnappliedAmt": Decimal(unapplied),
        "Line": listed,
    }


def test_one_payment_on_three_invoices() -> None:
    effect = payment_effect(
        payment("60.00", applied("Invoice", "1", "10"), applied("Invoice", "2", "20"), applied("Invoice", "3", "30"))
    )
    assert effect == PaymentEffect(
        payment_id="9",
        dated="2026-03-20",
        currency="USD",
        cash=Decimal(60),
        invoices={
            "1": SettledPart(cash=Decimal(10)),
            "2": SettledPart(cash=Decimal(20)),
            "3": SettledPart(cash=Decimal(30)),
        },
    )


def test_an_overpayment_is_stated_once() -> None:
    lines = (applied("Invoice", "1", "10"), applied("Invoice", "2", "20"))
    effect = payment_effect(payment("35.00", *lines, unapplied="5.00"))
    assert [part.unapplied for part in effect.invoices.values()] == [Decimal(5), Decimal(0)]
    assert effect.unapplied == Decimal(5)


def test_a_payment_of_zero_that_ties_a_credit_memo_to_an_invoice_moves_no_money() -> None:
    effect = payment_effect(payment("0", applied("Invoice", "1", "100"), applied("CreditMemo", "8", "100")))
    assert effect.invoices == {"1": SettledPart(credited=Decimal(100))}
    assert effect.credit_memos == {"8": Decimal(100)}


def test_money_and_credit_in_one_payment() -> None:
    effect = payment_effect(payment("70", applied("Invoice", "1", "100"), applied("CreditMemo", "8", "30")))
    assert effect.invoices == {"1": SettledPart(cash=Decimal(70), credited=Decimal(30))}


def test_a_credit_over_several_invoices_is_shared_by_amount_to_the_cent() -> None:
    lines = (applied("Invoice", "1", "10"), applied("Invoice", "2", "10"), applied("Invoice", "3", "10"))
    effect = payment_effect(payment("29.99", *lines, applied("CreditMemo", "8", "0.01")))
    assert sorted(part.credited for part in effect.invoices.values()) == [0, 0, Decimal("0.01")]


def test_a_journal_entry_can_be_the_credit() -> None:
    effect = payment_effect(payment("0", applied("Invoice", "1", "40"), applied("JournalEntry", "5", "40")))
    assert effect.invoices == {"1": SettledPart(credited=Decimal(40))}


@pytest.mark.parametrize("status", ["deleted", "voided"])
def test_a_deleted_or_voided_payment_does_nothing(status: str) -> None:
    document = payment("10", applied("Invoice", "1", "10"))
    effect = payment_effect(document, "deleted" if status == "deleted" else "voided")
    assert effect == PaymentEffect(payment_id="9")


def test_a_deleted_stub_is_understood() -> None:
    assert payment_effect({"Id": "9", "status": "Deleted"}, "deleted") == PaymentEffect(payment_id="9")


CENTS = st.integers(1, 10_000_000).map(lambda cents: Decimal(cents) / 100)
IDS = st.sampled_from(["1", "2", "3", "4"])


@given(st.dictionaries(IDS, CENTS, min_size=1), CENTS, st.data())
def test_the_parts_add_up_to_the_payment(owed: dict[str, Decimal], left_over: Decimal, data: st.DataObject) -> None:
    total = sum(owed.values(), Decimal(0))
    credit = Decimal(data.draw(st.integers(0, int(total * 100)))) / 100
    lines = [applied("Invoice", invoice, amount) for invoice, amount in owed.items()]
    if credit:
        lines.append(applied("CreditMemo", "77", credit))
    effect = payment_effect(payment(total - credit + left_over, *lines, unapplied=left_over))
    parts = effect.invoices
    assert {invoice: part.cash + part.credited for invoice, part in parts.items()} == owed
    assert sum((part.credited for part in parts.values()), Decimal(0)) == credit
    assert sum((part.cash + part.unapplied for part in parts.values()), Decimal(0)) == effect.cash
    assert all(part.cash >= 0 and part.credited >= 0 for part in parts.values())


@given(st.lists(st.dictionaries(IDS, CENTS, min_size=1), min_size=1, max_size=5), st.data())
def test_taking_a_payment_back_leaves_what_was_before(owed: list[dict[str, Decimal]], data: st.DataObject) -> None:
    documents = [
        payment(
            sum(each.values(), Decimal(0)),
            *(applied("Invoice", invoice, amount) for invoice, amount in each.items()),
            identity=str(number),
        )
        for number, each in enumerate(owed)
    ]
    gone = data.draw(st.integers(0, len(documents) - 1))
    before = [payment_effect(each) for place, each in enumerate(documents) if place != gone]
    after = [payment_effect(each, "deleted" if place == gone else "live") for place, each in enumerate(documents)]
    for invoice in ("1", "2", "3", "4"):
        assert settlement_of(invoice, after) == settlement_of(invoice, before)


def told(*effects: PaymentEffect, status: str = "live") -> dict[str, str]:
    settlement = settlement_of("145", effects)
    if status == "live":
        return write_back_values(mapping(NAMES), INVOICE, settlement)
    return write_back_values(mapping(NAMES), INVOICE, settlement, "voided" if status == "voided" else "deleted")


def pays(amount: str, unapplied: str = "0") -> PaymentEffect:
    total = Decimal(amount) + Decimal(unapplied)
    return payment_effect(payment(total, applied("Invoice", "145", amount), unapplied=unapplied))


def test_an_open_invoice() -> None:
    assert told() == {
        "number": "1001",
        "id": "145",
        "status": "open",
        "balance": "100.00",
        "paid": "0.00",
        "credited": "0.00",
        "overpaid": "0.00",
        "last": "",
        "problem": "",
    }


def test_partial_full_and_over() -> None:
    some = told(pays("40.10"))
    assert (some["status"], some["balance"], some["paid"], some["last"]) == ("partial", "59.90", "40.10", "2026-03-20")
    full = told(pays("40.10"), pays("59.90"))
    assert (full["status"], full["balance"], full["paid"]) == ("paid", "0.00", "100.00")
    over = told(pays("100", "7.5"))
    assert (over["status"], over["balance"], over["paid"], over["overpaid"]) == ("overpaid", "0.00", "100.00", "7.50")


def test_settled_by_a_credit_memo_is_not_paid() -> None:
    tie = payment_effect(payment("0", applied("Invoice", "145", "100"), applied("CreditMemo", "8", "100")))
    values = told(tie)
    assert (values["status"], values["balance"], values["paid"], values["credited"], values["last"]) == (
        "credited",
        "0.00",
        "0.00",
        "100.00",
        "",
    )


def test_an_invoice_that_is_gone_owes_nothing() -> None:
    for status in ("voided", "deleted"):
        values = told(status=status)
        assert (values["status"], values["balance"]) == (status, "0.00")


def test_the_balance_agrees_with_the_payments_even_where_the_invoice_was_read_before() -> None:
    stale: JsonObject = {**INVOICE, "Balance": Decimal("0.00")}
    values = write_back_values(mapping(NAMES), stale, Settlement())
    assert (values["status"], values["balance"]) == ("open", "100.00")


def test_a_deposit_on_the_invoice_itself_is_not_owed() -> None:
    with_deposit: JsonObject = {**INVOICE, "Deposit": Decimal("25.00")}
    assert write_back_values(mapping(NAMES), with_deposit, Settlement())["balance"] == "75.00"
    paid = write_back_values(mapping(NAMES), with_deposit, Settlement(cash=Decimal("75.00")))
    assert (paid["status"], paid["balance"]) == ("paid", "0.00")


def test_only_named_values_are_written() -> None:
    parsed = mapping('[write_back]\nstatus = "qbo_status"\n')
    assert write_back_values(parsed, INVOICE, Settlement()) == {"qbo_status": "open"}
    assert problem_values(parsed, "no lines") == {}
    assert problem_values(mapping(NAMES), "no lines") == {"problem": "no lines"}


def test_the_source_is_told_when_an_invoice_is_due_and_where_it_is_found() -> None:
    rows = '[write_back]\ndue_date = "due"\ndocument_link = "link"'
    dated = {**INVOICE, "DueDate": "2026-12-15"}
    told_of = write_back_values(mapping(rows), dated, Settlement())
    assert told_of == {"due": "2026-12-15", "link": "https://app.qbo.intuit.com/app/invoice?txnId=145"}
    elsewhere = mapping('[invoice]\nlink = "https://books.example/{document_id}"\n' + rows)
    assert write_back_values(elsewhere, dated, Settlement())["link"] == "https://books.example/145"
    assert write_back_values(mapping(rows), INVOICE, Settlement(), "deleted") == {"due": "", "link": ""}


def test_a_problem_is_told_in_one_line_that_fits() -> None:
    assert problem_text("No lines.", "Add some.") == "No lines. Add some."
    assert problem_text("One\nand  two.", "") == "One and two."
    long = problem_text("Why. " * 100, "Do this.")
    assert 250 < len(long) <= 255
    assert long.endswith("… Do this."), "what to do is not cut off"
    assert len(problem_text("Why. " * 100, "Do this. " * 100)) <= 255
