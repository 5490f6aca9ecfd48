"""HubSpot's adapter under the contract of all sources, and through what is HubSpot's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import Removed, Seen, SourceError, Unreadable, WebhookRequest
from counterfoil.testing.source_contract import SourceContract, Stage
from counterfoil.testing.sources.bench import MemoryKeeper
from counterfoil_adapters.hubspot.adapter import HubSpotSource
from counterfoil_adapters.hubspot.emulator.webhooks import sign
from counterfoil_schema.exact_json import dumps
from counterfoil_schema.records import Address, Customer, Invoice, InvoiceLine, Product
from support.hubspot import Account, account, company, deal, flat, line_item, link, pages, product

TEXT = 'Mañana & Söhne "GmbH" 🦊\nzweite Zeile'


class TestHubSpotContract(SourceContract):
    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with account() as held:
            await held.load(
                companies=[company(1, TEXT), company(2), company(3, "", domain="", phone="1")],
                products=[product(11, "9.90"), product(12, "cheap")],
                deals=[deal(number) for number in range(1001, 1251)] + [deal(2001, amount="12,50")],
                line_items=[line_item(5001, "19.99")],
                associations=[
                    link("deals", 1001, "companies", 1),
                    link("deals", 1001, "line_items", 5001),
                    *(link("deals", number, "companies", 2) for number in range(1002, 1251)),
                ],
            )

            async def edit() -> tuple[str, str]:
                await held.control("PATCH", "/people/deals/1042", {"properties": {"dealname": "Renamed"}})
                return "deal", "1042"

            async def hide() -> tuple[str, str]:
                table = held.emulator.portal.tables["deals"]
                table.ids.remove(1007)
                del table.rows[1007]
                return "deal", "1007"

            yield Stage(
                open=held.source,
                readable={
                    "company": ["1", "2"],
                    "product": ["11"],
                    "deal": [str(number) for number in range(1001, 1251)],
                },
                unreadable={"company": ["3"], "product": ["12"], "deal": ["2001"]},
                texts=[TEXT],
                forged=WebhookRequest(method="POST", url="https://a.test/h", headers={}, body=b"[]"),
                edit=edit,
                hide=hide,
            )


class TestHubSpotUnderFaults(SourceContract):
    has_webhooks = True
    has_deletes = True
    has_merges = True
    has_write_back = True
    has_delivery_ages = True
    fixed_fields = ("hs_lastmodifieddate", "hs_object_id", "updatedAt", "archivedAt", "archived")

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with account() as held:
            await held.load(
                companies=[company(1, TEXT), company(2), company(3, "", domain="", phone="1"), company(4)],
                products=[product(11, "9.90"), product(12, "cheap")],
                deals=[deal(number) for number in range(1001, 1005)] + [deal(2001, amount="12,50")],
                line_items=[line_item(5001, "1265793.0395000001")],
                associations=[
                    link("deals", 1001, "companies", 1),
                    link("deals", 1001, "line_items", 5001),
                    *(link("deals", number, "companies", 2) for number in range(1002, 1005)),
                ],
            )
            yield stage_under_faults(held)


def stage_under_faults(held: Account) -> Stage:
    """People at work in a small account."""
    edits = iter(range(1000))

    async def edit() -> tuple[str, str]:
        await held.control("PATCH", "/people/companies/2", {"properties": {"name": f"Renamed {next(edits)}"}})
        return "company", "2"

    async def hide() -> tuple[str, str]:
        table = held.emulator.portal.tables["deals"]
        table.ids.remove(1003)
        del table.rows[1003]
        return "deal", "1003"

    async def add() -> tuple[str, str]:
        made = await held.control("POST", "/people/companies", {"properties": {"name": "New"}})
        return "company", str(made["id"])

    async def delete() -> tuple[str, str]:
        await held.control("DELETE", "/people/companies/4")
        return "company", "4"

    async def merge() -> tuple[str, str, str]:
        made = await held.control("POST", "/people/companies/merge", {"primary": "2", "merged": "4"})
        return "company", "4", str(made["id"])

    def deliver(kind: str, source_id: str) -> WebhookRequest:
        body = dumps([{"subscriptionType": f"{kind}.propertyChange", "objectId": source_id, "occurredAt": 1}])
        millis, url = str(int(held.clock.now().timestamp() * 1000)), "https://hooks.example.test/hubspot"
        signature = sign(held.emulator.credentials.client_secret, "POST", url, body, millis)
        headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": millis}
        return WebhookRequest(method="POST", url=url, headers=headers, body=body)

    return Stage(
        at=lambda bench: HubSpotSource(bench.context(held.settings(base_url=bench.url))),
        address=held.emulator.base_url,
        readable={"company": ["1", "2", "4"], "product": ["11"], "deal": ["1001", "1002", "1003", "1004"]},
        unreadable={"company": ["3"], "product": ["12"], "deal": ["2001"]},
        texts=[TEXT],
        amounts=["1265793.0395000001"],
        forged=WebhookRequest(method="POST", url="https://a.test/h", headers={}, body=b"[]"),
        edit=edit,
        hide=hide,
        add=add,
        delete=delete,
        merge=merge,
        deliver=deliver,
        writable=("deal", "1002", {"dealname": "INV-7"}),
        held=lambda kind, source_id: {
            name: str(value)
            for name, value in held.emulator.portal.tables[f"{kind}s"].rows[int(source_id)].properties.items()
        },
    )


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def test_records_come_out_to_the_cent(held: Account) -> None:
    await held.load(
        companies=[company(1, "Acme", address="1 Main St", city="Springfield", state="IL", zip="62701", country="US")],
        products=[product(11, "100.10", hs_sku="A-1", description="Big")],
        deals=[deal(512, amount="271.82", our_number="INV-2026-0007", pay_by="2026-12-01")],
        line_items=[
            line_item(901, "100.10", quantity="2.5", hs_product_id="11", hs_discount_percentage="15"),
            line_item(900, "19.99", quantity="3", discount="0.005", hs_position_on_quote="0"),
        ],
        associations=[
            link("deals", 512, "companies", 1),
            link("deals", 512, "line_items", 901, 900),
        ],
    )
    source = held.source(number_property="our_number", due_property="pay_by")
    records = {
        kind: [c.record for c in flat(await pages(source, kind)) if isinstance(c, Seen)] for kind in source.kinds()
    }
    address = Address(lines=("1 Main St",), city="Springfield", region="IL", postal_code="62701", country="US")
    assert [Customer(name="Acme", company_name="Acme", billing=address)] == records["company"]
    expected_product = Product(name="Product 11", sku="A-1", description="Big", unit_price=Decimal("100.10"))
    assert [expected_product] == records["product"]
    first = InvoiceLine(
        line_id="900",
        description="Line 900",
        quantity=Decimal(3),
        unit_price=Decimal("19.985"),
        amount=Decimal("59.96"),  # 3 x 19.985 = 59.955, half up
    )
    second = InvoiceLine(
        line_id="901",
        product="hubspot:product:11",
        description="Line 901",
        quantity=Decimal("2.5"),
        unit_price=Decimal("100.10"),
        discount=Decimal("0.15"),
        amount=Decimal("212.71"),  # 2.5 x 100.10 x 0.85 = 212.7125
    )
    invoice = Invoice(
        customer="hubspot:company:1",
        number="INV-2026-0007",
        status="closedwon",
        won=True,
        happened_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
        due=date(2026, 12, 1),
        currency="USD",
        stated_total=Decimal("271.82"),
        memo="Deal 512",
        lines=(first, second),
    )
    assert [invoice] == records["deal"]


async def test_lost_deals_come_too_and_say_that_they_are_not_won(held: Account) -> None:
    await held.load(deals=[deal(1, dealstage="closedlost", closedate=None)])
    (seen,) = flat(await pages(held.source(), "deal"))
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Invoice)
    assert (
        seen.record.won,
        seen.record.status,
        seen.record.happened_at,
        seen.record.customer,
        seen.record.lines,
    ) == (False, "closedlost", None, None, ())


async def test_the_primary_company_is_the_customer_and_none_is_guessed(held: Account) -> None:
    await held.load(
        companies=[company(1), company(2)],
        deals=[deal(51), deal(52)],
        associations=[
            link("deals", 51, "companies", 1, type_id=341),
            link("deals", 51, "companies", 2, type_id=5),
            link("deals", 52, "companies", 1, 2, type_id=341),
        ],
    )
    customers = {
        seen.source_id: seen.record.customer
        for seen in flat(await pages(held.source(), "deal"))
        if isinstance(seen, Seen) and isinstance(seen.record, Invoice)
    }
    assert customers == {"51": "hubspot:company:2", "52": None}


async def test_reading_a_deal_gives_what_it_names_first(held: Account) -> None:
    await held.load(
        companies=[company(1)],
        products=[product(11, "5")],
        deals=[deal(51)],
        line_items=[line_item(9, "5", hs_product_id="11"), line_item(10, "6", hs_product_id="404404")],
        associations=[link("deals", 51, "companies", 1), link("deals", 51, "line_items", 9, 10)],
    )
    told = [(change.kind, change.source_id) for change in await held.source().read("deal", "51")]
    assert told == [("company", "1"), ("product", "11"), ("deal", "51")]


async def test_an_amount_that_is_no_number_names_record_property_and_remedy(held: Account) -> None:
    await held.load(deals=[deal(51, amount="1.200,00 €")])
    (change,) = flat(await pages(held.source(), "deal"))
    assert isinstance(change, Unreadable)
    assert change.place == "deal 51, property amount"
    assert change.problem == "amount of deal 51 is '1.200,00 €', which is not a number."
    assert "1.200,00 €" in change.raw


async def test_a_deal_without_currency_is_unreadable_unless_the_connection_names_one(held: Account) -> None:
    await held.load(deals=[deal(51, deal_currency_code=None)])
    (change,) = flat(await pages(held.source(), "deal"))
    assert isinstance(change, Unreadable)
    (seen,) = flat(await pages(held.source(currency="EUR"), "deal"))
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Invoice)
    assert seen.record.currency == "EUR"


@pytest.mark.parametrize("version", ["2026-09", "v3"])
async def test_both_versions_of_the_api_say_the_same(held: Account, version: str) -> None:
    await held.load(
        companies=[company(1)],
        deals=[deal(51)],
        line_items=[line_item(9, "5")],
        associations=[link("deals", 51, "companies", 1), link("deals", 51, "line_items", 9)],
    )
    source = held.source(api_version=version)
    assert [len(flat(await pages(source, kind))) for kind in source.kinds()] == [1, 0, 1]
    assert len(await source.read("deal", "51")) == 2
    paths = (await held.control("GET", "/state"))["calls"]
    assert isinstance(paths, dict)
    assert all(("2026-09" in path) == (version == "2026-09") for path in paths)


async def test_a_deleted_record_is_removed_and_an_absent_one_is_not(held: Account) -> None:
    await held.load(deals=[deal(51), deal(52)])
    source = held.source()
    cursor = (await pages(source, "deal"))[-1].cursor
    await held.control("DELETE", "/people/deals/51")
    (gone,) = await source.read("deal", "51")
    assert isinstance(gone, Removed)
    assert "as deleted at" in gone.evidence
    polled = await pages(source, "deal", cursor)
    assert [change.source_id for change in flat(polled) if isinstance(change, Removed)] == ["51"]
    assert flat(await pages(source, "deal", polled[-1].cursor)) == []
    with pytest.raises(SourceError, match="does not show deal 53") as caught:
        await source.read("deal", "53")
    assert caught.value.retry_after is not None


async def test_a_merge_removes_the_loser_by_webhook_and_by_poll(held: Account) -> None:
    await held.load(companies=[company(1), company(2)])
    source = held.source()
    cursor = (await pages(source, "company"))[-1].cursor
    await held.control("POST", "/people/companies/merge", {"primary": "1", "merged": "2"})
    by_read = [change for change in await source.read("company", "2") if isinstance(change, Removed)]
    by_poll = [change for change in flat(await pages(source, "company", cursor)) if isinstance(change, Removed)]
    assert [(change.source_id, change.merged_into) for change in by_read] == [("2", "1")]
    assert [(change.source_id, change.merged_into) for change in by_poll] == [("2", "1")]


async def test_a_line_that_changes_by_itself_brings_its_deal(held: Account) -> None:
    await held.load(
        deals=[deal(51), deal(52)],
        line_items=[line_item(9, "5"), line_item(10, "5")],
        associations=[link("deals", 51, "line_items", 9), link("deals", 52, "line_items", 10)],
    )
    source = held.source()
    cursor = (await pages(source, "deal"))[-1].cursor
    await held.control("POST", "/clock", {"advance_seconds": 60})
    await held.control("PATCH", "/people/line_items/9", {"properties": {"quantity": "7"}})
    changed = [c for c in flat(await pages(source, "deal", cursor)) if isinstance(c, Seen) and c.source_id == "51"]
    assert isinstance(changed[-1].record, Invoice)
    assert [Decimal(7)] == [line.quantity for line in changed[-1].record.lines]


async def test_wrong_settings_name_the_key(held: Account) -> None:
    with pytest.raises(ConfigurationError, match="currency"):
        held.source(currency="dollars")
    with pytest.raises(ConfigurationError, match=r'"portal", which is not known\. Did you mean "portal_id"'):
        held.source(portal="1")
    with pytest.raises(ConfigurationError, match="access_token"):
        held.source(access_token=None)


async def test_a_wrong_token_is_said_in_the_vendor_s_words(held: Account) -> None:
    with pytest.raises(SourceError, match="401: Authentication credentials not found") as caught:
        await pages(held.source(access_token="wrong-secret"), "deal")
    assert "wrong-secret" not in str(caught.value)
    assert "Check the connection's token" in caught.value.remedy


async def test_oauth_tokens_are_refreshed_when_they_end(held: Account) -> None:
    credentials = held.emulator.credentials
    source = held.source(access_token=None, client_id=credentials.client_id, refresh_token=credentials.refresh_token)
    await held.load(companies=[company(1)])
    assert len(flat(await pages(source, "company"))) == 1
    assert len(credentials.granted) == 1
    credentials.granted.clear()  # HubSpot withdraws it before its time
    assert len(flat(await pages(source, "company"))) == 1
    assert len(credentials.granted) == 1


async def test_what_an_oauth_app_was_granted_outlives_the_process(held: Account) -> None:
    credentials, keeper = held.emulator.credentials, MemoryKeeper()
    await held.load(companies=[company(1)])

    async def another_process() -> str:
        source = held.source(
            tokens=keeper,
            access_token=None,
            client_id=credentials.client_id,
            refresh_token=credentials.refresh_token,
        )
        assert len(flat(await pages(source, "company"))) == 1
        kept = keeper.held[credentials.refresh_token].access_token
        assert kept is not None
        return kept.get_secret_value()

    first = await another_process()
    assert {first, await another_process()} == {first} == set(credentials.granted)
    credentials.granted[first] = 0.0  # it ends; the refresh token is good for another
    second = await another_process()
    assert second != first
    assert keeper.held[credentials.refresh_token].generation == 2


@pytest.mark.parametrize("version", ["v3", "2026-09"])
async def test_every_stage_of_every_pipeline_is_told_with_its_label(version: str) -> None:
    async with account() as held:
        stages = (await held.source(api_version=version).describe()).statuses
    assert stages is not None
    assert (stages["closedwon"], stages["contractsent"], len(stages)) == ("Closed Won", "Contract Sent", 7)
