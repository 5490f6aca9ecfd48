"""A payroll as Gusto shows it, turned into a pay run: sums per department, proven against Gusto's own totals.

For each person (Gusto: payroll object): net pay = gross pay - cash tips - employee taxes - employee's share of benefits
- deductions; cheque amount = net pay + reimbursements. So what the company bears (wages without cash tips,
reimbursements, employer taxes, employer's share of benefits) equals where it goes (cheque amounts, all taxes, both
shares of benefits, deductions), to the cent.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import get_args

from counterfoil_adapters.gusto.figures import CURRENCY, ZERO, FigureError, amount_of, date_of, rows_of, total_of
from counterfoil_adapters.gusto.pay_types import Types, typed
from counterfoil_schema.exact_json import JsonObject, JsonValue, canonical
from counterfoil_schema.records import PayPart, PayRun, PayRunLine, record_key

BORNE: tuple[PayPart, ...] = ("wages", "reimbursement", "employer_tax", "employer_benefit")
CASH_TIPS = "Cash Tips"
REIMBURSEMENT = "Reimbursement"
NO_PERSON = ""


@dataclass(slots=True)
class Sums:
    """Amounts per department, part and type, with the people who have a share in them."""

    amounts: dict[tuple[str, PayPart, str | None], Decimal] = field(default_factory=dict)
    people: dict[tuple[str, PayPart, str | None], set[str]] = field(default_factory=dict)

    def add(self, department: str, part: PayPart, person: str, amount: Decimal, kind: str | None = None) -> None:
        """Count an amount; nothing for zero."""
        if not amount:
            return
        key = (department, part, kind)
        self.amounts[key] = self.amounts.get(key, ZERO) + amount
        self.people.setdefault(key, set())
        if person != NO_PERSON:
            self.people[key].add(person)

    def lines(self) -> tuple[PayRunLine, ...]:
        """By department, in the order of the parts, and by type; what comes to nothing is left out."""
        order = {part: place for place, part in enumerate(get_args(PayPart))}
        keys = sorted(
            (key for key, amount in self.amounts.items() if amount),
            key=lambda key: (key[0], order[key[1]], key[2] or ""),
        )
        return tuple(
            PayRunLine(
                department=key[0], part=key[1], type=key[2], amount=self.amounts[key], people=len(self.people[key])
            )
            for key in keys
        )

    def side(self, *, borne: bool) -> Decimal:
        """The sum of what the company bears, or of where it goes."""
        return sum((amount for (_, part, _), amount in self.amounts.items() if (part in BORNE) is borne), ZERO)


@dataclass(frozen=True, slots=True)
class Pay:
    """One person's figures; lives only while they are summed."""

    gross: Decimal
    net: Decimal
    tips: Decimal
    reimbursed: Decimal
    employee_taxes: Decimal
    employer_taxes: Decimal
    employee_benefits: Decimal
    employer_benefits: Decimal
    deductions: Decimal

    def adds_up(self) -> bool:
        """Whether net pay follows from the rest."""
        return self.net == self.gross - self.tips - self.employee_taxes - self.employee_benefits - self.deductions


def pay_run(
    payload: JsonObject,
    departments: Mapping[str, str],
    reversals: Sequence[JsonObject],
    unassigned: str,
    connection: str = "gusto",
    types: Types | None = None,
) -> PayRun:
    """The pay run of a payroll with all its people.

    Args:
        departments: name by the uuid of the employee.
        reversals: the company's approved reversals.
        connection: whose records are named in it.
        types: those that are told apart.

    Raises:
        FigureError: a date or figure is missing or wrong, or the sums differ from Gusto's totals.
    """
    external = payload.get("external") is True
    # An external payroll was run elsewhere before Gusto: history, which the books hold already.
    processed = payload.get("processed") is True and not external
    period = payload.get("pay_period")
    if not isinstance(period, dict):
        raise FigureError("it has no pay period")
    lines: tuple[PayRunLine, ...] = ()
    stated: Decimal | None = None
    if processed:
        lines, stated = _figures(payload, departments, unassigned, types or {})
    return PayRun(
        status="external" if external else _status(payload, processed=processed, reversals=reversals),
        processed=processed,
        check_date=date_of(payload, "check_date"),
        period_start=date_of(period, "start_date"),
        period_end=date_of(period, "end_date"),
        currency=CURRENCY,
        off_cycle=payload.get("off_cycle") is True,
        stated_debit=stated,
        lines=lines,
        reverses=_reverses(payload, reversals, connection),
    )


