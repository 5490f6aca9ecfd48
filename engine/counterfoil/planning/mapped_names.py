"""The names that a mapping itself uses: of what in the books, and where in the file they stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.mapping_errors import Path
from counterfoil.planning.pay_sections import Accounts
from counterfoil.planning.sections import ContractorAccounts, SaleSection, TimeRule
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.records import PayPart

TRACKED = {"department": "Department", "class": "Class"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """A name in the mapping.

    Attributes:
        path: the key that holds it, as the file has it.
        entity: the list of the books that must hold the name; `Customer` stands for a customer's id.
        made: it is created where the books lack it.
        use: of an account, what is booked there: `income`, `deposit`, …, of pay runs a part, `clearing` or `accrual`.
    """

    path: Path
    entity: str
    name: str
    made: bool = False
    use: str = ""


def names_in(mapping: Mapping, tax_mode: TaxMode) -> list[NameUse]:
    """All of them, in the order of the sections."""
    return [*_sales(mapping, tax_mode), *_payroll(mapping), *_contractors(mapping), *_time(mapping)]


def _sales(mapping: Mapping, tax_mode: TaxMode) -> Iterator[NameUse]:
    income = mapping.product.income_account
    yield NameUse(path=("product", "income_account"), entity="Account", name=income, use="income")
    sales = (
        ("invoice", mapping.invoice),
        ("estimate", mapping.estimate),
        ("credit_memo", mapping.credit_memo),
        ("refund", mapping.refund),
    )
    for section, part in sales:
        yield from _sale(section, part, made=mapping.product.missing == "create")
        is_own = tax_mode == "abroad" and mapping.tax.unstated != "park" and part.tax_code not in {"", "NON"}
        if is_own:
            yield NameUse(path=(section, "tax_code"), entity="TaxCode", name=part.tax_code)
    if mapping.invoice.terms is not None:
        yield NameUse(path=("invoice", "terms"), entity="Term", name=mapping.invoice.terms)
    payout = mapping.payout
    for path, name, use in (
        (("payment", "deposit_account"), mapping.payment.deposit_account, "deposit"),
        (("refund", "account"), mapping.refund.account, "refund"),
        (("payout", "account"), payout.account, "payout"),
        (("payout", "from_account"), payout.from_account, "on the way"),
        (("payout", "fee_account"), payout.fee_account, "fee"),
    ):
        if name is not None:
            yield NameUse(path=path, entity="Account", name=name, use=use)
    if tax_mode == "abroad":  # in the US they are always TAX and NON
        for key, name in (("taxed", mapping.tax.taxed), ("exempt", mapping.tax.exempt)):
            if name is not None:
                yield NameUse(path=("tax", key), entity="TaxCode", name=name)
        for code, name in mapping.tax.codes.items():
            yield NameUse(path=("tax", "codes", code), entity="TaxCode", name=name)


def _sale(section: str, part: SaleSection, *, made: bool) -> Iterator[NameUse]:
    for key, name in (
        ("catch_all", part.catch_all),
        ("freight_item", part.freight_item),
        ("fee_item", part.fee_item),
    ):
        if name is not None:
            yield NameUse(path=(section, key), entity="Item", name=name, made=made)


def _payroll(mapping: Mapping) -> Iterator[NameUse]:
    section = mapping.payroll
    if section.clearing is not None:
        yield NameUse(path=("payroll", "clearing"), entity="Account", name=section.clearing, use="clearing")
    if section.accrual.account is not None:
        accrual = ("payroll", "accrual", "account")
        yield NameUse(path=accrual, entity="Account", name=section.accrual.account, use="accrual")
    yield from _accounts(("payroll", "accounts"), section.accounts)
    for department, rule in section.departments.items():
        path = ("payroll", "departments", department)
        yield from _accounts(path, rule)
        if section.track != "none":
            at = (*path, "name") if rule.name is not None else path
            yield NameUse(path=at, entity=TRACKED[section.track], name=rule.name or department)


def _accounts(path: Path, accounts: Accounts) -> Iterator[NameUse]:
    for part in get_args(PayPart):
        name = accounts.of(part)
        if name is not None:
            yield NameUse(path=(*path, part), entity="Account", name=name, use=part)
        for kind, account in accounts.types.of(part).items():
            yield NameUse(path=(*path, "types", part, kind), entity="Account", name=account, use=part)


def _contractors(mapping: Mapping) -> Iterator[NameUse]:
    section, at = mapping.contractor_payment, "contractor_payment"
    for key, name, use in (
        ("bank_account", section.bank_account, "contractor_bank"),
        ("payable_account", section.payable_account, "payable"),
    ):
        if name is not None:
            yield NameUse(path=(at, key), entity="Account", name=name, use=use)
    yield from _contractor_accounts((at, "accounts"), section.accounts)
    for department, rule in section.departments.items():
        path = (at, "departments", department)
        yield from _contractor_accounts(path, rule)
        if section.track != "none":
            named = (*path, "name") if rule.name is not None else path
            yield NameUse(path=named, entity=TRACKED[section.track], name=rule.name or department)


def _contractor_accounts(path: Path, accounts: ContractorAccounts) -> Iterator[NameUse]:
    for key, name in (("wages", accounts.wages), ("reimbursement", accounts.reimbursement)):
        if name is not None:
            yield NameUse(path=(*path, key), entity="Account", name=name, use="contractor")


def _time(mapping: Mapping) -> Iterator[NameUse]:
    section, made = mapping.time, mapping.product.missing == "create"
    if section.item is not None:
        yield NameUse(path=("time", "item"), entity="Item", name=section.item, made=made)
    if section.track != "none":
        for source, name in section.names.items():
            yield NameUse(path=("time", "names", source), entity=TRACKED[section.track], name=name)
    for table, rules in (("projects", section.projects), ("tasks", section.tasks)):
        for name, rule in rules.items():
            yield from _rule(("time", table, name), rule, made=made)


def _rule(path: Path, rule: TimeRule, *, made: bool) -> Iterator[NameUse]:
    if rule.item is not None:
        yield NameUse(path=(*path, "item"), entity="Item", name=rule.item, made=made)
    if rule.customer is not None and ":" not in rule.customer:
        yield NameUse(path=(*path, "customer"), entity="Customer", name=rule.customer)
