"""Filters of a mapping: what they keep out is skipped with its reason, and what they cannot decide is parked."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.mapping import MappingError, parse_mapping
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip
from counterfoil_schema.records import Customer, PayRun, PayRunLine, Product
from support.planning import COMPANY, DEAL, MINIMAL, WIDGET, View, line, link_of, mapping, only, request, sale

WON_ABOVE_NOTHING = """[invoice]\nwhen = ["closedwon", "won"]\nfilter = "amount > 0 and stage == 'closedwon'"\n"""


def problem(extra: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_mapping(MINIMAL + extra, file="m.toml")
    (found,) = caught.value.problems
    return found


def test_a_sale_that_passes_is_planned_and_one_that_does_not_is_skipped_with_the_rule_as_reason() -> None:
    rules = mapping(WON_ABOVE_NOTHING)
    only(plan(request(sale()), rules, View()))
    for other in (sale(line(unit_price=Decimal(0))), sale(status="won"), sale(stated_total=Decimal(0))):
        found = plan(request(other), rules, View())
        assert isinstance(found, Skip)
        assert found.code == "filtered"
        assert found.reason == (
            "The filter of [invoice] in the mapping passes it over: amount > 0 and stage == 'closedwon'"
        )


def test_the_amount_is_what_is_stated_else_what_the_lines_come_to_less_discounts() -> None:
    rules = mapping('[invoice]\nfilter = "amount == 27.5"\ntotal_mismatch = "ignore"\n')
    lines = (line(quantity=Decimal(3)), line("2", unit_price=Decimal(-5), discount=Decimal("0.5")))
    only(plan(request(sale(*lines)), rules, View()))
    only(plan(request(sale(stated_total=Decimal("27.50"))), rules, View()))
    assert isinstance(plan(request(sale(*lines, stated_total=Decimal("27.51"))), rules, View()), Skip)


def test_every_kind_has_its_filter() -> None:
    rules = mapping(
        '[customer]\nfilter = \'name != "Test"\'\n[product]\nfilter = \'first(sku, "") != ""\'\n'
        "[payroll]\nfilter = 'off_cycle == False and check_date >= period_end'\n"
    )
    assert isinstance(plan(request(Customer(name="Test"), COMPANY), rules, View()), Skip)
    only(plan(request(Customer(name="Ann"), COMPANY), rules, View()))
    assert isinstance(plan(request(Product(name="Widget"), WIDGET), rules, View()), Skip)
    run = PayRun(
        status="paid",
        processed=True,
        check_date=date(2026, 3, 15),
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 14),
        currency="USD",
        off_cycle=True,
        lines=(PayRunLine(department="", part="wages", amount=Decimal(1), people=3),),
    )
    assert isinstance(plan(request(run, "gusto:payroll:1"), rules, View()), Skip)


def test_what_stands_in_the_books_and_no_longer_passes_is_not_left_there_in_silence() -> None:
    link = link_of(only(plan(request(sale()), mapping(), View())))
    found = plan(request(sale(status="won")), mapping(WON_ABOVE_NOTHING), View(links={DEAL: link}))
    assert isinstance(found, Park)
    assert (found.code, found.fix[:17]) == ("filtered", "Void the document")
    customer = link_of(only(plan(request(Customer(name="Ann"), COMPANY), mapping(), View())), COMPANY)
    kept = plan(
        request(Customer(name="Test"), COMPANY),
        mapping("[customer]\nfilter = 'name != \"Test\"'\n"),
        View(links={COMPANY: customer}),
    )
    assert isinstance(kept, Skip)


def test_what_names_a_record_that_is_kept_out_parks_instead_of_waiting_for_it_for_ever() -> None:
    rules = mapping("[customer]\nfilter = 'name != \"Test\"'\n")
    found = plan(request(sale()), rules, View(records={COMPANY: Customer(name="Test")}))
    assert isinstance(found, Park)
    assert found.code == "names_filtered"
    assert "company 12" in found.reason
    only(plan(request(sale()), rules, View(records={COMPANY: Customer(name="Ann")})))


def test_what_cannot_be_decided_parks_and_tells_no_value() -> None:
    for expression, says in (
        ("stated_total > 0", "> compares nothing with a number"),
        ("amount", "neither true nor false"),
        ("status + 1 == 2", "+ adds a text to a number"),
    ):
        found = plan(request(sale()), mapping(f'[invoice]\nfilter = "{expression}"\n'), View())
        assert isinstance(found, Park)
        assert found.code == "not_filterable"
        assert says in found.reason
        assert "closedwon" not in found.reason


def test_mistakes_are_told_with_line_column_and_the_nearest_name() -> None:
    assert problem("[invoice]\nfilter = 'amont > 0'\n").startswith(
        "line 5, column 10: [invoice] filter: there is no amont; did you mean amount?"
    )
    assert "there is no function uper" in problem("[customer]\nfilter = 'uper(name) == \"X\"'\n")
    assert "line 5, column 9" in problem("[payroll]\nfilter ='chek_date == period_end'\n")
    assert "which is not for expressions" in problem("[invoice]\nfilter = '__import__.x'\n")
