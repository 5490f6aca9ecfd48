"""Customers, vendors, employees and items: names that QuickBooks takes, and details that it would refuse."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.plan import content_hash, plan
from counterfoil.planning.types import Park, Skip, Unchanged
from counterfoil_schema.records import Address, Customer, Employee, Product, Vendor
from support.planning import COMPANY, WIDGET, View, link_of, mapping, only, request

ANNA = Customer(
    name="Añna O'Brien: West",
    company_name="O'Brien & Söhne",
    given_name="Anna",
    family_name="O'Brien",
    email="anna@example.com",
    phone="+1 555 0100",
    billing=Address(
        lines=("Floor 3", "1 Main St", "", "Door C", "Left", "Bell 4", "Ring twice"),
        city="Springfield",
        region="IL",
        postal_code="62701",
        country="USA",
    ),
)


def test_a_customer_becomes_this_document() -> None:
    intent = only(plan(request(ANNA, COMPANY), mapping(), View()))
    assert intent.body == {
        "DisplayName": "Añna O'Brien - West",
        "CompanyName": "O'Brien & Söhne",
        "GivenName": "Anna",
        "FamilyName": "O'Brien",
        "PrimaryEmailAddr": {"Address": "anna@example.com"},
        "PrimaryPhone": {"FreeFormNumber": "+1 555 0100"},
        "BillAddr": {
            "Line1": "Floor 3",
            "Line2": "1 Main St",
            "Line3": "Door C",
            "Line4": "Left",
            "Line5": "Bell 4, Ring twice",
            "City": "Springfield",
            "CountrySubDivisionCode": "IL",
            "PostalCode": "62701",
            "Country": "USA",
        },
    }
    assert (intent.entity, intent.name, intent.person) == ("Customer", "Añna O'Brien - West", COMPANY)


def test_text_outside_latin1_goes_out_unless_the_mapping_says_that_these_us_books_do_not_take_it() -> None:
    cyclist = ANNA.model_copy(update={"company_name": "O'Brien & Söhne 🚲"})
    latin1 = 'text = "latin1"\n'
    park = plan(request(cyclist, COMPANY), mapping(latin1), View())
    assert isinstance(park, Park)
    assert "CompanyName holds “🚲” (U+1F6B2)" in park.reason
    for text, view in (("", View()), (latin1, View(taxes="abroad")), (latin1, View(taxes="abroad_none"))):
        intent = only(plan(request(cyclist, COMPANY), mapping(text), view))
        assert intent.body["CompanyName"] == "O'Brien & Söhne 🚲"


def test_no_part_of_a_name_keeps_what_quickbooks_refuses() -> None:
    colons = ANNA.model_copy(update={"company_name": "Acme: West\tCoast", "given_name": "A:b", "family_name": " C  d "})
    body = only(plan(request(colons, COMPANY), mapping(), View())).body
    assert (body["CompanyName"], body["GivenName"], body["FamilyName"]) == ("Acme - West Coast", "A -b", "C d")


def test_a_currency_is_named_only_where_the_books_keep_several() -> None:
    foreign = ANNA.model_copy(update={"currency": "EUR"})
    assert "CurrencyRef" not in only(plan(request(foreign, COMPANY), mapping(), View())).body
    many = View(multi=True)
    assert only(plan(request(foreign, COMPANY), mapping(), many)).body["CurrencyRef"] == {"value": "EUR"}
    assert only(plan(request(ANNA, COMPANY), mapping(), many)).body["CurrencyRef"] == {"value": "USD"}


def test_a_changed_currency_parks_because_it_is_fixed_at_creation() -> None:
    intent = only(plan(request(ANNA, COMPANY), mapping(), View(multi=True)))
    link = link_of(intent, COMPANY, {"CurrencyRef": {"value": "USD"}})
    moved = ANNA.model_copy(update={"currency": "EUR"})
    planned = plan(request(moved, COMPANY), mapping(), View(multi=True, links={COMPANY: link}))
    assert isinstance(planned, Park)
    assert planned.code == "currency_fixed"


def test_a_vendor_of_two_currencies_is_two_parties_by_rule() -> None:
    key, liquids = "csv:vendor:1", Vendor(name="Exotic Liquids", currency="USD")
    many = View(multi=True)
    first = only(plan(request(liquids, key), mapping(), many))
    assert (first.entity, first.body["CurrencyRef"]) == ("Vendor", {"value": "USD"})
    assert "CurrencyRef" not in only(plan(request(liquids, key), mapping(), View())).body
    links = {key: link_of(first, key, {"CurrencyRef": {"value": "USD"}})}
    moved = liquids.model_copy(update={"currency": "EUR"})
    parked = plan(request(moved, key), mapping(), View(multi=True, links=links))
    assert isinstance(parked, Park)
    assert parked.code == "currency_fixed"
    assert "[vendor]" in parked.fix
    rule = mapping('[vendor]\nother_currencies = ["EUR"]\n')
    second = only(plan(request(moved, key), rule, View(multi=True, links=links)))
    assert (second.entity, second.operation, second.record_key) == ("Vendor", "create", "csv:vendor@EUR:1")
    assert second.body == {"DisplayName": "Exotic Liquids (EUR)", "CurrencyRef": {"value": "EUR"}}
    both = {**links, "csv:vendor@EUR:1": link_of(second, "csv:vendor@EUR:1", {"CurrencyRef": {"value": "EUR"}})}
    renamed = moved.model_copy(update={"name": "Liquids"})
    planned = plan(request(renamed, key), rule, View(multi=True, links=both))
    assert isinstance(planned, tuple)
    assert [one.body for one in planned] == [
        {"DisplayName": "Liquids", "CurrencyRef": {"value": "USD"}},
        {"DisplayName": "Liquids (EUR)", "CurrencyRef": {"value": "EUR"}},
    ]


@pytest.mark.parametrize("entity", ["Customer", "Vendor", "Employee"])
def test_a_name_is_unique_across_customers_vendors_and_employees(entity: str) -> None:
    view = View(names={(entity, "añna o'brien - west"): "hubspot:company:1"})
    planned = plan(request(ANNA, COMPANY), mapping(), view)
    assert isinstance(planned, Park)
    assert planned.code == "same_name"
    assert planned.reason == (
        "company 12 (hubspot) bears the same name as company 1 (hubspot), and QuickBooks allows a name only once."
    )


@pytest.mark.parametrize(
    ("holder", "outside"),
    [("hubspot:company:1", "company 1 (hubspot)"), ("gusto:employee:7b1e", "something from another source")],
)
def test_a_source_learns_of_its_own_records_alone_who_bears_the_name(holder: str, outside: str) -> None:
    planned = plan(request(ANNA, COMPANY), mapping(), View(names={("Employee", "añna o'brien - west"): holder}))
    assert isinstance(planned, Park)
    assert planned.outside == (
        f"company 12 (hubspot) bears the same name as {outside}, and QuickBooks allows a name only once."
    )


def test_a_suffix_tells_two_of_one_name_apart_and_stays_when_the_other_one_goes() -> None:
    extra = '[customer]\nsame_name = "suffix"\n'
    view = View(names={("Customer", "añna o'brien - west"): "hubspot:company:1"})
    intent = only(plan(request(ANNA, COMPANY), mapping(extra), view))
    assert intent.name == "Añna O'Brien - West (12)"
    link = link_of(intent, COMPANY, {"DisplayName": "Añna O'Brien - West (12)"})
    alone = View(links={COMPANY: link})
    assert plan(request(ANNA, COMPANY), mapping(extra), alone) == Unchanged(
        proof=content_hash(intent.body), reason="Customer id 77 already holds this content."
    )


def test_a_suffixed_name_that_is_taken_too_parks() -> None:
    taken = {("Customer", name): "hubspot:company:1" for name in ("añna o'brien - west", "añna o'brien - west (12)")}
    planned = plan(request(ANNA, COMPANY), mapping('[customer]\nsame_name = "suffix"\n'), View(names=taken))
    assert isinstance(planned, Park)


def test_only_names_in_the_books_are_adopted_never_those_of_another_record() -> None:
    view = View(names={("Customer", "añna o'brien - west"): "hubspot:company:1"})
    parsed = mapping('[customer]\nsame_name = "adopt"\n')
    assert isinstance(plan(request(ANNA, COMPANY), parsed, view), Park)
    assert parsed.adopts("Customer")
    assert not parsed.adopts("Item")


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"email": "anna at example"}, "PrimaryEmailAddr"),
        ({"phone": "5" * 31}, "PrimaryPhone"),
        ({"given_name": "A" * 101}, "GivenName"),
    ],
)
def test_details_that_quickbooks_refuses_are_left_out_or_park(values: dict[str, str], missing: str) -> None:
    record = ANNA.model_copy(update=values)
    assert missing not in only(plan(request(record, COMPANY), mapping(), View())).body
    planned = plan(request(record, COMPANY), mapping('[customer]\nunfit = "park"\n'), View())
    assert isinstance(planned, Park)
    assert not any(value in planned.reason for value in values.values())


def test_a_name_of_nothing_and_one_over_500_characters_park() -> None:
    for name, code in ((" \t", "no_name"), ("x" * 501, "name_too_long")):
        planned = plan(request(ANNA.model_copy(update={"name": name}), COMPANY), mapping(), View())
        assert isinstance(planned, Park)
        assert planned.code == code


def test_tabs_and_line_ends_in_a_name_become_blanks() -> None:
    record = Customer(name=" Anna\n\tO'Brien ")
    assert only(plan(request(record, COMPANY), mapping(), View())).name == "Anna O'Brien"


def test_a_product_becomes_this_item() -> None:
    record = Product(name="Chef Anton's: Mix", sku="CH-1", description="36 boxes", unit_price=Decimal("21.3500"))
    intent = only(plan(request(record, WIDGET), mapping('[product]\ntype = "NonInventory"\n'), View()))
    assert intent.body == {
        "Name": "Chef Anton's - Mix",
        "Type": "NonInventory",
        "IncomeAccountRef": {"$name": ["Account", "Sales of Product Income"]},
        "Sku": "CH-1",
        "Description": "36 boxes",
        "UnitPrice": Decimal("21.35"),
    }
    assert (intent.entity, intent.person) == ("Item", None)


def test_a_foreign_list_price_is_no_price_in_the_books() -> None:
    record = Product(name="Chai", unit_price=Decimal(18), currency="EUR")
    assert "UnitPrice" not in only(plan(request(record, WIDGET), mapping(), View())).body


def test_an_item_s_name_of_over_100_characters_parks_or_is_shortened() -> None:
    record = Product(name="x" * 101)
    assert isinstance(plan(request(record, WIDGET), mapping(), View()), Park)
    short = only(plan(request(record, WIDGET), mapping('[product]\nname_too_long = "shorten"\n'), View())).name
    assert short is not None
    assert (len(short), short[:91]) == (100, "x" * 91)


def test_employees_are_carried_over_only_when_asked_for() -> None:
    record = Employee(given_name="Nancy", family_name="Davolio", department="Sales", hired=date(1992, 5, 1))
    assert isinstance(plan(request(record, "gusto:employee:1"), mapping(), View()), Skip)
    intent = only(plan(request(record, "gusto:employee:1"), mapping("[employee]\ncreate = true\n"), View()))
    assert intent.body == {
        "DisplayName": "Nancy Davolio",
        "GivenName": "Nancy",
        "FamilyName": "Davolio",
        "HiredDate": "1992-05-01",
    }


def test_a_vendor() -> None:
    intent = only(plan(request(Vendor(name="Exotic Liquids"), "csv:vendor:1"), mapping(), View()))
    assert (intent.entity, intent.body) == ("Vendor", {"DisplayName": "Exotic Liquids"})


def test_inactive_records_are_left_alone_unless_the_mapping_says_otherwise() -> None:
    gone = ANNA.model_copy(update={"active": False})
    assert "Active" not in only(plan(request(gone, COMPANY), mapping(), View())).body
    extra = '[customer]\ninactive = "deactivate"\n'
    assert isinstance(plan(request(gone, COMPANY), mapping(extra), View()), Skip)
    before = only(plan(request(ANNA, COMPANY), mapping(extra), View()))
    after = only(plan(request(gone, COMPANY), mapping(extra), View(links={COMPANY: link_of(before, COMPANY)})))
    assert (before.body["Active"], after.operation, after.body["Active"]) == (True, "update", False)
