"""A first mapping out of what both sides hold: chosen where the choice is plain, a comment where it is not. Pure.

Everything that posts waits for approval until somebody says otherwise.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.settings import CompanySettings
from counterfoil.trial.books import BooksSeen
from counterfoil.trial.sample import Sample
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, PayRun, Refund, TimeEntry

NAMES_SHOWN_MAX = 6
SECTIONS = {"pay_run": "payroll", "time_entry": "time"}
EXPENSES = ("Expense", "Other Expense", "Cost of Goods Sold")
PARTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "wages": (EXPENSES, ("wages", "salar", "payroll expense")),
    "reimbursement": (EXPENSES, ("reimburs",)),
    "employer_tax": (EXPENSES, ("payroll tax", "payroll expenses:tax", "employer tax")),
    "employer_benefit": (EXPENSES, ("contribution", "benefit", "health insurance")),
    "net_pay": (("Bank",), ("payroll", "checking")),
    "tax_payment": (("Bank",), ("payroll", "checking")),
    "employee_benefit": (("Other Current Liability", "Long Term Liability"), ("benefit",)),
    "other_deduction": (("Other Current Liability", "Long Term Liability"), ("deduction", "garnish")),
}
"""Of each part of a pay run: types of account that it can be booked to, and words in the name of a plain choice."""

DOCUMENTS = ("invoice", "credit_memo", "payment", "refund", "payout", "pay_run", "time_entry")
INCOME = (("Income", "Other Income"), ("sales of product income", "sales", "services", "income", "revenue"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a first mapping is made from; `types`: of each account, by its full name."""

    company: CompanySettings
    source: str
    sample: Sample
    books: BooksSeen
    types: Mapping[str, str]

    def kinds(self, kind: str) -> list[str]:
        """The source's kinds of record that yield a canonical kind."""
        found = {seen.kind for seen in self.sample.records.values() if seen.record.kind == kind}
        return [name for name in self.sample.kinds if name in found]

    def accounts(self, types: Sequence[str]) -> list[str]:
        """Active accounts of some types."""
        return [name for name in self.books.names("Account") if self.types.get(name) in types]

    def choice(self, types: Sequence[str], words: Sequence[str]) -> str | None:
        """The account of these types that is plainly meant: by the first word that one bears."""
        names = self.accounts(types)
        return next((name for word in words for name in names if word in name.casefold()), None)


def first_mapping(found: Found, own_tables: str = "") -> str:
    """The text; `own_tables` are the adapter's own, taken over as they are."""
    lines = [
        "#:schema ./mapping.schema.json",
        f"# How {found.source} becomes QuickBooks, as far as {len(found.sample.records):,} of its records show.",
        "# What is left out has a default that does no harm; what is doubtful is parked.",
        "# Then: counterfoil mapping check, counterfoil mapping preview.",
        *_section("connection", _connection(found)),
        *_parties(found),
        *_section("product", _product(found)),
        *_section("invoice", _invoice(found)),
        *_section("credit_memo", _credit_memo(found)),
        *_section("payment", _payment(found)),
        *_section("refund", _refund(found)),
        *_section("payout", _payout(found)),
        *_section("tax", _tax(found)),
        *_payroll(found),
        *_contractors(found),
        *_time(found),
        *_post(found),
    ]
    return "\n".join(lines) + "\n" + (f"\n{own_tables.strip()}\n" if own_tables.strip() else "")


def _section(name: str, lines: Iterator[str]) -> list[str]:
    held = list(lines)
    return ["", f"[{name}]", *held] if held else []


def _connection(found: Found) -> Iterator[str]:
    yield f"source = {text(found.source)}"
    yield f"zone = {text(found.company.zone)}".ljust(33) + "# in this zone an instant becomes an accounting date"
    yield f"currency = {text(found.books.facts.home_currency)}".ljust(33) + "# of the books; for records that name none"


