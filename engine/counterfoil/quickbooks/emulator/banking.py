"""Deposit and Transfer: money that moves between accounts of the company's own.

Source: Intuit's entity pages of Deposit and Transfer.
"""

from collections import defaultdict
from decimal import Decimal

from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.journals import sign_on_account
from counterfoil.quickbooks.emulator.lineage import DEPOSITABLE
from counterfoil.quickbooks.emulator.lines import line_amount, number_lines, resolve_details
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.postings import Effect, Posting
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

BALANCE_SHEET = frozenset({"Asset", "Liability", "Equity"})


def shape_transfer(draft: Draft) -> Shaped:
    """Money from one account of the balance sheet to another.

    Raises:
        QuickBooksFaultError: 2020 without accounts or amount, and where both accounts are one.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    for name in ("FromAccountRef", "ToAccountRef"):
        if name not in body:
            raise faults.required(name)
        account = draft.resolve(body[name], "Account", name)
        if as_text(account.body.get("Classification")) not in BALANCE_SHEET:
            raise faults.wrong_account(f"{name} must name an account of the balance sheet.", name)
        body[name] = draft.reference(body[name], "Account", name)
    if reference_id(body["FromAccountRef"]) == reference_id(body["ToAccountRef"]):
        raise faults.business("A transfer needs two different accounts.")
    if "Amount" not in body:
        raise faults.required("Amount")
    amount = cents(to_decimal(body["Amount"], "Amount"))
    if amount <= ZERO:
        raise faults.negative_amount("Amount")
    body["Amount"] = amount
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))
    return Shaped(body)


def transfer_effect(body: JsonObject) -> Effect:
    """The one account against the other."""
    amount = to_decimal(body.get("Amount", 0), "Amount")
    if not amount:
        return Effect()
    return Effect(
        (Posting(reference_id(body["ToAccountRef"]), amount), Posting(reference_id(body["FromAccountRef"]), -amount))
    )


def shape_card_payment(draft: Draft) -> Shaped:
    """Money from a bank account to a credit card's.

    Raises:
        QuickBooksFaultError: 2020 without accounts or amount, 6430 for accounts of other types.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    for name, kinds in (("BankAccountRef", None), ("CreditCardAccountRef", "Credit Card")):
        if name not in body:
            raise faults.required(name)
        account = draft.resolve(body[name], "Account", name)
        if kinds is not None and as_text(account.body.get("AccountType")) != kinds:
            raise faults.wrong_account(f"{name} must name an account of type {kinds}.", name)
        body[name] = draft.reference(body[name], "Account", name)
    if "Amount" not in body:
        raise faults.required("Amount")
    amount = cents(to_decimal(body["Amount"], "Amount"))
    if amount <= ZERO:
        raise faults.negative_amount("Amount")
    body["Amount"] = amount
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))
    return Shaped(body)


def card_payment_effect(body: JsonObject) -> Effect:
    """The card's debt against the bank."""
    amount = to_decimal(body.get("Amount", 0), "Amount")
    if not amount:
        return Effect()
    card, bank = reference_id(body["CreditCardAccountRef"]), reference_id(body["BankAccountRef"])
    return Effect((Posting(card, amount), Posting(bank, -amount)))


def shape_deposit(draft: Draft) -> Shaped:
    """Money put into an account: lines against accounts, or payments that lay undeposited.

    Raises:
        QuickBooksFaultError: 2020 without account or lines, 620 for a document that cannot be deposited.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    if "DepositToAccountRef" not in body:
        raise faults.required("DepositToAccountRef")
    body["DepositToAccountRef"] = draft.reference(body["DepositToAccountRef"], "Account", "DepositToAccountRef")
    sent = rows(body, "Line")
    if not sent:
        raise faults.lines_missing()
    lines = [_line(draft, line) for line in sent]
    numbered, made = number_lines(draft, lines, first=1)
    body["Line"] = [*numbered]
    body["TotalAmt"] = sum((to_decimal(line["Amount"], "Amount") for line in lines), ZERO)
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))
    return Shaped(body, lines_made=made)


def deposit_effect(body: JsonObject, tables: Tables) -> Effect:
    """The account against whatever the lines name; of a line on account its party is paid, or has paid."""
    total = ZERO
    owed: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    postings: list[Posting] = []
    for line in (as_object(member) for member in as_list(body.get("Line"))):
        amount = to_decimal(line.get("Amount", 0), "Amount")
        detail = as_object(line.get("DepositLineDetail"))
        account = reference_id(detail.get("AccountRef")) or chart.UNDEPOSITED_FUNDS
        total += amount
        if amount:
            postings.append(Posting(account, -amount))
        party = reference_id(detail.get("Entity"))
        sign = sign_on_account(account, tables)
        if party and sign:
            owed[party] -= sign * amount
    if total:
        postings.insert(0, Posting(reference_id(body.get("DepositToAccountRef")), total))
    return Effect(tuple(postings), tuple(owed.items()))


def _line(draft: Draft, line: JsonObject) -> JsonObject:
    amount: Decimal = line_amount(line)
    linked = rows(line, "LinkedTxn")
    result: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    result["Amount"] = amount
    if linked:
        for link in linked:
            entity = as_text(link.get("TxnType"))
            if entity not in DEPOSITABLE:
                raise faults.cannot_link(f"A transaction of type {entity[:40]} cannot be deposited.")
            draft.tables.find(entity, as_text(link.get("TxnId")))
        result.pop("DetailType", None)
        return result
    detail = resolve_details(draft, as_object(line.get("DepositLineDetail")), "Line.DepositLineDetail")
    if "AccountRef" not in detail:
        raise faults.required("Line.DepositLineDetail.AccountRef")
    result["DetailType"] = "DepositLineDetail"
    result["DepositLineDetail"] = detail
    return result
