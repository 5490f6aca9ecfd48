"""Reports in cash, in columns of records, about some records alone, and as of a day gone by; figures by hand."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.values import ZERO, as_text
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company, applied, line, posting
from support.quickbooks_reports import amounts, lines, report, traded


def test_in_cash_a_sale_counts_when_it_is_paid_and_for_what_is_paid() -> None:
    found = report(traded(), "ProfitAndLoss", accounting_method="Cash")
    assert found["Header"]["ReportBasis"] == "Cash"
    assert amounts(found) == {
        "Services": "30.00",
        "Total Income": "30.00",
        "Gross Profit": "30.00",
        "Advertising": "15.00",
        "Wages": "20.00",
        "Total Expenses": "35.00",
        "Net Operating Income": "-5.00",
        "Net Income": "-5.00",
    }
    by_month = report(traded(), "ProfitAndLoss", accounting_method="Cash", summarize_column_by="Quarter")
    assert ["Services", "30.00", "", "", "", "30.00"] in list(lines(by_month["Rows"]))


def test_in_cash_nothing_is_owed() -> None:
    sheet = amounts(report(traded(), "BalanceSheet", accounting_method="Cash"))
    assert sheet == {
        "Checking": "-5.00",
        "Total Bank Accounts": "-5.00",
        "Total Current Assets": "-5.00",
        "TOTAL ASSETS": "-5.00",
        "Total Current Liabilities": "0.00",
        "Total Liabilities": "0.00",
        "Retained Earnings": "0.00",
        "Net Income": "-5.00",
        "Total Equity": "-5.00",
        "TOTAL LIABILITIES AND EQUITY": "-5.00",
    }


def test_in_cash_what_is_paid_ahead_is_income_of_its_own() -> None:
    company = Company()
    company.payment(company.customer(), "12.50", [])
    assert amounts(report(company, "ProfitAndLoss"))["Net Income"] == "0.00"
    found = amounts(report(company, "ProfitAndLoss", accounting_method="Cash"))
    assert (found["Unapplied Cash Payment Income"], found["Net Income"]) == ("12.50", "12.50")


def test_the_company_s_own_preference_is_the_basis_unless_asked_otherwise() -> None:
    company = traded()
    company.books.set_preferences({"ReportPrefs": {"ReportBasis": "Cash"}})
    assert report(company, "ProfitAndLoss")["Header"]["ReportBasis"] == "Cash"
    assert report(company, "ProfitAndLoss", accounting_method="Accrual")["Header"]["ReportBasis"] == "Accrual"


def column(found: dict[str, Any], place: int) -> list[str]:
    """One cell of every row of data, in the order of the report."""
    return [row[place] for row in lines(found["Rows"]) if len(row) > place]


def test_rows_come_in_the_order_that_is_asked_for() -> None:
    company = Company()
    hours = company.item("Hours")
    for name, day, amount in (
        ("Bo", "2026-02-01", "30.00"),
        ("Ann", "2026-02-02", "9.00"),
        ("Nan", "2026-02-03", "200"),
    ):
        company.invoice(company.customer(name), [line(hours, amount)], TxnDate=day, DocNumber=f"{name}-1")
    shown = "tx_date,name,subt_nat_amount"

    def named(**asked: str) -> list[str]:
        return column(report(company, "TransactionList", columns=shown, **asked), 1)

    assert named() == named(sort_order="ascend") == named(sort_by="tx_date") == ["Bo", "Ann", "Nan"]
    assert named(sort_order="descend") == ["Nan", "Ann", "Bo"]
    assert named(sort_by="subt_nat_amount") == ["Ann", "Bo", "Nan"]
    assert named(sort_by="name", sort_order="descend") == ["Nan", "Bo", "Ann"]
    assert named(sort_by="doc_num") == ["Bo", "Ann", "Nan"]  # not among the columns
    owed = [row[0] for row in lines(report(company, "CustomerBalance", sort_order="descend")["Rows"])]
    assert owed == ["Nan", "Bo", "Ann", "TOTAL"]
    for wrong in ({"sort_order": "up"}, {"sort_by": "colour"}):
        with pytest.raises(QuickBooksFaultError) as refused:
            report(company, "TransactionList", **wrong)
        assert refused.value.code == "2170"


def test_in_a_section_that_stays_accounts_are_ordered_by_what_they_come_to() -> None:
    found = report(traded(), "ProfitAndLoss", sort_order="ascend")
    titles = [row[0] for row in lines(found["Rows"])]
    assert titles.index("Wages") < titles.index("Advertising")
    assert amounts(found) == amounts(report(traded(), "ProfitAndLoss"))


def departments() -> Company:
    """Ann buys hours for 10, and sod for 20 of class Retail, in the north; Bo sod for 5 in the south."""
    company = Company()
    ann, bo = company.customer("Ann"), company.customer("Bo")
    hours, sod = company.item("Hours"), company.item("Sod", "79")
    north, south = (as_text(company.write("Department", {"Name": name})["Id"]) for name in ("North", "South"))
    retail = as_text(company.write("Class", {"Name": "Retail"})["Id"])
    sold = line(sod, "20.00")
    detail = sold["SalesItemLineDetail"]
    assert isinstance(detail, dict)
    detail["ClassRef"] = {"value": retail}
    company.invoice(ann, [line(hours, "10.00"), sold], TxnDate="2026-02-01", DepartmentRef={"value": north})
    company.invoice(bo, [line(sod, "5.00")], TxnDate="2026-02-02", DepartmentRef={"value": south})
    return company


@pytest.mark.parametrize(
    ("by", "titles", "services", "product"),
    [
        ("Customers", ["Ann", "Bo", "TOTAL"], ["10.00", "", "10.00"], ["20.00", "5.00", "25.00"]),
        ("Departments", ["North", "South", "TOTAL"], ["10.00", "", "10.00"], ["20.00", "5.00", "25.00"]),
        ("Classes", ["Retail", "Not Specified", "TOTAL"], ["", "10.00", "10.00"], ["20.00", "5.00", "25.00"]),
        (
            "ProductsAndServices",
            ["Hours", "Sod", "TOTAL"],
            ["10.00", "", "10.00"],
            ["", "25.00", "25.00"],
        ),
    ],
)
def test_a_column_for_each_record(by: str, titles: list[str], services: list[str], product: list[str]) -> None:
    found = report(departments(), "ProfitAndLoss", summarize_column_by=by)
    assert found["Header"]["SummarizeColumnsBy"] == by
    assert [column["ColTitle"] for column in found["Columns"]["Column"]] == ["", *titles]
    rows = {title: values for title, *values in lines(found["Rows"])}
    assert (rows["Services"], rows["Sales of Product Income"]) == (services, product)


def test_employees_and_vendors_of_journal_lines_and_bills_have_columns() -> None:
    company = Company()
    who = company.write("Employee", {"GivenName": "Emily"})
    entity: JsonObject = {"Type": "Employee", "EntityRef": {"value": who["Id"]}}
    entry = [posting("Debit", "60", "20.00", entity), posting("Credit", "35", "20.00")]
    company.write("JournalEntry", {"TxnDate": "2026-03-31", "Line": [*entry]})
    found = report(company, "ProfitAndLoss", summarize_column_by="Employees")
    assert ["Wages", "20.00", "20.00"] in list(lines(found["Rows"]))
    bought = report(traded(), "ProfitAndLoss", summarize_column_by="Vendors")
    assert ["Advertising", "40.00", "", "40.00"] in list(lines(bought["Rows"]))


def test_one_customer_alone() -> None:
    found = report(departments(), "ProfitAndLoss", customer="2")
    assert amounts(found)["Total Income"] == "5.00"
    assert amounts(report(departments(), "ProfitAndLoss", customer="1,2"))["Total Income"] == "35.00"
    assert [row[0] for row in lines(report(departments(), "AgedReceivables", customer="2")["Rows"])] == ["Bo", "TOTAL"]


def test_what_was_owed_on_a_day_gone_by() -> None:
    before, after = (
        list(lines(report(traded(), "AgedReceivables", report_date=day)["Rows"]))
        for day in ("2026-03-05", "2026-03-06")
    )
    assert (before[0][-1], after[0][-1]) == ("157.00", "127.00")


SALES = st.lists(
    st.tuples(st.decimals("0.01", "999.99", places=2), st.decimals("0.01", "999.99", places=2), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(SALES)
def test_in_cash_both_sides_agree_and_what_is_paid_whole_counts_whole(
    sales: list[tuple[Decimal, Decimal, bool]],
) -> None:
    company = Company()
    who, hours, sod = company.customer(), company.item("Hours"), company.item("Sod", "79")
    paid = ZERO
    for one, other, whole in sales:
        made = company.invoice(who, [line(hours, str(one)), line(sod, str(other))], TxnDate="2026-02-01")
        first = min(one, other)
        for amount in (first, one + other - first) if whole else (first,):
            body: JsonObject = {
                "CustomerRef": {"value": who},
                "TotalAmt": amount,
                "TxnDate": "2026-03-01",
                "Line": [applied("Invoice", as_text(made["Id"]), str(amount))],
            }
            company.write("Payment", body)
            paid += amount
    sheet = amounts(report(company, "BalanceSheet", accounting_method="Cash"))
    assert sheet["TOTAL ASSETS"] == sheet["TOTAL LIABILITIES AND EQUITY"] == f"{paid:.2f}"
    assert "Accounts Receivable (A/R)" not in sheet
    assert amounts(report(company, "ProfitAndLoss", accounting_method="Cash"))["Net Income"] == f"{paid:.2f}"
    found = list(lines(report(company, "TrialBalance", accounting_method="Cash")["Rows"]))
    assert sum((Decimal(row[1] or 0) - Decimal(row[2] or 0) for row in found), ZERO) == ZERO
    if all(whole for _, _, whole in sales):
        assert amounts(report(company, "ProfitAndLoss", accounting_method="Cash")) == amounts(
            report(company, "ProfitAndLoss")
        )


def test_every_column_says_what_it_is() -> None:
    for_two = {"start_date": "2026-02-01", "end_date": "2026-03-31", "summarize_column_by": "Month"}
    found = report(traded(), "ProfitAndLoss", **for_two)["Columns"]["Column"]
    told = [{entry["Name"]: entry["Value"] for entry in column["MetaData"]} for column in found]
    assert told == [
        {"ColKey": "account"},
        {"StartDate": "2026-02-01", "EndDate": "2026-02-28"},
        {"StartDate": "2026-03-01", "EndDate": "2026-03-31"},
        {"ColKey": "total"},
    ]
