"""Reports out of the ledger, in the shape in which Intuit answers them.

Source: Intuit's report pages: Header, Columns, and Rows that nest; every value is text, blanks are "".
"""

from collections.abc import Callable, Mapping

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.aging import aged_payables, aged_receivables
from counterfoil.quickbooks.emulator.reports.asked import Asked, asked_from
from counterfoil.quickbooks.emulator.reports.bounds import bounded
from counterfoil.quickbooks.emulator.reports.cash import cash_flow
from counterfoil.quickbooks.emulator.reports.columns import TITLES
from counterfoil.quickbooks.emulator.reports.journals import account_list, journal, with_splits
from counterfoil.quickbooks.emulator.reports.layout import Report
from counterfoil.quickbooks.emulator.reports.ledgers import (
    balance_sheet_detail,
    general_ledger,
    profit_and_loss_detail,
    trial_balance,
)
from counterfoil.quickbooks.emulator.reports.lists import LISTS
from counterfoil.quickbooks.emulator.reports.ordering import ordered
from counterfoil.quickbooks.emulator.reports.statements import balance_sheet, profit_and_loss
from counterfoil.quickbooks.emulator.reports.stock import valuation, valuation_detail
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil.quickbooks.emulator.views import stamp
from counterfoil_schema.exact_json import JsonObject, JsonValue

REPORTS: Mapping[str, Callable[[Books, Asked], Report]] = {
    "AgedPayables": aged_payables,
    "AgedReceivables": aged_receivables,
    "AccountList": account_list,
    "BalanceSheet": balance_sheet,
    "BalanceSheetDetail": balance_sheet_detail,
    "CashFlow": cash_flow,
    "GeneralLedger": general_ledger,
    "GeneralLedgerDetail": general_ledger,
    "InventoryValuationDetail": valuation_detail,
    "InventoryValuationSummary": valuation,
    "JournalReport": journal,
    "ProfitAndLoss": profit_and_loss,
    "ProfitAndLossDetail": profit_and_loss_detail,
    "TransactionListWithSplits": with_splits,
    "TrialBalance": trial_balance,
    **LISTS,
}
AS_OF = frozenset(
    {
        "AgedPayableDetail", "AgedPayables", "AgedReceivableDetail", "AgedReceivables", "CustomerBalance",
        "CustomerBalanceDetail", "InventoryValuationSummary", "VendorBalance", "VendorBalanceDetail",
    }
)  # fmt: skip
STATEMENTS = frozenset({"BalanceSheet", "ProfitAndLoss"})
_BY_PATH = {name.lower(): name for name in REPORTS}


def answer(books: Books, name: str, parameters: Mapping[str, str]) -> JsonObject:
    """The whole report.

    Args:
        name: of the report, in any case.
        parameters: of the request.

    Raises:
        QuickBooksFaultError: there is no such report here, or it cannot be had in that way.
    """
    known = _BY_PATH.get(name.lower())
    if known is None:
        raise faults.unsupported_operation(f"report {name[:40]}")
    asked = asked_from(parameters, books.today(), _basis(books))
    report = REPORTS[known](books, asked)
    columns = _columns(report, asked)
    options = {"NoReportData": str(not report.rows).lower()}
    if known in AS_OF:
        options = {"report_date": asked.as_of.isoformat(), **options}
    if known in STATEMENTS:
        options = {"AccountingStandard": "GAAP", **options}
    macro = parameters.get("date_macro", "").lower()
    header: JsonObject = {
        "Time": stamp(books.now(), books.zone),
        "ReportName": known,
        **({"DateMacro": macro} if macro else {}),
        "ReportBasis": "Cash" if asked.cash else "Accrual",
        "StartPeriod": asked.start.isoformat(),
        "EndPeriod": asked.end.isoformat(),
        "SummarizeColumnsBy": asked.by,
        "Currency": books.home_currency,
        **{kind: ",".join(sorted(ids)) for kind, ids in asked.filters},
        "Option": _told(options),
    }
    rows = bounded(ordered(report, parameters))
    # Clients tell by it that there is nothing: then there is no list either.
    return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows} if rows else {}}


def _basis(books: Books) -> str:
    """What the company prefers."""
    preferred = as_text(as_object(books.preferences.get("ReportPrefs")).get("ReportBasis"))
    return preferred if preferred in {"Cash", "Accrual"} else "Accrual"


def _columns(report: Report, asked: Asked) -> list[JsonValue]:
    """The columns, each with what is known of it: a part of the time says which, others have their key."""
    parts = {part.title: part for part in asked.periods} if asked.by != "Total" else {}
    columns: list[JsonValue] = []
    for title, kind in report.columns:
        column: JsonObject = {"ColTitle": title, "ColType": kind}
        part = parts.get(title)
        if part is not None and part.title != "Total":
            column["MetaData"] = _told({"StartDate": part.start.isoformat(), "EndDate": part.end.isoformat()})
        elif kind in TITLES:
            column["MetaData"] = _told({"ColKey": kind})
        elif asked.by != "Total" and title in {"", "Total"}:
            column["MetaData"] = _told({"ColKey": (title or kind).lower()})
        columns.append(column)
    return columns


def _told(values: Mapping[str, str]) -> list[JsonValue]:
    return [{"Name": name, "Value": value} for name, value in values.items()]
