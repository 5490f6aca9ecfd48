"""`counterfoil explain`."""

import re

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, write_json
from counterfoil.explain import Explained, Finder, Step, Summary, gather
from counterfoil.settings import Settings

_STYLES = {
    "source": "cyan",
    "decision": "yellow",
    "operator": "magenta",
    "call": "blue",
    "answer": "green",
    "link": "green",
    "books": "cyan",
    "hold-up": "red",
    "write-back": "blue",
}
_DIGEST = re.compile(r"(?:\d+:)?([0-9a-f]{64})")
"""Digests are shortened; --json has them whole."""

_SHOWN = ("request_id", "intuit_tid", "intent_id", "inputs", "needs", "lines", "fix", "reason")


async def explain(settings: Settings, key: str, *, personal: bool, as_json: bool) -> int:
    """Print the chain behind a key, in every company that knows it.

    Raises:
        UnknownKeyError: no company knows it.
    """
    async with open_state(settings) as opened:
        finder = Finder(opened.store, opened.pool, opened.names)
        found: list[Explained] = []
        for company in settings.companies:
            target = await finder.find(company.company, key)
            if target is not None:
                unseal = opened.codec if personal else None
                found.append(
                    await gather(target, store=opened.store, reader=opened.reader, finder=finder, unseal=unseal)
                )
        if not found:
            raise await finder.unknown([one.company for one in settings.companies], key)
    if as_json:
        write_json({"key": key, "explained": found})
    else:
        for one in found:
            _show(one, several=len(settings.companies) > 1)
    return ExitCode.OK


def _show(found: Explained, *, several: bool) -> None:
    out = console()
    for summary in found.records:
        where = f" (company {found.company})" if several else ""
        out.print(Text(_headline(summary) + where, style="bold"), soft_wrap=True)
        if summary.reason:
            out.print(Text(f"  {summary.reason} {summary.fix}".rstrip()), soft_wrap=True)
        for source, why in summary.untold.items():
            out.print(Text(f"  {source} refused to be told: {why}"), soft_wrap=True)
    if not found.records:
        out.print(Text(f"{', '.join(found.documents)}: comes from no source of ours.", style="bold"))
    if found.otherwise:
        asked = " or ".join(f"counterfoil explain {key}" for key in found.otherwise)
        out.print(Text(f"  Another document bears this as its number: {asked}."), soft_wrap=True)
    out.print()
    for step in found.steps:
        _show_step(step)


def _headline(summary: Summary) -> str:
    parts = [summary.record_key]
    if summary.entity is not None:
        number = f", number {summary.doc_number}" if summary.doc_number else ""
        status = "" if summary.status == "live" else f", {summary.status}"
        parts.append(f"→ {summary.entity} {summary.document_id}{number}{status}")
    if summary.state is not None:
        code = f" ({summary.code})" if summary.code not in {"", summary.state} else ""
        parts.append(f"— {summary.state}{code}")
    if summary.paid or summary.credited:
        parts.append(f"— paid {summary.paid}" + (f", credited {summary.credited}" if summary.credited else ""))
    return " ".join(parts)


def _show_step(step: Step) -> None:
    out = console()
    line = Text(f"{step.position:>8}  {step.at:%Y-%m-%d %H:%M:%S}Z  ")
    line.append(f"{step.stage:<10}  ", style=_STYLES.get(step.stage, ""))
    line.append(step.title)
    out.print(line, soft_wrap=True)
    notes = [f"{name}: {_words(step.details[name])}" for name in _SHOWN if step.details.get(name)]
    if step.cause is not None:
        notes.append(f"follows from {step.cause}")
    if step.trace:
        notes.append(f"trace: {trace_id(step.trace)}")
    for note in notes:
        out.print(Text(" " * 34 + note, style="dim"), soft_wrap=True)


def _words(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
        case list() | tuple():
            return ", ".join(_words(part) for part in value)
        case _:
            text = str(value)
            digest = _DIGEST.fullmatch(text)
            return text if digest is None else f"{digest[1][:16]}…"


def trace_id(traceparent: str) -> str:
    """The trace that a W3C `traceparent` names."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) > 1 else traceparent
