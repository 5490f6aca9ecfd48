"""What a reconciliation found, whole: sums, drifts, how the reading was proven, and what could not be compared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.planning.reconciling.drifts import Drift, Kind
from counterfoil.planning.reconciling.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is compared.

    Args:
        month: only documents dated in it (`2026-03`); entries of lists bear no date and are left out then.
        entities: only these types; empty for all.
        sources: read the sources too; otherwise their records count as they were last observed.
    """

    month: str | None = None
    entities: frozenset[str] = frozenset()
    sources: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.month is None and not self.entities and self.sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """How the books' documents of one type were read, and what proves that none is missing.

    Attributes:
        ours: documents that stand for source records, in scope.
        shown: documents that pages showed, somebody else's included.
        counted: how many QuickBooks counts in the same span.
        by_id: documents of ours outside that span, or not shown, that were asked for by Id.
    """

    entity: str
    ours: int
    shown: int
    counted: int
    by_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCompared:
    """What could not be read: nothing follows from it for any record. `what` is a type, or a source and its kind."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One company, reconciled.

    Attributes:
        apart: documents of ours in which others changed what is theirs to change, with the fields' names.
        open: how many observed changes wait, or are parked: by state and reason.
        source_records: how many records full readings of the sources showed.
        metered: reads that Intuit meters.
    """

    company: int
    scope: Scope
    totals: Totals
    drifts: tuple[Drift, ...] = ()
    drifts_left_out: int = 0
    apart: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reads: tuple[Read, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    open: Sequence[tuple[str, str, int]] = field(default_factory=tuple)
    source_records: int = 0
    metered: int = 0

    @property
    def ties_out(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not self.drifts and not self.not_compared and not any(one.differs for one in self.totals.cells())

    def counts(self) -> dict[Kind, int]:
        """How many drifts of each kind there are."""
        return dict(Counter(one.kind for one in self.drifts))

    def amounts(self) -> dict[str, Decimal]:
        """By how much the books come to more than the source, over all drifts, by currency."""
        found: dict[str, Decimal] = {}
        for one in self.drifts:
            if one.amount is not None and one.currency is not None:
                found[one.currency] = found.get(one.currency, Decimal(0)) + one.amount
        return dict(sorted(found.items()))
