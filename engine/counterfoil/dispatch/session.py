"""One holder's standing in one company: its epoch, its lease's end, and its only way to append."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from counterfoil.dispatch.errors import LeaseLostError
from counterfoil.log import Append, Appended, FencedError, Guard, LogWriter, NewEvent
from counterfoil.ports import Clock
from counterfoil.state.runs import SESSION, run_name
from counterfoil.telemetry.ports import current_trace
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallSent,
    Decision,
    IntentPlanned,
    RecordAdopted,
    RecordReleased,
    RecordReviewed,
)

CALLS_MAX: Final = 10_000
"""Of so many of its last calls a holder remembers when it recorded them."""


class Session:
    """Appends on behalf of the holder of a company's lease.

    Args:
        epoch: of the lease; None for somebody who looks on while another holds it, and may decide nothing.
        valid_until: on the clock's monotonic scale; moved by the lease keeper, and behind which nothing is sent.

    Attributes:
        run: the name of this holder's session; what is planned in it belongs to it, unless it says otherwise.
    """

    def __init__(self, *, company: int, epoch: int | None, log: LogWriter, clock: Clock, valid_until: float) -> None:
        self.company = company
        self.epoch = epoch
        self.run = run_name(SESSION, epoch) if epoch is not None else ""
        self.valid_until = valid_until
        self._log = log
        self._clock = clock
        self._taken = clock.monotonic()
        self._called: OrderedDict[int, float] = OrderedDict()

    def held(self) -> float:
        """Seconds since this holder took the company over."""
        return self._clock.monotonic() - self._taken

    def since(self, position: int) -> float:
        """Seconds since this holder recorded the call at a position, whatever its time of day shows meanwhile.

        Of a call that it does not remember, the seconds since it took the company over: no more than is certain.
        """
        return self._clock.monotonic() - self._called.get(position, self._taken)

    def remaining(self) -> float:
        """Seconds for which the lease still holds."""
        return self.valid_until - self._clock.monotonic()

    def deadline(self, timeout_seconds: float, margin_seconds: float) -> float:
        """The latest monotonic instant for a call: inside its time-out and inside the lease."""
        return min(self._clock.monotonic() + timeout_seconds, self.valid_until - margin_seconds)

    async def decide_each(self, events: Sequence[tuple[Event, str | None]], *, guard: Guard | None = None) -> Appended:
        """The same for events that belong to different traces.

        Raises:
            LeaseLostError, StaleDecisionError: as `decide`.
        """
        return await self._append([self._new(event, trace) for event, trace in events], guard)

    async def decide(
        self, events: Sequence[Event], *, guard: Guard | None = None, trace: str | None = None
    ) -> Appended:
        """Append decisions under the fence.

        Raises:
            LeaseLostError: another process holds the company now.
            StaleDecisionError: an event newer than the guard's position bears on the same records.
        """
        return await self._append([self._new(event, trace) for event in events], guard)

    async def _append(self, new: Sequence[NewEvent], guard: Guard | None) -> Appended:
        try:
            appended = await self._log.append(Append(self.company, new, epoch=self.epoch, guard=guard))
        except FencedError as fenced:
            raise LeaseLostError(
                f"Company {self.company} is held by another process since epoch {self.epoch} ended.",
                remedy="Nothing needs doing: that process goes on where this one stopped.",
            ) from fenced
        for place, one in enumerate(new):
            if isinstance(one.event, CallSent):
                self._called[appended.first_position + place] = self._clock.monotonic()
        while len(self._called) > CALLS_MAX:
            self._called.popitem(last=False)
        return appended

    async def receive(self, events: Sequence[NewEvent]) -> Appended:
        """Append what this holder has read.

        Others may append receipts as they come in. What a worker read stands under its fence: a holder that stalled
        and wakes would else record an old reading after a newer one, and it would count as the newest.

        Raises:
            LeaseLostError: another process holds the company now; it reads the same again.
        """
        return await self._append(events, None)

    def _new(self, event: Event, trace: str | None) -> NewEvent:
        if isinstance(event, IntentPlanned) and not event.run:
            event = event.model_copy(update={"run": self.run})
        about = event if isinstance(event, Decision | RecordAdopted | RecordReviewed | RecordReleased) else None
        return NewEvent(
            event=event,
            record_key=about.record_key if about else None,
            cause=about.change if isinstance(about, Decision) else None,
            trace=trace or current_trace(),
        )
