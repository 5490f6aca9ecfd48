"""Reports about single documents: the columns that are asked for, journals, lists by party, the chart of accounts."""

from typing import Any

import pytest

from support.quickbooks_reports import amounts, lines, report, traded


def keys(found: Any) -> list[tuple[str, str]]:
    return [(column["ColTitle"], column["MetaData"][0]["Value"]) for column in found["Columns"]["Column"]]


def test_the_columns_are_those_asked_for_in_their_order() -> None:
    asked = "account_name, SPLIT_ACC,debt_amt,credit_amt,nonsense,tx_date,vend_name,account_name"
    found = report(traded(), "GeneralLedger", columns=asked)
    assert keys(found) == [
        ("Account", "account_name"),
        ("Split", "split_acc"),
        ("Debit", "debt_amt"),
        ("Credit", "credit_amt"),
        ("Date", "tx_date"),
        ("Vendor", "vend_name"),
    ]
    rows = [row for row in lines(found["Rows"]) if row[0] == "Checking" and row[4]]
    assert rows == [
        ["Checking", "Accounts Payable (A/P)", "", "15.00", "2026-02-02", "Books by Bessie"],
        ["Checking", "Accounts Receivable (A/R)", "30.00", "", "2026-03-06", ""],
        ["Checking", "Wages", "", "20.00", "2026-03-31", ""],
    ]


@pytest.mark.parametrize("name", ["TransactionList", "CustomerBalanceDetail", "ProfitAndLossDetail"])
def test_where_none_is_asked_for_that_there_is_the_usual_ones_come(name: str) -> None:
    usual = keys(report(traded(), name))
    assert ("Amount", "subt_nat_amount") in usual
    assert usual == keys(report(traded(), name, columns="nonsense"))


def test_the_journal_balances_document_by_document() -> None:
    found = report(traded(), "JournalReport")["Rows"]["Row"]
    sums = [[cell["value"] for cell in one["Summary"]["ColData"][-2:]] for one in found]
    # 100 and 50 sold, 40 bought, 15 and 30 paid, 20 of wages: 255.
    assert [debit for debit, _ in sums] == ["100.00", "40.00", "15.00", "50.00", "30.00", "20.00", "255.00"]
    assert all(debit == credit for debit, credit in sums)


def test_every_account_of_a_document_is_told() -> None:
    found = report(traded(), "TransactionListWithSplits", columns="account_name,subt_nat_amount")
    wages = [[cell["value"] for cell in leg["ColData"]] for leg in found["Rows"]["Row"][-1]["Rows"]["Row"]]
    assert wages == [["Wages", "20.00"], ["Checking", "-20.00"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TransactionListByCustomer", [["Ann Lee", ""], "100.00", "50.00", "30.00", ["Total for Ann Lee", "180.00"]]),
        (
            "TransactionListByVendor",
            [["Books by Bessie", ""], "40.00", "15.00", ["Total for Books by Bessie", "55.00"]],
        ),
    ],
)
def test_documents_by_party(name: str, expected: list[Any]) -> None:
    found = list(lines(report(traded(), name, columns="name,subt_nat_amount")["Rows"]))
    assert found[0] == expected[0]
    assert [row[1] for row in found[2:]] == expected[1:-1]
    assert found[1] == expected[-1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"transaction_type": "Invoice"}, ["100.00", "50.00"]),
        ({"transaction_type": "ReceivePayment,BillPaymentCheck"}, ["15.00", "30.00"]),
        ({"transaction_type": "JournalEntry"}, ["20.00"]),
        ({"transaction_type": "CreditCardCharge"}, []),
        ({"name": "1"}, ["100.00", "50.00", "30.00"]),
        ({"name": "2"}, ["40.00", "15.00"]),
        ({"arpaid": "Unpaid"}, ["100.00", "50.00"]),
        ({"arpaid": "All", "bothamount": "50"}, ["50.00"]),
        ({"appaid": "Paid"}, []),
        ({"start_duedate": "2026-03-01"}, ["40.00", "50.00"]),
        ({"end_duedate": "2026-03-01"}, ["100.00"]),
        ({"start_moddate": "2031-01-01"}, []),
        ({"source_account_type": "AccountsPayable"}, ["40.00"]),
        ({"source_account_type": "Bank"}, ["15.00", "30.00"]),
        ({"docnum": "1002", "cleared": "Uncleared"}, ["100.00"]),
        ({"docnum": "1002", "cleared": "Cleared"}, []),
        ({"transaction_type": "", "docnum": "", "arpaid": ""}, ["100.00", "40.00", "15.00", "50.00", "30.00", "20.00"]),
    ],
)
def test_a_list_is_narrowed_to_what_is_asked_for(asked: dict[str, str], expected: list[str]) -> None:
    found = report(traded(), "TransactionList", columns="subt_nat_amount", **asked)
    assert [row[0] for row in lines(found["Rows"])] == expected
    assert found["Header"]["Option"] == [{"Name": "NoReportData", "Value": str(not expected).lower()}]
    assert (found["Rows"] == {}) is not bool(expected)


def test_the_chart_of_accounts_with_what_is_on_it() -> None:
    found = {row[0]: row[1:] for row in lines(report(traded(), "AccountList")["Rows"])}
    # 30 came in, 15 and 20 went out.
    assert found["Checking"] == ["Bank", "Checking", "", "-5.00"]
    assert amounts(report(traded(), "TrialBalance"))["Wages"] == found["Wages"][-1] == "20.00"


def test_every_posting_is_in_the_detail_of_the_balance_sheet_or_of_profit_and_loss() -> None:
    def accounts(name: str) -> list[str]:
        return [one["Header"]["ColData"][0]["id"] for one in report(traded(), name)["Rows"]["Row"]]

    both = accounts("BalanceSheetDetail") + accounts("ProfitAndLossDetail")
    assert sorted(both) == sorted(accounts("GeneralLedger"))
    # Checking, receivables and payables on the one side, wages on the other.
    assert {"35", "84", "33"} <= {*accounts("BalanceSheetDetail")}
    assert "60" in accounts("ProfitAndLossDetail")
