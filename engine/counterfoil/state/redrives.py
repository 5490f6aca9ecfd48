"""Folds of redrives: what was asked for as a whole, and how much of it was planned."""

from msgspec.structs import replace

from counterfoil.state.fold import Folded, Rows
from counterfoil.state.rows import RunRow
from counterfoil.state.runs import REDRIVE, run_name
from counterfoil_schema.events import redrives as again


def redrive_requested(rows: Rows, at: Folded, event: again.RedriveRequested) -> None:
    rows.put(
        RunRow(
            company=at.company,
            run=run_name(REDRIVE, at.position),
            kind=REDRIVE,
            asked=at.position,
            author=event.author,
            reason=event.reason,
        )
    )


def redrive_decided(rows: Rows, at: Folded, event: again.RedriveDecided) -> None:
    run = rows.get(RunRow, event.record_key)
    if run is None:
        raise LookupError(f"run {event.record_key} was never asked for")
    rows.put(replace(run, taken=at.position, planned=event.planned, refused=len(event.refused)))
