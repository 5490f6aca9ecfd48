"""Sums and differences: nothing is lost between a document and its cells, and the same difference is the same."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.reconciling.drifts import KINDS, Compared, Expected, compare_document, kind_of, stranger
from counterfoil.planning.reconciling.figures import Posted, amount_of_others, posted_of, total_of, wanted_by_source
from counterfoil.planning.reconciling.totals import Totals, by_month
from counterfoil.planning.types import Base, Chosen, Link
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Figures, TieOut
from counterfoil_schema.exact_json import JsonObject
from support.planning import mapping

CENTS = st.integers(-10_000_000, 10_000_000).map(lambda cents: Decimal(cents).scaleb(-2))
POSTED = st.builds(
    Posted,
    entity=st.sampled_from(("Invoice", "Payment", "CreditMemo")),
    currency=st.sampled_from(("USD", "EUR", "JPY")),
    month=st.sampled_from(("2026-01", "2026-02", "2025-12")),
    party=st.sampled_from(("Customer 1", "Customer 2")),
    net=CENTS,
    tax=CENTS,
)


def split(posted: Posted, shares: int) -> Posted:
    """The same with its net posted to several accounts."""
    first = (posted.net / shares).quantize(Decimal("0.01"))
    accounts = {str(number): first for number in range(shares - 1)}
    return replace(posted, accounts={**accounts, "last": posted.net - first * (shares - 1)})


@given(documents=st.lists(POSTED, max_size=40), shares=st.integers(1, 4))
def test_every_dimension_comes_to_the_same_as_its_documents(documents: list[Posted], shares: int) -> None:
    totals = Totals()
    for one in documents:
        for side in ("source", "log", "books"):
            totals.add(side, split(one, shares))
    for entity, currency in {(one.entity, one.currency) for one in documents}:
        mine = [one for one in documents if (one.entity, one.currency) == (entity, currency)]
        cells = [one for one in totals.cells() if (one.place.entity, one.place.currency) == (entity, currency)]
        for dimension in ("type", "month", "party"):
            some = [one for one in cells if one.place.dimension == dimension]
            assert sum(one.books.documents for one in some) == len(mine)
            assert sum(one.books.total for one in some) == sum(one.total for one in mine)
            assert sum(one.source.tax for one in some) == sum(one.tax for one in mine)
        accounts = [one for one in cells if one.place.dimension == "account"]
        assert sum(one.log.net for one in accounts) == sum(one.net for one in mine)
    assert not any(one.differs for one in totals.cells())
    months = by_month(totals.cells())
    assert {currency: sum(one.books.total for one in cells.values()) for currency, cells in months.items()} == {
        currency: sum(one.total for one in documents if one.currency == currency) for currency in months
    }


@given(documents=st.lists(POSTED, min_size=1, max_size=10), off=CENTS.filter(bool))
def test_a_cent_off_shows_in_each_dimension(documents: list[Posted], off: Decimal) -> None:
    totals = Totals()
    for number, one in enumerate(documents):
        totals.add("source", split(one, 1))
        totals.add("log", split(one, 1))
        totals.add("books", split(replace(one, net=one.net + off) if number == 0 else one, 1))
    assert {one.place.dimension for one in totals.cells() if one.differs} == {"type", "month", "party", "account"}


def line(identity: str, amount: str, account: str = "79") -> JsonObject:
    detail: JsonObject = {"ItemRef": {"value": "5"}, "ItemAccountRef": {"value": account}}
    return {
        "Id": identity,
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }


INVOICE: JsonObject = {
    "Id": "12",
    "SyncToken": "3",
    "DocNumber": "1001",
    "TxnDate": "2026-03-14",
    "CustomerRef": {"value": "7", "name": "Ann"},
    "Line": [line("1", "10.00"), line("2", "5.50", "82")],
    "TxnTaxDetail": {"TotalTax": Decimal("1.24")},
    "TotalAmt": Decimal("16.74"),
}
LINK = Link(
    record_key="shop:order:1",
    entity="Invoice",
    document_id="12",
    sync_token="3",
    content_hash="h",
    image=INVOICE,
    latest=INVOICE,
    lines={"a": "1", "b": "2"},
)


def posted(document: JsonObject) -> Posted:
    return posted_of("Invoice", document, home="USD", accounts_of_items={})


EXPECTED = Expected(link=LINK, wanted=posted(INVOICE))


def test_of_whom_was_erased_nobody_knows_what_the_books_should_say() -> None:
    """The name in the books is no edit; an amount still is."""
    held = Document.of("Invoice", {**INVOICE, "BillAddr": {"Line1": "1 Elm St"}})
    erased = replace(EXPECTED, link=replace(LINK, image=held.without_personal()), erased=True)
    rules = mapping('[fields.invoice.BillAddr]\nowner = "source"\n').ownership_of_entity("Invoice")
    erased = replace(erased, rules=rules)
    assert compare_document(erased, held.fields(), "live", posted(INVOICE)) == Compared()
    dearer: JsonObject = {**held.fields(), "Line": [line("1", "11.00"), line("2", "5.50", "82")]}
    drift = compare_document(erased, dearer, "live", posted(dearer)).drift
    assert drift is not None
    assert [one.field for one in drift.fields] == ["Line[1].Amount"]


def test_a_document_in_figures() -> None:
    found = posted(INVOICE)
    assert (found.currency, found.month, found.party) == ("USD", "2026-03", "Customer 7")
    assert (found.net, found.tax, found.total) == (Decimal("15.50"), Decimal("1.24"), Decimal("16.74"))
    assert found.accounts == {"79": Decimal("10.00"), "82": Decimal("5.50")}


def test_a_journal_entry_comes_to_its_debits_and_its_accounts_to_nothing() -> None:
    sides = (("Debit", "60", "1000.00"), ("Credit", "35", "900.00"), ("Credit", "61", "100.00"))
    entry: JsonObject = {
        "TotalAmt": 0,
        "Line": [
            {
                "Amount": Decimal(amount),
                "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
            }
            for side, account, amount in sides
        ],
    }
    assert total_of(entry) == 1000
    assert sum(posted_of("JournalEntry", entry, home="USD", accounts_of_items={}).accounts.values()) == 0


@pytest.mark.parametrize(
    ("figures", "tie", "wanted"),
    [
        (None, None, ("15.50", "1.24")),
        (Figures(currency="USD", home="USD", net=Decimal("15.50")), None, ("15.50", "1.24")),
        (
            Figures(currency="USD", home="USD", net=Decimal("15.50"), tax=Decimal("1.25"), tolerance=Decimal("0.01")),
            TieOut(currency="USD", total=Decimal("16.74"), tax=Decimal("1.24")),
            ("15.50", "1.24"),
        ),
        (
            Figures(currency="USD", home="USD", net=Decimal("15.50"), tax=Decimal("1.26"), tolerance=Decimal("0.01")),
            TieOut(currency="USD", total=Decimal("16.74"), tax=Decimal("1.24")),
            ("15.50", "1.26"),
        ),
    ],
)
def test_what_the_source_wants_puts_up_with_no_more_than_the_mapping_does(
    figures: Figures | None, tie: TieOut | None, wanted: tuple[str, str]
) -> None:
    assert wanted_by_source(posted(INVOICE), figures, tie) == tuple(Decimal(one) for one in wanted)


def test_lines_of_others_are_told_from_ours() -> None:
    assert amount_of_others(INVOICE, {"1"}) == Decimal("5.50")
    assert amount_of_others(INVOICE, frozenset()) == 0


def test_the_same_document_is_no_difference() -> None:
    assert compare_document(EXPECTED, INVOICE, "live", posted(INVOICE)).drift is None


def test_a_line_of_ours_is_restored_and_a_line_of_theirs_is_not() -> None:
    edited: JsonObject = {
        **INVOICE,
        "SyncToken": "4",
        "Line": [line("1", "11.00"), line("2", "5.50", "82"), line("9", "3.00")],
        "TotalAmt": Decimal("20.74"),
        "PrivateNote": "theirs",
    }
    compared = compare_document(EXPECTED, edited, "live", posted(edited))
    assert compared.drift is not None
    assert compared.drift.kind == "changed_in_books"
    assert compared.drift.amount == Decimal("4.00")
    assert {one.field: one.restored for one in compared.drift.fields} == {"Line[1].Amount": True, "Line[9]": False}
    assert compared.apart == ("PrivateNote",)


def test_an_older_reading_says_nothing() -> None:
    older: JsonObject = {**INVOICE, "SyncToken": "2", "TxnDate": "2025-01-01"}
    assert compare_document(EXPECTED, older, "live", posted(older)).drift is None


def test_what_is_gone_is_missing_by_its_whole_amount() -> None:
    nothing = Posted(entity="Invoice", currency="USD")
    drift = compare_document(EXPECTED, {"Id": "12", "status": "Deleted"}, "deleted", nothing).drift
    assert drift is not None
    assert (drift.kind, drift.amount, drift.number, drift.repair) == (
        "missing_in_books",
        Decimal("-16.74"),
        "1001",
        "create",
    )


@given(amount=CENTS, other=CENTS)
def test_a_digest_changes_with_what_differs_and_only_then(amount: Decimal, other: Decimal) -> None:
    def told(net: Decimal) -> str:
        books = Posted(entity="Invoice", currency="USD", net=net)
        return stranger("Invoice", "3", "", books, owner="shop:order:1", other="2").digest

    assert (told(amount) == told(other)) == (amount == other)


def test_kinds_go_by_their_names() -> None:
    assert [kind_of(one) for one in KINDS] == [*KINDS]
    with pytest.raises(ValueError, match="lost"):
        kind_of("lost")


def dated_by(owner: str, bases: Mapping[str, Base] | None = None, day: str = "2026-03-31") -> Compared:
    """Somebody moved the date of the invoice in QuickBooks."""
    rules = mapping(f'[fields.invoice.TxnDate]\nowner = "{owner}"\n').ownership("invoice")
    expected = Expected(link=replace(LINK, bases=bases or {}), rules=rules)
    observed: JsonObject = {**INVOICE, "SyncToken": "4", "TxnDate": day}
    return compare_document(expected, observed, "live", posted(observed))


@pytest.mark.parametrize(
    ("owner", "differs"), [("source", True), ("ask", True), ("books", False), ("last_writer", False)]
)
def test_what_the_books_own_by_rule_is_no_difference_and_only_the_source_s_is_restored(
    owner: str, differs: bool
) -> None:
    compared = dated_by(owner)
    assert (compared.drift is not None) == differs
    assert compared.apart == (() if differs else ("TxnDate",))
    if compared.drift is not None:
        assert (compared.drift.repair == "update") == (owner == "source")


def test_what_a_person_left_to_the_books_is_no_difference_until_it_changes_again() -> None:
    kept = Chosen(keep="books", source="2026-04-01", books="2026-03-31")
    assert dated_by("ask", {"TxnDate": kept}).drift is None
    assert dated_by("ask", {"TxnDate": kept}, day="2026-05-01").drift is not None
    assert dated_by("ask", {"TxnDate": replace(kept, keep="source")}).drift is not None
