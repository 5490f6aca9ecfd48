"""`counterfoil mapping check` against both sides."""

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.mapping_trials import Held, Question, trials
from counterfoil.settings import Settings
from counterfoil.trial import Finding, judge
from counterfoil.trial.findings import counted

_WRONG = ("error", "parked")


async def check(settings: Settings, question: Question, *, as_json: bool) -> int:
    """Tell what was found of each; 1 if anything does not exist, or would be parked."""
    shown: list[dict[str, object]] = []
    wrong = 0
    async for held in trials(settings, question):
        findings = judge(held.trial, held.text)
        wrong += sum(one.level in _WRONG for one in findings)
        if as_json:
            shown.append(_as_json(held, findings))
        else:
            _show(held, findings)
    if as_json:
        write_json({"connections": shown})
    return ExitCode.UNSETTLED if wrong else ExitCode.OK


def _as_json(held: Held, findings: list[Finding]) -> dict[str, object]:
    sample = held.trial.sample
    return {
        "company": held.company.company,
        "connection": held.connection,
        "file": held.file,
        "records": len(sample.records),
        "whole": sorted(sample.whole),
        "outcomes": counted(held.trial),
        "findings": findings,
    }


def _show(held: Held, findings: list[Finding]) -> None:
    out = console()
    sample, outcomes = held.trial.sample, counted(held.trial)
    kinds = "everything" if set(sample.kinds) == sample.whole else "a sample"
    would = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing"
    out.print(
        Text(f"{held.connection} (company {held.company.company}), {held.file}: {len(sample.records):,} records read"),
        Text(f"({kinds}); as the engine would plan them: {would}."),
    )
    if findings:
        shown = table("", "found", "where", "what", "what to do")
        for one in findings:
            where = f"{held.file}, line {one.line}, column {one.column}" if one.line is not None else ""
            add_row(shown, one.level, where, one.says, one.fix)
        out.print(shown)
    wrong = sum(one.level in _WRONG for one in findings)
    closing = f"{wrong} to settle before it runs at night." if wrong else "Nothing to settle before it runs."
    out.print(Text(f"{closing} Nothing was written.\n"))
