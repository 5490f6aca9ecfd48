"""An append on its way through the writer: its bounds, its request, what became of it."""

import asyncio
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
        lanes: transactions at a time, no two of them over the same company. All but the first only help out; each
            costs a connection.
        group_events_max: events to a transaction.
        group_bytes_max: bytes of bodies to a transaction.
        queue_requests_max: requests that wait; more must wait to be let in.
        queue_bytes_max: bytes of bodies that wait.
        append_bytes_max: bytes of bodies in one append.
        answer_seconds_max: after so long a transaction's answer counts as lost.
        unavailable_seconds_max: after so long without Postgres, appends fail.
    """

    lanes: int = 2
    group_events_max: int = 2_000
    group_bytes_max: int = 16 * 1024 * 1024
    queue_requests_max: int = 10_000
    queue_bytes_max: int = 64 * 1024 * 1024
    append_bytes_max: int = 32 * 1024 * 1024
    answer_seconds_max: float = 30.0
    unavailable_seconds_max: float = 120.0


DEFAULT_LIMITS = LogLimits()


class Verdict(NamedTuple):
    """What became of one request: a status of the server's function, and the position that belongs to it.

    `link` is the last of its links where the server made them.
    """

    status: str
    position: int
    link: bytes | None = None


class Request:
    """An append on its way. `since` is set once an answer was lost: it may stand after that position.

    It has no events yet if it arrived as it was; `Waiting` hands out none like that.
    """

    __slots__ = ("append", "company", "delivery", "events", "since", "size", "verdict")

    def __init__(self, append: Append, verdict: asyncio.Future[Verdict]) -> None:
        self.append = append
        self.verdict = verdict
        self.company = append.company
        self.events: tuple[EncodedEvent, ...] = ()
        self.delivery: Delivery | None = None
        self.size = 0
        self.since: int | None = None

    def take_over(self, prepared: PreparedAppend) -> None:
        """Its events, encoded."""
        self.events = prepared.events
        self.delivery = prepared.delivery
        self.size = prepared.size

    def fail(self, error: Exception) -> None:
        """Tell its caller, if there still is one."""
        if not self.verdict.done():
            self.verdict.set_exception(error)
            # Its caller may be gone; then nobody fetches it, and that is no fault.
            self.verdict.exception()


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


def appended_from(
    append: Append, events: tuple[EncodedEvent, ...], status: str, position: int, decoder: BodyDecoder
) -> Appended:
    """A verdict as the caller sees it.

    Raises:
        FencedError, StaleDecisionError: refused.
        LogError: a status that this release does not know.
    """
    match status:
        case "appended":
            last = position + len(events) - 1
            return Appended(append.company, position, last, False, events, append.epoch, decoder)
        case "duplicate":
            return Appended(append.company, position, position, True)
        case "fenced":
            raise FencedError(append.company, append.epoch, position)
        case "stale":
            raise StaleDecisionError(append.company, append.guard.position if append.guard else 0, position)
        case _:
            raise LogError(f"The server's append function answered {status!r}, which this release does not know.")
