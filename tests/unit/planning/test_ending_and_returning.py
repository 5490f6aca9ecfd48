"""What ends on either side, and what comes back: people, names, invoices, each by its rule."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.reopened import credit_key
from counterfoil.planning.types import Intent, Link, Park, PlanRequest, Skip, Unchanged
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Employee, Record
from support.planning import COMPANY, DEAL, View, changed, line, lines_of, link_of, mapping, only, request, sale

ANN, ANN_AGAIN = "bamboohr:employee:100", "bamboohr:employee:200"
PEOPLE = '[employee]\ncreate = true\ninactive = "deactivate"\n'
OPEN: JsonObject = {
    "Id": "77",
    "DocNumber": "1001",
    "TxnDate": "2026-03-14",
    "TotalAmt": Decimal("10.00"),
    "Balance": Decimal("10.0"),
    "CustomerRef": {"value": "58", "name": "Anna"},
    "PrivateNote": "From hubspot deal 512 cf:ab12",
    "Line": [
        {"Id": "1", "LineNum": 1, "Amount": Decimal("10.00"), "DetailType": "SalesItemLineDetail"},
        {"Amount": Decimal("10.00"), "DetailType": "SubTotalLineDetail"},
    ],
}
PAID: JsonObject = {**OPEN, "Balance": 0}
REOPENED = sale(won=False, status="open")


def person(*, active: bool = True, family: str = "Lee") -> Employee:
    return Employee(given_name="Ann", family_name=family, active=active)


def posted(document: JsonObject = OPEN, **more: object) -> View:
    intent = only(plan(request(sale()), mapping(), View()))
    return View(links={DEAL: changed(link_of(intent, document=document), more)})


def employed(*, active: bool = True) -> View:
    """Somebody whom the books know, as the source showed them last."""
    created = only(plan(request(person(), ANN), mapping(PEOPLE), View()))
    return View(links={ANN: link_of(created, ANN)}, known={ANN}, records={ANN: person(active=active)})


def test_an_employee_who_leaves_and_returns_is_one_employee_made_inactive_and_active_again() -> None:
    view = employed()
    left = only(plan(request(person(active=False), ANN), mapping(PEOPLE), view))
    assert (left.operation, left.entity, left.body["Active"]) == ("update", "Employee", False)
    gone = View(links={ANN: link_of(left, ANN)}, known={ANN})
    back = only(plan(request(person(), ANN), mapping(PEOPLE), gone))
    assert (back.operation, back.body["Active"], back.record_key) == ("update", True, None)


def returning(view: View, rules: str, record: Record | None = None) -> object:
    view.names["Employee", "ann lee"] = ANN
    return plan(request(record or person(), ANN_AGAIN), mapping(rules), view)


def test_somebody_under_a_new_id_who_bears_the_name_of_one_who_left_is_asked_about() -> None:
    asked = returning(employed(active=False), PEOPLE)
    assert isinstance(asked, Park)
    assert asked.code == "rehired"
    assert "employee 200 (bamboohr) bears the name of employee 100 (bamboohr), who left" in asked.reason
    assert 'deadletters map bamboohr:employee:200 "Employee 77"' in asked.fix
    assert "100" not in asked.outside
    # One whom the source has deleted has left as well; one who is still there is another person.
    removed = employed()
    removed.records.clear()
    assert isinstance(once := returning(removed, PEOPLE), Park)
    assert once.code == "rehired"
    assert isinstance(twice := returning(employed(), PEOPLE), Park)
    assert twice.code == "same_name"


def test_where_the_mapping_says_so_a_namesake_is_another_person() -> None:
    made = returning(employed(active=False), PEOPLE + 'rehired = "new"\nsame_name = "suffix"\n')
    assert isinstance(made, tuple)
    assert only(made).body["DisplayName"] == "Ann Lee (200)"


def test_once_one_document_stands_for_both_its_name_is_nobody_else_s() -> None:
    view = employed(active=False)
    before = view.links[ANN]
    view.links[ANN] = changed(before, {"shared_with": ANN_AGAIN})
    view.links[ANN_AGAIN] = changed(before, {"record_key": ANN_AGAIN, "adopted": True, "latest": {"Active": False}})
    view.known.add(ANN_AGAIN)
    back = returning(view, PEOPLE)
    assert isinstance(back, tuple)
    assert (only(back).operation, only(back).body["Active"]) == ("update", True)
    # What the old record says is not written any more.
    assert isinstance(skipped := plan(request(person(family="Old"), ANN), mapping(PEOPLE), view), Skip)
    assert skipped.code == "merged"


@pytest.mark.parametrize(
    ("document", "rules", "becomes"),
    [
        (OPEN, "", "reopened"),
        (OPEN, 'reopened = "void"\n', "void"),
        (OPEN, 'reopened = "ignore"\n', "reopened_ignored"),
        (OPEN, 'reopened_paid = "credit"\n', "reopened"),
        (PAID, "", "reopened"),
        (PAID, 'reopened = "void"\n', "paid_in_part"),
        (PAID, 'reopened = "ignore"\n', "reopened"),
        (PAID, 'reopened_paid = "ignore"\n', "reopened_ignored"),
        (PAID, 'reopened = "void"\nreopened_paid = "credit"\n', "create"),
    ],
)
def test_a_reopened_deal_by_its_rule_and_a_paid_one_by_its_own(document: JsonObject, rules: str, becomes: str) -> None:
    planned = plan(request(REOPENED), mapping(f"[invoice]\n{rules}"), posted(document))
    told = planned.code if isinstance(planned, Park | Skip) else only(planned).operation
    assert told == becomes


def test_a_paid_deal_that_was_reopened_parks_with_what_has_been_paid() -> None:
    planned = plan(request(REOPENED), mapping(), posted(PAID))
    assert isinstance(planned, Park)
    assert planned.reason.endswith("but Invoice 1001 stands for it in QuickBooks, and 10.00 has been paid on it.")


CREDITING = '[invoice]\nreopened_paid = "credit"\n'


def credited() -> Intent:
    return only(plan(request(REOPENED), mapping(CREDITING), posted(PAID)))


def test_what_is_credited_is_the_invoice_as_it_stands_on_its_day() -> None:
    intent = credited()
    assert (intent.entity, intent.record_key, intent.amount) == ("CreditMemo", credit_key(DEAL), Decimal("10.00"))
    assert intent.body["PrivateNote"] == "Credits Invoice 1001 of 2026-03-14: its sale was reopened. {marker}"
    assert {name: intent.body[name] for name in ("TxnDate", "DocNumber", "CustomerRef")} == {
        "TxnDate": "2026-03-14",
        "DocNumber": "1001-CR",
        "CustomerRef": {"value": "58", "name": "Anna"},
    }
    assert intent.figures is not None
    assert (intent.figures.net, intent.figures.tax) == (Decimal("10.00"), Decimal(0))
    assert lines_of(intent.body) == [{"Amount": Decimal("10.00"), "DetailType": "SalesItemLineDetail"}]


def test_a_deal_is_credited_once_and_parks_when_it_is_won_again() -> None:
    view = posted(PAID)
    view.links[credit_key(DEAL)] = link_of(credited(), credit_key(DEAL), {"DocNumber": "1001-CR"})
    assert isinstance(plan(request(REOPENED), mapping(CREDITING), view), Unchanged)
    again = plan(request(sale()), mapping(CREDITING), view)
    assert isinstance(again, Park)
    assert again.code == "credited"
    assert "CreditMemo 1001-CR" in again.fix


def test_a_credit_into_a_closed_period_parks() -> None:
    view = posted(PAID)
    view.closed = sale().dated
    planned = plan(request(REOPENED), mapping(CREDITING), view)
    assert isinstance(planned, Park)
    assert planned.code == "period_closed"


BY_US: Mapping[str, object] = {"status": "voided", "sent": {"Id": "77", "SyncToken": "0"}}
BY_A_PERSON: Mapping[str, object] = {"status": "voided", "sent": {"DocNumber": "1001", "Line": []}}
DELETED: Mapping[str, object] = {"status": "deleted"}


@pytest.mark.parametrize(
    ("ended", "rules", "becomes"),
    [
        (BY_US, "", "restored"),
        (BY_US, 'gone = "anew"\n', "restored"),
        (BY_US, 'restored = "anew"\n', "1001-2"),
        (BY_A_PERSON, "", "voided_in_books"),
        (BY_A_PERSON, 'restored = "anew"\n', "voided_in_books"),
        (BY_A_PERSON, 'gone = "anew"\n', "1001-2"),
        (DELETED, "", "deleted_in_books"),
        (DELETED, 'gone = "ignore"\n', "skip deleted_in_books"),
        (DELETED, 'gone = "anew"\n', "1001"),
    ],
)
def test_what_was_voided_or_deleted_and_is_wanted_comes_back_by_its_rule(
    ended: Mapping[str, object], rules: str, becomes: str
) -> None:
    planned = plan(request(sale(line(quantity=Decimal(2)))), mapping(f"[invoice]\n{rules}"), posted(OPEN, **ended))
    match planned:
        case Park():
            told: object = planned.code
        case Skip():
            told = f"skip {planned.code}"
        case _:
            intent = only(planned)
            told = intent.body["DocNumber"]
            assert intent.operation == "create"
    assert told == becomes


def test_the_second_invoice_of_a_sale_keeps_its_own_number() -> None:
    document = {**OPEN, "DocNumber": "1001-2"}
    second: Mapping[str, object] = {"incarnation": 2, "image": document, "latest": document}
    update = only(plan(request(sale(line(quantity=Decimal(2)))), mapping(), posted(document, **second)))
    assert (update.operation, update.body["DocNumber"], update.doc_number) == ("update", "1001-2", "1001-2")


REMOVING = '[customer]\nremoved = "deactivate"\n'


def listed(record: Record, rules: str = "") -> Link:
    return link_of(only(plan(request(record, COMPANY), mapping(rules), View())), COMPANY)


def test_what_the_source_shows_again_after_it_was_deleted_is_active_again() -> None:
    view = View(links={COMPANY: listed(Customer(name="Anna"))})
    ended = only(plan(request(None, COMPANY), mapping(REMOVING), view))
    assert ended.body == {"Active": False}
    view = View(links={COMPANY: link_of(ended, COMPANY)})
    back = only(plan(request(Customer(name="Anna"), COMPANY), mapping(REMOVING), view))
    assert (back.operation, back.body["Active"], back.body["DisplayName"]) == ("update", True, "Anna")


def test_a_new_name_is_an_update_and_parks_where_the_mapping_says_so() -> None:
    view = View(links={COMPANY: listed(Customer(name="Anna"))})
    renamed = only(plan(request(Customer(name="Anna Lee"), COMPANY), mapping(), view))
    assert (renamed.operation, renamed.body["DisplayName"]) == ("update", "Anna Lee")
    parked = plan(request(Customer(name="Anna Lee"), COMPANY), mapping('[customer]\nedited = "park"\n'), view)
    assert isinstance(parked, Park)
    assert parked.code == "changed_after_posting"


def test_what_was_made_anew_under_another_id_meets_its_own_name() -> None:
    view = View(links={COMPANY: listed(Customer(name="Anna"))}, names={("Customer", "anna"): COMPANY})
    other = "hubspot:company:99"
    assert isinstance(asked := plan(request(Customer(name="Anna"), other), mapping(), view), Park)
    assert asked.code == "same_name"
    apart = only(plan(request(Customer(name="Anna"), other), mapping('[customer]\nsame_name = "suffix"\n'), view))
    assert apart.body["DisplayName"] == "Anna (99)"


OTHER = "hubspot:company:13"


def merged_at_source(view: View, rules: str = "") -> object:
    gone = PlanRequest(connection="hubspot", record_key=COMPANY, record=None, position=1, merged_into=OTHER)
    return plan(gone, mapping(rules), view)


def test_what_was_merged_at_the_source_waits_until_somebody_merges_it_in_the_books() -> None:
    first = listed(Customer(name="Anna"))
    apart = View(links={COMPANY: first, OTHER: changed(first, {"record_key": OTHER, "document_id": "78"})})
    asked = merged_at_source(apart)
    assert isinstance(asked, Park)
    assert asked.code == "merged_at_source"
    assert "Customer id 77 and Customer id 78 stand in QuickBooks" in asked.reason
    kept = merged_at_source(apart, '[customer]\nmerged = "removed"\n')
    assert isinstance(kept, Skip)
    assert kept.code == "removed_kept"
    ended = merged_at_source(apart, '[customer]\nmerged = "removed"\nremoved = "deactivate"\n')
    assert isinstance(ended, tuple)
    one = View(links={COMPANY: first, OTHER: changed(first, {"record_key": OTHER, "shared_with": COMPANY})})
    settled = merged_at_source(one)
    assert isinstance(settled, Skip)
    assert settled.code == "merged"


def test_a_document_of_two_is_the_other_s_alone_once_its_owner_is_gone() -> None:
    first = listed(Customer(name="Anna"))
    shared = changed(first, {"record_key": OTHER, "shared_with": COMPANY})
    view = View(links={COMPANY: first, OTHER: shared}, known={COMPANY, OTHER})
    assert isinstance(plan(request(Customer(name="Bo"), OTHER), mapping(), view), Skip)
    view.known.discard(COMPANY)
    assert only(plan(request(Customer(name="Bo"), OTHER), mapping(), view)).body["DisplayName"] == "Bo"


def test_an_entry_of_a_list_that_another_took_over_has_no_number() -> None:
    """After a merge in QuickBooks its link is the second of its record."""
    moved = changed(listed(Customer(name="Anna")), {"incarnation": 2, "content_hash": ""})
    renamed = only(plan(request(Customer(name="Anna Lee"), COMPANY), mapping(), View(links={COMPANY: moved})))
    assert renamed.body == {"DisplayName": "Anna Lee"}
