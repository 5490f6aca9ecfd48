"""What was injected, how often, and where: the table of fault by phase."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from counterfoil.testing.simulation.phases import SENDING

WIRE: Final = ("request lost", "request hangs", "answer lost", "answer hangs", "slow answer")
SERVER: Final = (
    "429 storm",
    "5xx before the effect",
    "5xx after the effect",
    "HTML before the effect",
    "HTML after the effect",
    "XML fault",
    "late effect",
    "token refused",
    "saved by a person",
)
READING: Final = ("settling", "sweeping", "reading books", "meeting the books")
MACHINE: Final = (
    "crash",
    "stopped and continued",
    "lease stolen",
    "clock jumps",
    "connection revoked",
    "token expired",
)
SOURCE: Final = ("source fails", "source hangs", "source shows nothing")
WRITE_BACK: Final = ("write-back lost", "write-back unanswered")
WEBHOOKS: Final = ("webhook lost", "webhook doubled", "webhook late", "webhook reordered")
BUSY: Final = (
    *SENDING,
    *READING,
    "reading source",
    "write-back",
    "folding",
    "planning",
    "picking",
    "token refresh",
    "webhook",
    "housekeeping",
    "lease",
    "main loop",
)
"""What a process can be doing when something happens to its machine."""

PEOPLE: Final = "edit by a person"
ALWAYS: Final = "whatever it was"

CELLS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(WIRE, (*SENDING, *READING, "token refresh")),
    **{fault: (*SENDING, *READING) for fault in SERVER if fault not in {"late effect", "saved by a person"}},
    "late effect": SENDING,
    "saved by a person": ("send update",),
    **dict.fromkeys(MACHINE, BUSY),
    **dict.fromkeys(SOURCE, ("reading source",)),
    **dict.fromkeys(WRITE_BACK, ("write-back",)),
    **dict.fromkeys(WEBHOOKS, ("webhook",)),
    PEOPLE: (ALWAYS,),
}
"""Every cell that the table must fill: for each fault the phases in which it can happen."""


class Tally:
    """Counts by fault and phase."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, fault: str, phase: str) -> None:
        """It has happened once more."""
        self.counts[fault, phase] += 1

    @property
    def total(self) -> int:
        """All faults."""
        return self.counts.total()


def least(counts: Mapping[tuple[str, str], int]) -> int:
    """How often the cell was hit that was hit least."""
    return min(counts.get((fault, phase), 0) for fault, phases in CELLS.items() for phase in phases)


def empty_cells(counts: Mapping[tuple[str, str], int], minimum: int) -> Iterable[tuple[str, str, int]]:
    """The cells that were hit less often than they must be."""
    for fault, phases in CELLS.items():
        for phase in phases:
            count = counts.get((fault, phase), 0)
            if count < minimum:
                yield fault, phase, count
