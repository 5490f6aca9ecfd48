"""Folding pages of the log into rows, and stopping one company, visibly, at an event that cannot be folded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import asyncpg

from counterfoil.state import decisions as fold_decisions
from counterfoil.state import onboarding as fold_onboarding
from counterfoil.state import receipts as fold_receipts
from counterfoil.state import recoveries as fold_recoveries
from counterfoil.state import redrives as fold_redrives
from counterfoil.state import rollbacks as fold_rollbacks
from counterfoil.state.fold import AtHand, Folded, PageRows, Rows, RowsNeededError
from counterfoil.state.prefetch import likely_keys
from counterfoil.state.rows import Key, Row
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.events import recoveries as regained
from counterfoil_schema.events import redrives as again
from counterfoil_schema.events import rollbacks as back
from counterfoil_schema.events.base import Event, UnknownEventError

LOOKS_AHEAD_MAX = 3
"""How often in a page it is worth looking through the events behind for what they need as well."""

Fold = Callable[[Rows, Folded, Any], None]
Problem = tuple[int, str]
"""At which event a fold cannot go on, and why."""

PASSING = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Trouble with the store while folding: no fault of the event, so it stops nothing for good."""

FOLDS: Mapping[type[Event], Fold] = {
    seen.CompanyRegistered: fold_receipts.company_registered,
    seen.RealmPinned: fold_receipts.realm_pinned,
    seen.PreferencesObserved: fold_receipts.preferences_observed,
    seen.MappingRecorded: fold_receipts.mapping_recorded,
    seen.WebhookReceived: fold_receipts.webhook_received,
    seen.HintsSettled: fold_receipts.hints_settled,
    seen.SourceObserved: fold_receipts.source_observed,
    seen.SourceEdited: fold_receipts.source_edited,
    seen.SourceRemoved: fold_receipts.source_removed,
    seen.SourceUnreadable: fold_receipts.source_unreadable,
    seen.SourceWithheld: fold_receipts.source_withheld,
    seen.PersonErased: fold_receipts.person_erased,
    seen.SourceRefused: fold_receipts.source_refused,
    seen.SourceAnswered: fold_receipts.source_answered,
    seen.BooksObserved: fold_receipts.books_observed,
    seen.BooksMerged: fold_receipts.books_merged,
    seen.DirectoryObserved: fold_receipts.directory_observed,
    seen.CoverageChecked: fold_receipts.coverage_checked,
    seen.DriftFound: fold_receipts.drift_found,
    seen.DriftCleared: fold_receipts.drift_cleared,
    seen.BooksReconciled: fold_receipts.books_reconciled,
    seen.OperatorRequested: fold_receipts.operator_requested,
    seen.RestoreBegun: fold_receipts.restore_begun,
    seen.CompanyApproved: fold_onboarding.company_approved,
    back.RollbackRequested: fold_rollbacks.rollback_requested,
    back.RollbackDecided: fold_rollbacks.rollback_decided,
    again.RedriveRequested: fold_redrives.redrive_requested,
    again.RedriveDecided: fold_redrives.redrive_decided,
    regained.RecoveryBegun: fold_recoveries.recovery_begun,
    regained.RecoveryFound: fold_recoveries.recovery_found,
    regained.RecoveryEnded: fold_recoveries.recovery_ended,
    done.RecordAdopted: fold_onboarding.record_adopted,
    done.RecordReviewed: fold_onboarding.record_reviewed,
    done.RecordReleased: fold_onboarding.record_released,
    done.IntentPlanned: fold_decisions.intent_planned,
    done.ChangeUnchanged: fold_decisions.change_unchanged,
    done.ChangeSkipped: fold_decisions.change_skipped,
    done.ChangeParked: fold_decisions.change_parked,
    done.ChangeReopened: fold_decisions.change_reopened,
    done.ConflictAnswered: fold_decisions.conflict_answered,
    done.RequestTaken: fold_decisions.request_taken,
    done.IntentApproved: fold_decisions.intent_approved,
    done.IntentWithdrawn: fold_decisions.intent_withdrawn,
    done.CallSent: fold_decisions.call_sent,
    done.IntentAccepted: fold_decisions.intent_accepted,
    done.IntentRejected: fold_decisions.intent_rejected,
    done.IntentUncertain: fold_decisions.intent_uncertain,
    done.IntentAbsent: fold_decisions.intent_absent,
    done.IntentResumed: fold_decisions.intent_resumed,
    done.IntentParked: fold_decisions.intent_parked,
}


class Foldable(Protocol):
    """An event as the log gives it."""

    @property
    def position(self) -> int: ...

    @property
    def event_type(self) -> str: ...

    async def event(self) -> Event: ...


