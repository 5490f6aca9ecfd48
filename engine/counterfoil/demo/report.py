"""The report for a finance person: what came in, what became of it, and whether it ties out to the cent."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from counterfoil.demo.checks import money
from counterfoil.demo.findings import Findings
from counterfoil.demo.home import CALL_SECONDS, SERVER_SECONDS
from counterfoil.demo.ties import Tie

_CUSTOMERS_SHOWN = 5
_WIDTH = 118
_KINDS = {
    "company": "HubSpot companies",
    "product": "HubSpot products",
    "deal": "HubSpot deals",
    "employee": "Gusto employees",
    "payroll": "Gusto pay runs",
}
_OUTCOMES = {
    "applied": "carried over",
    "unchanged": "already so on the other side (our own writes seen again)",
    "skipped": "left out by a rule, or overtaken by a newer change",
    "waiting": "waits for somebody's approval",
    "parked": "needs somebody: cause and remedy below",
}


_ENDINGS = {
    "found": "answer missing; the effect was found in the books by evidence, and not made again",
    "repeated": "answer missing; it came when the same call was repeated under its request id",
    "sent again": "answer missing; proven absent after every deadline, and sent again",
    "open": "answer missing; NOT SETTLED",
}
_THEN = {
    "retry": "sent again later",
    "refetch": "read afresh, merged, sent again",
    "adopt": "what bears the name or number was looked up",
    "park": "parked for somebody, below",
    "reconnect": "waits until somebody connects QuickBooks again",
}


def print_report(findings: Findings, console: Console) -> None:
    """Everything, in the order in which one asks."""
    console.print()
    console.print(_came_in(findings))
    console.print(_outcomes(findings))
    console.print(_ties("Invoiced per month", findings.months))
    console.print(_largest(findings.customers))
    console.print(_ties("Accounts: debits less credits", findings.accounts, source="HubSpot, Gusto"))
    console.print(_ties("Pay runs", findings.pay_runs, source="Gusto"))
    console.print(_incidents(findings))
    console.print(_endings(findings))
    console.print(_parked(findings))
    console.print(_calls(findings))
    console.print(_checks(findings))
    verdict = "Everything ties out to the cent." if findings.ties_out else "NOT everything ties out; see above."
    style = "bold green" if findings.ties_out else "bold red"
    console.print(verdict, style=style)


def console_for(*, width: int = _WIDTH) -> Console:
    """Where reports are printed; wide enough for its tables wherever it goes."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=width)
    return console


