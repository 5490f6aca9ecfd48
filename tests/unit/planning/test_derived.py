"""Fields that a mapping derives: worked out before anything is planned, to the cent, or the record is parked."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from counterfoil.planning.derivable import DERIVABLE, fields_of, names_of
from counterfoil.planning.derived import derived
from counterfoil.planning.mapping import MappingError, parse_mapping
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park
from counterfoil_schema.records import Customer, Product
from support.planning import COMPANY, DEAL, MINIMAL, View, line, lines_of, mapping, only, request, sale


def problem(extra: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_mapping(MINIMAL + extra, file="m.toml")
    (found,) = caught.value.problems
    return found


def test_numbers_dates_and_texts_of_a_sale() -> None:
    rules = mapping(
        "[derived.invoice]\n"
        "number = 'first(number, \"D\" + id)'\n"
        "due = 'first(due, days_after(dated, 30))'\n"
        "memo = 'upper(source_kind) + \" of \" + connection'\n"
        '[invoice]\nnumber = "HS-{number}"\ncustomer_memo = "{memo}"\n'
    )
    body = only(plan(request(sale(number=None)), rules, View())).body
    assert (body["DocNumber"], body["DueDate"], body["CustomerMemo"]) == (
        "HS-D512",
        "2026-04-13",
        {"value": "DEAL of hubspot"},
    )
    kept = only(plan(request(sale(number="7", due=date(2026, 3, 20))), rules, View())).body
    assert (kept["DocNumber"], kept["DueDate"]) == ("HS-7", "2026-03-20")


def test_prices_of_lines_to_the_cent_with_the_sale_s_own_values_at_hand() -> None:
    rules = mapping(
        "[derived.line]\n"
        "unit_price = 'round(unit_price / 1.19)'\n"
        "description = 'first(description, \"Deal \" + text(number))'\n"
    )
    sold = sale(line(unit_price=Decimal("11.90"), quantity=Decimal(3)), line("2", unit_price=Decimal("19.99")))
    (first, second) = lines_of(only(plan(request(sold), rules, View())).body)
    assert (first["Amount"], second["Amount"]) == (Decimal("30.00"), Decimal("16.80"))
    assert first["Description"] == "Deal 1001"


def test_an_instant_is_a_day_in_the_mapping_s_zone() -> None:
    rules = mapping("[derived.invoice]\ndated = 'happened_at'\n")
    late = sale(dated=None, happened_at=datetime(2026, 3, 15, 3, 30, tzinfo=UTC))
    assert only(plan(request(late), rules, View())).body["TxnDate"] == "2026-03-14"


def test_other_kinds_of_record() -> None:
    rules = mapping(
        '[derived.customer]\nname = \'strip(name) + " (" + id + ")"\'\n[derived.product]\nsku = \'"W-" + id\'\n'
    )
    named = only(plan(request(Customer(name=" Acme "), COMPANY), rules, View())).body
    assert named["DisplayName"] == "Acme (12)"
    made = only(plan(request(Product(name="Widget"), "hubspot:product:7"), rules, View())).body
    assert made["Sku"] == "W-7"


def test_a_mapping_that_derives_nothing_changes_nothing() -> None:
    sold = sale()
    assert derived(sold, DEAL, mapping().derived, "UTC") is sold


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            "number = '\"HS-\" + memo'",
            "[derived.invoice] number of deal 512 (hubspot) cannot be worked out: + adds a text to",
        ),
        (
            "memo = 'length(number)'",
            "[derived.invoice] memo of deal 512 (hubspot) cannot be worked out: the field does not",
        ),
        (
            "currency = '\"euro\"'",
            "[derived.invoice] currency of deal 512 (hubspot) cannot be worked out: the field does",
        ),
        (
            "stated_total = '1 / 0'",
            "[derived.invoice] stated_total of deal 512 (hubspot) cannot be worked out: it divides",
        ),
    ],
)
def test_what_cannot_be_worked_out_parks_the_record_and_shows_no_value(rule: str, says: str) -> None:
    planned = plan(request(sale(number="SECRET")), mapping(f"[derived.invoice]\n{rule}\n"), View())
    assert isinstance(planned, Park)
    assert (planned.code, planned.reason[: len(says)]) == ("not_derivable", says)
    assert "SECRET" not in planned.reason


def test_a_line_that_cannot_be_worked_out_is_named() -> None:
    planned = plan(request(sale(line("9"))), mapping("[derived.line]\nunit_price = 'unit_price / 0'\n"), View())
    assert isinstance(planned, Park)
    assert planned.reason == (
        "[derived.line] unit_price of deal 512 (hubspot) (line 9) cannot be worked out: it divides by nothing."
    )


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            "[derived.invoice]\nnumbr = 'id'\n",
            'line 5, column 1: [derived.invoice] has no field "numbr" to derive; did you mean "number"?',
        ),
        (
            "[derived.invoice]\n  number = 'upper(memmo)'\n",
            "line 5, column 12: [derived.invoice] number: there is no memmo; did you mean memo?",
        ),
        (
            "[derived.invoice]\nnumber = 'uper(memo)'\n",
            "line 5, column 10: [derived.invoice] number = 'uper(memo)': there is no function uper, at its character 1",
        ),
        (
            "[derived.invoice]\nwon = 'True'\n",
            'line 5, column 1: [derived.invoice] has no field "won" to derive',
        ),
        ("[derived.invoic]\n", 'line 4, column 1: [derived] has no key "invoic"; did you mean "invoice"?'),
    ],
)
def test_rules_that_cannot_be_are_told_with_their_place(extra: str, expected: str) -> None:
    assert problem(extra).startswith(expected)


def test_what_a_record_is_and_whom_it_concerns_is_not_derived() -> None:
    for document in DERIVABLE:
        assert not {"kind", "customer", "employee", "won", "lines", "line_id"} & set(fields_of(document))
    assert {"quantity", "unit_price", "number", "id", "dated"} <= set(names_of("line"))