def _reverses(payload: JsonObject, reversals: Sequence[JsonObject], connection: str) -> str | None:
    """The payroll that this one takes back (Gusto: a reversal is a payroll of its own)."""
    own = _uuid(payload)
    for reversal in reversals:
        taken_back = reversal.get("reversed_payroll_uuid")
        if reversal.get("reversal_payroll_uuid") == own and isinstance(taken_back, str) and taken_back:
            return record_key(connection, "payroll", taken_back)
    return None


def _uuid(payload: JsonObject) -> JsonValue:
    return payload.get("uuid") or payload.get("payroll_uuid")


def people_paid(payload: JsonObject) -> int:
    """How many people a payroll pays, as far as it can be read."""
    rows = payload.get("employee_compensations")
    everybody = rows if isinstance(rows, list) else []
    return sum(1 for row in everybody if isinstance(row, dict) and row.get("excluded") is not True)


def version_of(payload: JsonObject, record: PayRun) -> str:
    """Gusto's own version or date of processing, and a digest of the record, which holds nothing personal."""
    own = payload.get("version") or payload.get("processed_date") or "unprocessed"
    digest = hashlib.sha256(canonical(record.model_dump(mode="json"))).hexdigest()
    return f"{own}/{record.status}/{digest[:16]}"


def _status(payload: JsonObject, *, processed: bool, reversals: Sequence[JsonObject]) -> str:
    if not processed:
        return "unprocessed"
    reversed_people: set[str] = set()
    found = False
    for reversal in reversals:
        if reversal.get("reversed_payroll_uuid") == _uuid(payload):
            found = True
            people = reversal.get("reversed_employee_uuids")
            reversed_people |= (
                {person for person in people if isinstance(person, str)} if isinstance(people, list) else set()
            )
    if not found:
        return "processed"
    paid = {_employee(row) for row in rows_of(payload, "employee_compensations") if row.get("excluded") is not True}
    return "partially_reversed" if reversed_people and not paid <= reversed_people else "reversed"


def _figures(
    payload: JsonObject, departments: Mapping[str, str], unassigned: str, types: Types
) -> tuple[tuple[PayRunLine, ...], Decimal]:
    sums, everybody = Sums(), list[Pay]()
    for row in rows_of(payload, "employee_compensations"):
        if row.get("excluded") is True:
            continue
        person, pay = _employee(row), _pay(row)
        everybody.append(pay)
        _count(sums, departments.get(person) or unassigned, person, pay, typed(row, types))
    company_taxes = total_of(rows_of(payload, "company_taxes"), "amount")
    sums.add(unassigned, "employer_tax", NO_PERSON, company_taxes)
    sums.add(unassigned, "tax_payment", NO_PERSON, company_taxes)
    stated = _compare(payload, everybody, company_taxes)
    wrong = sum(1 for pay in everybody if not pay.adds_up())
    borne, going = sums.side(borne=True), sums.side(borne=False)
    if wrong or borne != going:
        raise FigureError(
            f"gross pay less taxes, benefits, deductions and cash tips is not net pay for {wrong} of its "
            f"{len(everybody)} people: the company bears {borne} and {going} goes out, a difference of {borne - going}"
        )
    return sums.lines(), stated


def _count(sums: Sums, department: str, person: str, pay: Pay, by_type: Mapping[tuple[PayPart, str], Decimal]) -> None:
    parts: tuple[tuple[PayPart, Decimal], ...] = (
        ("wages", pay.gross - pay.tips),
        ("reimbursement", pay.reimbursed),
        ("employer_tax", pay.employer_taxes),
        ("employer_benefit", pay.employer_benefits),
        ("net_pay", pay.net + pay.reimbursed),
        ("tax_payment", pay.employee_taxes + pay.employer_taxes),
        ("employee_benefit", pay.employee_benefits + pay.employer_benefits),
        ("other_deduction", pay.deductions),
    )
    for part, amount in parts:
        rest = amount
        for (of, kind), figure in by_type.items():
            if of == part:
                sums.add(department, part, person, figure, kind)
                rest -= figure
        sums.add(department, part, person, rest)


