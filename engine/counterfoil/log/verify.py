"""Proving that the log is as it was written: every digest, every link, every head.

Whoever may change tables can also compute a new chain from the changed row to the head. That is what anchors are
for (`counterfoil.log.anchor`): a head signed and kept elsewhere cannot be made to fit again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from counterfoil.log import chain
from counterfoil.log.types import Head, LogReader, RecordedEvent

FAULTS_MAX = 100
"""Faults named per company; one change makes one or two, so that more say nothing new."""

FaultKind = Literal["changed", "missing", "inserted", "head", "delivery", "anchor"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as an append left it. Position 0 stands for the company as a whole."""

    company: int
    position: int
    kind: FaultKind
    text: str

    def __str__(self) -> str:
        return f"company {self.company}, position {self.position}: {self.text}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at, and what was wrong with it."""

    companies: int
    events: int
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults


class Audit(Protocol):
    """What verifying needs beyond a reader."""

    async def companies(self) -> list[int]:
        """All companies with a head or with events."""
        ...

    async def beyond(self, company: int) -> int | None:
        """Position of an event past the head."""
        ...

    async def stray_deliveries(self, company: int, limit: int) -> list[tuple[str, int]]:
        """Remembered deliveries without their event, and where it should be."""
        ...

    async def forgotten_deliveries(self, company: int, deliveries: Sequence[str]) -> set[str]:
        """Deliveries that an event bears and that are not remembered."""
        ...


async def verify(
    reader: LogReader,
    audit: Audit,
    companies: Sequence[int] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check these companies, or all, up to where each stands when it is begun; appends may go on meanwhile.

    Args:
        reader: the log.
        audit: the same log.
        companies: which; None for all.
        progress: told company and position after each page.
    """
    faults: list[Fault] = []
    numbers = await audit.companies() if companies is None else companies
    events = 0
    for company in numbers:
        checked = _Company(company, reader, audit, progress)
        await checked.run()
        events += checked.events
        faults += checked.faults[:FAULTS_MAX]
    return VerifyReport(len(numbers), events, tuple(faults))


class _Company:
    """One company's walk from genesis to head."""

    def __init__(
        self, company: int, reader: LogReader, audit: Audit, progress: Callable[[int, int], None] | None
    ) -> None:
        self._company = company
        self._reader = reader
        self._audit = audit
        self._progress = progress
        self._position = 0
        self._link = chain.genesis(company)
        self.events = 0
        self.faults: list[Fault] = []

    async def run(self) -> None:
        head = (await self._reader.heads([self._company])).get(self._company)
        if head is None:
            self._fault(0, "head", "its head is gone")
            head = Head(self._company, 2**63 - 1, b"", 0)
        await self._walk(head.position)
        if head.hash and self._position < head.position:
            self._fault(self._position + 1, "missing", f"nothing up to the head at {head.position}")
        elif head.hash and self._link != head.hash:
            self._fault(head.position, "head", "the head bears another link than its event")
        beyond = await self._audit.beyond(self._company)
        if beyond is not None:
            self._fault(beyond, "inserted", "an event past the head")
        for delivery, position in await self._audit.stray_deliveries(self._company, FAULTS_MAX):
            self._fault(position, "delivery", f"delivery {delivery} is remembered, but its event does not bear it")

    async def _walk(self, last: int) -> None:
        while self._position < last:
            page = await self._reader.read(self._company, self._position)
            page = [recorded for recorded in page if recorded.position <= last]
            if not page:
                return
            for recorded in page:
                self._check(recorded)
            await self._check_deliveries(page)
            if self._progress is not None:
                self._progress(self._company, self._position)

    def _check(self, recorded: RecordedEvent) -> None:
        if recorded.position != self._position + 1:
            self._fault(self._position + 1, "missing", f"nothing up to position {recorded.position}")
        elif recorded.link != chain.link(self._link, recorded.position, chain.digest_of(recorded)):
            self._fault(recorded.position, "changed", f"the {recorded.event_type} does not fit its link")
        # Going on from the stored link tells the next fault from the consequences of this one.
        self._position = recorded.position
        self._link = recorded.link or b""
        self.events += 1

    async def _check_deliveries(self, page: Sequence[RecordedEvent]) -> None:
        borne = {recorded.delivery: recorded.position for recorded in page if recorded.delivery is not None}
        if borne:
            for delivery in sorted(await self._audit.forgotten_deliveries(self._company, [*borne])):
                self._fault(borne[delivery], "delivery", f"delivery {delivery} is no longer remembered")

    def _fault(self, position: int, kind: FaultKind, text: str) -> None:
        self.faults.append(Fault(self._company, position, kind, text))
