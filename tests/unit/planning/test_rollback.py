"""What takes back what, and what stays; and that taking back what took back leaves the totals as they were."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.rollback import Applied, Conditions, Refusal, Step, Taken, User, plan_rollback
from counterfoil.planning.rollback.digests import digest_of
from counterfoil.planning.rollback.messages import message_for
from counterfoil.planning.rollback.postings import postings
from counterfoil_schema.events.rollbacks import RollbackPolicy
from counterfoil_schema.exact_json import JsonObject
from support.rollback_plans import PlainBooks, effect, planned, taken

CLOSED = date(2026, 2, 28)


def line(amount: str = "40.00", **more: Any) -> JsonObject:
    return {
        "Id": "1",
        "LineNum": 1,
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "7"}},
        **more,
    }


def invoice(**more: Any) -> JsonObject:
    body: JsonObject = {
        "Id": "145",
        "SyncToken": "0",
        "DocNumber": "1001",
        "TxnDate": "2026-03-14",
        "CustomerRef": {"value": "3"},
        "TotalAmt": Decimal("40.00"),
        "Balance": Decimal("40.00"),
        "PrivateNote": "From the shop cf-0123456789abcdef0123",
        "Line": [line(), {"Amount": Decimal("40.00"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}],
    }
    return {**body, **more}


def entry(**more: Any) -> JsonObject:
    def side(kind: str, account: str) -> JsonObject:
        detail: JsonObject = {"PostingType": kind, "AccountRef": {"value": account}, "ClassRef": {"value": "2"}}
        return {
            "Id": account,
            "Amount": Decimal("9.50"),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": detail,
        }

    body: JsonObject = {
        "Id": "9",
        "SyncToken": "0",
        "DocNumber": "PR-2026-03-13-p1",
        "TxnDate": "2026-03-13",
        "Line": [side("Debit", "60"), side("Credit", "35")],
    }
    return {**body, **more}


def conditions(
    *, sales: Literal["void", "credit"] = "void", dated: date | None = None, closed: date | None = None
) -> Conditions:
    return Conditions(policy=RollbackPolicy(sales=sales, dated=dated), closed_until=closed)


def refused(found: Step | Refusal) -> str:
    assert isinstance(found, Refusal), found
    assert found.reason
    assert found.fix
    return found.code


def step(found: Step | Refusal) -> Step:
    assert isinstance(found, Step), found
    return found


def test_an_unpaid_invoice_is_voided() -> None:
    found = step(planned(taken(effect("Invoice", "145", invoice()))))
    assert (found.action, found.operation, found.entity, found.body) == ("void", "void", "Invoice", {})
    assert (found.label, found.amount, found.undoes) == ("Invoice 1001", Decimal("40.00"), ("i145",))


def test_an_invoice_with_a_payment_stays_unless_the_payment_goes_first() -> None:
    held = taken(
        effect("Invoice", "145", invoice()),
        latest=invoice(SyncToken="1", Balance=Decimal(0)),
        applied=(Applied(entity="Payment", document_id="146", label="Payment id 146"),),
    )
    assert refused(planned(held)) == "payment_applied"
    money: JsonObject = {"Id": "146", "SyncToken": "0", "TxnDate": "2026-03-15", "TotalAmt": Decimal("40.00")}
    plan = plan_rollback([held, taken(effect("Payment", "146", money))], Conditions())
    assert [(one.label, one.action, one.after) for one in plan.steps] == [
        ("Payment id 146", "void", ()),
        ("Invoice 1001", "void", ("Payment:146",)),
    ]


def test_by_policy_an_invoice_stays_and_is_credited_line_by_line() -> None:
    found = step(planned(taken(effect("Invoice", "145", invoice())), conditions(sales="credit")))
    assert (found.action, found.entity, found.operation) == ("credit", "CreditMemo", "create")
    assert found.record_key == "shop:order@undo-10:145"
    assert found.body["DocNumber"] == "1001-CR"
    assert found.body["TxnDate"] == "2026-03-14"
    assert found.body["Line"] == [
        {
            "Amount": Decimal("40.00"),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "7"}},
        }
    ]
    assert str(found.body["PrivateNote"]).startswith("Takes back Invoice 1001 of 2026-03-14.")


def test_a_closed_period_stays_closed_until_somebody_names_another_day() -> None:
    old = taken(effect("Invoice", "145", invoice(TxnDate="2026-02-28")))
    assert refused(planned(old, conditions(closed=CLOSED))) == "period_closed"
    assert refused(planned(old, conditions(sales="credit", closed=CLOSED))) == "period_closed"
    found = step(planned(old, conditions(dated=date(2026, 3, 2), closed=CLOSED)))
    assert (found.action, found.dated) == ("credit", "2026-03-02")
    assert "it stood on 2026-02-28" in found.detail
    still = conditions(dated=date(2026, 2, 1), closed=CLOSED)
    assert refused(planned(old, still)) == "period_closed"


def test_a_pay_run_s_entry_is_turned_on_its_own_accounts() -> None:
    found = step(planned(taken(effect("JournalEntry", "9", entry()))))
    assert (found.action, found.entity, found.dated, found.number) == (
        "reverse",
        "JournalEntry",
        "2026-03-13",
        "PR-2026-03-13-p1-RV",
    )
    lines: Any = found.body["Line"]
    sides = [
        (one["JournalEntryLineDetail"]["PostingType"], one["JournalEntryLineDetail"]["AccountRef"]) for one in lines
    ]
    assert sides == [("Credit", {"value": "60"}), ("Debit", {"value": "35"})]
    assert all(one["JournalEntryLineDetail"]["ClassRef"] == {"value": "2"} for one in lines)
    closed = conditions(closed=date(2026, 3, 31))
    assert refused(planned(taken(effect("JournalEntry", "9", entry())), closed)) == "period_closed"


@pytest.mark.parametrize("number", ["", "PR-1"])
def test_an_entry_of_a_closed_period_is_set_off_on_a_day_that_somebody_named(number: str) -> None:
    """With a number or without: what could be deleted in an open period is not to be deleted in a closed one."""
    old = taken(effect("JournalEntry", "9", entry(DocNumber=number, TxnDate="2026-02-27")))
    assert refused(planned(old, conditions(closed=CLOSED))) == "period_closed"
    found = step(planned(old, conditions(dated=date(2026, 3, 2), closed=CLOSED)))
    assert (found.action, found.operation, found.body["TxnDate"]) == ("reverse", "create", "2026-03-02")


def test_only_what_bears_no_number_is_deleted_or_what_a_rollback_wrote() -> None:
    bare = entry(DocNumber="")
    assert step(planned(taken(effect("JournalEntry", "9", bare)))).action == "delete"
    assert step(planned(taken(effect("JournalEntry", "9", entry(), of_rollback=True)))).action == "delete"
    memo = invoice(EmailStatus="EmailSent", DocNumber="")
    assert refused(planned(taken(effect("CreditMemo", "145", memo)))) == "issued"
    assert refused(planned(taken(effect("CreditMemo", "145", invoice())))) == "issued"
    assert step(planned(taken(effect("CreditMemo", "145", invoice(), of_rollback=True)))).action == "delete"


def test_what_was_there_before_is_never_deleted() -> None:
    adopted = effect("Customer", "3", {"Id": "3", "Notes": ""}, adopted=True)
    assert refused(planned(taken(adopted))) == "adopted"
    ours: JsonObject = {"Id": "3", "CompanyName": "Ann & Co"}
    wrote = effect("Customer", "3", ours, operation="update", before=adopted.image, sent={"CompanyName": "Ann & Co"})
    found = step(planned(taken(adopted, wrote)))
    assert (found.action, found.body) == ("restore", {"CompanyName": ""})


def test_what_a_person_edited_stays_with_the_versions() -> None:
    found = planned(taken(effect("Invoice", "145", invoice()), latest=invoice(SyncToken="1", TxnDate="2026-04-01")))
    assert refused(found) == "edited"
    assert isinstance(found, Refusal)
    assert "TxnDate: we wrote 2026-03-14, now 2026-04-01" in found.reason


def test_a_customer_whom_others_use_stays() -> None:
    customer: JsonObject = {"Id": "3", "SyncToken": "0", "DisplayName": "Ann", "Active": True}
    ann = effect("Customer", "3", customer, record_key="shop:customer:3", intent_id="ann")
    user = User(entity="Invoice", document_id="145", label="Invoice 1001")
    theirs = User(entity="Invoice", document_id="900", label="Invoice id 900, which comes from no source")
    order = taken(effect("Invoice", "145", invoice(), needs=("shop:customer:3",)))
    plan = plan_rollback([taken(ann, users=(user,)), order], Conditions())
    assert [(one.action, one.after) for one in plan.steps] == [("void", ()), ("inactivate", ("Invoice:145",))]
    assert refused(planned(taken(ann, users=(user,)))) == "used_by_others"
    plan = plan_rollback([taken(ann, users=(user, theirs)), order], Conditions())
    assert [one.code for one in plan.refusals] == ["used_by_others"]
    # A credited invoice still names its customer.
    plan = plan_rollback([taken(ann, users=(user,)), order], conditions(sales="credit"))
    assert [one.code for one in plan.refusals] == ["used_by_others"]


def test_an_update_is_taken_back_field_by_field_and_line_by_line() -> None:
    before = invoice(DueDate="2026-04-01", Line=[line("40.00"), line("5.00", Id="2")])
    ours = invoice(SyncToken="1", DueDate="2026-05-01", Line=[line("60.00"), line("7.00", Id="3")])
    theirs = invoice(
        SyncToken="2",
        DueDate="2026-05-01",
        CustomerMemo={"value": "Thanks"},
        Line=[line("60.00"), line("7.00", Id="3"), line("1.00", Id="4")],
    )
    wrote = effect(
        "Invoice", "145", ours, operation="update", before=before, sent={"Id": "145", "DueDate": "", "Line": []}
    )
    found = step(planned(taken(wrote, latest=theirs, lines={"a": "1", "b": "3"})))
    assert found.action == "restore"
    assert found.body["DueDate"] == "2026-04-01"
    lines: Any = found.body["Line"]
    shown = [(one.get("Id"), one["Amount"], one.get("$line")) for one in lines]
    # The first as it was, ours taken out, a bookkeeper's kept, and the one that our update took out put back.
    assert shown == [("1", Decimal("40.00"), "a"), ("4", Decimal("1.00"), None), (None, Decimal("5.00"), None)]
    assert "CustomerMemo" not in found.body


def test_an_update_with_the_same_field_edited_since_stays_with_three_versions() -> None:
    wrote = effect(
        "Invoice",
        "145",
        invoice(SyncToken="1", DueDate="2026-05-01"),
        operation="update",
        before=invoice(DueDate="2026-04-01"),
        sent={"DueDate": "2026-05-01"},
    )
    found = planned(taken(wrote, latest=invoice(SyncToken="2", DueDate="2026-06-01")))
    assert refused(found) == "edited"
    assert isinstance(found, Refusal)
    assert "it was 2026-04-01, we wrote 2026-05-01, now 2026-06-01" in found.reason
    assert refused(planned(taken(effect("Invoice", "145", invoice(), operation="update")))) == "no_before_image"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"moving": True}, "in_flight"),
        ({"later": (77,)}, "written_since"),
        ({"linked": False}, "replaced"),
        ({"shared_with": "shop:customer:9"}, "merged"),
        ({"status": "voided"}, "gone"),
    ],
)
def test_what_else_keeps_a_document_as_it_is(more: dict[str, Any], code: str) -> None:
    assert refused(planned(taken(effect("Invoice", "145", invoice()), **more))) == code


def test_a_message_goes_only_with_what_a_customer_was_sent() -> None:
    mailed = step(planned(taken(effect("Invoice", "145", invoice(EmailStatus="EmailSent")))))
    assert message_for(mailed) == (
        "Please disregard our invoice 1001 over 40.00 USD: it was issued in error and is void. Nothing is owed on it."
    )
    assert message_for(step(planned(taken(effect("Invoice", "145", invoice()))))) is None


def test_a_step_is_known_again_by_its_digest() -> None:
    one = step(planned(taken(effect("Invoice", "145", invoice()))))
    echo = invoice(SyncToken="7", MetaData={"LastUpdatedTime": "2026-03-15T00:00:00Z"})
    again = step(planned(taken(effect("Invoice", "145", invoice()), seen_at=51, latest=echo)))
    other = step(planned(taken(effect("Invoice", "145", invoice()), latest=invoice(TrackingNum="1Z"))))
    assert digest_of(one) == digest_of(again)
    assert digest_of(one) != digest_of(other)


amounts = st.decimals(min_value="0.01", max_value="99999.99", places=2)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, JsonObject]:
    number = draw(st.sampled_from(["1001", "", "A-very-long-number-77"]))
    if draw(st.booleans()):
        lines = [line(str(draw(amounts)), Id=str(place)) for place in range(draw(st.integers(1, 4)))]
        total = sum((one["Amount"] for one in lines if isinstance(one["Amount"], Decimal)), Decimal(0))
        return "Invoice", invoice(Line=[*lines], TotalAmt=total, Balance=total, DocNumber=number)
    worth = draw(amounts)
    made = entry(DocNumber=number)
    sides: Any = made["Line"]
    return "JournalEntry", {**made, "Line": [{**one, "Amount": worth} for one in sides]}


@given(documents(), st.sampled_from(["void", "credit"]), st.integers(1, 4))
def test_however_often_it_is_taken_back_the_totals_go_to_and_fro(
    document: tuple[str, JsonObject], sales: Literal["void", "credit"], times: int
) -> None:
    entity, image = document
    books = PlainBooks({(entity, "145"): image})
    posted, standing = books.totals(), taken(effect(entity, "145", image))
    for turn in range(times):
        found = step(planned(standing, conditions(sales=sales)))
        standing = books.carry_out(found, standing)
        assert books.totals() == ({} if turn % 2 == 0 else posted)


@given(documents())
def test_what_a_document_posts_balances(document: tuple[str, JsonObject]) -> None:
    entity, image = document
    assert sum(postings(image, entity, Conditions().chart).values(), Decimal(0)) == 0


def test_the_totals_of_a_preview_are_those_of_its_documents() -> None:
    plan = plan_rollback([taken(effect("Invoice", "145", invoice()))], Conditions())
    shown = {(one.currency, one.account): (one.before, one.after) for one in plan.totals}
    assert shown == {
        ("USD", "Accounts Receivable"): (Decimal("40.00"), Decimal(0)),
        ("USD", "Income of item 7"): (Decimal("-40.00"), Decimal(0)),
    }


def test_nothing_is_planned_of_nothing() -> None:
    nobody: list[Taken] = []
    assert plan_rollback(nobody, Conditions()).steps == ()
