"""Create, update, nothing; reopened, removed, edited, and documents that are gone from the books."""

from decimal import Decimal

import pytest

from counterfoil.planning.plan import content_hash, plan
from counterfoil.planning.types import Intent, Link, Park, Skip, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer
from support.planning import COMPANY, DEAL, View, changed, line, link_of, mapping, only, request, sale

OPEN: JsonObject = {"Id": "77", "DocNumber": "1001", "TotalAmt": Decimal("10.00"), "Balance": Decimal("10.0")}
PART_PAID: JsonObject = {**OPEN, "Balance": Decimal("4.00")}


def posted(document: JsonObject = OPEN, **more: object) -> View:
    intent = only(plan(request(sale()), mapping(), View()))
    return View(links={DEAL: changed(link_of(intent, document=document), more)})


def test_the_same_content_is_unchanged_and_the_hash_proves_it() -> None:
    intent = only(plan(request(sale()), mapping(), View()))
    assert plan(request(sale()), mapping(), posted()) == Unchanged(
        proof=content_hash(intent.body), reason="Invoice 1001 already holds this content."
    )


def test_another_content_is_an_update_with_the_whole_symbolic_body() -> None:
    planned = only(plan(request(sale(line(quantity=Decimal(2)))), mapping(), posted()))
    fresh = only(plan(request(sale(line(quantity=Decimal(2)))), mapping(), View()))
    assert (planned.operation, planned.body) == ("update", fresh.body)


def test_a_change_after_posting_parks_where_the_mapping_says_so() -> None:
    planned = plan(request(sale(line(quantity=Decimal(2)))), mapping('[invoice]\nedited = "park"\n'), posted())
    assert isinstance(planned, Park)
    assert planned.code == "changed_after_posting"


def test_a_reopened_deal_parks_or_voids() -> None:
    lost = sale(won=False, status="open")
    parked = plan(request(lost), mapping(), posted())
    assert isinstance(parked, Park)
    assert parked.reason == (
        "deal 512 (hubspot) is no longer won (status open), but Invoice 1001 stands for it in QuickBooks."
    )
    intent = only(plan(request(lost), mapping('[invoice]\nreopened = "void"\n'), posted()))
    assert (intent.operation, intent.entity, intent.body, intent.amount) == ("void", "Invoice", {}, Decimal("10.00"))


def test_an_invoice_with_money_on_it_is_not_voided() -> None:
    extra = '[invoice]\nreopened = "void"\nremoved = "void"\n'
    for record in (sale(won=False, status="open"), None):
        planned = plan(request(record), mapping(extra), posted(PART_PAID))
        assert isinstance(planned, Park)
        assert planned.reason == "Invoice 1001 should be voided, but 6.00 has been paid on it."


def test_what_was_voided_stays_voided() -> None:
    extra = '[invoice]\nreopened = "void"\nremoved = "void"\n'
    for record in (sale(won=False, status="open"), None):
        assert isinstance(plan(request(record), mapping(extra), posted(status="voided")), Unchanged)


@pytest.mark.parametrize("status", ["voided", "deleted"])
def test_a_change_to_what_is_gone_from_the_books_parks(status: str) -> None:
    planned = plan(request(sale()), mapping(), posted(status=status))
    assert isinstance(planned, Park)
    assert planned.code == f"{status}_in_books"


def test_a_removed_record_without_a_document_is_skipped() -> None:
    planned = plan(request(None), mapping(), View())
    assert isinstance(planned, Skip)
    assert planned.code == "removed"


def test_a_removed_record_with_a_document_parks_or_voids() -> None:
    assert isinstance(plan(request(None), mapping(), posted()), Park)
    intent = only(plan(request(None), mapping('[invoice]\nremoved = "void"\n'), posted()))
    assert intent.operation == "void"


def test_a_removed_customer_stays_or_is_made_inactive_once() -> None:
    created = only(plan(request(Customer(name="Anna"), COMPANY), mapping(), View()))
    view = View(links={COMPANY: link_of(created, COMPANY)})
    kept = plan(request(None, COMPANY), mapping(), view)
    assert isinstance(kept, Skip)
    assert kept.code == "removed_kept"
    extra = '[customer]\nremoved = "deactivate"\n'
    intent: Intent = only(plan(request(None, COMPANY), mapping(extra), view))
    assert (intent.operation, intent.body) == ("update", {"Active": False})
    after: Link = link_of(intent, COMPANY)
    assert isinstance(plan(request(None, COMPANY), mapping(extra), View(links={COMPANY: after})), Unchanged)


def test_a_field_that_only_comes_in_is_never_sent() -> None:
    extra = '[fields.invoice.CustomerMemo]\ndirection = "in"\n[invoice]\ncustomer_memo = "hello"\n'
    assert "CustomerMemo" not in only(plan(request(sale()), mapping(extra), View())).body


def test_the_hash_depends_on_content_and_not_on_order_or_trailing_zeros() -> None:
    assert content_hash({"a": Decimal("1.50"), "b": 1}) == content_hash({"b": Decimal("1.0"), "a": Decimal("1.5")})
    assert content_hash({"a": Decimal("1.50")}) != content_hash({"a": Decimal("1.51")})
