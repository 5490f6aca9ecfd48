"""Pipedrive's adapter under the contract of all sources, and through what is Pipedrive's own."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.planning.mapping import parse_mapping
from counterfoil.sources.port import Removed, Seen, SourceError, Unreadable, WebhookRequest
from counterfoil.testing.source_contract import Bench, SourceContract, Stage
from counterfoil_adapters.pipedrive.adapter import PipedriveSource
from counterfoil_schema.exact_json import dumps
from counterfoil_schema.records import Address, Customer, Invoice, InvoiceLine, Product
from support.pipedrive import Account, account, deal, flat, line, organization, pages, person, product

TEXT = 'Mañana & Söhne "GmbH" 🦊\nzweite Zeile'


class TestPipedriveContract(SourceContract):
    has_webhooks = True
    signs_bodies = False
    has_deletes = True
    has_merges = False  # only a webhook says of a merge: see test_pipedrive_webhooks and test_dispatch_sources
    has_write_back = True
    fixed_fields = ("update_time", "add_time", "deal_id")

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with account() as held:
            await held.load(**CONTENT)
            with pytest.MonkeyPatch.context() as patch:
                yield staged(held, patch)


CONTENT: dict[str, Any] = {
    "fields": {"deal": [{"field_name": name, "field_type": "varchar"} for name in ("Terms", "Remark")]},
    "organizations": [organization(1, TEXT), organization(2), organization(3, "")],
    "persons": [person(21), person(22, "", emails=[])],
    "products": [product(31, "9.90"), product(32, "cheap")],
    "deals": [
        deal(1001, org_id=1, value=Decimal("265793.040395"), custom_fields={"Terms": "Net 15"}),
        *(deal(number, org_id=2, value=number) for number in range(1002, 1011)),
        deal(1011, org_id=2, products=[line(5001, "19.99", product_id=31)]),
        deal(1030, org_id=2, value=30, installments=[{"id": 71, "amount": 10}, {"id": 72, "amount": 20}]),
        deal(2001, value="12,50"),
        deal(2002, value=5, installments=[{"id": 73, "amount": "much"}]),
    ],
}


class People:
    """Who works at the company of `CONTENT`."""

    def __init__(self, held: Account, patch: pytest.MonkeyPatch) -> None:
        self._held = held
        self._patch = patch
        self._company = held.emulator.company
        self._count = iter(range(1, 1_000))

    async def edit(self) -> tuple[str, str]:
        await self._held.control("PATCH", "/people/deals/1002", {"title": f"Renamed {next(self._count)}"})
        return "deal", "1002"

    async def edit_at_same_instant(self) -> tuple[str, str]:
        await self._held.control("PATCH", "/people/deals/1003", {"title": f"Renamed {next(self._count)}"})
        rows = self._company.rows["deals"]
        rows[1003]["update_time"] = rows[1002]["update_time"]
        return "deal", "1003"

    async def hide(self) -> tuple[str, str]:
        del self._company.rows["deals"][1007]
        return "deal", "1007"

    async def add(self) -> tuple[str, str]:
        made = await self._held.control("POST", "/people/deals", {"title": f"New {next(self._count)}", "org_id": 2})
        return "deal", str(made["id"])

    async def delete(self) -> tuple[str, str]:
        await self._held.control("DELETE", "/people/deals/1004")
        return "deal", "1004"

    async def foreign(self) -> tuple[str, str]:
        company = self._company
        company.parts["products"][5001]["deal_id"] = 999
        company.rows["deals"][999] = {**company.rows["deals"][1002], "id": 999, "is_archived": True}
        self._patch.setattr(company, "of_deals", lambda part, _: list(company.parts[part].values()))
        return "deal", "999"

    def deliver(self, kind: str, source_id: str) -> WebhookRequest:
        deal_id, _, part_id = source_id.partition("-")
        entity = "deal_installment" if part_id else kind
        meta = {"action": "change", "entity": entity, "entity_id": part_id or source_id, "version": "2.0"}
        body = dumps({"meta": meta, "data": {"deal_id": int(deal_id)}, "previous": None})
        shown = self._held.emulator.standing.authorization(forged=False)
        headers = {"content-type": "application/json", "authorization": shown["Authorization"]}
        return WebhookRequest(method="POST", url="https://a.test/h", headers=headers, body=body)

    def holds(self, kind: str, source_id: str) -> dict[str, str]:
        assert kind == "deal"
        row: Any = self._company.rows["deals"][int(source_id)]
        names = self._company.fields.held["deal"]
        return {str(names[code]["field_name"]): str(value) for code, value in row["custom_fields"].items()}


def staged(held: Account, patch: pytest.MonkeyPatch) -> Stage:
    """The company of `CONTENT`."""
    people = People(held, patch)

    def at(bench: Bench) -> PipedriveSource:
        return PipedriveSource(bench.context(held.settings(base_url=bench.url, page_rows=7), connection="pipedrive"))

    return Stage(
        at=at,
        address=held.emulator.base_url,
        readable={
            "organization": ["1", "2"],
            "person": ["21"],
            "product": ["31"],
            "deal": [*(str(number) for number in range(1001, 1012)), "1030", "2002"],
            "installment": ["1030-71", "1030-72"],
        },
        unreadable={
            "organization": ["3"],
            "person": ["22"],
            "product": ["32"],
            "deal": ["2001"],
            "installment": ["2002-73"],
        },
        texts=[TEXT],
        amounts=["265793.040395"],
        forged=WebhookRequest(method="POST", url="https://a.test/h", headers={}, body=b"{}"),
        edit=people.edit,
        edit_at_same_instant=people.edit_at_same_instant,
        hide=people.hide,
        add=people.add,
        delete=people.delete,
        deliver=people.deliver,
        writable=("deal", "1002", {"Terms": "paid", "Remark": "1042"}),
        held=people.holds,
        foreign=people.foreign,
    )


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def records(held: Account, **settings: Any) -> dict[str, list[Any]]:
    """The records of all kinds, in reading order."""
    source = held.source(**settings)
    return {kind: [c.record for c in flat(await pages(source, kind)) if isinstance(c, Seen)] for kind in source.kinds()}


async def test_organizations_and_persons_come_out_as_customers(held: Account) -> None:
    street = {"value": "1 Main St, Springfield", "street_number": "1", "route": "Main St", "locality": "Springfield"}
    whole = {**street, "admin_area_level_1": "IL", "postal_code": "62701", "country": "USA"}
    emails = [
        {"value": "home@example.com", "primary": False, "label": "home"},
        {"value": "ada@example.com", "primary": True, "label": "work"},
    ]
    await held.load(
        organizations=[
            organization(1, "Acme", address=whole),
            organization(2, "Vague", address={"value": "Somewhere behind the hill"}),
        ],
        persons=[person(21, "Ada Lovelace", emails=emails, phones=[{"value": "555-1", "primary": False}])],
    )
    found = await records(held)
    address = Address(lines=("1 Main St",), city="Springfield", region="IL", postal_code="62701", country="USA")
    assert found["organization"] == [
        Customer(name="Acme", company_name="Acme", billing=address),
        Customer(name="Vague", company_name="Vague", billing=Address(lines=("Somewhere behind the hill",))),
    ]
    ada = Customer(
        name="Ada Lovelace", given_name="Ada", family_name="Lovelace", email="ada@example.com", phone="555-1"
    )
    assert found["person"] == [ada]


async def test_products_and_deals_come_out_to_the_cent(held: Account) -> None:
    lines = [
        line(901, "100.10", "2.5", product_id=31, discount=15, order_nr=2),
        line(900, "19.99", 3, discount=Decimal("0.01"), discount_type="amount", order_nr=1),
        line(902, "5", 1, is_enabled=False),
    ]
    await held.load(
        products=[product(31, "100.10", description="Big")],
        deals=[deal(512, org_id=1, person_id=21, products=lines)],
    )
    found = await records(held)
    item = Product(name="Product 31", sku="P-31", description="Big", unit_price=Decimal("100.10"), currency="USD")
    assert found["product"] == [item]
    first = InvoiceLine(
        line_id="900",
        description="Line 900",
        quantity=Decimal(3),
        unit_price=Decimal("59.96") / 3,
        amount=Decimal("59.96"),  # 3 x 19.99 - 0.01
    )
    second = InvoiceLine(
        line_id="901",
        product="pipedrive:product:31",
        description="Line 901",
        quantity=Decimal("2.5"),
        unit_price=Decimal("100.10"),
        discount=Decimal("0.15"),
        amount=Decimal("212.71"),  # 2.5 x 100.10 x 0.85 = 212.7125
    )
    invoice = Invoice(
        customer="pipedrive:organization:1",
        status="won",
        won=True,
        happened_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
        currency="USD",
        stated_total=Decimal("272.67"),
        memo="Deal 512",
        lines=(first, second),
    )
    assert found["deal"] == [invoice]
    assert found["installment"] == []


@pytest.mark.parametrize(
    ("given", "amount", "rate", "included", "total"),
    [
        ({"tax": 20, "tax_method": "exclusive"}, "200.00", "0.2", False, "200.00"),
        ({"tax": 20, "tax_method": "inclusive"}, "200.00", "0.2", True, "200.00"),
        ({"tax": 0, "tax_method": "none"}, "200.00", None, False, "200.00"),
        ({"tax": 0, "tax_method": "exclusive"}, "200.00", "0", False, "200.00"),
        # Pipedrive does not document whether its sums contain a tax on top: here they do not.
        ({"tax": 20, "tax_method": "exclusive", "sum": 200}, "200.00", "0.2", False, "200.00"),
        # Nor whether an amount of discount is off each unit: here it is.
        ({"discount": 10, "discount_type": "amount", "sum": 180}, "180.00", None, False, "180.00"),
        ({"discount": 10, "discount_type": "amount", "sum": 190}, "190.00", None, False, "190.00"),
    ],
)
async def test_taxes_and_discounts_are_what_pipedrive_sums_up(
    held: Account, given: dict[str, Any], amount: str, rate: str | None, included: bool, total: str
) -> None:
    await held.load(deals=[deal(1, products=[line(9, "100.00", 2, **given)])])
    (invoice,) = (await records(held))["deal"]
    (one,) = invoice.lines
    assert one.amount == Decimal(amount)
    assert one.tax_rate == (Decimal(rate) if rate is not None else None)
    assert invoice.tax_included is included
    assert invoice.stated_total == Decimal(total)
    worked_out = one.quantity * one.unit_price * (1 - one.discount)
    assert worked_out.quantize(Decimal("0.01")) == Decimal(amount)


async def test_taxes_contained_in_some_prices_only_are_no_invoice(held: Account) -> None:
    taxed = [
        line(9, 10, tax=20, tax_method="inclusive"),
        line(10, 10, tax=20, tax_method="exclusive"),
    ]
    await held.load(deals=[deal(1, products=taxed)])
    (change,) = flat(await pages(held.source(), "deal"))
    assert isinstance(change, Unreadable)
    assert "one method for all products" in change.problem


async def test_deals_that_are_not_won_cost_no_more_than_their_list(held: Account) -> None:
    await held.load(deals=[deal(n, status=status) for n, status in enumerate(("open", "lost", "open"), 1)])
    source = held.source()
    changes = flat(await pages(source, "deal"))
    seen = [change.record for change in changes if isinstance(change, Seen)]
    assert [(one.won, one.status, one.lines) for one in seen if isinstance(one, Invoice)] == [
        (False, "open", ()),
        (False, "lost", ()),
        (False, "open", ()),
    ]
    assert not [call for call in held.emulator.calls if call.endswith(("/products", "/installments"))]


async def test_installments_are_invoices_and_their_deal_is_none(held: Account) -> None:
    parts = [
        {"id": 71, "amount": "40.50", "billing_date": "2026-11-01", "description": "First half"},
        {"id": 72, "amount": "40.50", "billing_date": "2026-12-01", "description": ""},
    ]
    await held.load(
        products=[product(31, 81)],
        deals=[deal(5, title="Roof", org_id=1, products=[line(9, 81, product_id=31)], installments=parts)],
    )
    found = await records(held)
    (whole,) = found["deal"]
    assert (whole.won, whole.status, whole.stated_total) == (False, "billed in installments", Decimal(81))
    first, second = found["installment"]
    assert (first.won, first.customer, first.dated, first.due) == (
        True,
        "pipedrive:organization:1",
        date(2026, 11, 1),
        date(2026, 11, 1),
    )
    assert (first.memo, second.memo) == ("First half", "Roof")
    assert [(one.product, one.description, one.unit_price) for one in (*first.lines, *second.lines)] == [
        ("pipedrive:product:31", "First half", Decimal("40.50")),
        ("pipedrive:product:31", "Roof", Decimal("40.50")),
    ]
    ignored = await records(held, installments="ignore")
    assert "installment" not in ignored
    assert [(one.won, one.stated_total) for one in ignored["deal"]] == [(True, Decimal(81))]


async def test_an_installment_that_is_gone_from_its_deal_is_gone(held: Account) -> None:
    await held.load(deals=[deal(5, installments=[{"id": 71, "amount": 1}, {"id": 72, "amount": 2}])])
    source = held.source()
    await held.control("DELETE", "/people/deals/5/installments/71")
    (gone,) = [one for one in await source.read("installment", "5-71") if one.kind == "installment"]
    assert isinstance(gone, Removed)
    assert gone.source_id == "5-71"


async def test_the_customer_is_whom_the_settings_say(held: Account) -> None:
    await held.load(deals=[deal(1, org_id=4, person_id=5), deal(2, person_id=5), deal(3, org_id=4), deal(4)])
    expected = {
        "either": ["organization:4", "person:5", "organization:4", None],
        "organization": ["organization:4", None, "organization:4", None],
        "person": ["person:5", "person:5", None, None],
    }
    for customer, keys in expected.items():
        found = [one.customer for one in (await records(held, customer=customer))["deal"]]
        assert found == [f"pipedrive:{key}" if key else None for key in keys]


async def test_stages_are_statuses_by_their_names_where_the_settings_say_so(held: Account) -> None:
    await held.load(deals=[deal(1, status="open", stage_id=3, products=[line(9, 10)]), deal(2, status="won")])
    mapping = {"invoice": {"when": ["invoiced"]}}
    found = (await records(held, mapping=mapping, status="stage"))["deal"]
    assert [(one.status, one.won, len(one.lines)) for one in found] == [("Invoiced", False, 1), ("Qualified", True, 0)]


async def test_what_is_billed_again_and_again_waits_for_a_decision(held: Account) -> None:
    await held.load(deals=[deal(1, products=[line(9, 10, billing_frequency="monthly")])])
    (change,) = flat(await pages(held.source(), "deal"))
    assert isinstance(change, Unreadable)
    assert change.place == "deal product 9, field billing_frequency"
    (once,) = (await records(held, recurring="once"))["deal"]
    assert [one.unit_price for one in once.lines] == [Decimal(10)]


async def test_a_price_in_the_mapping_s_currency_is_the_product_s(held: Account) -> None:
    both = [{"currency": "EUR", "price": 9}, {"currency": "USD", "price": 10}]
    await held.load(products=[product(31, 0, prices=both)])
    for currency, price in (("EUR", 9), ("USD", 10), ("JPY", None)):
        (found,) = (await records(held, mapping={"connection": {"currency": currency}}))["product"]
        assert found.unit_price == price
        assert found.currency == (currency if price is not None else None)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"api_token": None}, "give api_token, or client_id, client_secret and refresh_token"),
        ({"webhook_password": None}, "give webhook_user and webhook_password together"),
        ({"company_domian": "acme"}, 'Did you mean "company_domain"?'),
        ({"page_rows": 501}, "page_rows"),
    ],
)
async def test_settings_that_cannot_be_used_are_named(held: Account, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        held.source(**settings)
    assert says in str(told.value)


async def test_a_wrong_token_is_told_in_pipedrive_s_words_at_once(held: Account) -> None:
    with pytest.raises(SourceError) as told:
        await pages(held.source(api_token="nonsense"), "organization")
    assert "401: unauthorized access" in told.value.message
    assert told.value.retry_after is None
    assert held.calls() == 1
    assert held.clock.waits == []


async def test_another_company_s_token_is_refused_before_anything_is_read(held: Account) -> None:
    await held.load(organizations=[organization(1)])
    wrong: list[dict[str, Any]] = [{"company_id": "1"}, {"company_domain": "other"}]
    for pinned in wrong:
        with pytest.raises(SourceError) as told:
            await pages(held.source(**pinned), "organization")
        assert "nothing is read" in told.value.message
    right = held.source(company_id=str(held.emulator.identity.company_id))
    assert len(flat(await pages(right, "organization"))) == 1


async def test_a_record_that_nobody_asked_for_is_not_used(held: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    await held.load(deals=[deal(1, products=[line(9, 10)]), deal(2, products=[line(10, 10)])])
    everything = list(held.emulator.company.parts["products"].values())
    monkeypatch.setattr(held.emulator.company, "of_deals", lambda *_: everything)
    with pytest.raises(SourceError) as told:
        await held.source().read("deal", "1")
    assert "nobody asked for" in told.value.message


async def test_the_example_mapping_is_one_for_planner_and_adapter(held: Account) -> None:
    text = (Path(__file__).parents[2] / "adapters/counterfoil_adapters/pipedrive/examples/pipedrive.toml").read_text()
    mapping = parse_mapping(text, file="pipedrive.toml")
    source = held.source(mapping=tomllib.loads(text))
    assert set(mapping.customer.from_kinds) | set(mapping.invoice.from_kinds) < set(source.kinds())
    await held.load(deals=[deal(1)])
    assert len(await source.ensure_fields()) == 8


async def test_an_unknown_kind_is_told(held: Account) -> None:
    with pytest.raises(SourceError) as told:
        await held.source().read("lead", "1")
    assert "organization, person, product, deal, installment" in told.value.remedy
