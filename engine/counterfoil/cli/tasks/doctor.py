"""`counterfoil doctor`: gathers the evidence on each company and shows what follows from it."""

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.limits import budget_as_seen
from counterfoil.cli.tasks.status import Status, status_of
from counterfoil.dispatch.limiter import Lane
from counterfoil.dispatch.watched import BOOKS
from counterfoil.doctor import Evidence, Finding, judge
from counterfoil.doctor.judging import is_fit, remarks
from counterfoil.doctor.load import load_file, read_load
from counterfoil.doctor.sandbox import read_run
from counterfoil.planning.mapping import parse_mapping
from counterfoil.postgres import load_query
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow

SIGNS = {"ok": "ok", "warning": "look at this", "failed": "NOT MET"}


async def doctor(settings: Settings, *, as_json: bool) -> int:
    """Print the ten points of each company; 1 if any is not met."""
    async with open_state(settings) as opened:
        seen = [(company, await evidence_on(opened, company)) for company in settings.companies]
    found = [(company, judge(evidence), remarks(evidence)) for company, evidence in seen]
    if as_json:
        write_json(
            {
                "companies": [
                    {
                        "company": company.company,
                        "name": company.name,
                        "fit": is_fit(findings),
                        "points": findings,
                        "remarks": said,
                    }
                    for company, findings, said in found
                ]
            }
        )
    else:
        for company, findings, said in found:
            _show(company, findings, said)
    return ExitCode.OK if all(is_fit(findings) for _, findings, _ in found) else ExitCode.UNSETTLED


async def evidence_on(opened: Opened, company: CompanySettings) -> Evidence:
    """What database and configuration show of one company."""
    number, settings = company.company, opened.settings
    stands: Status = await status_of(opened, company)
    heard = await opened.pool.fetch(load_query("doctor_heard", opened.names), number)
    looked = await opened.pool.fetch(load_query("doctor_looked", opened.names), number)
    # Idle books are swept most rarely: only what is later than that is late.
    budget = await budget_as_seen(opened, company)
    sweeps = budget.sweep_seconds(company.sweep_seconds)
    row = await opened.store.one(CompanyRow, number)
    unexplained = stands.reasons.get("parked", {}).get("parked", 0)
    return Evidence(
        now=opened.clock.now(),
        company=number,
        name=company.name,
        environment=company.quickbooks.environment,
        is_worked_for=stands.worked_by is not None,
        connection=stands.connection,
        token_store=settings.tokens.store,
        token_stored_at=stands.token_stored_at,
        access_expires_at=stands.access_expires_at,
        refresh_expires_at=stands.refresh_expires_at,
        sources={one.connection: one.state == "refused" for one in stands.sources},
        unlimited=company.quickbooks.unlimited,
        requests_per_minute=company.quickbooks.requests_per_minute,
        calls_in_minute=stands.calls_in_minute,
        parked=stands.parked,
        unexplained=unexplained,
        has_verifier_token=company.quickbooks.verifier_token is not None,
        heard_at={row["source"]: row["recorded_at"] for row in heard},
        looked_at={row["connection"]: row["looked_at"] for row in looked},
        look_every={BOOKS: sweeps, **dict.fromkeys(company.sources, company.poll_seconds)},
        reconciled_at=stands.reconciled_at,
        drifts=stands.drifts,
        sweeps_stopped_until=budget.stopped_until(Lane.RECONCILE),
        custom_numbers=row.custom_numbers if row is not None and row.preferences_hash else None,
        numbered=_numbered(company),
        telemetry=settings.telemetry.otlp_endpoint,
        anchor=str(settings.anchor.file) if settings.anchor else None,
        forgetful=stands.log_fault if stands.log == "recovering" else "",
        sandbox=read_run(settings.sandbox_report) if settings.sandbox_report else "",
        load=read_load(load_file(settings.home, number)),
    )


def _numbered(company: CompanySettings) -> tuple[str, ...]:
    """Sales documents to which a mapping of the company gives numbers."""
    mappings = [
        parse_mapping(source.mapping, file=source.mapping_file or name, default_zone=company.zone)
        for name, source in company.sources.items()
    ]
    kinds = {
        "invoices": [one.invoice.number for one in mappings],
        "credits": [one.credit_memo.number for one in mappings],
    }
    return tuple(kind for kind, numbers in kinds.items() if any(numbers))


def _show(company: CompanySettings, findings: list[Finding], said: list[str]) -> None:
    shown = table(f"{company.name} (company {company.company})", ">", "point", "", "evidence")
    for one in findings:
        add_row(shown, str(one.number), one.point, SIGNS[one.verdict], one.evidence)
    out = console()
    out.print(shown)
    todo = [f"{one.number}. {one.remedy}" for one in findings if one.remedy]
    failed = sum(one.verdict == "failed" for one in findings)
    closing = "All ten points are met." if not todo else "To do:\n" + "\n".join(todo)
    out.print(Text(f"\n{closing}" if not failed else f"\n{failed} of {len(findings)} points are not met. {closing}"))
    for remark in said:
        out.print(Text(f"\n{remark}"))
    out.print()