def _parties(found: Found) -> Iterator[str]:
    for kind in ("customer", "vendor", "employee"):
        kinds = found.kinds(kind)
        if not kinds:
            continue
        yield from ("", f"[{kind}]", f"from = {texts(kinds)}")
        if kind == "employee":
            yield "create = false                   # true makes an Employee of each person"
        yield 'same_name = "park"               # two of one name: "park", "suffix" (bears its id), "adopt"'


def _product(found: Found) -> Iterator[str]:
    kinds = found.kinds("product")
    if not kinds and not found.kinds("invoice"):
        return
    if kinds:
        yield f"from = {texts(kinds)}"
    yield from _account(found, "income_account", *INCOME)
    yield 'type = "Service"                 # or "NonInventory"'


def _account(found: Found, key: str, types: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    chosen = found.choice(types, words)
    others = some([name for name in found.accounts(types) if name != chosen])
    if chosen is not None:
        yield f"{key} = {text(chosen)}" + (f"  # or {others}" if others else "")
    else:
        yield f'# {key} = ""' + (f"  # one of {others}" if others else "  # QuickBooks has no account for it yet")


def _invoice(found: Found) -> Iterator[str]:
    kinds = found.kinds("invoice")
    if not kinds:
        return
    sales = [seen.record for seen in found.sample.records.values() if isinstance(seen.record, Invoice)]
    stages = Counter((sale.status, sale.won) for sale in sales)
    yield f"from = {texts(kinds)}"
    yield 'when = "won"                     # or a list of these stages:'
    for (status, won), count in sorted(stages.items()):
        yield f"#   {text(status)}: {count:,} seen" + (", won" if won else "")
    others = dict(found.sample.statuses or {})
    for status, _ in stages:
        others.pop(status, None)
    for status, label in others.items():
        yield f"#   {text(status)}: none seen" + (f" ({label})" if label != status else "")
    if any(sale.won and not sale.lines for sale in sales):
        without = sum(sale.won and not sale.lines for sale in sales)
        yield 'no_lines = "park"                # or "one_line", with a catch_all:'
        yield f"#   {without:,} won ones have no lines"
    yield from _named(found, "catch_all", "Item", "the item of lines without a product")
    yield from _named(found, "terms", "Term", "on every invoice")


def _named(found: Found, key: str, entity: str, what: str) -> Iterator[str]:
    names = found.books.names(entity)
    if names:
        yield f"# {key} = {text(names[0])}  # {what}: {some(names)}"


def _credit_memo(found: Found) -> Iterator[str]:
    kinds = found.kinds("credit_memo")
    if kinds:
        yield f"from = {texts(kinds)}"


def _payment(found: Found) -> Iterator[str]:
    kinds = found.kinds("payment")
    if not kinds:
        return
    yield f"from = {texts(kinds)}"
    banks = found.accounts(("Bank", "Other Current Asset"))
    if banks:
        yield f"# deposit_account = {text(banks[0])}  # else Undeposited Funds; {some(banks)}"


def _refund(found: Found) -> Iterator[str]:
    kinds = found.kinds("refund")
    if kinds:
        yield f"from = {texts(kinds)}"
        yield from _account(found, "account", ("Bank", "Other Current Asset"), ("checking",))


def _payout(found: Found) -> Iterator[str]:
    kinds = found.kinds("payout")
    if kinds:
        yield f"from = {texts(kinds)}"
        yield from _account(found, "account", ("Bank",), ("checking",))
        yield from _account(found, "fee_account", EXPENSES, ("processing", "merchant", "bank charges", "fee"))


def _tax(found: Found) -> Iterator[str]:
    """Outside the US every line bears a code of the company's own."""
    if found.books.facts.tax_mode != "abroad" or not found.kinds("invoice"):
        return
    names = found.books.names("TaxCode")
    yield f"# QuickBooks' codes: {some(names, 30)}"
    yield '# exempt = ""                    # for lines that are not taxed'
    yield '# taxed = ""                     # for taxed lines without a code'
    codes = {
        line.tax_code
        for seen in found.sample.records.values()
        if isinstance(seen.record, Invoice | Estimate | CreditMemo | Refund)
        for line in seen.record.lines
        if line.tax_code is not None
    }
    by_name = {name.casefold(): name for name in names}
    for code in sorted(codes):
        same = by_name.get(code.casefold())
        yield f"codes.{text(code)} = {text(same)}" if same is not None else f'# codes.{text(code)} = ""'


def _payroll(found: Found) -> Iterator[str]:
    runs = [seen.record for seen in found.sample.records.values() if isinstance(seen.record, PayRun)]
    if not runs:
        return
    lines = [line for run in runs for line in run.lines]
    departments = Counter(line.department for line in lines if line.department)
    track, names = _tracked(found, departments)
    yield from ("", "[payroll]", f"from = {texts(found.kinds('pay_run'))}")
    yield f"track = {text(track)}".ljust(33) + '# on each line: "department" (QuickBooks\' location), "class" or "none"'
    yield "minimum_people = 2               # no line shows what fewer people earn"
    yield from ("", "[payroll.accounts]               # by their full names in the books")
    parts = {line.part for line in lines if line.amount}
    for part, (types, words) in PARTS.items():
        if part in parts:
            yield from _account(found, part, types, words)
    for department in sorted(departments):
        held = names.get(department.casefold())
        if track != "none" and held != department:
            yield from ("", f"[payroll.departments.{text(department)}]")
            yield (
                f"name = {text(held)}" if held is not None else f'# name = ""  # one of {some(sorted(names.values()))}'
            )


def _tracked(found: Found, departments: Mapping[str, int]) -> tuple[str, dict[str, str]]:
    """The dimension in which the books know the source's departments, and its names by themselves in small letters."""
    facts = found.books.facts
    for track, entity, is_on in (
        ("department", "Department", facts.department_tracking),
        ("class", "Class", facts.class_tracking),
    ):
        names = {name.casefold(): name for name in found.books.names(entity)}
        if is_on and any(department.casefold() in names for department in departments):
            return track, names
    return "none", {}


def _contractors(found: Found) -> Iterator[str]:
    kinds = found.kinds("contractor_payment")
    if not kinds:
        return
    yield from ("", "[contractor_payment]", f"from = {texts(kinds)}")
    yield 'document = "bill"                # with its payment; or "cheque", or "skip"'
    yield from _account(found, "bank_account", *PARTS["net_pay"])
    yield from ("", "[contractor_payment.accounts]")
    yield from _account(found, "wages", EXPENSES, ("contract", "subcontract"))
    yield from _account(found, "reimbursement", *PARTS["reimbursement"])


def _time(found: Found) -> Iterator[str]:
    entries = [seen.record for seen in found.sample.records.values() if isinstance(seen.record, TimeEntry)]
    if not entries:
        return
    yield from ("", "[time]", f"from = {texts(found.kinds('time_entry'))}")
    yield from _named(found, "item", "Item", "the service item of hours")
    yield 'unknown_project = "park"         # "post" without a customer, or "skip"'
    for project in sorted({entry.project for entry in entries if entry.project}):
        yield from ("", f"[time.projects.{text(project)}]", '# customer = ""  # its id in QuickBooks')


def _post(found: Found) -> Iterator[str]:
    documents = [name for name in DOCUMENTS if found.kinds(name)]
    if found.kinds("contractor_payment"):
        documents += ["bill", "bill_payment"]
    if documents:
        yield from ("", "# Everything waits for `counterfoil approve`, until the first ones were looked at.")
    for document in documents:
        yield from (f"[post.{document}]", 'post = "review"')


def text(value: str) -> str:
    """As TOML writes a text."""
    return json.dumps(value, ensure_ascii=False)


def texts(values: Sequence[str]) -> str:
    """As TOML writes a list of texts."""
    return f"[{', '.join(text(value) for value in values)}]"


def some(names: Sequence[str], most: int = NAMES_SHOWN_MAX) -> str:
    """The first of some names, and how many more there are."""
    shown = ", ".join(text(name) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")
