"""What can come of a call: every way it may end is a value, so that no caller can forget one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from counterfoil.errors import CounterfoilError
from counterfoil.quickbooks.online.faults import Fault
from counterfoil_schema.exact_json import JsonObject


@dataclass(frozen=True, slots=True)
class Accepted:
    """QuickBooks did it.

    Attributes:
        document: the record as QuickBooks now holds it (for a delete, the stub with its status).
        raw: the answer's bytes; for an item of a batch, that item alone.
    """

    document: JsonObject
    raw: bytes = field(repr=False)
    intuit_tid: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """QuickBooks said no, and why. `fault.kind` says what to do; RETRY alone is no proof that nothing happened."""

    fault: Fault
    raw: bytes = field(repr=False)
    intuit_tid: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request may have taken effect: only the same bytes under the same request id, or evidence, settle it."""

    reason: str
    intuit_tid: str | None = None


class NotSentKind(Enum):
    """Why nothing left."""

    LIMITED = "limited"  # no free slot before the deadline
    BUDGET = "budget"  # a read that the month's budget has no room for
    PAUSED = "paused"  # the realm rests after a 429, a lock-out or maintenance
    UNREACHABLE = "unreachable"  # no connection could be made
    NOT_AUTHORISED = "not_authorised"  # no valid access token at present; refreshing failed for now
    RECONNECT = "reconnect"  # a person must connect QuickBooks again
    DEADLINE = "deadline"  # the deadline passed before any byte left


@dataclass(frozen=True, slots=True)
class NotSent:
    """It is certain that nothing took effect: no byte of the request left, or the gateway refused its token."""

    reason: str
    retry_after_seconds: float | None
    kind: NotSentKind


WriteOutcome: TypeAlias = Accepted | Rejected | Uncertain | NotSent
ItemOutcome: TypeAlias = Accepted | Rejected | Uncertain


@dataclass(frozen=True, slots=True)
class BatchAnswered:
    """The batch came back: one outcome for each `bId` that was sent, those that the answer lacks being uncertain."""

    items: Mapping[str, ItemOutcome]
    raw: bytes = field(repr=False)
    intuit_tid: str | None
    http_status: int


BatchOutcome: TypeAlias = BatchAnswered | Rejected | Uncertain | NotSent


@dataclass(frozen=True, slots=True)
class Found:
    """The record as it stands."""

    document: JsonObject
    raw: bytes = field(repr=False)
    intuit_tid: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class NotFound:
    """QuickBooks states that there is no such record (fault 610). Never the result of a failure."""

    fault: Fault
    raw: bytes = field(repr=False)
    intuit_tid: str | None


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """Nothing was learnt; in particular not that something is absent.

    Attributes:
        fault: what QuickBooks stated, if it did.
        retry_after_seconds: when to try again, where that is known.
        transient: whether the same read may work later without anybody changing anything.
    """

    reason: str
    fault: Fault | None = None
    retry_after_seconds: float | None = None
    transient: bool = False
    intuit_tid: str | None = None


ReadOutcome: TypeAlias = Found | NotFound | ReadFailed


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query.

    Attributes:
        rows: the records, in the order asked for.
        start_position: 1-based position of the first row.
        total_count: filled for `count(*)` only.
        time: when Intuit answered, by its own clock.
    """

    rows: tuple[JsonObject, ...]
    start_position: int
    total_count: int | None
    time: datetime | None
    intuit_tid: str | None


QueryOutcome: TypeAlias = QueryPage | ReadFailed


@dataclass(frozen=True, slots=True)
class DeletedStub:
    """What CDC says of a record that is gone. Confirm by a read before acting on it: false ones have been seen."""

    entity: str
    entity_id: str
    last_updated: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All that CDC reported since an instant.

    Attributes:
        rows: entity → its changed records, oldest change first; soft deletes are rows with `Active` false.
        deleted: stubs of what was deleted.
        time: Intuit's clock at the answer; less an overlap, the next `changed_since`.
        truncated: true when a limit of 1,000 objects was reached, so that there may be more than is shown.
    """

    rows: Mapping[str, tuple[JsonObject, ...]]
    deleted: tuple[DeletedStub, ...]
    time: datetime | None
    truncated: bool
    intuit_tid: str | None


ChangeOutcome: TypeAlias = ChangeSet | ReadFailed


class ReadFailedError(CounterfoilError):
    """A read over several pages broke off: what was yielded so far is not all there is."""

    def __init__(self, outcome: ReadFailed) -> None:
        remedy = outcome.fault.fix if outcome.fault is not None else "It can be tried again later."
        super().__init__(f"Reading from QuickBooks failed: {outcome.reason}.", remedy=remedy)
        self.outcome = outcome
