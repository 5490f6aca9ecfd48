"""`counterfoil rebuild --as-of`: what the log came to at a point in the past."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, as_json, console, money, table, write_json
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.cli.tasks.totals import Sums, totals_of
from counterfoil.errors import ConfigurationError
from counterfoil.postgres import create_pool
from counterfoil.recovery.as_of import OWN_SESSION, StateAt, parse_point, state_at
from counterfoil.settings import Settings
from counterfoil.state.rows import ROW_TYPES, DocumentRow, LinkRow, Row
from counterfoil_schema import exact_json


async def show(settings: Settings, asked: str, *, to: Path | None, as_json: bool) -> int:
    """Fold up to the point, and print or write what is there."""
    wanted = parse_point(asked)
    if len(settings.companies) != 1:
        raise ConfigurationError(
            "The state is shown for one company at a time; positions count per company.",
            remedy="Say which one with --company.",
        )
    (company,) = settings.companies
    async with open_state(settings) as opened:
        own = await create_pool(opened.dsn, opened.names, application_name="counterfoil state", limits=OWN_SESSION)
        opened.stack.push_async_callback(own.close)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        with progress_bars(*columns, hidden=as_json) as bars:
            task = bars.add_task(company.name, total=None)
            folded = state_at(
                opened.pool,
                opened.names,
                opened.reader,
                opened.clock,
                company.company,
                wanted,
                own=own,
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
            async with folded as state:
                bars.stop()
                await _tell(opened, state, to=to, json=as_json)
    return ExitCode.OK


async def _tell(opened: Opened, state: StateAt, *, to: Path | None, json: bool) -> None:
    outcomes = await state.outcomes()
    sums = await totals_of(replace(opened, store=state.store), state.point.company)
    head: dict[str, object] = {
        "company": state.point.company,
        "position": state.point.position,
        "recorded_at": state.point.recorded_at,
        "outcomes": outcomes,
        "totals": [{**asdict(one), "difference": one.difference} for one in sums],
        "rows": await state.counts(),
    }
    if to is not None:
        await _write(state, to, head)
    if json:
        rows = (
            {} if to is not None else {"links": await _all(state, LinkRow), "documents": await _all(state, DocumentRow)}
        )
        write_json({**head, **rows, "written_to": to})
    else:
        _print(state, head, outcomes, sums, to)


async def _all(state: StateAt, row_type: type[Row]) -> list[Row]:
    return [row async for row in state.rows(row_type)]


async def _write(state: StateAt, folder: Path, head: dict[str, object]) -> None:
    """One file for each projection, and one for what they come to."""
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        for row_type in ROW_TYPES:
            with (folder / f"{row_type.table}.jsonl").open("wb") as file:
                async for row in state.rows(row_type):
                    file.write(exact_json.dumps(as_json(row)) + b"\n")
        await asyncio.to_thread((folder / "state.json").write_bytes, exact_json.dumps(as_json(head)) + b"\n")
    except OSError as problem:
        raise ConfigurationError(
            f"{folder} cannot be written to: {problem.strerror}.",
            remedy="What it holds is not the whole state; name another folder.",
        ) from None


def _print(
    state: StateAt, head: dict[str, object], outcomes: dict[str, dict[str, int]], sums: list[Sums], to: Path | None
) -> None:
    out = console()
    point = state.point
    when = f"{point.recorded_at:%Y-%m-%d %H:%M:%S}Z"
    shown = table(f"Company {point.company} at position {point.position:,}, recorded {when}", "outcome", "", ">changes")
    for name, codes in outcomes.items():
        for code, number in codes.items():
            add_row(shown, name, code, f"{number:,}")
    out.print(shown)
    if sums:
        figures = table("Totals", "", "", ">documents", ">source", ">log", ">books", ">difference")
        for one in sums:
            amounts = (money(value, None) for value in (one.source, one.log, one.books, one.difference))
            add_row(figures, one.currency, one.entity, f"{one.documents:,}", *amounts)
        out.print(figures)
    rows = head["rows"]
    if isinstance(rows, dict):
        out.print(Text("Rows: " + ", ".join(f"{number:,} {name}" for name, number in rows.items())), soft_wrap=True)
    if to is not None:
        out.print(Text(f"Every row is in {to}."), soft_wrap=True)