class RowLoader(Protocol):
    """Where rows are fetched from."""

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows that exist among these keys."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a company's log is folded. `stopped` names the event that could not be folded, and why.

    `generation` is raised when a rebuild has put rows right: what was read of them before no longer holds.
    """

    company: int
    position: int = 0
    state: Literal["running", "stopped"] = "running"
    error: str = ""
    moved_at: datetime | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedPage:
    """What a page of events changed, and where the fold stands after it."""

    rows: Mapping[tuple[str, Key], Row]
    position: int
    stopped_at: int | None = None
    error: str = ""


def fold(rows: Rows, at: Folded) -> None:
    """Fold one event into rows.

    Raises:
        RowsNeededError: rows are missing that the fold depends on.
        UnknownEventError: no fold is known for the event.
    """
    step = FOLDS.get(type(at.event))
    if step is None:
        raise UnknownEventError(f"no fold is known for {at.event.event_type}")
    step(rows, at, at.event)


async def fold_page(loader: RowLoader, company: int, after: int, events: Iterable[Foldable]) -> FoldedPage:
    """Fold events in order; at one that cannot be folded, stop there and keep what went before.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: rows or keys cannot be loaded now; fold again later.
    """
    decoded, problem = await _decode(company, events)
    loaded = await _load_likely(loader, company, decoded)
    position, problem = await _fold_all(loader, company, after, decoded, loaded, problem)
    stopped_at, error = problem or (None, "")
    return FoldedPage(rows=loaded.changed, position=position, stopped_at=stopped_at, error=error)


class Closable(Protocol):
    """An event of which what is sealed may stay closed."""

    @property
    def position(self) -> int: ...

    @property
    def event_type(self) -> str: ...

    def closed(self) -> Event: ...


async def fold_closed(
    at_hand: AtHand, loader: RowLoader, company: int, after: int, events: Iterable[Closable]
) -> tuple[int, str]:
    """The same without a key, onto rows that stay at hand from page to page, so that nothing is fetched on suspicion.

    Rows hold nothing personal: they are the same whether what is sealed can be opened, was erased, or stays closed.

    Returns:
        Where the fold stands, and why it stopped there; empty if it did not.
    """
    decoded: list[Folded] = []
    problem: Problem | None = None
    for recorded in events:
        try:
            event = recorded.closed()
        except Exception as failed:
            problem = (recorded.position, _words(recorded.event_type, recorded.position, failed))
            break
        decoded.append(Folded(company=company, position=recorded.position, event=event))
    position, problem = await _fold_all(loader, company, after, decoded, at_hand, problem)
    return position, problem[1] if problem else ""


async def _fold_all(
    loader: RowLoader, company: int, after: int, decoded: Sequence[Folded], at_hand: AtHand, problem: Problem | None
) -> tuple[int, Problem | None]:
    """Where the fold stands, and what is wrong with the event behind it: if nothing before it, then `problem`."""
    position = after
    looks_ahead = LOOKS_AHEAD_MAX
    for index, at in enumerate(decoded):
        try:
            while True:
                rows = Rows(company, at_hand)
                try:
                    fold(rows, at)
                    break
                except RowsNeededError as needed:
                    wanted = {needed.table: {*needed.keys}}
                    if looks_ahead:
                        looks_ahead -= 1
                        _look_ahead(company, decoded[index + 1 :], at_hand, wanted)
                    await _load(loader, company, wanted, at_hand)
        except PASSING:
            raise
        except Exception as failed:  # any fold may fail in any way: that stops this company and nothing else
            problem = (at.position, _words(at.event.event_type, at.position, failed))
            break
        at_hand.put(rows.changed)
        position = at.position
    return position, problem


def _look_ahead(company: int, rest: Iterable[Folded], at_hand: AtHand, wanted: dict[str, set[Key]]) -> None:
    """Add what the events behind will need, as far as that shows now: one question for all is cheaper than one each."""
    for at in rest:
        # What stands before it is not folded yet, so that any other trouble says nothing.
        with suppress(Exception):
            try:
                fold(Rows(company, at_hand), at)
            except RowsNeededError as needed:
                wanted.setdefault(needed.table, set()).update(needed.keys)


async def _decode(company: int, events: Iterable[Foldable]) -> tuple[list[Folded], Problem | None]:
    """The events up to the first that cannot be read, and what is wrong with that one."""
    decoded: list[Folded] = []
    for recorded in events:
        try:
            event = await recorded.event()
        except PASSING:
            raise
        except Exception as failed:
            return decoded, (recorded.position, _words(recorded.event_type, recorded.position, failed))
        decoded.append(Folded(company=company, position=recorded.position, event=event))
    return decoded, None


def _words(event_type: str, position: int, failed: Exception) -> str:
    return f"{event_type} at {position}: {type(failed).__name__}: {failed}"


async def _load_likely(loader: RowLoader, company: int, events: Iterable[Folded]) -> PageRows:
    wanted: dict[str, set[Key]] = {}
    for at in events:
        for table, key in likely_keys(at.event):
            wanted.setdefault(table, set()).add(key)
    loaded = PageRows()
    await _load(loader, company, wanted, loaded)
    return loaded


async def _load(loader: RowLoader, company: int, wanted: Mapping[str, set[Key]], at_hand: AtHand) -> None:
    for table, keys in wanted.items():
        found = await loader.load(company, table, keys)
        at_hand.found({(table, key): found.get(key) for key in keys})
