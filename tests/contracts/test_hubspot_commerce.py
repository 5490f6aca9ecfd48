"""Quotes, HubSpot's own invoices, commerce payments and contacts, as the mapping asks for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import Removed, Seen, SourceError, Unreadable, WebhookRequest
from counterfoil.testing.source_contract import SourceContract, Stage
from counterfoil_adapters.hubspot.adapter import HubSpotSource
from counterfoil_schema.records import Address, Application, Customer, Invoice, InvoiceLine, Payment, Refund
from support.hubspot import (
    Account,
    account,
    company,
    contact,
    deal,
    flat,
    inbox,
    invoice,
    line_item,
    link,
    pages,
    payment,
    product,
    quote,
)

MAPPING = {
    "connection": {"source": "hubspot", "zone": "America/New_York"},
    "customer": {"from": ["company", "contact"]},
    "invoice": {"from": ["quote", "invoice"]},
    "payment": {"from": ["payment"]},
}
INVOICES = {**MAPPING, "invoice": {"from": ["invoice"]}}


class TestHubSpotCommerceUnderFaults(SourceContract):
    fixed_fields = ("hs_lastmodifieddate", "lastmodifieddate", "hs_object_id", "updatedAt", "archivedAt", "archived")

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with account() as held:
            await held.load(
                companies=[company(1)],
                contacts=[contact(2), contact(3, firstname="", lastname="", email="")],
                quotes=[quote(31, hs_quote_amount="19.99", hs_esign_date="2026-10-30T10:00:00Z")],
                invoices=[invoice(41, hs_amount_billed="100.00"), invoice(42, hs_amount_billed="much")],
                commerce_payments=[payment(51, "60.00"), payment(52, "1.00")],
                line_items=[line_item(9, "19.99"), line_item(10, "100.00")],
                associations=[
                    link("quotes", 31, "companies", 1),
                    link("quotes", 31, "line_items", 9),
                    link("invoices", 41, "contacts", 2),
                    link("invoices", 41, "line_items", 10),
                    link("commerce_payments", 51, "invoices", 41),
                ],
            )
            edits = iter(range(1000))

            async def edit() -> tuple[str, str]:
                await held.control("PATCH", "/people/contacts/2", {"properties": {"lastname": f"New {next(edits)}"}})
                return "contact", "2"

            yield Stage(
                at=lambda bench: HubSpotSource(bench.context(held.settings(base_url=bench.url), mapping=MAPPING)),
                address=held.emulator.base_url,
                readable={
                    "company": ["1"],
                    "contact": ["2"],
                    "quote": ["31"],
                    "invoice": ["41"],
                    "payment": ["51"],
                },
                unreadable={"contact": ["3"], "invoice": ["42"], "payment": ["52"]},
                forged=WebhookRequest(method="POST", url="https://a.test/h", headers={}, body=b"[]"),
                edit=edit,
            )


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def seen(held: Account, kind: str, mapping: Any = MAPPING) -> dict[str, Any]:
    """The records of a kind by id; of what is unreadable the problem."""
    source = held.source(mapping=mapping)
    found = flat(await pages(source, kind))
    return {
        change.source_id: change.record if isinstance(change, Seen) else getattr(change, "problem", change)
        for change in found
    }


def test_only_what_the_mapping_has_a_use_for_is_read() -> None:
    from counterfoil_adapters.hubspot.kinds import kinds_read

    assert kinds_read({}) == ("company", "product", "deal")
    assert kinds_read(MAPPING) == ("company", "contact", "product", "quote", "invoice", "payment", "refund")
    only = {"customer": {"from": ["contact"]}, "invoice": {"from": ["deal", "invoice"]}}
    assert kinds_read(only) == ("contact", "product", "deal", "invoice")
    assert kinds_read({"invoice": {"from": ["qoute"]}, "refund": {"from": "refund"}}) == ("company", "product")


async def test_an_invoice_of_hubspot_s_comes_out_to_the_cent_with_its_tax(held: Account) -> None:
    # 2.5 x 100.10 x 0.85 = 212.71, taxed at 10 % with 21.27; 3 x 19.985 = 59.96, untaxed: 293.94 in all.
    lines = [
        line_item(
            901,
            "100.10",
            quantity="2.5",
            hs_product_id="11",
            hs_discount_percentage="15",
            hs_tax_amount="21.27",
            hs_tax_label="VAT 10",
        ),
        line_item(900, "19.99", quantity="3", discount="0.005", hs_position_on_quote="0", hs_tax_amount="0"),
    ]
    await held.load(
        companies=[company(1)],
        products=[product(11, "100.10")],
        invoices=[
            invoice(41, hs_amount_billed="293.94", hs_title="Autumn", hs_due_date="2026-12-01T04:30:00Z"),
            invoice(42, hs_invoice_status="draft", hs_due_date="2026-12-01T00:00:00Z"),
            invoice(43, hs_invoice_status="paid"),
            invoice(44, hs_invoice_status="voided", hs_currency=None),
        ],
        line_items=lines,
        associations=[link("invoices", 41, "companies", 1), link("invoices", 41, "line_items", 901, 900)],
    )
    records = await seen(held, "invoice")
    assert records["41"] == Invoice(
        customer="hubspot:company:1",
        number="INV-41",
        status="open",
        won=True,
        happened_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
        due=date(2026, 11, 30),  # 23:30 on that day in New York
        currency="USD",
        stated_total=Decimal("272.67"),
        memo="Autumn",
        lines=(
            InvoiceLine(
                line_id="900",
                description="Line 900",
                quantity=Decimal(3),
                unit_price=Decimal("19.985"),
                amount=Decimal("59.96"),
                tax=Decimal(0),
            ),
            InvoiceLine(
                line_id="901",
                product="hubspot:product:11",
                description="Line 901",
                quantity=Decimal("2.5"),
                unit_price=Decimal("100.10"),
                discount=Decimal("0.15"),
                amount=Decimal("212.71"),
                tax=Decimal("21.27"),
                tax_code="VAT 10",
            ),
        ),
    )
    assert (records["42"].won, records["42"].status, records["42"].due) == (False, "draft", date(2026, 12, 1))
    assert (records["43"].won, records["43"].status) == (True, "paid")
    assert records["44"] == "The invoice 44 has no usable hs_currency."


async def test_a_quote_is_won_once_it_is_signed_or_paid(held: Account) -> None:
    made = {"createdAt": "2026-10-01T10:00:00Z"}
    await held.load(
        companies=[company(1)],
        quotes=[
            quote(31, hs_quote_amount="5.50", hs_quote_number="20261001-1", **made),
            quote(32, hs_esign_date="2026-10-30T10:00:00Z", **made),
            quote(33, hs_payment_status="PAID", hs_status="APPROVED", **made),
        ],
        line_items=[line_item(9, "5.50")],
        associations=[link("quotes", 31, "companies", 1), link("quotes", 31, "line_items", 9)],
    )
    records = await seen(held, "quote")
    assert {number: (one.won, one.status, one.happened_at) for number, one in records.items()} == {
        "31": (False, "APPROVAL_NOT_NEEDED", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        "32": (True, "APPROVAL_NOT_NEEDED", datetime(2026, 10, 30, 10, tzinfo=UTC)),
        "33": (True, "APPROVED", datetime(2026, 10, 1, 10, tzinfo=UTC)),
    }
    first = records["31"]
    assert (first.number, first.customer, first.stated_total) == ("20261001-1", "hubspot:company:1", Decimal("5.50"))
    states = (await held.source(mapping=MAPPING).describe()).statuses
    assert states is not None
    assert (states["APPROVED"], states["voided"]) == ("Published", "Voided")


async def test_a_quote_is_an_estimate_where_the_mapping_says_so(held: Account) -> None:
    await held.load(
        companies=[company(1)],
        quotes=[
            quote(31, hs_quote_amount="5.50", hs_expiration_date="2026-12-31T00:00:00Z"),
            quote(32, hs_status="DRAFT"),
            quote(33, hs_status="APPROVED", hs_payment_status="PAID"),
        ],
        line_items=[line_item(9, "5.50")],
        associations=[link("quotes", 31, "companies", 1), link("quotes", 31, "line_items", 9)],
    )
    mapping = {**INVOICES, "estimate": {"from": ["quote"]}}
    records = await seen(held, "quote", mapping)
    assert {number: (one.kind, one.offered, one.accepted) for number, one in records.items()} == {
        "31": ("estimate", True, False),
        "32": ("estimate", False, False),
        "33": ("estimate", True, True),
    }
    first = records["31"]
    assert (first.customer, first.expires, first.stated_total) == (
        "hubspot:company:1",
        date(2026, 12, 31),
        Decimal("5.50"),
    )
    with pytest.raises(ConfigurationError, match="takes quotes for estimates and for invoices"):
        held.source(mapping={**MAPPING, "estimate": {"from": ["quote"]}})


async def test_a_payment_is_applied_to_what_it_is_associated_with(held: Account) -> None:
    await held.load(
        companies=[company(1), company(2)],
        invoices=[
            invoice(41, hs_amount_billed="100.00"),
            invoice(42, hs_amount_billed="30.00"),
            invoice(43, hs_amount_billed="20.00"),
        ],
        commerce_payments=[
            payment(51, "60.00", hs_reference_number="CHQ 7"),
            payment(52, "120.00", hs_initiated_date="2026-11-02T03:00:00Z"),
            payment(53, "50.00", hs_currency_code=None),
            payment(54, "45.00"),
            payment(55, "7.00"),
            payment(56, "8.00"),
        ],
        associations=[
            *(link("invoices", number, "companies", 1) for number in (41, 42, 43)),
            link("commerce_payments", 51, "invoices", 41),
            link("commerce_payments", 52, "invoices", 41),
            link("commerce_payments", 53, "invoices", 42, 43),
            link("commerce_payments", 54, "invoices", 42, 43),
            link("commerce_payments", 55, "companies", 2),
        ],
    )
    records = await seen(held, "payment")
    assert records["51"] == Payment(
        customer="hubspot:company:1",
        dated=date(2026, 11, 2),
        currency="USD",
        amount=Decimal("60.00"),
        reference="CHQ 7",
        applied=(Application(invoice="hubspot:invoice:41", amount=Decimal("60.00")),),
        status="succeeded",
    )
    # 20 more than is billed stay unapplied; three in the morning UTC is the evening before in New York.
    assert (records["52"].dated, [part.amount for part in records["52"].applied]) == (
        date(2026, 11, 1),
        [Decimal("100.00")],
    )
    both = {part.invoice: part.amount for part in records["53"].applied}
    assert both == {"hubspot:invoice:42": Decimal("30.00"), "hubspot:invoice:43": Decimal("20.00")}
    assert records["54"] == "HubSpot does not say how the payment 54 of 45.00 is split over 42, 43."
    assert (records["55"].customer, records["55"].applied) == ("hubspot:company:2", ())
    assert records["56"] == "The payment 56 names no company or contact."


async def test_a_payment_that_is_associated_later_comes_with_the_next_poll(held: Account) -> None:
    await held.load(
        companies=[company(1)],
        invoices=[invoice(41, hs_amount_billed="100.00")],
        commerce_payments=[payment(51, "60.00")],
        line_items=[line_item(9, "100.00")],
        associations=[link("commerce_payments", 51, "companies", 1), link("invoices", 41, "line_items", 9)],
    )
    source = held.source(mapping=INVOICES)
    read = await pages(source, "payment")
    (before,) = [one.record for one in flat(read) if isinstance(one, Seen)]
    await held.control("POST", "/clock", {"advance_seconds": 60})
    await held.control("PATCH", "/people/commerce_payments/51", {"associations": {"invoices": ["41"]}})
    (after,) = [one.record for one in flat(await pages(source, "payment", read[-1].cursor)) if isinstance(one, Seen)]
    assert isinstance(before, Payment)
    assert isinstance(after, Payment)
    assert (before.applied, [part.amount for part in after.applied]) == ((), [Decimal("60.00")])


@pytest.mark.parametrize(
    ("status", "received"),
    [
        ("succeeded", True),
        ("refunded", True),
        ("disputed_won", True),
        ("disputed_awaiting_decision", True),
        ("processing", False),
        ("failed", False),
        ("disputed_lost", False),
        (None, False),
    ],
)
async def test_only_money_that_came_and_stayed_is_received(held: Account, status: str | None, received: bool) -> None:
    await held.load(
        companies=[company(1)],
        commerce_payments=[payment(51, "60.00", hs_latest_status=status)],
        associations=[link("commerce_payments", 51, "companies", 1)],
    )
    (record,) = (await seen(held, "payment")).values()
    assert (record.received, record.status) == (received, status)


async def test_each_refund_is_dated_when_hubspot_says_that_its_total_grew(held: Account) -> None:
    await held.control("POST", "/clock", {"now": "2026-11-02T16:00:00Z"})
    await held.load(
        contacts=[contact(2)],
        commerce_payments=[payment(51, "60.00"), payment(52, "9.00"), payment(53, "5.00")],
        associations=[link("commerce_payments", number, "contacts", 2) for number in (51, 52, 53)],
    )
    source = held.source(mapping=MAPPING)
    cursor = (await pages(source, "refund"))[-1].cursor
    for day, total, status in (("05", "10.00", "partially_refunded"), ("09", "25.50", "partially_refunded")):
        await held.control("POST", "/clock", {"now": f"2026-11-{day}T03:00:00Z"})
        values = {"hs_refunds_amount": total, "hs_latest_status": status}
        await held.control("PATCH", "/people/commerce_payments/51", {"properties": values})
    await held.control("PATCH", "/people/commerce_payments/53", {"properties": {"hs_refunds_amount": "5.00"}})
    await held.control("PATCH", "/people/commerce_payments/53", {"properties": {"hs_refunds_amount": "4.00"}})
    found = flat(await pages(source, "refund", cursor))
    refunds = {one.source_id: one.record for one in found if isinstance(one, Seen)}
    assert {
        number: (one.customer, one.dated, [line.unit_price for line in one.lines])
        for number, one in refunds.items()
        if isinstance(one, Refund)
    } == {
        "51-1": ("hubspot:contact:2", date(2026, 11, 4), [Decimal("10.00")]),
        "51-2": ("hubspot:contact:2", date(2026, 11, 8), [Decimal("15.50")]),
        "53-1": ("hubspot:contact:2", date(2026, 11, 8), [Decimal("5.00")]),
    }
    (fallen,) = [one for one in found if isinstance(one, Unreadable)]
    assert (fallen.source_id, fallen.problem) == ("53-2", "What was refunded of payment 53 changed to '4.00'.")
    told = [(one.kind, one.source_id) for one in await source.read("payment", "51")]
    assert told == [("contact", "2"), ("payment", "51"), ("refund", "51-1"), ("refund", "51-2")]
    assert [(one.kind, one.source_id) for one in await source.read("refund", "51-2")] == told


async def test_a_refund_without_an_amount_is_seen(held: Account) -> None:
    await held.load(
        companies=[company(1)],
        commerce_payments=[payment(51, "60.00", hs_latest_status="refunded")],
        associations=[link("commerce_payments", 51, "companies", 1)],
    )
    assert await seen(held, "refund") == {"51-1": "HubSpot says that payment 51 was refunded, not how much."}


async def test_contacts_become_customers_where_the_mapping_takes_them(held: Account) -> None:
    await held.load(
        companies=[company(1)],
        contacts=[
            contact(2, phone="1", company="Acme", address="1 Main St", city="Springfield"),
            contact(3, firstname="", lastname=""),
            contact(4, firstname="", lastname="", email=""),
        ],
        deals=[deal(512), deal(513), deal(514)],
        associations=[
            link("deals", 512, "contacts", 2),
            link("deals", 513, "companies", 1),
            link("deals", 513, "contacts", 2),
            link("deals", 514, "contacts", 2, 3),
        ],
    )
    mapping = {**MAPPING, "invoice": {}}
    records = await seen(held, "contact", mapping)
    assert records["2"] == Customer(
        name="Ada Contact 2",
        company_name="Acme",
        given_name="Ada",
        family_name="Contact 2",
        email="ada2@example.test",
        phone="1",
        billing=Address(lines=("1 Main St",), city="Springfield"),
    )
    assert records["3"].name == "ada3@example.test"
    assert records["4"] == "The contact 4 has no usable name."
    customers = {number: one.customer for number, one in (await seen(held, "deal", mapping)).items()}
    assert customers == {"512": "hubspot:contact:2", "513": "hubspot:company:1", "514": None}
    assert {one.customer for one in (await seen(held, "deal", {})).values()} == {None, "hubspot:company:1"}


async def test_contacts_past_a_page_of_one_instant_are_all_found(held: Account) -> None:
    """Of contacts the instant of the last change has another name than of all others."""
    source = held.source(mapping=MAPPING)
    cursor = (await pages(source, "contact"))[-1].cursor
    moment = "2026-11-01T00:00:00.000Z"
    await held.load(contacts=[contact(number, createdAt=moment, updatedAt=moment) for number in range(1, 452)])
    found = [one.source_id for one in flat(await pages(source, "contact", cursor))]
    assert len(found) == len(set(found)) == 451


async def test_an_edited_line_brings_its_invoice_and_merged_contacts_their_winner(held: Account) -> None:
    await held.load(
        contacts=[contact(2), contact(3)],
        invoices=[invoice(41)],
        line_items=[line_item(9, "5")],
        associations=[link("invoices", 41, "line_items", 9), link("invoices", 41, "contacts", 3)],
    )
    source = held.source(mapping=INVOICES)
    invoices = (await pages(source, "invoice"))[-1].cursor
    contacts = (await pages(source, "contact"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 60})
    await held.control("PATCH", "/people/line_items/9", {"properties": {"quantity": "7"}})
    await held.control("POST", "/people/contacts/merge", {"primary": "2", "merged": "3"})
    changed = [one for one in flat(await pages(source, "invoice", invoices)) if isinstance(one, Seen)]
    assert isinstance(changed[-1].record, Invoice)
    assert (changed[-1].record.customer, changed[-1].record.stated_total) == ("hubspot:contact:2", Decimal("35.00"))
    gone = [one for one in flat(await pages(source, "contact", contacts)) if isinstance(one, Removed)]
    assert [(one.source_id, one.merged_into) for one in gone] == [("3", "2")]


@pytest.mark.parametrize("classic", [False, True])
async def test_each_happening_says_what_to_read(classic: bool) -> None:
    async with account(classic_webhooks=classic) as held, inbox() as box:
        await held.load(contacts=[contact(2)], invoices=[invoice(41)], commerce_payments=[payment(51, "5.00")])
        await held.control("POST", "/webhooks", {"url": box.url})
        await held.control("PATCH", "/people/invoices/41", {"properties": {"hs_title": "New"}})
        await held.control("PATCH", "/people/commerce_payments/51", {"associations": {"invoices": ["41"]}})
        await held.control("POST", "/people/contacts/2/erase")
        while held.emulator.webhooks.waiting or held.emulator.webhooks.delivered < 4:
            await held.http.get(f"{held.emulator.control_url}/state")
        source, deals_only = held.source(mapping=INVOICES), held.source()
        hints = [hint for request in box.requests for hint in source.receive(request).hints]
        told = {(hint.kind, hint.source_id, hint.operation) for hint in hints}
        assert told == {
            ("invoice", "41", "update"),
            ("payment", "51", "update"),
            ("contact", "2", "erased"),
        }
        assert [hint for request in box.requests for hint in deals_only.receive(request).hints] == []
    with pytest.raises(SourceError, match=r"no records of kind order"):
        async for _ in source.changes("order", None):
            pass
