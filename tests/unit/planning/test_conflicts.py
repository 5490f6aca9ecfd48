"""What both sides may change: the side that did wins; both are a conflict, and an answer holds for what was seen."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.compose import compose
from counterfoil.planning.inbound import Echo, Foreign, judge
from counterfoil.planning.mapping import Mapping as Rules
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Base, Chosen, Common, Composed, Conflicts, Link, Side, Unresolved
from counterfoil.planning.values import words
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import InvoiceLine
from support.planning import COMPANY, DEAL, GADGET, WIDGET, View, line, lines_of, mapping, only, request, sale

DOCUMENTS = {COMPANY: ("Customer", "58"), WIDGET: ("Item", "7"), GADGET: ("Item", "8"), DEAL: ("Invoice", "145")}
ASK = mapping('[fields.invoice.TxnDate]\nowner = "ask"\n[fields.invoice.Line]\nowner = "ask"\n')
LAST = mapping('[fields.invoice.TxnDate]\nowner = "last_writer"\n[fields.invoice.Line]\nowner = "last_writer"\n')
SUBTOTAL: JsonObject = {"Amount": Decimal("15.0"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
TWO = (line("a"), line("b", product=GADGET, unit_price=Decimal("5.00")))
DEARER = (line("a", unit_price=Decimal("11.00")), TWO[1])


def standing(line_id: str, item: str, amount: str, **more: str) -> JsonObject:
    return {
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
        **more,
    }


FIRST, SECOND = standing("1", "7", "10.0"), standing("2", "8", "5.0")
CHEAPER = standing("1", "7", "9.0")


def posted(*lines: JsonObject, day: str = "2026-03-14") -> JsonObject:
    return {
        "Id": "145",
        "SyncToken": "0",
        "CustomerRef": {"value": "58", "name": "Anna"},
        "TxnDate": day,
        "DocNumber": "1001",
        "Line": [*lines, SUBTOTAL],
    }


AS_WRITTEN = posted(FIRST, SECOND)


def link(latest: JsonObject, bases: Mapping[str, Base] | None = None, lines: Mapping[str, str] | None = None) -> Link:
    return Link(
        record_key=DEAL,
        entity="Invoice",
        document_id="145",
        sync_token="0",
        content_hash="",
        image=AS_WRITTEN,
        latest=latest,
        lines=lines or {"a": "1", "b": "2"},
        bases=bases or {},
    )


def merged(
    wanted: tuple[InvoiceLine, ...],
    held: Link,
    rules: Rules,
    day: str = "2026-03-14",
    later: Mapping[str, Side] | None = None,
) -> Composed | Unresolved | Conflicts:
    body = only(plan(request(sale(*wanted, dated=date.fromisoformat(day))), mapping(), View())).body
    return compose(
        body,
        "update",
        "Invoice",
        held,
        DOCUMENTS.get,
        lambda _entity, _name: None,
        "cf:ab12",
        rules.ownership("invoice"),
        later=later,
    )


def composed(
    wanted: tuple[InvoiceLine, ...],
    held: Link,
    rules: Rules,
    day: str = "2026-03-14",
    later: Mapping[str, Side] | None = None,
) -> Composed:
    result = merged(wanted, held, rules, day, later)
    assert isinstance(result, Composed), result
    return result


def amounts(body: JsonObject) -> list[object]:
    return [entry.get("Amount") for entry in lines_of(body)]


def test_a_line_that_only_a_person_changed_stays_where_lines_are_shared() -> None:
    edited = posted(CHEAPER, SECOND)
    more = (TWO[0], line("b", product=GADGET, unit_price=Decimal("6.00")))
    result = composed(more, link(edited), ASK)
    assert amounts(result.body) == [Decimal("9.0"), Decimal("6.00")]
    assert (result.kept, result.line_keys) == (("Line[a]",), ("a", "b"))
    assert amounts(composed(more, link(edited), mapping()).body) == [Decimal("10.00"), Decimal("6.00")]


def test_a_line_that_a_person_took_out_stays_out_update_after_update() -> None:
    without = posted(SECOND)
    more = (TWO[0], line("b", product=GADGET, unit_price=Decimal("6.00")))
    result = composed(more, link(without), ASK)
    assert (amounts(result.body), result.kept) == ([Decimal("6.00")], ("Line[a]",))
    # Its own line has no Id any more: what both started from is all that is left to tell it by.
    written = posted(standing("2", "8", "6.0"))
    later = replace(link(written, {"Line[a]": Common(value=FIRST)}, {"b": "2"}), image=written)
    again = composed((TWO[0], line("b", product=GADGET, unit_price=Decimal("7.00"))), later, ASK)
    assert (amounts(again.body), again.kept) == ([Decimal("7.00")], ("Line[a]",))
    changed = merged(DEARER, later, ASK)
    assert isinstance(changed, Conflicts)
    assert [(one.field, one.theirs) for one in changed.conflicts] == [("Line[a]", "no longer there")]


def test_a_line_that_the_source_took_out_and_a_person_changed_is_a_conflict() -> None:
    result = merged((TWO[1],), link(posted(CHEAPER, SECOND)), ASK)
    assert isinstance(result, Conflicts)
    assert [(one.field, one.ours) for one in result.conflicts] == [("Line[a]", "no longer there")]
    assert amounts(composed((TWO[1],), link(AS_WRITTEN), ASK).body) == [Decimal("5.00")]


def test_all_that_clashes_is_asked_at_once_with_three_versions_each() -> None:
    result = merged(DEARER, link(posted(CHEAPER, SECOND, day="2026-03-31")), ASK, "2026-04-01")
    assert isinstance(result, Conflicts)
    date_, line_ = result.conflicts
    assert (date_.field, date_.base, date_.ours, date_.theirs) == (
        "TxnDate",
        "2026-03-14",
        "2026-04-01",
        "2026-03-31",
    )
    assert line_.field == "Line[a]"
    assert ['"Amount":10.0,' in line_.base, '"Amount":11.00,' in line_.ours, '"Amount":9.0,' in line_.theirs] == [
        True,
        True,
        True,
    ]


def test_the_last_writer_wins_once_it_is_known_who_that_is() -> None:
    held = link(posted(CHEAPER, SECOND, day="2026-03-31"))
    asked = merged(DEARER, held, LAST, "2026-04-01")
    assert isinstance(asked, Conflicts)
    assert {one.owner for one in asked.conflicts} == {"last_writer"}
    mixed = composed(DEARER, held, LAST, "2026-04-01", {"TxnDate": "books", "Line[a]": "source"})
    assert ("TxnDate" in mixed.body, amounts(mixed.body)) == (False, [Decimal("11.00"), Decimal("5.00")])
    assert mixed.kept == ("TxnDate",)
    other = composed(DEARER, held, LAST, "2026-04-01", {"TxnDate": "source", "Line[a]": "books"})
    assert (other.body["TxnDate"], amounts(other.body)) == ("2026-04-01", [Decimal("9.0"), Decimal("5.00")])


@pytest.mark.parametrize("rules", [ASK, LAST], ids=["ask", "last writer"])
def test_a_side_that_changed_alone_needs_nobody(rules: Rules) -> None:
    assert composed(TWO, link(AS_WRITTEN), rules, "2026-04-01").body["TxnDate"] == "2026-04-01"
    kept = composed(TWO, link(posted(FIRST, SECOND, day="2026-03-31")), rules)
    assert ("TxnDate" in kept.body, kept.changes, kept.kept) == (False, (), ("TxnDate",))


def chosen(keep: Side) -> Mapping[str, Base]:
    return {"TxnDate": Chosen(keep=keep, source="2026-04-01", books="2026-03-31", shown="2026-03-14")}


@pytest.mark.parametrize(
    ("keep", "source", "books", "sent"),
    [
        ("books", "2026-04-01", "2026-03-31", None),  # as it was asked
        ("books", "2026-04-01", "2026-04-05", None),  # the side that was kept went on
        ("books", "2026-04-02", "2026-03-31", "2026-04-02"),  # the other went on: a change of its own
        ("source", "2026-04-01", "2026-03-31", "2026-04-01"),
        ("source", "2026-04-02", "2026-03-31", "2026-04-02"),
    ],
)
def test_an_answer_holds_for_what_was_seen(keep: Side, source: str, books: str, sent: str | None) -> None:
    result = composed(TWO, link(posted(FIRST, SECOND, day=books), chosen(keep)), ASK, source)
    assert (result.body.get("TxnDate"), result.kept) == (sent, () if sent else ("TxnDate",))


@pytest.mark.parametrize(
    ("keep", "source", "books"), [("books", "2026-04-02", "2026-04-05"), ("source", "2026-04-01", "2026-04-05")]
)
def test_what_was_not_seen_is_asked_again(keep: Side, source: str, books: str) -> None:
    result = merged(TWO, link(posted(FIRST, SECOND, day=books), chosen(keep)), ASK, source)
    assert isinstance(result, Conflicts)
    assert [(one.ours, one.base, one.theirs) for one in result.conflicts] == [(source, "2026-03-14", books)]


@pytest.mark.parametrize(("keep", "amount"), [("books", "9.0"), ("source", "11.00")])
def test_an_answer_about_a_line_holds(keep: Side, amount: str) -> None:
    held = link(posted(CHEAPER, SECOND))
    asked = merged(DEARER, held, ASK)
    assert isinstance(asked, Conflicts)
    (conflict,) = asked.conflicts
    answer: Mapping[str, Base] = {"Line[a]": Chosen(keep=keep, source=conflict.ours, books=conflict.theirs)}
    result = composed(DEARER, link(posted(CHEAPER, SECOND), answer), ASK)
    assert amounts(result.body) == [Decimal(amount), Decimal("5.00")]


def test_an_edit_that_was_kept_is_not_lost_at_the_second_update_after_it() -> None:
    """After the first, the document as we left it holds the edit, and what we sent no longer names the field."""
    held = posted(FIRST, SECOND, day="2026-03-31")
    result = composed(TWO, link(held, {"TxnDate": Common(value="2026-03-14")}), ASK)
    assert ("TxnDate" in result.body, result.kept) == (False, ("TxnDate",))
    clash = merged(TWO, link(held, {"TxnDate": Common(value="2026-03-14")}), ASK, "2026-04-01")
    assert isinstance(clash, Conflicts)


def test_what_an_update_does_not_touch_stays_kept() -> None:
    held = link(posted(FIRST, SECOND, day="2026-03-31"), {"TxnDate": Common(value="2026-03-14")})
    result = compose({"Active": False}, "update", "Customer", held, DOCUMENTS.get, lambda _e, _n: None, "")
    assert isinstance(result, Composed)
    assert result.kept == ("TxnDate",)


def test_tax_that_follows_from_an_edited_line_is_no_edit_of_its_own() -> None:
    tax: JsonObject = {"TotalTax": Decimal("1.50"), "TaxLine": [{"Amount": Decimal("1.5")}]}
    taxed: JsonObject = {**AS_WRITTEN, "TxnTaxDetail": tax}
    rounded: JsonObject = {**taxed, "TxnTaxDetail": {"TotalTax": Decimal("1.5"), "TaxLine": []}}
    held = replace(link(taxed), image=taxed)
    assert isinstance(judge(rounded, "live", held), Echo)
    edited: JsonObject = {**taxed, "Line": [CHEAPER, SECOND], "TxnTaxDetail": {"TotalTax": Decimal("1.40")}}
    verdict = judge(edited, "live", held)
    assert isinstance(verdict, Foreign)
    assert verdict.changed == ("Line",)
    alone = judge({**taxed, "TxnTaxDetail": {"TotalTax": Decimal("1.40")}}, "live", held)
    assert isinstance(alone, Foreign)
    assert alone.changed == ("TxnTaxDetail",)


def test_versions_are_told_as_text() -> None:
    assert (words("a"), words({"value": "58"}), words(None)) == ("a", '{"value":"58"}', "null")


@pytest.mark.parametrize(
    ("owner", "sent"),
    [("source", {"DisplayName": "Anna B", "Active": True}), ("books", {}), ("ask", {}), ("last_writer", {})],
)
def test_a_name_and_an_inactivation_of_a_person_follow_their_owner(owner: str, sent: JsonObject) -> None:
    """Renamed and made inactive in QuickBooks; at the source only the e-mail address has changed since."""
    rules = mapping("".join(f'[fields.customer.{name}]\nowner = "{owner}"\n' for name in ("DisplayName", "Active")))
    written: JsonObject = {"Id": "58", "SyncToken": "1", "DisplayName": "Anna B", "Active": True}
    theirs: JsonObject = {**written, "SyncToken": "2", "DisplayName": "Anna Banks", "Active": False}
    held = replace(link(theirs), record_key=COMPANY, entity="Customer", image=written)
    address: JsonObject = {"PrimaryEmailAddr": {"Address": "anna@shop.example"}}
    wanted: JsonObject = {"DisplayName": "Anna B", "Active": True, **address}
    result = compose(
        wanted,
        "update",
        "Customer",
        held,
        DOCUMENTS.get,
        lambda _entity, _name: None,
        "",
        rules.ownership("customer"),
    )
    assert isinstance(result, Composed)
    assert result.body == {"Id": "145", "SyncToken": "2", "sparse": True, **sent, **address}
