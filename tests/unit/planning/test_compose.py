"""References resolved, and updates that send every line to keep and leave to a bookkeeper what is a bookkeeper's."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.compose import compose, exact_body, line_links
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Composed, Conflict, Conflicts, Link, Unresolved
from counterfoil_schema.events.decisions import LineLink, Operation
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import InvoiceLine
from support.planning import COMPANY, DEAL, GADGET, WIDGET, View, changed, line, lines_of, mapping, only, request, sale

DOCUMENTS = {COMPANY: ("Customer", "58"), WIDGET: ("Item", "7"), GADGET: ("Item", "8"), DEAL: ("Invoice", "145")}
NAMES = {("Item", "Freight"): "21"}


def composed_of(
    body: JsonObject, operation: Operation = "create", link: Link | None = None, parsed: Mapping | None = None
) -> Composed | Unresolved | Conflicts:
    return compose(
        body,
        operation,
        "Invoice",
        link,
        DOCUMENTS.get,
        lambda entity, name: NAMES.get((entity, name)),
        "cf:ab12",
        parsed.ownership("invoice") if parsed is not None else None,
    )


def planned(*lines: InvoiceLine, **values: object) -> JsonObject:
    return only(plan(request(sale(*lines, **values)), mapping(), View())).body


def updated(body: JsonObject, link: Link, parsed: Mapping | None = None) -> Composed:
    result = composed_of(body, "update", link, parsed)
    assert isinstance(result, Composed), result
    return result


def standing_line(line_id: str, item: str, amount: str, **more: object) -> JsonObject:
    line: JsonObject = {
        "Id": line_id,
        "LineNum": int(line_id),
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": item, "name": "Something"},
            "Qty": 1,
            "UnitPrice": Decimal(amount),
            "TaxCodeRef": {"value": "NON"},
        },
    }
    for name, value in more.items():
        assert isinstance(value, str | dict)
        line[name] = value
    return line


SUBTOTAL: JsonObject = {"Amount": Decimal("15.0"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}


def posted(*lines: JsonObject, **fields: object) -> JsonObject:
    document: JsonObject = {
        "Id": "145",
        "SyncToken": "0",
        "CustomerRef": {"value": "58", "name": "Anna"},
        "TxnDate": "2026-03-14",
        "DocNumber": "1001",
        "PrivateNote": "From hubspot deal 512 cf:ab12",
        "Line": [*(lines or (standing_line("1", "7", "10.0"), standing_line("2", "8", "5.0"))), SUBTOTAL],
    }
    for name, value in fields.items():
        assert isinstance(value, str | dict)
        document[name] = value
    return document


TWO = (line("a"), line("b", product=GADGET, unit_price=Decimal("5.00")))


def link(latest: JsonObject | None = None, **more: object) -> Link:
    base = Link(
        record_key=DEAL,
        entity="Invoice",
        document_id="145",
        sync_token="0",
        content_hash="",
        image=posted(),
        latest=latest or posted(),
        lines={"a": "1", "b": "2"},
    )
    return changed(base, more)


def test_a_create_resolves_every_reference_and_places_the_marker() -> None:
    freight = line("f", product=None, role="freight", unit_price=Decimal("3.20"))
    body = only(plan(request(sale(line("a"), freight)), mapping('[invoice]\nfreight_item = "Freight"\n'), View())).body
    result = composed_of(body)
    assert isinstance(result, Composed)
    assert exact_body(result.body) == (
        b'{"CustomerRef":{"value":"58"},"TxnDate":"2026-03-14","DocNumber":"1001","Line":['
        b'{"Amount":10.00,"DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"ItemRef":{"value":"7"},"Qty":1,'
        b'"UnitPrice":10,"TaxCodeRef":{"value":"NON"}}},'
        b'{"Amount":3.20,"DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"ItemRef":{"value":"21"},"Qty":1,'
        b'"UnitPrice":3.2,"TaxCodeRef":{"value":"NON"}}}],'
        b'"PrivateNote":"From hubspot deal 512 cf:ab12"}'
    )
    assert (result.line_keys, result.sync_token) == (("a", "f"), None)


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, second = composed_of(planned()), composed_of(planned())
    assert isinstance(first, Composed)
    assert isinstance(second, Composed)
    assert exact_body(first.body) == exact_body(second.body)


def test_every_reference_that_leads_nowhere_is_named_once() -> None:
    body: JsonObject = {
        "CustomerRef": {"$record": "hubspot:company:99"},
        "Line": [
            {"$line": "a", "SalesItemLineDetail": {"ItemRef": {"$name": ["Item", "Gone"]}}},
            {"$line": "b", "SalesItemLineDetail": {"ItemRef": {"$name": ["Item", "Gone"]}}},
        ],
    }
    assert composed_of(body) == Unresolved(records=("hubspot:company:99",), names=(("Item", "Gone"),))


def test_a_linked_transaction_takes_the_bare_id() -> None:
    body: JsonObject = {
        "TotalAmt": Decimal("1.00"),
        "Line": [
            {
                "$line": DEAL,
                "Amount": Decimal("1.00"),
                "LinkedTxn": [{"TxnId": {"$record": DEAL}, "TxnType": "Invoice"}],
            }
        ],
    }
    result = composed_of(body)
    assert isinstance(result, Composed)
    assert lines_of(result.body) == [{"Amount": Decimal("1.00"), "LinkedTxn": [{"TxnId": "145", "TxnType": "Invoice"}]}]


def test_an_update_names_id_token_and_line_ids_and_leaves_the_memo_alone() -> None:
    more = (line("a", quantity=Decimal(2)), TWO[1])
    result = updated(planned(*more), link())
    assert {name: result.body[name] for name in ("Id", "SyncToken", "sparse")} == {
        "Id": "145",
        "SyncToken": "0",
        "sparse": True,
    }
    assert [(entry["Id"], entry["Amount"]) for entry in lines_of(result.body)] == [
        ("1", Decimal("20.00")),
        ("2", Decimal("5.00")),
    ]
    assert "PrivateNote" not in result.body
    assert (result.line_keys, result.sync_token, result.changes) == (("a", "b"), "0", ("Line",))


def test_an_update_that_changes_nothing_says_so() -> None:
    assert updated(planned(*TWO), link()).changes == ()


def test_a_bookkeeper_s_line_is_kept_and_the_sub_total_is_not_sent() -> None:
    discount: JsonObject = {
        "Id": "9",
        "Amount": Decimal("1.5"),
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    theirs = posted(standing_line("1", "7", "10.0"), standing_line("2", "8", "5.0"), discount, SyncToken="3")
    result = updated(planned(*TWO, line("c", unit_price=Decimal("7.00"))), link(theirs))
    assert [entry.get("Id") for entry in lines_of(result.body)] == ["1", "2", None, "9"]
    assert lines_of(result.body)[3] == discount
    assert (result.line_keys, result.sync_token) == (("a", "b", "c", ""), "3")


def test_a_line_that_left_the_source_is_left_out() -> None:
    result = updated(planned(TWO[1]), link())
    assert [(entry["Id"], key) for entry, key in zip(lines_of(result.body), result.line_keys, strict=True)] == [
        ("2", "b")
    ]


def test_our_line_that_somebody_deleted_is_made_anew() -> None:
    result = updated(planned(*TWO), link(posted(standing_line("2", "8", "5.0"), SyncToken="1")))
    assert [(entry.get("Id"), key) for entry, key in zip(lines_of(result.body), result.line_keys, strict=True)] == [
        ("2", "b"),
        (None, "a"),
    ]


def test_what_a_bookkeeper_added_to_our_line_stays_and_what_is_ours_wins() -> None:
    edited = standing_line("1", "7", "11.0", Description="by hand")
    detail = edited["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    edited["SalesItemLineDetail"] = {**detail, "ClassRef": {"value": "4"}}
    result = updated(planned(*TWO), link(posted(edited, standing_line("2", "8", "5.0"))))
    first = lines_of(result.body)[0]
    assert (first["Amount"], first["Description"]) == (Decimal("10.00"), "by hand")
    detail = first["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    assert (detail["ClassRef"], detail["UnitPrice"]) == ({"value": "4"}, Decimal(10))
    assert "LineNum" not in first


def test_fields_left_to_the_books_are_not_sent_again() -> None:
    parsed = mapping('[fields.invoice.TxnDate]\nowner = "books"\n[fields.invoice.Line]\nowner = "books"\n')
    result = updated(planned(*TWO), link(posted(TxnDate="2026-03-31")), parsed)
    assert "TxnDate" not in result.body
    assert "Line" not in result.body
    assert result.changes == ()


def test_the_source_s_fields_win() -> None:
    result = updated(planned(*TWO), link(posted(TxnDate="2026-03-31")))
    assert (result.body["TxnDate"], result.changes) == ("2026-03-14", ("TxnDate",))


def test_what_is_fixed_at_creation_is_not_sent_again() -> None:
    customer = link({"SyncToken": "1", "DisplayName": "Anna"}, entity="Customer")
    body: JsonObject = {"DisplayName": "Ann", "CurrencyRef": {"value": "USD"}}
    result = compose(body, "update", "Customer", customer, DOCUMENTS.get, lambda _entity, _name: None, "")
    assert isinstance(result, Composed)
    assert result.body == {"Id": "145", "SyncToken": "1", "sparse": True, "DisplayName": "Ann"}


ASK = '[fields.invoice.TxnDate]\nowner = "ask"\n'


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "sent"),
    [
        ("2026-03-14", "2026-03-14", "2026-04-01", "2026-04-01"),
        ("2026-03-14", "2026-03-31", "2026-03-14", None),
        ("2026-03-14", "2026-04-01", "2026-04-01", "2026-04-01"),
    ],
)
def test_of_a_field_to_be_asked_about_the_side_that_changed_it_wins(
    base: str, theirs: str, ours: str, sent: str | None
) -> None:
    body = planned(*TWO, dated=date.fromisoformat(ours))
    result = updated(body, link(posted(TxnDate=theirs), image=posted(TxnDate=base)), mapping(ASK))
    assert sent == result.body.get("TxnDate")


def test_a_change_on_both_sides_is_a_conflict_with_three_versions() -> None:
    body = planned(*TWO, dated=date(2026, 4, 1))
    result = composed_of(body, "update", link(posted(TxnDate="2026-03-31")), mapping(ASK))
    assert result == Conflicts((Conflict(field="TxnDate", ours="2026-04-01", base="2026-03-14", theirs="2026-03-31"),))


def test_a_kept_edit_survives_later_updates_for_other_reasons() -> None:
    # The date was changed by hand and kept; our own last word on it, which `sent` remembers, is still the old one.
    kept = posted(TxnDate="2026-03-31", SyncToken="2")
    result = updated(planned(*TWO), link(kept, image=kept, sent={"TxnDate": "2026-03-14"}), mapping(ASK))
    assert "TxnDate" not in result.body


def test_a_line_changed_on_both_sides_is_a_conflict_where_lines_are_to_be_asked_about() -> None:
    parsed = mapping('[fields.invoice.Line]\nowner = "ask"\n')
    theirs = posted(standing_line("1", "7", "12.0"), standing_line("2", "8", "5.0"))
    more = (line("a", quantity=Decimal(2)), TWO[1])
    result = composed_of(planned(*more), "update", link(theirs), parsed)
    assert isinstance(result, Conflicts)
    assert [one.field for one in result.conflicts] == ["Line[a]"]
    assert isinstance(composed_of(planned(*more), "update", link(), parsed), Composed)


def test_without_the_document_as_last_seen_an_update_reads_first() -> None:
    result = composed_of(planned(*TWO), "update", link({"SyncToken": "4"}))
    assert result == Unresolved(read_first=(("Invoice", "145"),))


def test_a_void_names_id_and_token() -> None:
    result = composed_of({}, "void", link(posted(SyncToken="5")))
    assert isinstance(result, Composed)
    assert (result.body, result.sync_token) == ({"Id": "145", "SyncToken": "5"}, "5")


def test_values_for_the_source_pass_through() -> None:
    result = composed_of({"qbo_status": "paid"}, "write_back")
    assert isinstance(result, Composed)
    assert result.body == {"qbo_status": "paid"}


def test_line_links_by_place_without_the_sub_total() -> None:
    result = composed_of(planned(*TWO))
    assert isinstance(result, Composed)
    assert line_links(result.line_keys, posted(), result.body) == (
        LineLink(line_key="a", line_id="1"),
        LineLink(line_key="b", line_id="2"),
    )


def test_line_links_are_verified_where_the_answer_has_another_order_or_more_lines() -> None:
    result = composed_of(planned(*TWO))
    assert isinstance(result, Composed)
    answer = posted(standing_line("5", "99", "10.0"), standing_line("2", "8", "5.0"), standing_line("1", "7", "10.0"))
    assert line_links(result.line_keys, answer, result.body) == (
        LineLink(line_key="a", line_id="1"),
        LineLink(line_key="b", line_id="2"),
    )


def test_two_lines_of_the_same_content_get_one_line_each() -> None:
    result = composed_of(planned(line("a"), line("b")))
    assert isinstance(result, Composed)
    answer = posted(standing_line("3", "7", "10.0"), standing_line("4", "7", "10.0"))
    assert line_links(result.line_keys, answer, result.body) == (
        LineLink(line_key="a", line_id="3"),
        LineLink(line_key="b", line_id="4"),
    )


def test_lines_that_are_not_ours_get_no_link() -> None:
    theirs = posted(standing_line("1", "7", "10.0"), standing_line("2", "8", "5.0"), standing_line("3", "9", "1.0"))
    result = updated(planned(*TWO, line("c", unit_price=Decimal("7.00"))), link(theirs))
    answer = posted(
        standing_line("1", "7", "10.0"),
        standing_line("2", "8", "5.0"),
        standing_line("4", "7", "7.0"),
        standing_line("3", "9", "1.0"),
    )
    assert {found.line_key: found.line_id for found in line_links(result.line_keys, answer, result.body)} == {
        "a": "1",
        "b": "2",
        "c": "4",
    }
