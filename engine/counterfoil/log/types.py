"""What goes into the log, what comes back, and the ports in between."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from counterfoil_schema.events.base import Event

READ_ROWS = 1000
"""Rows to a page: past this a larger page reads no faster."""
KEY_BYTES_MAX = 1000
"""Record keys and delivery ids are indexed, and an index entry must fit into a third of a page."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An outside delivery (a webhook), recorded once however often it is delivered.

    Args:
        source: who delivers, for example the connection's name; without a colon.
        id: the deliverer's own id.
    """

    source: str
    id: str

    def __post_init__(self) -> None:
        if not self.source or ":" in self.source or not self.id:
            raise ValueError("a delivery needs a source without a colon, and an id")
        if len(str(self).encode()) > KEY_BYTES_MAX:
            raise ValueError(f"source and id of a delivery take {KEY_BYTES_MAX} bytes at most")

    def __str__(self) -> str:
        return f"{self.source}:{self.id}"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append.

    Args:
        event: what happened.
        record_key: the record whose timeline it belongs to.
        cause: position of the event, in the same company, that led to it.
        trace: W3C `traceparent` under which it happened.
        delivery: the outside delivery that brought it.
    """

    event: Event
    record_key: str | None = None
    cause: int | None = None
    trace: str | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses an append if anything newer than `position` is recorded about one of these records."""

    record_keys: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Append:
    """Events of one company that are recorded together, one after the other, or not at all.

    Args:
        company: whose log.
        events: one or more; all of them from one outside delivery at most.
        epoch: of the company's lease; needed by decisions.
        guard: what must not have changed.
    """

    company: int
    events: Sequence[NewEvent]
    epoch: int | None = None
    guard: Guard | None = None


class BodyDecoder(Protocol):
    """Reads the body of a recorded event."""

    async def decode(self, recorded: "RecordedEvent") -> Event:
        """The whole event, unsealed, lifted to today's version and validated."""
        ...

    def closed(self, recorded: "RecordedEvent") -> Event:
        """The whole event lifted and validated, with everything that is sealed left closed."""
        ...

    async def make_ready(self, page: "Sequence[RecordedEvent]") -> None:
        """Fetch at once what decoding the events of one company needs; each can be decoded without it, too."""
        ...

    def light(self, recorded: "RecordedEvent") -> Mapping[str, Any]:
        """The body as stored, parsed and nothing more: sealed fields are missing, amounts are text."""
        ...


class RecordedEvent(NamedTuple):
    """An event in the log: its envelope, and its body still as bytes.

    `link` is None on events just appended by this process; it is known once they are read back.
    """

    company: int
    position: int
    event_id: UUID
    event_type: str
    event_version: int
    recorded_at: datetime
    record_key: str | None
    cause: int | None
    trace: str | None
    epoch: int | None
    delivery: str | None
    body: bytes
    link: bytes | None
    decoder: BodyDecoder

    def light(self) -> Mapping[str, Any]:
        """The body without unsealing, upcasting or validation. Amounts are text, sealed fields are missing.

        A field becomes objects when it is looked at, and anew each time.

        Raises:
            LogCorruptError: the body is not what an append wrote.
        """
        return self.decoder.light(self)

    def closed(self) -> Event:
        """The event as today's model, as it is once the keys of all its sealed parts are destroyed: no key is needed.

        Raises:
            UnknownEventError: a type or version that this release does not know.
            LogCorruptError: the body is not what an append wrote.
        """
        return self.decoder.closed(self)

    async def event(self) -> Event:
        """The event as today's model, unsealed as far as its keys still exist.

        Raises:
            UnknownEventError: a type or version that this release does not know.
            LogCorruptError: the body is not what an append wrote.
            KeyringError: a key that was never destroyed is missing, or the master key is another.
        """
        return await self.decoder.decode(self)

    def __repr__(self) -> str:
        return f"<{self.event_type} at {self.company}:{self.position}>"


class EncodedEvent(NamedTuple):
    """A new event on its way to the log, sealed and digested: its columns but position, epoch and link."""

    event_id: UUID
    event_type: str
    event_version: int
    recorded_at: datetime
    record_key: str | None
    cause: int | None
    trace: str | None
    delivery: str | None
    body: bytes
    digest: bytes


