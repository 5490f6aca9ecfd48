"""Two currencies, two parties; and a foreign document never goes out without a rate."""

from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Park, Plan
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Invoice
from support.planning import COMPANY, View, changed, link_of, mapping, only, request, sale

EURO = '[customer]\nother_currencies = ["EUR"]\n'
SECOND = "hubspot:company@EUR:12"


def view(**more: object) -> View:
    base = View(multi=True, records={COMPANY: Customer(name="Zoé & Co", email="zoe@example.org")})
    for name, value in more.items():
        setattr(base, name, value)
    return base


def european(**values: object) -> Invoice:
    return sale(**{"currency": "EUR", "exchange_rate": Decimal("1.0835"), **values})


def pair(planned: Plan) -> tuple[Intent, Intent]:
    assert isinstance(planned, tuple), planned
    first, second = planned
    return first, second


def test_a_second_currency_parks_unless_the_mapping_allows_a_second_entry() -> None:
    found = plan(request(european()), mapping(), view())
    assert isinstance(found, Park)
    assert found.code == "customer_currency"
    assert "other_currencies" in found.fix


def test_a_second_currency_makes_a_second_entry_that_the_document_waits_for() -> None:
    entry, invoice = pair(plan(request(european()), mapping(EURO), view()))
    assert (entry.entity, entry.operation, entry.record_key, entry.person) == ("Customer", "create", SECOND, COMPANY)
    assert entry.body == {
        "DisplayName": "Zoé & Co (EUR)",
        "PrimaryEmailAddr": {"Address": "zoe@example.org"},
        "CurrencyRef": {"value": "EUR"},
    }
    assert invoice.body["CustomerRef"] == {"$record": SECOND}
    assert invoice.needs[0] == SECOND
    assert invoice.record_key is None


def test_the_second_entry_is_made_once() -> None:
    on_its_way = view(names={("Customer", "zoé & co (eur)"): SECOND})
    assert only(plan(request(european()), mapping(EURO), on_its_way)).entity == "Invoice"
    entry, _ = pair(plan(request(european()), mapping(EURO), view()))
    there = view(links={SECOND: link_of(entry, SECOND, {"CurrencyRef": {"value": "EUR"}})})
    assert only(plan(request(european()), mapping(EURO), there)).body["CustomerRef"] == {"$record": SECOND}


def test_a_change_of_the_customer_reaches_its_second_entry() -> None:
    entry, _ = pair(plan(request(european()), mapping(EURO), view()))
    held: JsonObject = {"DisplayName": "Zoé & Co (EUR)", "CurrencyRef": {"value": "EUR"}}
    customer = Customer(name="Zoé & Co", email="new@example.org")
    first = only(plan(request(Customer(name="Zoé & Co", email="zoe@example.org"), COMPANY), mapping(EURO), view()))
    links = {SECOND: link_of(entry, SECOND, held), COMPANY: link_of(first, COMPANY, {"CurrencyRef": {"value": "USD"}})}
    one, other = pair(plan(request(customer, COMPANY), mapping(EURO), view(links=links)))
    assert (one.operation, one.record_key, other.operation, other.record_key) == ("update", None, "update", SECOND)
    assert other.body["PrimaryEmailAddr"] == {"Address": "new@example.org"}
    gone = changed(links[SECOND], {"status": "deleted"})
    assert only(plan(request(customer, COMPANY), mapping(EURO), view(links={**links, SECOND: gone}))).record_key is None


def test_a_customer_that_is_gone_takes_its_second_entry_along() -> None:
    entry, _ = pair(plan(request(european()), mapping(EURO), view()))
    first = only(plan(request(Customer(name="Zoé & Co"), COMPANY), mapping(EURO), view()))
    view_of_both = view(links={SECOND: link_of(entry, SECOND), COMPANY: link_of(first, COMPANY)})
    rules = mapping('[customer]\nother_currencies = ["EUR"]\nremoved = "deactivate"\n')
    one, other = pair(plan(request(None, COMPANY), rules, view_of_both))
    assert (one.record_key, other.record_key) == (None, SECOND)
    assert one.body == other.body == {"Active": False}


@pytest.mark.parametrize(
    ("extra", "stated", "rate"),
    [
        ("", "1.0835", Decimal("1.0835")),
        ('[exchange.rates]\nEUR = "1.10"\n', "1.0835", Decimal("1.0835")),
        ('[exchange.rates]\nEUR = "1.10"\n', None, Decimal("1.1")),
        ('[exchange]\nrate = "books"\n', None, {"$rate": ["EUR", "2026-03-14"]}),
    ],
)
def test_the_rate_of_a_foreign_document_has_a_source(extra: str, stated: str | None, rate: object) -> None:
    record = european(exchange_rate=None if stated is None else Decimal(stated))
    _, invoice = pair(plan(request(record), mapping(EURO + extra), view()))
    assert invoice.body["ExchangeRate"] == rate


def test_a_foreign_document_without_a_rate_parks() -> None:
    found = plan(request(european(exchange_rate=None)), mapping(EURO), view())
    assert isinstance(found, Park)
    assert found.code == "no_rate"
    assert "one EUR as one USD" in found.reason


def test_a_document_at_home_bears_no_rate() -> None:
    intent = only(plan(request(sale()), mapping(EURO), view()))
    assert intent.body["CurrencyRef"] == {"value": "USD"}
    assert "ExchangeRate" not in intent.body
