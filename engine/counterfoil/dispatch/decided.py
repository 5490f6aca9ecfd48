"""What a decision about one change consists of, and which decisions may be appended together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from counterfoil.planning.types import PlanRequest
from counterfoil.state.rows import ChangeRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentPlanned
from counterfoil_schema.events.receipts import SourceObserved, SourceRemoved
from counterfoil_schema.records import record_key as key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Decisions about one change, and the records whose newer events would make them stale.

    `trace`: which they continue, where it is not that of the change.
    """

    events: Sequence[Event]
    bears_on: tuple[str, ...]
    trace: str | None = None


def request_of(
    event: SourceObserved | SourceRemoved, record_key: str, position: int, *, repair: bool = False
) -> PlanRequest:
    """What the planner is asked about a record as its source showed it, or said that it is gone."""
    seen = event if isinstance(event, SourceObserved) else None
    gone = event if isinstance(event, SourceRemoved) else None
    into = gone.merged_into if gone is not None else None
    return PlanRequest(
        connection=event.connection,
        record_key=record_key,
        record=seen.record if seen is not None else None,
        position=position,
        removed_evidence=gone.evidence if gone is not None else None,
        repair=repair,
        merged_into=key_of(event.connection, event.source_kind, into) if into is not None else None,
    )


def compatible(planned: Sequence[tuple[ChangeRow, Decided | None]]) -> list[tuple[ChangeRow, Decided]]:
    """Those decisions that may be appended together, the earlier change first.

    Plans that were made side by side did not see one another: of two that want the same name, the same number or
    the same record on one side, the later is left for the next round.
    """
    together: list[tuple[ChangeRow, Decided]] = []
    claimed: set[tuple[str, str, str]] = set()
    for change, decided in planned:
        if decided is None:
            continue
        claims = {claim for event in decided.events for claim in _claims(event)}
        if claims & claimed:
            continue
        claimed |= claims
        together.append((change, decided))
    return together


def fills_batches(events: Iterable[Event]) -> bool:
    """Whether decisions bring what a waiting batch for the books may be filled with, and so may those behind them.

    Our own echoes, which a sweep reads by the thousand, bring nothing and must not hold a batch back.
    """
    return any(isinstance(event, IntentPlanned) and event.target == "quickbooks" for event in events)


def _claims(event: Event) -> list[tuple[str, str, str]]:
    if not isinstance(event, IntentPlanned):
        return []
    claims = [("record", event.target, event.record_key)]
    if event.name_key is not None:
        claims.append(("name", "party", event.name_key))
    if event.doc_number is not None:
        claims.append(("number", event.entity, event.doc_number))
    return claims
