"""Salesforce's adapter under the contract of all sources, and through what is Salesforce's own."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import parse_mapping
from counterfoil.sources.port import Removed, Seen, SourceError, Unreadable
from counterfoil.testing.source_contract import SourceContract, Stage
from counterfoil_schema.records import Address, Customer, Invoice, InvoiceLine, Product
from support.salesforce import Org, account, flat, line, opportunity, org, pages, price, product, record_id

EXAMPLE = Path(__file__).parents[2] / "adapters/counterfoil_adapters/salesforce/examples/salesforce.toml"
TEXT = 'Mañana & Söhne "GmbH" 🦊\nzweite Zeile'
STAMP = "2026-11-01T09:00:00Z"


class TestSalesforceContract(SourceContract):
    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with org() as held:
            await held.load(
                Account=[account(1, TEXT), account(2)],
                Product2=[product(11)],
                PricebookEntry=[price(held, 11, "9.90")],
                # All of one instant, so that only their ids part them.
                Opportunity=[opportunity(n, 2, SystemModstamp=STAMP) for n in range(1001, 1121)],
                OpportunityLineItem=[line(5001, 1001, 11, "2", SystemModstamp=STAMP)],
            )
            await held.load(Opportunity=[opportunity(2001, 1, SystemModstamp=STAMP)])
            held.emulator.org.tables["Opportunity"].rows[record_id("006", 2001)].values["Amount"] = "12,50"

            async def edit() -> tuple[str, str]:
                edited = record_id("006", 1042)
                await held.control("PATCH", f"/people/Opportunity/{edited}", {"Name": "Renamed"})
                return "opportunity", edited

            async def hide() -> tuple[str, str]:
                hidden = record_id("006", 1007)
                del held.emulator.org.tables["Opportunity"].rows[hidden]
                return "opportunity", hidden

            yield Stage(
                open=lambda: held.source(page_rows=50),
                readable={
                    "account": [record_id("001", 1), record_id("001", 2)],
                    "product": [record_id("01t", 11)],
                    "opportunity": [record_id("006", n) for n in range(1001, 1121)],
                },
                unreadable={"opportunity": [record_id("006", 2001)]},
                texts=[TEXT],
                edit=edit,
                hide=hide,
            )


@pytest.fixture
async def held() -> AsyncIterator[Org]:
    async with org() as fresh:
        yield fresh


async def records(held: Org, kind: str, **settings: Any) -> list[Any]:
    """What a full reading of a kind shows."""
    return [c.record for c in flat(await pages(held.source(**settings), kind)) if isinstance(c, Seen)]


async def test_records_come_out_to_the_cent(held: Org) -> None:
    address = {"BillingStreet": "1 Main St\nFloor 2", "BillingCity": "Springfield", "BillingCountry": "US"}
    await held.load(
        Account=[account(1, "Acme", Phone="555-1", **address)],
        Product2=[product(11, ProductCode="A-1", Description="Big")],
        PricebookEntry=[price(held, 11, "100.10")],
        Opportunity=[opportunity(512, 1)],
        OpportunityLineItem=[
            line(901, 512, 11, "2.5", Discount="15", SortOrder=2),
            line(902, 512, 11, "3", UnitPrice="19.99", SortOrder=1, Description="Second-hand"),
        ],
    )
    billing = Address(lines=("1 Main St", "Floor 2"), city="Springfield", country="US")
    assert [Customer(name="Acme", company_name="Acme", phone="555-1", billing=billing)] == await records(
        held, "account"
    )
    expected = Product(name="Product 11", sku="A-1", description="Big", unit_price=Decimal("100.10"), currency="USD")
    assert [expected] == await records(held, "product")
    product_key = f"salesforce:product:{record_id('01t', 11)}"
    first = InvoiceLine(
        line_id=record_id("00k", 902),
        product=product_key,
        description="Second-hand",
        quantity=Decimal(3),
        unit_price=Decimal("19.99"),
        amount=Decimal("59.97"),
    )
    second = InvoiceLine(
        line_id=record_id("00k", 901),
        product=product_key,
        description="Product 11",
        quantity=Decimal("2.5"),
        unit_price=Decimal("100.10"),
        discount=Decimal("0.15"),
        amount=Decimal("212.71"),  # 2.5 x 100.10 x 0.85 = 212.7125
    )
    invoice = Invoice(
        customer=f"salesforce:account:{record_id('001', 1)}",
        status="Closed Won",
        won=True,
        dated=date(2026, 10, 31),
        currency="USD",
        stated_total=Decimal("272.68"),
        memo="Deal 512",
        lines=(first, second),
    )
    assert [invoice] == await records(held, "opportunity")


async def test_open_and_lost_opportunities_come_too_and_say_so(held: Org) -> None:
    await held.load(Opportunity=[opportunity(1, StageName="Prospecting"), opportunity(2, StageName="Closed Lost")])
    found = await records(held, "opportunity")
    assert [(one.status, one.won) for one in found] == [("Prospecting", False), ("Closed Lost", False)]


async def test_reading_an_opportunity_gives_what_it_names_first(held: Org) -> None:
    await held.load(
        Account=[account(1)],
        Product2=[product(11)],
        PricebookEntry=[price(held, 11, "5")],
        Opportunity=[opportunity(51, 1)],
        OpportunityLineItem=[line(9, 51, 11, "1")],
    )
    told = await held.source().read("opportunity", record_id("006", 51))
    assert [change.kind for change in told] == ["account", "product", "opportunity"]


async def test_each_record_of_an_org_with_several_currencies_has_its_own() -> None:
    async with org(multi_currency=True) as held:
        await held.load(
            Account=[account(1, CurrencyIsoCode="EUR")],
            Product2=[product(11, CurrencyIsoCode="EUR")],
            PricebookEntry=[
                price(held, 11, "10", CurrencyIsoCode="USD"),
                {**price(held, 11, "9", CurrencyIsoCode="EUR"), "Id": record_id("01u", 12)},
            ],
            Opportunity=[opportunity(1, 1, CurrencyIsoCode="GBP"), opportunity(2, 1)],
        )
        assert [one.currency for one in await records(held, "account")] == ["EUR"]
        assert [("EUR", Decimal("9.00"))] == [(p.currency, p.unit_price) for p in await records(held, "product")]
        assert [one.currency for one in await records(held, "opportunity")] == ["GBP", "USD"]


async def test_an_org_with_one_currency_must_be_told_which(held: Org) -> None:
    await held.load(Opportunity=[opportunity(1)])
    (change,) = flat(await pages(held.source(currency=None), "opportunity"))
    assert isinstance(change, Unreadable)
    assert "`currency`" in change.fix


CUSTOM = {
    "source": {
        "kinds": {
            "opportunity": {"enabled": False},
            "contact": {"fields": {"phone": ""}},
            "order": {
                "object": "Order__c",
                "record": "invoice",
                "customer_kind": "contact",
                "fields": {
                    "customer": "Buyer__c",
                    "number": "Name",
                    "dated": "Sold_On__c",
                    "due": "Due__c",
                    "status": "State__c",
                    "stated_total": "Total__c",
                },
                "lines": {
                    "object": "Order_Line__c",
                    "parent": "Order__c",
                    "fields": {"description": "What__c", "amount": "Price__c"},
                },
            },
        }
    }
}


async def set_up_orders(held: Org) -> None:
    orders = (
        "Name:string(80)! Buyer__c:reference(Contact,Buyer__r) Sold_On__c:date Due__c:date State__c:picklist"
        " Total__c:currency"
    )
    lines = "Order__c:reference(Order__c,Order__r)! What__c:string(80) Price__c:currency"
    objects = {"Order__c": {"prefix": "a01", "fields": orders}, "Order_Line__c": {"prefix": "a02", "fields": lines}}
    await held.control("POST", "/setup", {"objects": objects})


async def test_custom_objects_are_read_by_the_mapping(held: Org) -> None:
    await set_up_orders(held)
    buyer, order = record_id("003", 1), record_id("a01", 1)
    await held.load(
        Account=[account(1, "Acme")],
        Contact=[{"Id": buyer, "LastName": "Lovelace", "FirstName": "Ada", "AccountId": record_id("001", 1)}],
        Order__c=[
            {"Id": order, "Name": "O-1", "Buyer__c": buyer, "Sold_On__c": "2026-11-01", "Due__c": "2026-12-01"}
            | {"Total__c": "30.00", "State__c": "shipped"}
        ],
        Order_Line__c=[
            {"Id": record_id("a02", 1), "Order__c": order, "What__c": "Tea", "Price__c": "10.00"},
            {"Id": record_id("a02", 2), "Order__c": order, "What__c": "Cups", "Price__c": "20.00"},
        ],
    )
    source = held.source(mapping=CUSTOM, contacts=True)
    assert tuple(source.kinds()) == ("account", "contact", "product", "order")
    (person,) = [c.record for c in flat(await pages(source, "contact")) if isinstance(c, Seen)]
    assert Customer(name="Ada Lovelace", given_name="Ada", family_name="Lovelace", company_name="Acme") == person
    (seen,) = flat(await pages(source, "order"))
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Invoice)
    assert (seen.record.number, seen.record.due, seen.record.won) == ("O-1", date(2026, 12, 1), True)
    assert f"salesforce:contact:{buyer}" == seen.record.customer
    assert [("Tea", Decimal("10.00")), ("Cups", Decimal("20.00"))] == [
        (one.description, one.unit_price) for one in seen.record.lines
    ]


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ({"opportunity": {"fields": {"dew": "Due__c"}}}, 'Did you mean "due"?'),
        ({"opportunity": {"customer_kind": "acount"}}, 'Did you mean "account"?'),
        ({"order": {"record": "invoice"}}, "Give `object` and `record`"),
        ({"order": {"object": "Order__c", "record": "invoice"}}, "Name a field"),
        ({"order": {"object": "Order__c", "record": "invoice", "feilds": {}}}, "Correct the connection's settings"),
    ],
)
async def test_a_mapping_that_cannot_be_used_is_refused_with_the_nearest_name(
    held: Org, kinds: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        held.source(kinds=kinds)
    assert words in str(refused.value.remedy)


async def test_a_field_that_is_not_there_is_named_with_the_nearest_one(held: Org) -> None:
    source = held.source(kinds={"opportunity": {"fields": {"due": "ClosedDate"}}})
    with pytest.raises(SourceError) as refused:
        await pages(source, "opportunity")
    assert "no field ClosedDate on Opportunity, which due of opportunity" in str(refused.value)
    assert "Did you mean CloseDate?" in refused.value.remedy


async def test_missing_permissions_are_named_and_seen_once_they_are_given(held: Org) -> None:
    await held.load(Opportunity=[opportunity(1)])
    source = held.source()
    hidden = {"hidden_objects": ["Product2"], "hidden_fields": {"Opportunity": ["Amount"]}}
    await held.control("POST", "/setup", hidden)
    with pytest.raises(SourceError, match="no object Product2") as refused:
        await pages(source, "product")
    assert "read access to Product2" in refused.value.remedy
    with pytest.raises(SourceError, match="no field Amount on Opportunity"):
        await pages(source, "opportunity")
    await held.control("POST", "/setup", {"hidden_objects": [], "hidden_fields": {}})
    assert flat(await pages(source, "product")) == []
    assert len(flat(await pages(source, "opportunity"))) == 1


async def test_deleted_and_merged_are_what_salesforce_says(held: Org) -> None:
    await held.load(
        Account=[account(1), account(2), account(3)],
        Opportunity=[opportunity(51, 2, SystemModstamp=STAMP), opportunity(52, 3, SystemModstamp=STAMP)],
    )
    source = held.source()
    accounts, deals = await pages(source, "account"), await pages(source, "opportunity")
    merge = {"master": record_id("001", 1), "merged": record_id("001", 2)}
    await held.control("POST", "/people/Account/merge", merge)
    await held.control("DELETE", f"/people/Opportunity/{record_id('006', 52)}")
    told = [c for c in flat(await pages(source, "account", accounts[-1].cursor)) if isinstance(c, Removed)]
    assert [(record_id("001", 2), record_id("001", 1))] == [(one.source_id, one.merged_into) for one in told]
    after = flat(await pages(source, "opportunity", deals[-1].cursor))
    # Deal 51 went over to the winner without a new stamp of its own; deal 52 is in the recycle bin.
    moved = {c.source_id: c.record for c in after if isinstance(c, Seen)}
    gone = [c.source_id for c in after if isinstance(c, Removed)]
    assert [record_id("006", 52)] == gone
    record = moved[record_id("006", 51)]
    assert isinstance(record, Invoice)
    assert f"salesforce:account:{record_id('001', 1)}" == record.customer
    (alone,) = await source.read("account", record_id("001", 2))
    assert isinstance(alone, Removed)
    assert alone.merged_into == record_id("001", 1)


async def test_a_line_that_comes_changes_or_goes_brings_its_opportunity(held: Org) -> None:
    ids = [record_id("00k", number) for number in (1, 2)]
    await held.load(
        Product2=[product(11)],
        PricebookEntry=[price(held, 11, "10")],
        Opportunity=[opportunity(51)],
        OpportunityLineItem=[line(1, 51, 11, "1"), line(2, 51, 11, "2")],
    )
    source = held.source()
    cursor = (await pages(source, "opportunity"))[-1].cursor
    totals = []
    steps: list[tuple[str, str, Any]] = [
        ("PATCH", f"/people/OpportunityLineItem/{ids[0]}", {"Quantity": 5}),
        ("DELETE", f"/people/OpportunityLineItem/{ids[1]}", None),
    ]
    for method, path, body in steps:
        await held.control("POST", "/clock", {"advance_seconds": 2})
        await held.control(method, path, body)
        read = await pages(source, "opportunity", cursor)
        cursor = read[-1].cursor
        last = [c for c in flat(read) if isinstance(c, Seen)][-1].record
        assert isinstance(last, Invoice)
        totals.append((last.stated_total, len(last.lines)))
    assert [(Decimal("70.00"), 2), (Decimal("50.00"), 1)] == totals


async def test_a_new_price_brings_its_product(held: Org) -> None:
    await held.load(Product2=[product(11)], PricebookEntry=[price(held, 11, "10")])
    source = held.source()
    cursor = (await pages(source, "product"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 2})
    await held.control("PATCH", f"/people/PricebookEntry/{record_id('01u', 11)}", {"UnitPrice": "12.50"})
    seen = flat(await pages(source, "product", cursor))[-1]
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Product)
    assert Decimal("12.50") == seen.record.unit_price


async def test_the_example_mapping_is_understood(held: Org) -> None:
    text = await asyncio.to_thread(EXAMPLE.read_text, "utf-8")
    mapping = parse_mapping(text, file="salesforce.toml")
    assert mapping.connection.source == "salesforce"
    fields = {"Account": "Billing_Email__c:email", "Opportunity": "Invoice_Number__c:string(21) Due_Date__c:date"}
    await held.control("POST", "/setup", {"fields": fields})
    await held.load(
        Account=[account(1, Billing_Email__c="billing@acme.test")],
        Opportunity=[opportunity(1, 1, Invoice_Number__c="2026-7", Due_Date__c="2026-12-24")],
    )
    source = held.source(mapping=tomllib.loads(text))
    (customer,) = flat(await pages(source, "account"))
    (invoice,) = flat(await pages(source, "opportunity"))
    assert isinstance(customer, Seen)
    assert isinstance(customer.record, Customer)
    assert isinstance(invoice, Seen)
    assert isinstance(invoice.record, Invoice)
    assert customer.record.email == "billing@acme.test"
    assert (invoice.record.number, invoice.record.due) == ("2026-7", date(2026, 12, 24))
