"""Our own write seen again is told from somebody's edit, field by field."""

from decimal import Decimal

import pytest

from counterfoil.planning.inbound import Echo, Foreign, Status, Untracked, judge
from counterfoil.planning.types import Link
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.planning import COMPANY, DEAL, changed, mapping

LINE: JsonObject = {
    "Id": "1",
    "LineNum": 1,
    "Amount": Decimal("100.00"),
    "Description": "Widget",
    "DetailType": "SalesItemLineDetail",
    "SalesItemLineDetail": {"ItemRef": {"value": "7", "name": "Widget"}, "Qty": 2, "UnitPrice": Decimal("50.00")},
}
SUBTOTAL: JsonObject = {"Amount": Decimal("100.00"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
INVOICE: JsonObject = {
    "Id": "145",
    "SyncToken": "1",
    "MetaData": {"LastUpdatedTime": "2026-11-01T09:00:00-08:00"},
    "DocNumber": "1001",
    "TxnDate": "2026-03-14",
    "CustomerRef": {"value": "58", "name": "Anna"},
    "TotalAmt": Decimal("100.00"),
    "Balance": Decimal("100.00"),
    "EmailStatus": "NotSet",
    "Line": [LINE, SUBTOTAL],
}


def link(**more: object) -> Link:
    base = Link(
        record_key=DEAL,
        entity="Invoice",
        document_id="145",
        sync_token="1",
        content_hash="",
        image=INVOICE,
        latest=INVOICE,
        lines={"a": "1"},
    )
    return changed(base, more)


def seen(**fields: JsonValue) -> JsonObject:
    return {**INVOICE, **fields}


def changed_fields(observed: JsonObject, status: Status = "live") -> list[str]:
    verdict = judge(observed, status, link())
    assert isinstance(verdict, Foreign), verdict
    return [detail.field for detail in verdict.details]


def test_a_document_of_no_source_record_is_untracked() -> None:
    assert judge(INVOICE, "live", None) == Untracked()


def test_our_own_write_is_an_echo() -> None:
    assert judge(INVOICE, "live", link()) == Echo()


def test_a_payment_that_bumps_the_token_is_an_echo() -> None:
    observed = seen(
        SyncToken="2",
        Balance=Decimal(0),
        LinkedTxn=[{"TxnId": "160", "TxnType": "Payment"}],
        MetaData={"LastUpdatedTime": "2026-11-02T09:00:00-08:00"},
    )
    assert judge(observed, "live", link()) == Echo()


def test_equal_numbers_names_of_references_and_empty_fields_are_no_edits() -> None:
    line: JsonObject = {
        **LINE,
        "LineNum": 2,
        "Amount": Decimal("100.0"),
        "SalesItemLineDetail": {"ItemRef": {"value": "7", "name": "Renamed"}, "Qty": Decimal("2.0"), "UnitPrice": 50},
    }
    observed = seen(Line=[line], CustomerRef={"value": "58", "name": "Anna Lee"}, DueDate=None, CustomerMemo={})
    assert judge(observed, "live", link()) == Echo()


@pytest.mark.parametrize("field", ["EmailStatus", "PrintStatus", "TotalAmt", "HomeBalance"])
def test_what_quickbooks_computes_is_nobody_s_edit(field: str) -> None:
    assert judge(seen(**{field: "other"}), "live", link()) == Echo()


def test_an_edit_is_named_with_its_field_owner_and_both_values() -> None:
    verdict = judge(seen(SyncToken="2", TxnDate="2026-03-31"), "live", link())
    assert isinstance(verdict, Foreign)
    assert verdict.changed == ("TxnDate",)
    (detail,) = verdict.details
    assert (detail.owner, detail.before, detail.after) == ("source", "2026-03-14", "2026-03-31")


def test_an_edit_and_our_payment_in_one_reading_are_told_apart() -> None:
    observed = seen(SyncToken="3", Balance=Decimal(0), LinkedTxn=[{"TxnId": "1"}], DocNumber="1001-B")
    assert changed_fields(observed) == ["DocNumber"]


def test_an_edit_made_after_our_write_is_found_though_the_reading_holds_our_write_too() -> None:
    # Our own write set 2026-03-14 (the image); one reading shows it together with a changed line.
    edited: JsonObject = {**LINE, "Amount": Decimal("90.00")}
    assert changed_fields(seen(SyncToken="2", Line=[edited, SUBTOTAL])) == ["Line[1].Amount"]


def test_a_bookkeeper_s_line_and_a_removed_line_are_edits() -> None:
    more: JsonObject = {**LINE, "Id": "9"}
    verdict = judge(seen(Line=[LINE, more, SUBTOTAL]), "live", link())
    assert isinstance(verdict, Foreign)
    assert verdict.changed == ("Line",)
    assert [detail.field for detail in verdict.details] == ["Line[9]"]
    assert changed_fields(seen(Line=[])) == ["Line[1]"]


def test_fields_that_nobody_here_cares_about_are_named_apart() -> None:
    assert judge(seen(ShipDate="2026-03-20"), "live", link()) == Echo(other=("ShipDate",))


def test_a_mapping_may_make_us_care() -> None:
    ownership = mapping('[fields.invoice.ShipDate]\nowner = "books"\ndirection = "in"\n').ownership("invoice")
    verdict = judge(seen(ShipDate="2026-03-20"), "live", link(), ownership)
    assert isinstance(verdict, Foreign)
    assert [(detail.field, detail.owner) for detail in verdict.details] == [("ShipDate", "books")]


def test_a_reading_from_before_our_last_write_is_no_edit() -> None:
    assert judge(seen(SyncToken="0", DocNumber="old"), "live", link()) == Echo(older=True)
    newer = {**INVOICE, "SyncToken": "10"}
    assert judge(seen(SyncToken="9", DocNumber="old"), "live", link(image=newer)) == Echo(older=True)


@pytest.mark.parametrize("status", ["deleted", "voided"])
def test_a_deletion_or_a_void_by_somebody_else_is_foreign_and_ours_is_not(status: Status) -> None:
    assert changed_fields({"Id": "145", "status": "Deleted"}, status) == ["status"]
    assert judge(INVOICE, status, link(status=status)) == Echo()


def test_what_is_left_of_a_deleted_document_is_not_compared() -> None:
    assert judge({"Id": "145"}, "deleted", link(status="deleted")) == Echo()


def test_an_address_s_id_is_no_edit_but_its_street_is() -> None:
    image: JsonObject = {"Id": "58", "DisplayName": "Anna", "BillAddr": {"Id": "3", "Line1": "1 Main St"}}
    customer = link(record_key=COMPANY, entity="Customer", image=image)
    assert judge({**image, "BillAddr": {"Id": "4", "Line1": "1 Main St"}}, "live", customer) == Echo()
    assert isinstance(judge({**image, "BillAddr": {"Id": "3", "Line1": "2 Main St"}}, "live", customer), Foreign)


def test_a_payment_s_lines_are_compared_by_what_they_pay_and_its_total_counts() -> None:
    def pays(invoice: str, amount: str) -> JsonObject:
        return {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}

    image: JsonObject = {"Id": "9", "TotalAmt": 30, "Line": [pays("1", "10.0"), pays("2", "20")]}
    payment = link(entity="Payment", image=image)
    reordered: JsonObject = {**image, "Line": [pays("2", "20.00"), pays("1", "10")]}
    assert judge(reordered, "live", payment) == Echo()
    moved: JsonObject = {**image, "Line": [pays("1", "20"), pays("2", "10")]}
    assert isinstance(judge(moved, "live", payment), Foreign)
    assert isinstance(judge({**image, "TotalAmt": 31}, "live", payment), Foreign)
