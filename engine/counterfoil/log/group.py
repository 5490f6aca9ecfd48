"""Requests to append that wait for the next transaction, and how many of them it takes."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from counterfoil.log.errors import (
    EventTooLargeError,
    FencedError,
    LogError,
    StaleDecisionError,
    UnfencedDecisionError,
)
from counterfoil.log.types import Append, Appended, BodyDecoder, Delivery, EncodedEvent, PreparedAppend


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Bounds of a log writer.

    Args:
        lanes: transactions at a time, each over companies of its own. More than one pays where the server has
            cores to spare; each costs a connection, and smaller groups more CPU time per event.
        group_events_max: events to a transaction.
        group_bytes_max: bytes of bodies to a transaction.
        queue_requests_max: requests that wait in a lane; more must wait to be let in.
        queue_bytes_max: bytes of bodies that wait in a lane.
        append_bytes_max: bytes of bodies in one append.
        answer_seconds_max: after so long a transaction's answer counts as lost.
        unavailable_seconds_max: after so long without Postgres, appends fail.
    """

    lanes: int = 1
    group_events_max: int = 2_000
    group_bytes_max: int = 16 * 1024 * 1024
    queue_requests_max: int = 10_000
    queue_bytes_max: int = 64 * 1024 * 1024
    append_bytes_max: int = 32 * 1024 * 1024
    answer_seconds_max: float = 30.0
    unavailable_seconds_max: float = 120.0


DEFAULT_LIMITS = LogLimits()
_HALVED_REQUESTS_MIN = 16


class Verdict(NamedTuple):
    """What became of one request: a status of the server's function, and the position that belongs to it.

    `link` is the last of its links where the server made them.
    """

    status: str
    position: int
    link: bytes | None = None


class Request:
    """A prepared append on its way. `since` is set once an answer was lost: it may stand after that position."""

    __slots__ = ("company", "prepared", "since", "verdict")

    def __init__(self, prepared: PreparedAppend, verdict: asyncio.Future[Verdict]) -> None:
        self.prepared = prepared
        self.verdict = verdict
        self.company = prepared.append.company
        self.since: int | None = None


def prepared_from(append: Append, events: tuple[EncodedEvent, ...], limits: LogLimits) -> PreparedAppend:
    """An append with its encoded events.

    Raises:
        EventTooLargeError: its bodies are too large together.
        ValueError: several deliveries.
    """
    size = sum([len(event.body) for event in events])
    if size > limits.append_bytes_max:
        raise EventTooLargeError(
            f"An append of {size:,} bytes for company {append.company} is over the limit of "
            f"{limits.append_bytes_max:,}.",
            remedy="Append its events in several parts.",
        )
    return PreparedAppend(append, events, single_delivery(append), size)


def single_delivery(append: Append) -> Delivery | None:
    """The one outside delivery of an append.

    Raises:
        ValueError: there are several; recorded together, one seen before would swallow the others.
    """
    found: Delivery | None = None
    for new in append.events:
        if new.delivery is not None:
            if found is not None and found != new.delivery:
                raise ValueError("an append carries one outside delivery at most; append others on their own")
            found = new.delivery
    return found


def check_append(append: Append, limits: LogLimits) -> None:
    """Refuse what must never be sent.

    Raises:
        ValueError: no events at all, a negative company.
        EventTooLargeError: more events than a transaction takes.
        UnfencedDecisionError: a decision without an epoch.
    """
    if not append.events:
        raise ValueError("an append needs at least one event")
    if append.company < 0:
        raise ValueError("companies are numbered from 0")
    if len(append.events) > limits.group_events_max:
        raise EventTooLargeError(
            f"An append of {len(append.events):,} events for company {append.company} is over the limit of "
            f"{limits.group_events_max:,}.",
            remedy="Use a backfill, which appends piece by piece.",
        )
    if append.epoch is None:
        for new in append.events:
            if new.event.decision:
                raise UnfencedDecisionError(
                    f"The decision {new.event.event_type} for company {append.company} names no lease.",
                    remedy="Acquire the company's lease and give its epoch with the append.",
                )


def appended_from(prepared: PreparedAppend, status: str, position: int, decoder: BodyDecoder) -> Appended:
    """A verdict as the caller sees it.

    Raises:
        FencedError, StaleDecisionError: refused.
        LogError: a status that this release does not know.
    """
    append = prepared.append
    match status:
        case "appended":
            last = position + len(prepared.events) - 1
            return Appended(append.company, position, last, False, prepared.events, append.epoch, decoder)
        case "duplicate":
            return Appended(append.company, position, position, True)
        case "fenced":
            raise FencedError(append.company, append.epoch, position)
        case "stale":
            raise StaleDecisionError(append.company, append.guard.position if append.guard else 0, position)
        case _:
            raise LogError(f"The server's append function answered {status!r}, which this release does not know.")


class Waiting:
    """First in, first out, bounded in number and bytes."""

    def __init__(self, limits: LogLimits) -> None:
        self._limits = limits
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._requests)

    async def put(self, request: Request) -> None:
        """Queue a request; waits while the queue is full."""
        while self._full(request):
            self._room.clear()
            await self._room.wait()
        self._requests.append(request)
        self._bytes += request.prepared.size
        self._news.set()

    async def take(self) -> list[Request]:
        """The next group: all that waits, up to the limits of a transaction; waits until there is one.

        What gathers while no transaction runs goes in two halves if it is much: then the callers of the one half
        prepare their next requests while the other is written, and so on in turns, instead of all at once.
        """
        while True:
            is_idle = not self._news.is_set()
            await self._news.wait()
            waiting = len(self._requests)
            group = self._take(waiting // 2 if is_idle and waiting >= _HALVED_REQUESTS_MIN else waiting)
            if group:
                return group

    def _take(self, requests_max: int) -> list[Request]:
        group: list[Request] = []
        events = size = 0
        while self._requests and len(group) < requests_max:
            request = self._requests[0]
            if not request.verdict.done():
                events += len(request.prepared.events)
                size += request.prepared.size
                if group and (events > self._limits.group_events_max or size > self._limits.group_bytes_max):
                    break
                group.append(request)
            self._requests.popleft()
            self._bytes -= request.prepared.size
        if not self._requests:
            self._news.clear()
        self._room.set()
        return group

    def drain(self) -> Sequence[Request]:
        """Everything that still waits, which is taken out."""
        rest = [*self._requests]
        self._requests.clear()
        self._bytes = 0
        self._news.clear()
        self._room.set()
        return rest

    def _full(self, request: Request) -> bool:
        # A request larger than the whole queue goes in alone, or it never would.
        return len(self._requests) >= self._limits.queue_requests_max or (
            bool(self._requests) and self._bytes + request.prepared.size > self._limits.queue_bytes_max
        )
