"""Accounts of a type that what is booked to them cannot have. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from counterfoil.trial.books import Listed

COSTS = ("Expense", "Other Expense", "Cost of Goods Sold")
INCOME = ("Income", "Other Income")
ON_ACCOUNT = ("Accounts Receivable", "Accounts Payable")
"""A journal line on these needs a customer or vendor, and a pay run has none."""
LIABILITIES = ("Other Current Liability", "Long Term Liability")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """Which types an account may have: all but the `wrong` ones, or only the `right` ones where some are named.

    `doubtful` ones are told with a reason. `what` says what is booked there, `wanted` which type is meant.
    """

    what: str
    wanted: str
    wrong: Collection[str] = ()
    right: Collection[str] = ()
    doubtful: Mapping[str, str] | None = None


_COST = Fitting(
    what="what a pay run costs", wanted="an expense or a cost of goods sold", wrong=(*INCOME, *ON_ACCOUNT, "Bank")
)
_WITHDRAWN = Fitting(
    what="what leaves the bank",
    wanted="a bank, or a clearing account among the liabilities",
    wrong=(*INCOME, *ON_ACCOUNT, *COSTS, "Equity", "Fixed Asset"),
)
_WITHHELD = Fitting(
    what="what is withheld and owed to others",
    wanted="a liability, or a bank where the provider passes it on",
    wrong=(*INCOME, *ON_ACCOUNT, "Equity", "Fixed Asset"),
    doubtful=dict.fromkeys(COSTS, "it lowers that cost at once, and no liability stays open until it is paid"),
)
_MONEY = ("Bank", "Other Current Asset")
_NOT_MONEY = "a bank, or a current asset such as Undeposited Funds"
FITTINGS: Mapping[str, Fitting] = {
    "income": Fitting(
        what="what is sold",
        wanted="an income account",
        right=(*INCOME, *COSTS),
        doubtful=dict.fromkeys(COSTS, "sales would lower that cost, and appear in no income"),
    ),
    "deposit": Fitting(what="money that was received", wanted=_NOT_MONEY, right=_MONEY),
    "refund": Fitting(what="what refunds are paid from", wanted=_NOT_MONEY, right=_MONEY),
    "payout": Fitting(what="what a processor pays out", wanted="a bank", right=_MONEY),
    "on the way": Fitting(what="payments before they are paid out", wanted=_NOT_MONEY, right=_MONEY),
    "fee": Fitting(
        what="a processor's fees",
        wanted="an expense",
        right=(*COSTS, *INCOME),
        doubtful=dict.fromkeys(INCOME, "fees would lower that income, and appear in no cost"),
    ),
    **dict.fromkeys(("wages", "reimbursement", "employer_tax", "employer_benefit"), _COST),
    **dict.fromkeys(("net_pay", "tax_payment"), _WITHDRAWN),
    **dict.fromkeys(("employee_benefit", "other_deduction"), _WITHHELD),
    "clearing": Fitting(
        what="what is cleared between the entries of a run",
        wanted="a current liability, a current asset or a bank",
        right=("Other Current Liability", "Other Current Asset", "Bank"),
    ),
    "contractor": Fitting(
        what="what contractors cost",
        wanted="an expense or a cost of goods sold",
        wrong=(*INCOME, *ON_ACCOUNT, "Bank"),
    ),
    "contractor_bank": Fitting(what="what contractors are paid from", wanted="a bank account", right=("Bank",)),
    "payable": Fitting(what="what is owed to vendors", wanted="an account of payables", right=("Accounts Payable",)),
    "accrual": Fitting(what="what is accrued over a month's end", wanted="a liability", right=LIABILITIES),
}
"""By the use that the mapping makes of an account."""


def misfit(use: str, account: Listed) -> tuple[Literal["error", "remark"], str, str] | None:
    """Level, words and remedy where an account is of a type that this use cannot have, or should not.

    Nothing where the use allows any type, or the books did not tell the account's.
    """
    fitting, held = FITTINGS.get(use), account.account_type
    if fitting is None or not held:
        return None
    is_wrong = held in fitting.wrong or (bool(fitting.right) and held not in fitting.right)
    if is_wrong:
        return "error", f"is of type {held}, and cannot hold {fitting.what}.", f"Name {fitting.wanted}."
    doubt = (fitting.doubtful or {}).get(held)
    if doubt is None:
        return None
    return "remark", f"is of type {held}: {doubt}.", f"Name {fitting.wanted}, unless that is meant."