def _table(title: str, *columns: str, right: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _came_in(findings: Findings) -> Table:
    evidence = findings.evidence
    table = _table("What came in", "From", "Records", right=("Records",))
    for kind, title in _KINDS.items():
        table.add_row(title, f"{evidence.read.get(kind, 0):,}")
    table.add_row("live changes by people, in both systems", f"{evidence.course.changes_told:,}")
    table.add_row("observed changes in all, echoes of our own writes included", f"{evidence.observed:,}")
    return table


def _outcomes(findings: Findings) -> Table:
    outcomes = findings.evidence.outcomes
    table = _table("What became of it: each change has exactly one outcome", "Outcome", "Changes", "Meaning", "Why")
    table.columns[1].justify = "right"
    for state, meaning in _OUTCOMES.items():
        table.add_row(state, f"{outcomes.counts[state]:,}", meaning, escape(outcomes.as_words(state)))
    table.add_row("together", f"{outcomes.total:,}", "", "")
    return table


def _ties(title: str, ties: Iterable[Tie], *, source: str = "HubSpot") -> Table:
    amounts = ("Fixed beforehand", source, "added by people", "Log", "QuickBooks")
    table = _table(title, "", *amounts, "", right=amounts)
    for tie in ties:
        _row(table, tie)
    return table


def _row(table: Table, tie: Tie) -> None:
    table.add_row(
        escape(tie.name),
        money(tie.expected),
        "" if tie.source is None else money(tie.source),
        money(tie.added) if tie.added else "",
        "" if tie.log is None else money(tie.log),
        money(tie.books),
        "=" if tie.holds else "DIFFERS",
    )


def _largest(customers: tuple[Tie, ...]) -> Table:
    """The largest, and all that differ; there are too many for the screen."""
    shown = sorted(customers, key=lambda tie: -tie.expected)[:_CUSTOMERS_SHOWN]
    shown += [tie for tie in customers if not tie.holds and tie not in shown]
    return _ties(f"Invoiced per customer: the largest of {len(customers)}, and every one that differs", shown)


def _incidents(findings: Findings) -> Table:
    course = findings.evidence.course
    table = _table("What went wrong on purpose", "What", "times")
    for title, times in course.incidents:
        table.add_row(title, str(times))
    return table


def _endings(findings: Findings) -> Table:
    """How it ended, as the log tells it."""
    evidence = findings.evidence
    table = _table("How it ended", "What", "times", right=("times",))
    for (entity, ending), times in sorted(Counter((one.entity, one.ending) for one in evidence.doubts).items()):
        table.add_row(f"{entity}: {_ENDINGS[ending]}", str(times))
    for (code, then), times in sorted(evidence.refusals.items()):
        table.add_row(f"refused with {code or 'no code'}: {_THEN[then]}", str(times))
    table.add_row("engine killed: started again, and first settled what had been under way", str(evidence.course.kills))
    return table


def _parked(findings: Findings) -> Table:
    table = _table("What needs somebody", "Record", "Cause", "Remedy")
    for one in findings.evidence.parked:
        table.add_row(escape(one.record_key), escape(one.reason), escape(one.fix))
    for waiting in findings.evidence.held:
        amount = money(int(waiting.amount * 100)) if waiting.amount is not None else ""
        table.add_row(
            escape(waiting.record_key),
            f"{waiting.entity} {waiting.doc_number or ''} over {amount} waits for approval.",
            "Compare it with the pay slips, then `counterfoil approve` it.",
        )
    return table


def _calls(findings: Findings) -> Table:
    calls, course = findings.evidence.calls, findings.evidence.course
    table = _table("Calls to QuickBooks, and the time", "", "")
    table.columns[1].justify = "right"
    table.caption_justify = "left"
    table.caption = (
        f"A missing answer counts as “no effect” only {CALL_SECONDS + SERVER_SECONDS} s after its call here: our own "
        f"{CALL_SECONDS} s, and {SERVER_SECONDS} s in which the emulator may still work on it; Intuit's may for 120 s."
    )
    table.add_row("writing calls; the least possible without any fault", f"{calls.writes}; {calls.least_writes}")
    table.add_row("reading calls", str(calls.reads))
    for name, (most, limit) in calls.peaks.items() if findings.evidence.limits else ():
        table.add_row(f"most {name}; Intuit's limit", f"{most}; {limit}")
    table.add_row("answers 429; ordered ones", f"{calls.refused}; {calls.refused_on_purpose}")
    for name, (made, _) in findings.evidence.source_calls.items():
        table.add_row(f"calls to {name}", str(made))
    table.add_row("resting after a 429, as Intuit wants", f"{calls.resting_seconds:.0f} s")
    if findings.evidence.limits:
        table.add_row("seconds in which Intuit's limit of a second was used up", f"{calls.full_seconds} s")
    table.add_row("restart of the killed engine until it took webhooks", f"{course.seconds.get('restart', 0):.1f} s")
    table.add_row("from the engine's start until nothing moved", f"{course.seconds.get('all', 0):.0f} s")
    return table


def _checks(findings: Findings) -> Table:
    table = _table("Whether it ties out", "", "Must be", "Is", "")
    for check in findings.checks:
        same = check.found if not check.holds else ""
        table.add_row(escape(check.title), escape(check.expected), escape(same), "ok" if check.holds else "WRONG")
    return table
