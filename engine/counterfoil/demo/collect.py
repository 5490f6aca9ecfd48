"""Reads what is there at the end: books, sources, log, state, calls."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from counterfoil.cli.tasks.figures import held, outcomes
from counterfoil.demo.actual import read_books, read_deals, read_log
from counterfoil.demo.calls import count_calls
from counterfoil.demo.control import part_of, rows_of, text_of
from counterfoil.demo.entries import Share, entry_of
from counterfoil.demo.findings import Evidence
from counterfoil.demo.home import COMPANY
from counterfoil.demo.processes import finished
from counterfoil.demo.run import Course, Script
from counterfoil.demo.tally import Tally, cents
from counterfoil.log import verify
from counterfoil.recovery.dead_letters import letters_of
from counterfoil.settings import CONFIG_FILE
from counterfoil_schema.exact_json import JsonObject

if TYPE_CHECKING:
    from counterfoil.demo.stage import Stage

_CALLS = "/calls?after=0&limit=100000"
_CHANGES = ("source.observed", "source.edited", "source.removed", "source.unreadable", "books.observed")


async def collect(stage: "Stage", script: Script, course: Course, tally: Tally) -> Evidence:
    """Everything that the report rests on; the engine has ended by now."""
    opened = stage.opened
    books = await read_books(stage.quickbooks)
    approved = {entry.uuid for entry in script.expected.entries}
    gusto, hubspot = await stage.gusto.get("/state"), await stage.hubspot.get("/state")
    accounts, runs = payroll_of(gusto, approved)
    bursts = sum(times for title, times in course.incidents if "429" in title)
    config = str(stage.home / CONFIG_FILE)
    return Evidence(
        limits=not script.fast,
        expected=script.expected,
        course=course,
        books=books,
        deals=await read_deals(stage.hubspot),
        logged=read_log(tally, books.account_names),
        payroll=accounts,
        pay_runs=runs,
        outcomes=await outcomes(opened.store, COMPANY),
        parked=await letters_of(opened.store, opened.reader, COMPANY),
        held=await held(opened.store, COMPANY),
        observed=sum(tally.events[name] for name in _CHANGES),
        calls=count_calls(
            await stage.quickbooks.get("/stats"),
            await stage.quickbooks.get(_CALLS),
            script.expected,
            script.changes,
            bursts,
        ),
        verified=await verify(opened.reader, opened.audit, [COMPANY]),
        rebuild=await finished("rebuild", ["rebuild", "--check", "--config", config], stage.home),
        read=Counter(key.split(":")[1] for key in tally.records_read),
        source_calls={
            "HubSpot": (_count(hubspot, "calls_total"), _count(hubspot, "rate_limited")),
            "Gusto": (
                sum(made for made in part_of(gusto, "calls").values() if isinstance(made, int)),
                _count(gusto, "refused_by_limit"),
            ),
        },
        doubts=tuple(tally.doubts.values()),
        refusals=tally.refusals,
    )


def _count(answer: JsonObject, name: str) -> int:
    found = answer.get(name, 0)
    return found if isinstance(found, int) else 0


def payroll_of(state: JsonObject, approved: set[str]) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """What Gusto itself shows of pay runs: debits less credits by account, and the debits of each run, in cents."""
    departments = {text_of(one, "uuid"): text_of(one, "title") for one in rows_of(state, "departments")}
    where = {
        text_of(one, "uuid"): text_of(one, "department") or departments.get(text_of(one, "department_uuid"), "")
        for one in rows_of(state, "employees")
    }
    accounts: Counter[str] = Counter()
    runs: dict[str, int] = {}
    for payroll in rows_of(state, "payrolls"):
        uuid = text_of(payroll, "payroll_uuid") or text_of(payroll, "uuid")
        if uuid not in approved:
            continue
        people = rows_of(payroll, "employee_compensations")
        sums = entry_of([_share(one, where.get(text_of(one, "employee_uuid"), "")) for one in people])
        runs[uuid] = sum(amount for amount in sums.values() if amount > 0)
        for name, amount in sums.items():
            accounts[name] += amount
    return {name: amount for name, amount in accounts.items() if amount}, runs


def _share(person: JsonObject, department: str) -> Share:
    taxes, benefits = rows_of(person, "taxes"), rows_of(person, "benefits")
    return Share(
        department=department,
        gross=cents(person.get("gross_pay")),
        employer_taxes=sum(cents(tax.get("amount")) for tax in taxes if tax.get("employer")),
        withheld=sum(cents(one.get("employee_deduction")) for one in benefits),
        contributed=sum(cents(one.get("company_contribution")) for one in benefits),
        deducted=sum(cents(one.get("amount")) for one in rows_of(person, "deductions")),
        reimbursed=sum(cents(one.get("amount")) for one in rows_of(person, "reimbursements")),
    )
