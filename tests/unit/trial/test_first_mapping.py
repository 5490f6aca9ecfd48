"""A first mapping: what is plain is chosen, the rest is a comment with the names to choose from; it can be used."""

import tomllib
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from counterfoil.cli.tasks.mapping_init import own_tables
from counterfoil.planning.mapping import parse_mapping
from counterfoil.settings import CompanySettings, QuickBooksSettings
from counterfoil.trial import BooksSeen, Sample
from counterfoil.trial.first_mapping import Found, first_mapping
from counterfoil_schema.records import Customer, Employee, PayPart, PayRun, PayRunLine, Product, TimeEntry
from support.planning import line, sale
from support.trials import books, sample

ACCOUNTS = {
    "Sales of Product Income": "Income",
    "Services": "Income",
    "Checking": "Bank",
    "Payroll Expenses": "Expense",
    "Payroll Expenses:Taxes": "Expense",
    "Payroll Expenses:Wages": "Expense",
    "Rent": "Expense",
    "Benefits payable": "Other Current Liability",
}


def company() -> CompanySettings:
    secret = SecretStr("s")
    quickbooks = QuickBooksSettings(client_id=secret, client_secret=secret, base_url="http://127.0.0.1:1")
    return CompanySettings(company=1, name="Shop", zone="America/New_York", quickbooks=quickbooks)


def written(of: Sample, seen: BooksSeen, tables: str = "") -> tuple[str, dict[str, Any]]:
    found = Found(company=company(), source=of.connection, sample=of, books=seen, types=ACCOUNTS)
    text = first_mapping(found, tables)
    parse_mapping(text, file="first.toml")
    return text, tomllib.loads(text)


def test_a_crm_with_its_stages() -> None:
    of = sample(
        ("company", "12", Customer(name='The "Öl" company')),
        ("contact", "13", Customer(name="Ann")),
        ("product", "7", Product(name="Widget")),
        ("deal", "1", sale(status="closedwon", won=True)),
        ("deal", "2", sale(status="proposal", won=False)),
        ("deal", "3", sale(status="closedwon", won=True).model_copy(update={"lines": ()})),
    )
    seen = books({"Account": list(ACCOUNTS), "Item": ["Hours", "Design"], "Term": ["Net 30"]})
    text, data = written(of, seen)
    assert data == {
        "connection": {"source": "hubspot", "zone": "America/New_York", "currency": "USD"},
        "customer": {"from": ["company", "contact"], "same_name": "park"},
        "product": {"from": ["product"], "income_account": "Sales of Product Income", "type": "Service"},
        "invoice": {"from": ["deal"], "when": "won", "no_lines": "park"},
        "post": {"invoice": {"post": "review"}},
    }
    for comment in (
        '#   "closedwon": 2 seen, won',
        '#   "proposal": 1 seen',
        "#   1 won ones have no lines",
        '# catch_all = "Design"  # the item of lines without a product: "Design", "Hours"',
        '# terms = "Net 30"',
        'income_account = "Sales of Product Income"  # or "Services"',
    ):
        assert comment in text


def test_tax_codes_abroad_are_taken_where_they_bear_one_name() -> None:
    deal = sale(line(tax_code="20% s"), line("2", tax_code="Reduced"))
    of = sample(("company", "12", Customer(name="Acme")), ("deal", "1", deal))
    text, data = written(of, books({"TaxCode": ["20% S", "5% R"]}, tax_mode="abroad"))
    assert data["tax"] == {"codes": {"20% s": "20% S"}}
    assert '# codes."Reduced" = ""' in text
    assert '# QuickBooks\' codes: "20% S", "5% R"' in text


def pay_run(*parts: tuple[str, PayPart]) -> PayRun:
    day = date(2026, 3, 6)
    lines = tuple(PayRunLine(department=of, part=part, amount=Decimal(1), people=3) for of, part in parts)
    return PayRun(
        status="processed",
        processed=True,
        check_date=day,
        period_start=day,
        period_end=day,
        currency="USD",
        lines=lines,
    )


def test_pay_runs_get_the_accounts_that_are_plainly_meant_and_the_dimension_that_knows_their_departments() -> None:
    of = sample(
        ("employee", "e1", Employee(given_name="Zoë", family_name="Ø")),
        (
            "payroll",
            "p1",
            pay_run(("Design", "wages"), ("Design", "employer_tax"), ("R&D", "net_pay"), ("R&D", "other_deduction")),
        ),
        connection="gusto",
    )
    seen = books({"Account": list(ACCOUNTS), "Class": ["Design", "Research"]}, tracking=["class", "department"])
    text, data = written(of, seen)
    assert data["payroll"] == {
        "from": ["payroll"],
        "track": "class",
        "minimum_people": 2,
        "accounts": {
            "wages": "Payroll Expenses:Wages",
            "employer_tax": "Payroll Expenses:Taxes",
            "net_pay": "Checking",
        },
        "departments": {"R&D": {}},
    }
    assert data["employee"]["create"] is False
    assert '# other_deduction = ""  # one of "Benefits payable"' in text
    assert '# name = ""  # one of "Design", "Research"' in text
    assert data["post"] == {"pay_run": {"post": "review"}}


def test_projects_of_hours_wait_for_their_customer() -> None:
    hours = TimeEntry.model_validate({"employee": "hr:employee:1", "dated": "2026-03-06", "project": 'Site "A"'})
    text, data = written(sample(("day", "1", hours), connection="hr"), books({"Item": ["Hours"]}))
    assert data["time"] == {"from": ["day"], "unknown_project": "park", "projects": {'Site "A"': {}}}
    assert '# item = "Hours"' in text
    assert '# customer = ""' in text


def test_an_empty_source_gives_the_smallest_mapping() -> None:
    _, data = written(sample(connection="csv"), books())
    assert data == {"connection": {"source": "csv", "zone": "America/New_York", "currency": "USD"}}


def test_the_adapter_s_own_tables_are_taken_over_as_they_are() -> None:
    tables = '[csv.order]  # ours\nfile = "orders.csv"\n\n[csv.order.lines]\nfile = "lines.csv"\n'
    others = ('[connection]\nsource = "csv"\n[invoice]\nnumber = "x"\n', '[post.invoice]\npost = "auto"\n')
    text = others[0] + tables + others[1] + "[source]\na = 1\n"
    assert own_tables(text) == tables.rstrip() + "\n[source]\na = 1"
    _, data = written(sample(connection="csv"), books(), own_tables(text))
    assert data["csv"] == {"order": {"file": "orders.csv", "lines": {"file": "lines.csv"}}}
    assert data["source"] == {"a": 1}
