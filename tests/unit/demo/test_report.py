"""The report: a difference of one cent, a document too many, a silent loss: each makes it fail, and is shown."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from counterfoil.cli.tasks.figures import Held, Outcomes, Reason
from counterfoil.demo.actual import BookedEntry, BookedInvoice, Books, Logged, LoggedInvoice, SoldDeal
from counterfoil.demo.calls import Calls, count_calls
from counterfoil.demo.changes import make_changes
from counterfoil.demo.expected import Expected, expect
from counterfoil.demo.findings import Evidence, find
from counterfoil.demo.generator import make_sample
from counterfoil.demo.loading import decimal
from counterfoil.demo.report import print_report
from counterfoil.demo.report_json import as_json
from counterfoil.demo.run import Course
from counterfoil.demo.sample import FAST
from counterfoil.demo.tally import Doubt
from counterfoil.log import Fault, VerifyReport
from counterfoil.recovery.dead_letters import Letter
from counterfoil_schema import exact_json

SAMPLE = make_sample(3, FAST)
CHANGES = make_changes(3, SAMPLE, FAST.changes)
EXPECTED = expect(SAMPLE, CHANGES)
PARKED_AT = datetime(2026, 3, 2, tzinfo=UTC)
WHY = "Its lines come to something else than its amount."


def books_of(expected: Expected) -> Books:
    """Books in which everything is right."""
    named: set[str] = set()
    customers: dict[str, tuple[str, str]] = {}
    for one in expected.customers.values():
        name = one.books_name if one.books_name not in named else f"{one.books_name} ({one.customer_id})"
        named.add(name)
        customers[f"C{one.customer_id}"] = (name, one.phone)
    invoices = tuple(
        BookedInvoice(
            document_id=f"I{one.number}",
            number=one.number,
            customer_id=f"C{one.customer_id}",
            day=one.day.isoformat(),
            cents=one.cents,
            balance=one.balance,
            due=one.due.isoformat() if one.due else "2026-12-31",
        )
        for one in expected.invoices.values()
    )
    entries = tuple(
        BookedEntry(
            document_id=one.uuid, number=f"PR-{one.day}-{one.uuid[-6:]}", day=str(one.day), accounts=one.accounts
        )
        for one in expected.entries
    )
    return Books(
        customers=customers,
        invoices=invoices,
        entries=entries,
        payments=expected.payments,
        credit_memos=expected.credit_memos,
        accounts=expected.accounts,
        account_names={},
        created={
            "Customer": len(customers),
            "Item": expected.items,
            "Invoice": len(invoices),
            "JournalEntry": len(entries),
        },
        unmarked=(),
        twice=(),
    )


def deals_of(expected: Expected) -> tuple[SoldDeal, ...]:
    """HubSpot as it must stand."""
    told = [
        SoldDeal(
            deal_id=f"D{one.number}",
            number=one.number,
            customer_id=str(one.customer_id),
            month=f"{one.day:%Y-%m}",
            won=True,
            cents=one.cents - one.added,
            back={
                "qbo_invoice_number": one.number,
                "qbo_invoice_id": f"I{one.number}",
                "qbo_invoice_status": one.status,
                "qbo_balance": decimal(one.balance),
                "qbo_amount_paid": decimal(one.paid),
                "qbo_credited": decimal(one.credited),
                "qbo_overpaid": decimal(one.surplus),
            },
        )
        for one in expected.invoices.values()
    ]
    parked = [
        SoldDeal(
            deal_id=f"D{number}",
            number=number,
            customer_id="1001",
            month="2026-01",
            won=True,
            cents=1,
            back={"qbo_problem": f"{WHY} What to do."},
        )
        for number in expected.parked
    ]
    return (*told, *parked)


def letter(record_key: str, code: str) -> Letter:
    return Letter(
        company=1,
        record_key=record_key,
        position=1,
        kind="deal",
        side="source",
        code=code,
        reason=WHY,
        fix="What to do.",
        decided=2,
        first_seen=PARKED_AT,
        last_seen=PARKED_AT,
    )


def evidence() -> Evidence:
    """Everything as it must be."""
    payroll: dict[str, int] = {}
    for entry in EXPECTED.entries:
        for name, cents in entry.accounts.items():
            payroll[name] = payroll.get(name, 0) + cents
    runs = {entry.uuid: entry.debits for entry in EXPECTED.entries}
    waiting = EXPECTED.waiting
    assert waiting is not None
    return Evidence(
        limits=True,
        expected=EXPECTED,
        course=Course(settled=True, incidents=[("an answer lost", 1)]),
        books=books_of(EXPECTED),
        deals=deals_of(EXPECTED),
        logged=Logged(
            invoices=tuple(
                LoggedInvoice(
                    number=one.number, customer_id=str(one.customer_id), day=one.day.isoformat(), cents=one.cents
                )
                for one in EXPECTED.invoices.values()
            ),
            entries=runs,
            accounts=EXPECTED.accounts,
        ),
        source_calls={"HubSpot": (9, 0)},
        payroll=payroll,
        pay_runs=runs,
        outcomes=Outcomes((Reason("applied", "", 9), Reason("parked", "no_lines", 1))),
        parked=[letter(f"hubspot:deal:D{number}", code) for number, code in EXPECTED.parked.items()],
        held=[
            Held(
                company=1,
                record_key=f"gusto:payroll:{waiting.uuid}",
                intent_id="i",
                entity="JournalEntry",
                operation="create",
                doc_number="PR",
                amount=None,
                currency=None,
            )
        ],
        observed=10,
        calls=Calls(
            writes=2,
            least_writes=1,
            reads=1,
            refused=1,
            refused_on_purpose=1,
            peaks={"at once": (1, 10)},
            resting_seconds=60.0,
            full_seconds=1,
        ),
        verified=VerifyReport(companies=1, events=1, faults=()),
        rebuild=(0, "same"),
        read={"deal": 40},
        doubts=(Doubt("Customer", "found"), Doubt("Invoice", "sent again")),
        refusals={("5010", "refetch"): 1},
    )


def printed(found: Evidence) -> str:
    console = Console(file=io.StringIO(), width=140)
    print_report(find(found), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_where_everything_is_right_it_says_so() -> None:
    findings = find(evidence())
    assert [check for check in findings.checks if not check.holds] == []
    assert (findings.ties_out, findings.exit_code) == (True, 0)
    assert "Everything ties out to the cent." in printed(evidence())


def a_cent_in_the_books(right: Evidence) -> Evidence:
    first, *rest = right.books.invoices
    return replace(right, books=replace(right.books, invoices=(replace(first, cents=first.cents + 1), *rest)))


def a_cent_in_the_log(right: Evidence) -> Evidence:
    first, *rest = right.logged.invoices
    return replace(right, logged=replace(right.logged, invoices=(replace(first, cents=first.cents - 1), *rest)))


def a_cent_in_the_source(right: Evidence) -> Evidence:
    first, *rest = right.deals
    return replace(right, deals=(replace(first, cents=first.cents + 1), *rest))


def a_cent_in_an_account(right: Evidence) -> Evidence:
    accounts = {**right.books.accounts, "Wages": right.books.accounts["Wages"] + 1}
    return replace(right, books=replace(right.books, accounts=accounts))


def a_cent_told_to_hubspot(right: Evidence) -> Evidence:
    first, *rest = right.deals
    return replace(right, deals=(replace(first, back={**first.back, "qbo_balance": "0.01"}), *rest))


def a_parked_deal_that_does_not_say_why(right: Evidence) -> Evidence:
    *rest, last = right.deals
    return replace(right, deals=(*rest, replace(last, back={})))


def a_deal_that_says_it_is_parked_and_is_not(right: Evidence) -> Evidence:
    first, *rest = right.deals
    return replace(right, deals=(replace(first, back={**first.back, "qbo_problem": WHY}), *rest))


def an_invoice_twice(right: Evidence) -> Evidence:
    invoices = right.books.invoices
    return replace(right, books=replace(right.books, invoices=(*invoices, replace(invoices[0], document_id="again"))))


def an_invoice_created_twice(right: Evidence) -> Evidence:
    return replace(right, books=replace(right.books, twice=("cf-0",)))


def an_invoice_missing(right: Evidence) -> Evidence:
    return replace(right, books=replace(right.books, invoices=right.books.invoices[1:]))


def a_document_of_nobody(right: Evidence) -> Evidence:
    return replace(right, books=replace(right.books, unmarked=("Invoice 9",)))


def a_stranger_among_the_customers(right: Evidence) -> Evidence:
    customers = {**right.books.customers, "C0": ("Somebody else", "")}
    return replace(right, books=replace(right.books, customers=customers))


def a_customer_with_the_old_number(right: Evidence) -> Evidence:
    owner, (name, _) = next(iter(right.books.customers.items()))
    customers = {**right.books.customers, owner: (name, "+1 000")}
    return replace(right, books=replace(right.books, customers=customers))


def a_change_without_outcome(right: Evidence) -> Evidence:
    return replace(right, observed=11)


def a_deal_parked_for_another_reason(right: Evidence) -> Evidence:
    first, *rest = right.parked
    return replace(right, parked=[replace(first, code="other"), *rest])


def nothing_waits_for_approval(right: Evidence) -> Evidence:
    return replace(right, held=[])


def a_refusal_of_our_own_making(right: Evidence) -> Evidence:
    return replace(right, calls=replace(right.calls, refused=2))


def a_refusal_by_hubspot(right: Evidence) -> Evidence:
    return replace(right, source_calls={"HubSpot": (9, 1)})


def a_payment_that_the_log_lacks(right: Evidence) -> Evidence:
    accounts = {**right.logged.accounts, "Undeposited Funds": 0}
    return replace(right, logged=replace(right.logged, accounts=accounts))


def a_broken_chain(right: Evidence) -> Evidence:
    fault = Fault(company=1, position=3, kind="changed", text="changed")
    return replace(right, verified=replace(right.verified, faults=(fault,)))


def a_table_unlike_the_log(right: Evidence) -> Evidence:
    return replace(right, rebuild=(4, "1 row differs"))


def an_effect_nobody_knows(right: Evidence) -> Evidence:
    return replace(right, doubts=(Doubt("Invoice", "open"),))


def no_end(right: Evidence) -> Evidence:
    return replace(right, course=Course(settled=False))


def a_line_lost(right: Evidence) -> Evidence:
    added = next(one.number for one in EXPECTED.invoices.values() if one.added)
    invoices = tuple(
        replace(one, cents=one.cents - 4_500, balance=one.balance - 4_500) if one.number == added else one
        for one in right.books.invoices
    )
    return replace(right, books=replace(right.books, invoices=invoices))


@pytest.mark.parametrize(
    "spoil",
    [
        a_cent_in_the_books,
        a_cent_in_the_log,
        a_cent_in_the_source,
        a_cent_in_an_account,
        a_cent_told_to_hubspot,
        a_parked_deal_that_does_not_say_why,
        a_deal_that_says_it_is_parked_and_is_not,
        an_invoice_twice,
        an_invoice_created_twice,
        an_invoice_missing,
        a_document_of_nobody,
        a_stranger_among_the_customers,
        a_customer_with_the_old_number,
        a_change_without_outcome,
        a_deal_parked_for_another_reason,
        nothing_waits_for_approval,
        a_refusal_of_our_own_making,
        a_refusal_by_hubspot,
        a_payment_that_the_log_lacks,
        a_broken_chain,
        a_table_unlike_the_log,
        an_effect_nobody_knows,
        no_end,
        a_line_lost,
    ],
)
def test_whatever_is_wrong_is_shown_and_fails(spoil: Callable[[Evidence], Evidence]) -> None:
    findings = find(spoil(evidence()))
    assert findings.exit_code == 1
    text = printed(spoil(evidence()))
    assert "NOT everything ties out" in text
    assert "WRONG" in text


def test_programs_read_the_same() -> None:
    said = exact_json.loads_object(exact_json.dumps(as_json(find(evidence()), seed=3, home="")))
    assert said["ties_out"] is True
    totals = said["totals"]
    assert isinstance(totals, dict)
    months = totals["month"]
    assert isinstance(months, list)
    first = months[0]
    assert isinstance(first, dict)
    assert {decimal(EXPECTED.by_month[str(first["name"])])} == {first["expected"], first["books"], first["log"]}


def test_calls_and_waits_are_counted_from_the_emulators_list() -> None:
    def call(second: str, status: int) -> exact_json.JsonObject:
        return {"time": f"2026-01-01T00:00:{second}+00:00", "status": status}

    listed: exact_json.JsonObject = {
        "calls": [*(call(f"01.{place}", 200) for place in range(10)), call("02.0", 429), call("32.5", 200)]
    }
    stats: exact_json.JsonObject = {
        "requests": {"create": 3, "batch": 2, "query": 5, "cdc": 1, "token": 7},
        "peaks": {"requests_in_60s": 11},
        "limits": {"requests_per_minute": 500},
    }
    calls = count_calls(stats, listed, EXPECTED, CHANGES, 1)
    assert (calls.writes, calls.reads, calls.refused, calls.resting_seconds, calls.full_seconds) == (5, 6, 1, 30.5, 1)
    # Thirteen customers, eight items, one new number; 38 invoices and one entry in two batches; three updates in one.
    assert calls.least_writes == 13 + 8 + 1 + 2 + 1
    assert calls.peaks["in 60 s"] == (11, 500)
