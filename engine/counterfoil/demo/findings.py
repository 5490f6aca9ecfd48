"""Everything that the report says, put together from what was read. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.cli.tasks.figures import Held, Outcomes
from counterfoil.demo.actual import Books, Logged, SoldDeal
from counterfoil.demo.calls import Calls
from counterfoil.demo.checks import (
    Check,
    books_checks,
    one_each_checks,
    parked_check,
    people_checks,
    tie_check,
    write_back_checks,
)
from counterfoil.demo.expected import Expected
from counterfoil.demo.run import Course
from counterfoil.demo.tally import Doubt
from counterfoil.demo.ties import Tie, by_account, by_customer, by_month, by_pay_run
from counterfoil.log import VerifyReport
from counterfoil.recovery.dead_letters import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was read at the end.

    Attributes:
        limits: whether Intuit's limits were in force.
        source_calls: calls to each source, and how many of them its limits refused.
        payroll: what Gusto itself says of the posted pay runs: debits less credits by account.
        pay_runs: what each comes to, by its id.
        rebuild: what `counterfoil rebuild --check` left with, and said.
    """

    limits: bool
    expected: Expected
    course: Course
    books: Books
    deals: Sequence[SoldDeal]
    logged: Logged
    payroll: Mapping[str, int]
    pay_runs: Mapping[str, int]
    outcomes: Outcomes
    parked: Sequence[Letter]
    held: Sequence[Held]
    observed: int
    calls: Calls
    verified: VerifyReport
    rebuild: tuple[int, str]
    read: Mapping[str, int]
    source_calls: Mapping[str, tuple[int, int]]
    doubts: Sequence[Doubt]
    refusals: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The report before it is printed."""

    evidence: Evidence
    months: tuple[Tie, ...]
    customers: tuple[Tie, ...]
    accounts: tuple[Tie, ...]
    pay_runs: tuple[Tie, ...]
    checks: tuple[Check, ...]

    @property
    def ties_out(self) -> bool:
        """Whether everything that must be true is true, to the cent."""
        ties = (*self.months, *self.customers, *self.accounts, *self.pay_runs)
        return all(check.holds for check in self.checks) and all(tie.holds for tie in ties)

    @property
    def exit_code(self) -> int:
        """0 only if everything ties out."""
        return 0 if self.ties_out else 1


def find(evidence: Evidence) -> Findings:
    """Compare everything with everything."""
    expected, books, deals, logged = evidence.expected, evidence.books, evidence.deals, evidence.logged
    months = by_month(expected, deals, logged.invoices, books)
    customers = by_customer(expected, deals, logged.invoices, books)
    accounts = by_account(expected, deals, evidence.payroll, logged.accounts, books)
    runs = by_pay_run(expected, evidence.pay_runs, logged.entries, books.entries)
    checks = (
        Check("Everything came to rest", "yes", "yes" if evidence.course.settled else "no"),
        tie_check("Months: script = HubSpot = log = books", months),
        tie_check("Customers: script = HubSpot = log = books", customers),
        tie_check("Accounts: script = HubSpot and Gusto = log = books", accounts),
        tie_check("Pay runs: script = Gusto = log = books", runs),
        *books_checks(expected, books, logged),
        *one_each_checks(expected, deals, books),
        *people_checks(expected, books),
        *write_back_checks(expected, deals, books, _parked_numbers(evidence, lambda one: one.reason)),
        parked_check(expected, _parked_numbers(evidence, lambda one: one.code)),
        _held_check(evidence),
        Check(
            "Applied, unchanged, skipped, waiting and parked add up",
            str(evidence.observed),
            str(evidence.outcomes.total),
        ),
        Check("Changes that nobody decided", "0", str(evidence.outcomes.undecided)),
        Check(
            "Answers 429 that were not ordered", "0", str(evidence.calls.refused - evidence.calls.refused_on_purpose)
        ),
        Check(
            "Calls refused by HubSpot's and Gusto's limits",
            "0",
            str(sum(refused for _, refused in evidence.source_calls.values())),
        ),
        Check("Effects of which nobody knows", "0", str(sum(one.ending == "open" for one in evidence.doubts))),
        Check("Faults of the log's hash chain", "0", str(len(evidence.verified.faults))),
        Check(
            "State folded afresh differs from the tables",
            "no",
            "no" if evidence.rebuild[0] == 0 else evidence.rebuild[1],
        ),
    )
    return Findings(
        evidence=evidence, months=months, customers=customers, accounts=accounts, pay_runs=runs, checks=checks
    )


def _parked_numbers(evidence: Evidence, told: Callable[[Letter], str]) -> dict[str, str]:
    numbers = {f"hubspot:deal:{deal.deal_id}": deal.number for deal in evidence.deals}
    return {numbers.get(one.record_key, one.record_key): told(one) for one in evidence.parked}


def _held_check(evidence: Evidence) -> Check:
    waiting = evidence.expected.waiting
    wanted = waiting.uuid if waiting is not None else ""
    found = ", ".join(one.record_key.rpartition(":")[2] for one in evidence.held)
    return Check("Waiting for approval: the last pay run", wanted, found)