def _pay(row: JsonObject) -> Pay:
    taxes, benefits, fixed = (rows_of(row, name) for name in ("taxes", "benefits", "fixed_compensations"))
    reimbursements = rows_of(row, "reimbursements")
    if not reimbursements:
        # Versions before 2025 list a reimbursement among the fixed compensations.
        reimbursements = [entry for entry in fixed if entry.get("name") == REIMBURSEMENT]
    pay = Pay(
        gross=amount_of(row.get("gross_pay"), "a gross_pay"),
        net=amount_of(row.get("net_pay"), "a net_pay"),
        tips=total_of([entry for entry in fixed if entry.get("name") == CASH_TIPS], "amount"),
        reimbursed=total_of(reimbursements, "amount"),
        employee_taxes=total_of([tax for tax in taxes if not _by_employer(tax)], "amount"),
        employer_taxes=total_of([tax for tax in taxes if _by_employer(tax)], "amount"),
        employee_benefits=total_of(benefits, "employee_deduction"),
        employer_benefits=total_of(benefits, "company_contribution"),
        deductions=total_of(rows_of(row, "deductions"), "amount"),
    )
    cheque = row.get("check_amount")
    if cheque is not None and amount_of(cheque, "a check_amount") != pay.net + pay.reimbursed:
        raise FigureError("a check_amount is not net pay and reimbursements")
    return pay


def _by_employer(tax: JsonObject) -> bool:
    employer = tax.get("employer")
    if not isinstance(employer, bool):
        raise FigureError("a tax does not say whether the employer bears it")
    return employer


def _compare(payload: JsonObject, everybody: Sequence[Pay], company_taxes: Decimal) -> Decimal:
    """What Gusto states to be withdrawn for pay and taxes, once every sum was found equal to its own."""
    totals = payload.get("totals")
    if not isinstance(totals, dict):
        raise FigureError("it shows no totals")
    summed = {
        "gross_pay": sum((pay.gross for pay in everybody), ZERO),
        "net_pay": sum((pay.net for pay in everybody), ZERO),
        "employer_taxes": sum((pay.employer_taxes for pay in everybody), company_taxes),
        "employee_taxes": sum((pay.employee_taxes for pay in everybody), ZERO),
        "reimbursements": sum((pay.reimbursed for pay in everybody), ZERO),
        "benefits": sum((pay.employer_benefits for pay in everybody), ZERO),
        "employee_benefits_deductions": sum((pay.employee_benefits for pay in everybody), ZERO),
        "other_deductions": sum((pay.deductions for pay in everybody), ZERO),
    }
    stated = {name: amount_of(totals.get(name), f"its total {name}") for name in summed if name in totals}
    missing = [name for name in ("gross_pay", "net_pay", "employer_taxes", "employee_taxes") if name not in stated]
    if missing:
        raise FigureError(f"its totals lack {', '.join(missing)}")
    wrong = [
        f"{name} is stated as {stated[name]} and sums to {summed[name]}, a difference of {stated[name] - summed[name]}"
        for name in stated
        if stated[name] != summed[name]
    ]
    if wrong:
        raise FigureError(f"its people do not tie to its totals: {'; '.join(wrong)}")
    _compare_taxes(payload, summed)
    reimbursed = stated.get("reimbursements", summed["reimbursements"])
    return stated["net_pay"] + reimbursed + stated["employer_taxes"] + stated["employee_taxes"]


def _compare_taxes(payload: JsonObject, summed: Mapping[str, Decimal]) -> None:
    listed = rows_of(payload, "payroll_taxes")
    if not listed:
        return
    stated = total_of(listed, "amount")
    both = summed["employer_taxes"] + summed["employee_taxes"] - total_of(rows_of(payload, "company_taxes"), "amount")
    if stated not in (both, summed["employer_taxes"] + summed["employee_taxes"]):
        raise FigureError(f"its list of taxes comes to {stated}, its people's taxes to {both}")


def _employee(row: JsonObject) -> str:
    person = row.get("employee_uuid")
    if not isinstance(person, str) or not person:
        raise FigureError("one of its people has no employee_uuid")
    return person
