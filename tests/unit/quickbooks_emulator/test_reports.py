"""Reports: figures by hand, the shape that Intuit answers, and sums that agree with each other whatever happened."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.reports import REPORTS
from counterfoil.quickbooks.emulator.reports.asked import asked_from
from counterfoil.quickbooks.emulator.reports.bounds import bounded
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text
from counterfoil.quickbooks.online.reports import report_from
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Company, posting
from support.quickbooks_reports import amounts, lines, report, traded


def test_profit_and_loss_has_income_expenses_and_what_remains() -> None:
    found = report(traded(), "ProfitAndLoss")
    assert amounts(found) == {
        "Services": "150.00",
        "Total Income": "150.00",
        "Gross Profit": "150.00",
        "Advertising": "40.00",
        "Wages": "20.00",
        "Total Expenses": "60.00",
        "Net Operating Income": "90.00",
        "Net Income": "90.00",
    }
    assert found["Header"]["ReportName"] == "ProfitAndLoss"
    assert (found["Header"]["StartPeriod"], found["Header"]["EndPeriod"]) == ("2026-01-01", "2026-12-31")
    assert found["Columns"]["Column"] == [
        {"ColTitle": "", "ColType": "Account"},
        {"ColTitle": "Total", "ColType": "Money"},
    ]
    income = found["Rows"]["Row"][0]
    assert (income["type"], income["group"]) == ("Section", "Income")
    assert income["Rows"]["Row"][0]["ColData"][0] == {"value": "Services", "id": "1"}


def test_profit_and_loss_by_quarter() -> None:
    found = report(traded(), "ProfitAndLoss", summarize_column_by="Quarter")
    titles = [column["ColTitle"] for column in found["Columns"]["Column"]]
    assert titles == ["", "Jan - Mar 2026", "Apr - Jun 2026", "Jul - Sep 2026", "Oct - Dec 2026", "Total"]
    net = next(row for row in lines(found["Rows"]) if row[0] == "Net Income")
    assert net == ["Net Income", "90.00", "0.00", "0.00", "0.00", "90.00"]


def test_the_balance_sheet_has_two_equal_sides() -> None:
    assert amounts(report(traded(), "BalanceSheet")) == {
        "Checking": "-5.00",
        "Total Bank Accounts": "-5.00",
        "Accounts Receivable (A/R)": "127.00",
        "Total Accounts Receivable": "127.00",
        "Total Current Assets": "122.00",
        "TOTAL ASSETS": "122.00",
        "Accounts Payable (A/P)": "25.00",
        "Total Accounts Payable": "25.00",
        "Total Current Liabilities": "25.00",
        "Total Liabilities": "25.00",
        "Retained Earnings": "7.00",
        "Net Income": "90.00",
        "Total Equity": "97.00",
        "TOTAL LIABILITIES AND EQUITY": "122.00",
    }


def test_the_trial_balance_balances() -> None:
    found = list(lines(report(traded(), "TrialBalance")["Rows"]))
    assert sorted(found) == sorted(
        [
            ["Accounts Receivable (A/R)", "127.00", ""],
            ["Checking", "", "5.00"],
            ["Accounts Payable (A/P)", "", "25.00"],
            ["Services", "", "150.00"],
            ["Advertising", "40.00", ""],
            ["Wages", "20.00", ""],
            ["Retained Earnings", "", "7.00"],
            ["TOTAL", "187.00", "187.00"],
        ]
    )


def test_aged_receivables_and_payables() -> None:
    company = traded()
    (who, total) = list(lines(report(company, "AgedReceivables", report_date="2026-03-20")["Rows"]))
    # Due 2025-06-01 (292 days before) 7, 2026-01-10 (69 days) 100 - 30 paid, 2026-03-05 (15 days) 50.
    assert who == ["Ann Lee", "", "50.00", "", "70.00", "7.00", "127.00"]
    assert total == ["TOTAL", "0.00", "50.00", "0.00", "70.00", "7.00", "127.00"]
    (owed, _) = list(lines(report(company, "AgedPayables", report_date="2026-03-20")["Rows"]))
    assert owed == ["Books by Bessie", "25.00", "", "", "", "", "25.00"]


def test_an_aged_report_takes_steps_of_its_own() -> None:
    found = report(traded(), "AgedReceivables", report_date="2026-03-20", aging_period="45", num_periods="3")
    titles = [column["ColTitle"] for column in found["Columns"]["Column"]]
    assert titles == ["", "Current", "1 - 45", "46 - 90", "91 and over", "Total"]
    (who, _) = list(lines(found["Rows"]))
    assert who == ["Ann Lee", "", "50.00", "70.00", "7.00", "127.00"]
    # By their age of today, the emulator's, nothing is as it was in March.
    company = traded()
    later = report(company, "AgedReceivables", report_date="2026-03-20", aging_method="Current")
    ages = [(company.books.today() - date(*day)).days for day in ((2026, 1, 10), (2026, 3, 5))]
    assert min(ages) > 90
    assert next(lines(later["Rows"]))[-2:] == ["127.00", "127.00"]


def test_open_documents_stand_by_how_long_they_are_overdue() -> None:
    found = report(traded(), "AgedReceivableDetail", report_date="2026-03-20")
    assert list(lines(found["Rows"])) == [
        ["91 or more days past due", "", "", "", "", ""],
        ["Total for 91 or more days past due", "", "", "", "", "7.00"],
        ["2025-06-01", "Invoice", "1001", "Ann Lee", "2025-06-01", "7.00"],
        ["61 - 90 days past due", "", "", "", "", ""],
        ["Total for 61 - 90 days past due", "", "", "", "", "70.00"],
        ["2026-01-10", "Invoice", "1002", "Ann Lee", "2026-01-10", "70.00"],
        ["1 - 30 days past due", "", "", "", "", ""],
        ["Total for 1 - 30 days past due", "", "", "", "", "50.00"],
        ["2026-03-05", "Invoice", "1003", "Ann Lee", "2026-03-05", "50.00"],
    ]
    few = report(traded(), "AgedReceivableDetail", report_date="2026-03-20", past_due="60", columns="doc_num")
    assert [row for row in lines(few["Rows"]) if row[0].isdigit()] == [["1001"], ["1002"]]
    owed = list(lines(report(traded(), "AgedPayableDetail", report_date="2026-03-20")["Rows"]))
    assert owed[0][0] == "Current"
    assert owed[2] == ["2026-02-01", "Bill", "", "Books by Bessie", "2026-12-01", "25.00"]


def test_the_cash_flow_ends_with_what_lies_at_the_bank() -> None:
    found = amounts(report(traded(), "CashFlow"))
    assert found["Net Income"] == "90.00"
    assert found["Accounts Receivable (A/R)"] == "-120.00"
    assert found["Accounts Payable (A/P)"] == "25.00"
    assert found["Net cash by operating activities"] == "-5.00"
    assert found["Cash at end of period"] == "-5.00"


def test_the_general_ledger_runs_from_the_beginning_balance() -> None:
    found = report(traded(), "GeneralLedger", start_date="2026-03-01")
    checking = next(
        row for row in found["Rows"]["Row"] if row["Header"]["ColData"][0] == {"value": "Checking", "id": "35"}
    )
    assert list(lines(checking["Rows"])) == [
        ["Beginning Balance", "", "", "", "", "", "-15.00"],
        ["2026-03-06", "Payment", "", "Ann Lee", "", "30.00", "15.00"],
        ["2026-03-31", "Journal Entry", "", "", "", "-20.00", "-5.00"],
    ]
    assert checking["Summary"]["ColData"][5] == {"value": "10.00"}


def test_a_report_that_is_too_large_is_cut_off_and_says_so() -> None:
    rows = report(traded(), "GeneralLedger")["Rows"]["Row"]
    whole = [row for section in rows for row in lines({"Row": [section]})]
    cells = sum(map(len, whole))
    assert bounded(rows, cells) == rows
    for most in range(0, cells, 7):
        found = bounded(rows, most)
        assert as_object(found[-1])["ColData"] == [
            {"value": "Unable to display more data. Please reduce the date range."}
        ]
        shown = [row for section in found[:-1] for row in lines({"Row": [section]})]
        assert all(row in whole for row in shown)
        assert sum(map(len, shown)) <= most


def test_a_company_without_documents_has_no_data() -> None:
    for name in REPORTS:
        header = report(Company(), name)["Header"]
        expected = "false" if name in {"AccountList", "ProfitAndLoss", "BalanceSheet", "CashFlow"} else "true"
        assert header["Option"][-1] == {"Name": "NoReportData", "Value": expected}


def test_a_header_says_what_was_asked() -> None:
    company = traded()
    aged = report(company, "AgedReceivables", customer="1", date_macro="Last Month")["Header"]
    assert (aged["Customer"], aged["DateMacro"]) == ("1", "last month")
    assert aged["Option"][0] == {"Name": "report_date", "Value": "2026-12-31"}
    for name in ("ProfitAndLoss", "BalanceSheet"):
        header = report(company, name)["Header"]
        assert header["Option"][0] == {"Name": "AccountingStandard", "Value": "GAAP"}
        assert "DateMacro" not in header


def test_a_parameter_without_a_value_asks_for_nothing() -> None:
    company = traded()
    asked = {"accounting_method": "", "customer": "", "date_macro": "", "summarize_column_by": ""}
    assert report(company, "ProfitAndLoss", **asked) == report(company, "ProfitAndLoss")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"start_date": "2026-13-01"}, "2060"),
        ({"start_date": "2026-02-01", "end_date": "2026-01-01"}, "2060"),
        ({"summarize_column_by": "Moon"}, "2170"),
        ({"date_macro": "Some Day"}, "2170"),
        ({"date_macro": "Next Month-to-date"}, "2170"),
        ({"aging_method": "Moon"}, "2170"),
        ({"aging_period": "0"}, "2170"),
        ({"num_periods": "1.5"}, "2170"),
        ({"num_periods": "many"}, "2090"),
        ({"accounting_method": "Barter"}, "2170"),
    ],
)
def test_what_cannot_be_reported_is_refused(asked: dict[str, str], code: str) -> None:
    with pytest.raises(QuickBooksFaultError) as caught:
        report(Company(), "ProfitAndLoss", **asked)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("macro", "first", "last"),
    [
        ("Yesterday", "2026-11-14", "2026-11-14"),
        ("This Week", "2026-11-15", "2026-11-21"),
        ("Last Week-to-date", "2026-11-08", "2026-11-08"),
        ("Next 4 Weeks", "2026-11-22", "2026-12-19"),
        ("Last Month-to-date", "2026-10-01", "2026-10-15"),
        ("Next Month", "2026-12-01", "2026-12-31"),
        ("This Fiscal Quarter", "2026-10-01", "2026-12-31"),
        ("Last Calendar Quarter-to-date", "2026-07-01", "2026-08-15"),
        ("Last Fiscal Year", "2025-01-01", "2025-12-31"),
        ("Last Fiscal Year-to-date", "2025-01-01", "2025-11-15"),
        ("This Calendar Year-to-date", "2026-01-01", "2026-11-15"),
        ("Next Fiscal Year", "2027-01-01", "2027-12-31"),
    ],
)
def test_the_names_of_stretches_of_days(macro: str, first: str, last: str) -> None:
    # 15 November 2026 is a Sunday, the first day of Intuit's week.
    asked = asked_from({"date_macro": macro}, date(2026, 11, 15))
    assert (first, last) == (asked.start.isoformat(), asked.end.isoformat())


POSTINGS = st.tuples(
    st.sampled_from(["1", "2", "7", "35", "42", "61", "80", "81"]),
    st.sampled_from(["1", "2", "7", "35", "42", "61", "80", "81"]),
    st.decimals("0.01", "9999", places=2),
    st.dates(min_value=date(2024, 1, 1), max_value=date(2026, 12, 31)),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(POSTINGS, max_size=15))
def test_the_reports_agree_with_each_other(entries: list[tuple[str, str, Decimal, Any]]) -> None:
    company = Company()
    for debit, credit, amount, day in entries:
        both = [posting("Debit", debit, str(amount)), posting("Credit", credit, str(amount))]
        company.write("JournalEntry", {"TxnDate": day.isoformat(), "Line": [*both]})
    sheet, cash = amounts(report(company, "BalanceSheet")), amounts(report(company, "CashFlow"))
    result = amounts(report(company, "ProfitAndLoss"))
    assert sheet["TOTAL ASSETS"] == sheet["TOTAL LIABILITIES AND EQUITY"]
    assert sheet["Net Income"] == result["Net Income"] == cash["Net Income"]
    assert Decimal(cash["Cash at end of period"]) == Decimal(sheet.get("Total Bank Accounts", "0"))
    found = list(lines(report(company, "TrialBalance")["Rows"]))
    assert sum((Decimal(row[1] or 0) - Decimal(row[2] or 0) for row in found), ZERO) == ZERO


def test_accounts_stand_under_the_accounts_that_they_belong_to() -> None:
    company = Company()
    job: JsonObject = {"Name": "Job Expenses", "AccountType": "Expense"}
    above = as_text(company.write("Account", job)["Id"])
    sub: JsonObject = {"Name": "Job Materials", "AccountType": "Expense", "ParentRef": {"value": above}}
    between = as_text(company.write("Account", sub)["Id"])
    deepest: JsonObject = {"Name": "Plants", "AccountType": "Expense", "ParentRef": {"value": between}}
    plants = as_text(company.write("Account", deepest)["Id"])
    for account, amount in ((plants, "7.00"), (above, "5.00"), ("60", "1.00")):
        both = [posting("Debit", account, amount), posting("Credit", "35", amount)]
        company.write("JournalEntry", {"TxnDate": "2026-03-01", "Line": [*both]})
    found = report(company, "ProfitAndLoss")
    (expenses,) = [row for row in found["Rows"]["Row"] if row.get("group") == "Expenses"]
    jobs, wages = expenses["Rows"]["Row"]
    assert jobs["Header"]["ColData"] == [{"value": "Job Expenses", "id": above}, {"value": "5.00"}]
    (materials,) = jobs["Rows"]["Row"]
    assert materials["Header"]["ColData"] == [{"value": "Job Materials", "id": between}, {"value": ""}]
    assert materials["Rows"]["Row"] == [
        {"ColData": [{"value": "Plants", "id": plants}, {"value": "7.00"}], "type": "Data"}
    ]
    assert materials["Summary"]["ColData"] == [{"value": "Total Job Materials"}, {"value": "7.00"}]
    assert jobs["Summary"]["ColData"] == [{"value": "Total Job Expenses"}, {"value": "12.00"}]
    assert wages["ColData"] == [{"value": "Wages", "id": "60"}, {"value": "1.00"}]
    assert expenses["Summary"]["ColData"][1] == {"value": "13.00"}
    # Our own client counts what stands in a heading among the rows.
    read = report_from(found)
    rows = {row.name: row.amounts for row in read.rows if row.kind == "data"}
    assert rows == {"Job Expenses": (Decimal("5.00"),), "Plants": (Decimal("7.00"),), "Wages": (Decimal("1.00"),)}