class PreparedAppend(NamedTuple):
    """An append whose events are sealed and digested, ready to be recorded. `size` counts the bytes of bodies."""

    append: Append
    events: tuple[EncodedEvent, ...]
    delivery: Delivery | None
    size: int

    def __repr__(self) -> str:
        return f"<{len(self.events)} events for company {self.append.company}, {self.size} bytes>"


class Appended(NamedTuple):
    """Where an append went.

    Attributes:
        company: whose log.
        first_position: of its first event; of the earlier event if it was a duplicate.
        last_position: of its last event; equal to the first if it was a duplicate.
        duplicate: the outside delivery had been recorded before, and nothing was recorded now.
    """

    company: int
    first_position: int
    last_position: int
    duplicate: bool = False
    encoded: tuple[EncodedEvent, ...] = ()
    epoch: int | None = None
    decoder: BodyDecoder | None = None

    def __repr__(self) -> str:
        what = "duplicate of " if self.duplicate else ""
        return f"<{what}{self.company}:{self.first_position} to {self.last_position}>"

    @property
    def events(self) -> tuple[RecordedEvent, ...]:
        """What was recorded, without reading it back; empty if it was a duplicate."""
        if self.decoder is None or self.duplicate:
            return ()
        return tuple(
            recorded_from(event, self.company, position, self.epoch, None, self.decoder)
            for position, event in enumerate(self.encoded, self.first_position)
        )


def recorded_from(
    event: EncodedEvent, company: int, position: int, epoch: int | None, link: bytes | None, decoder: BodyDecoder
) -> RecordedEvent:
    """An encoded event at its place."""
    return RecordedEvent(
        company,
        position,
        event.event_id,
        event.event_type,
        event.event_version,
        event.recorded_at,
        event.record_key,
        event.cause,
        event.trace,
        epoch,
        event.delivery,
        event.body,
        link,
        decoder,
    )


@dataclass(frozen=True, slots=True)
class Head:
    """Where a company's log stands: last position (0 if empty), its link, and the epoch that may decide."""

    company: int
    position: int
    hash: bytes
    epoch: int


class LogWriter(Protocol):
    """Appends."""

    async def append(self, append: Append) -> Appended:
        """Record all events of the append, durably, in order.

        Raises:
            UnfencedDecisionError: a decision without an epoch.
            FencedError: the lease was lost.
            StaleDecisionError: the guard found something newer.
            EventTooLargeError: an event or the whole append is over its limit.
            LogUnavailableError: Postgres could not be reached for too long.
            ValueError: no events, or several deliveries.
        """
        ...


class LogReader(Protocol):
    """Reads. Each page is a short transaction of its own; nothing is ever skipped."""

    async def read(self, company: int, after: int = 0, limit: int = READ_ROWS) -> list[RecordedEvent]:
        """The next events after a position, in order, at most `limit`."""
        ...

    def stream(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """All events after a position up to the head."""
        ...

    def follow(self, company: int, after: int = 0) -> AsyncIterator[RecordedEvent]:
        """All events after a position, and then each new one, for ever."""
        ...

    def follow_all(self, after: Mapping[int, int] | None = None) -> AsyncIterator[RecordedEvent]:
        """The same over all companies: in order within each, in no order between them."""
        ...

    async def record_timeline(
        self, company: int, record_key: str, after: int = 0, limit: int = READ_ROWS
    ) -> list[RecordedEvent]:
        """Events of one record, in order."""
        ...

    async def get(self, company: int, position: int) -> RecordedEvent | None:
        """The event at a position."""
        ...

    async def get_many(self, company: int, positions: Sequence[int]) -> list[RecordedEvent]:
        """The events at these positions, in order; those that do not exist are missing."""
        ...

    async def heads(self, companies: Sequence[int] | None = None) -> dict[int, Head]:
        """Where these companies stand, or all of them; one that has no log yet is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to decide for a company.

    `deadline` is on the holder's own monotonic clock, counted from before the request was sent: by then the
    lease may have run out, at the earliest.
    """

    company: int
    holder: str
    epoch: int
    deadline: float


class Leases(Protocol):
    """Hands out the right to decide; the epoch is the fencing token that decisions bring."""

    async def acquire(self, company: int, holder: str, seconds: float) -> Lease | None:
        """The lease under a new epoch, or None while another holder's is running."""
        ...

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """The lease prolonged, or None if somebody has taken it over."""
        ...

    async def release(self, lease: Lease) -> bool:
        """Give it back; False if it was no longer ours."""
        ...
