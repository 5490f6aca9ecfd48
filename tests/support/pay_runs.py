"""A pay run to plan with, and what journal entries come to."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Link, Park, Plan
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayPart, PayRun, PayRunLine
from support.planning import View, lines_of, link_of, mapping, request

WHERE = ("AccountRef", "ClassRef", "DepartmentRef")
RUN, TAKEN_BACK = "gusto:payroll:p00001", "gusto:payroll:r00001"
ACCOUNTS = """
[payroll.accounts]
wages = "Wages"
reimbursement = "Reimbursements"
employer_tax = "Payroll taxes"
employer_benefit = "Contributions"
net_pay = "Checking"
tax_payment = "Checking"
employee_benefit = "Benefits payable"
other_deduction = "Deductions payable"
"""
BY_DEPARTMENT = '[payroll]\nentry = "department"\nclearing = "Payroll clearing"\ntrack = "class"\n' + ACCOUNTS
ACCRUED = ACCOUNTS + '[payroll.accrual]\nby = "days"\naccount = "Accrued payroll"\n'


def part(department: str, name: PayPart, amount: str, people: int = 5, kind: str | None = None) -> PayRunLine:
    return PayRunLine(department=department, part=name, amount=Decimal(amount), people=people, type=kind)


LINES = (
    part("Sales", "wages", "3000.01", 3),
    part("Engineering", "wages", "2000.00", 2),
    part("Sales", "employer_tax", "230.00", 3),
    part("Engineering", "employer_tax", "152.50", 2),
    part("Sales", "net_pay", "2600.00", 3),
    part("Engineering", "net_pay", "1700.01", 2),
    part("Sales", "tax_payment", "630.00", 3),
    part("Engineering", "tax_payment", "382.50", 2),
    part("Sales", "other_deduction", "70.00", 3),
)
"""5,000.01 of wages and 382.50 of taxes; 4,300.01 to people, 1,012.50 to tax offices, 70.00 withheld."""


def run(*lines: PayRunLine, **values: object) -> PayRun:
    return PayRun.model_validate(
        {
            "status": "processed",
            "processed": True,
            "check_date": date(2026, 11, 13),
            "period_start": date(2026, 10, 25),
            "period_end": date(2026, 11, 7),
            "currency": "USD",
            "lines": lines or LINES,
            **values,
        }
    )


def negative(record: PayRun, **values: object) -> PayRun:
    """The run that takes another one back whole."""
    lines = tuple(line.model_copy(update={"amount": -line.amount}) for line in record.lines)
    return record.model_copy(
        update={"lines": lines, "reverses": RUN, "off_cycle": True, "check_date": date(2026, 11, 20), **values}
    )


def planned(record: PayRun, extra: str, view: View | None = None, key: str = RUN) -> Plan:
    return plan(request(record, key), mapping(extra), view or View())


def intents(found: Plan) -> Sequence[Intent]:
    assert isinstance(found, tuple), found
    return found


def parked(found: Plan) -> Park:
    assert isinstance(found, Park), found
    return found


def rows(body: JsonObject) -> list[tuple[str, Decimal, str]]:
    """Account, amount (debits above zero) and description of each line."""
    found: list[tuple[str, Decimal, str]] = []
    for line in lines_of(body):
        detail, amount = line["JournalEntryLineDetail"], line["Amount"]
        assert isinstance(detail, dict)
        assert isinstance(amount, Decimal)
        assert amount > 0
        sign = 1 if detail["PostingType"] == "Debit" else -1
        found.append((account_of(detail["AccountRef"]), sign * amount, str(line["Description"])))
    return found


def account_of(reference: JsonValue) -> str:
    assert isinstance(reference, dict)
    name = reference.get("$name")
    return str(name[-1]) if isinstance(name, list) else str(reference["value"])


def balance(bodies: Iterable[JsonObject]) -> dict[tuple[str, ...], Decimal]:
    """Debits less credits by account, class and location, what comes to zero left out."""
    sums: dict[tuple[str, ...], Decimal] = {}
    for body in bodies:
        for line in lines_of(body):
            detail, amount = line["JournalEntryLineDetail"], line["Amount"]
            assert isinstance(detail, dict)
            assert isinstance(amount, Decimal)
            where = tuple(account_of(detail[name]) if name in detail else "" for name in WHERE)
            sums[where] = sums.get(where, Decimal(0)) + (amount if detail["PostingType"] == "Debit" else -amount)
    return {where: amount for where, amount in sums.items() if amount}


def accounts(bodies: Iterable[JsonObject]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for (account, *_), amount in balance(bodies).items():
        sums[account] = sums.get(account, Decimal(0)) + amount
    return {account: amount for account, amount in sums.items() if amount}


def posted(found: Sequence[Intent], own: str = RUN) -> dict[str, Link]:
    """The links that accepted intents leave behind; references are given the names' own text as id."""
    links: dict[str, Link] = {}
    for intent in found:
        key = intent.record_key or own
        lines = [{**line, "Id": str(number)} for number, line in enumerate(lines_of(intent.body), start=1)]
        names = {str(line["$line"]): str(line["Id"]) for line in lines}
        document: JsonObject = {**intent.body, "Line": [resolved(line) for line in lines]}
        links[key] = link_of(intent, key, document, lines=names)
    return links


def resolved(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if isinstance(value, dict):
        name = value.get("$name")
        if isinstance(name, list):
            return {"value": name[-1], "name": "anything"}
        return {key: resolved(one) for key, one in value.items() if key != "$line"}
    return value
