"""Intuit's limits as configuration: Intuit changes them (page "Limits and throttles", state of late 2026)."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Lane(IntEnum):
    """Kinds of work by priority; the lower value goes first."""

    LIVE = 0
    RETRY = 1
    BACKFILL = 2
    RECONCILE = 3


class CallKind(Enum):
    """What a call counts against."""

    SINGLE = "single"
    BATCH = "batch"
    READ = "read"


@dataclass(frozen=True, slots=True)
class LimiterSettings:
    """The numbers that a realm's gate works by.

    Attributes:
        requests_per_minute: calls in any 60 s, per realm; the customer's other apps share it.
        combined_per_minute: calls in any 60 s over all of Intuit's APIs, per realm and app.
        batches_per_minute: batches in any 60 s, per realm and app.
        requests_per_second: calls in any second, per realm and app.
        second_from_send: False holds a slot of the second until a second after the response as well: safe at any
            delay, but calls that take longer than 0.2 s on average stay below 500 a minute. True counts from
            the send: full use at any delay, and a burst of delays may show the server an eleventh call.
        in_flight_max: calls at once.
        ceiling: share of the per-minute limits that this process may use.
        live_reserve: slots of the minute that only the live lane may take.
        live_reserve_in_flight: the same of the calls at once.
        pause_seconds: how long all senders rest after a 429.
        pause_jitter_seconds: most that is added to that.
        ceiling_floor: the ceiling never falls below this share.
        ceiling_rise_per_minute: by how much a lowered ceiling recovers.
        unanswered_linger_seconds: a call without an answer may reach the server later than we gave up: it
            counts as answered this much later.
        low_lane_turn: after so many grants past a waiting lower lane, the longest waiter goes first once.
        waiters_max: most callers waiting at once; one more is refused.
    """

    requests_per_minute: int = 500
    combined_per_minute: int = 800
    batches_per_minute: int = 40
    requests_per_second: int = 10
    second_from_send: bool = False
    in_flight_max: int = 10
    ceiling: float = 0.8
    live_reserve: int = 20
    live_reserve_in_flight: int = 1
    pause_seconds: float = 60.0
    pause_jitter_seconds: float = 5.0
    ceiling_floor: float = 0.1
    ceiling_rise_per_minute: float = 0.05
    unanswered_linger_seconds: float = 5.0
    low_lane_turn: int = 20
    waiters_max: int = 10_000

    @classmethod
    def unreserved(cls) -> "LimiterSettings":
        """The whole of Intuit's limits with nothing held back: for benchmarks and first loads."""
        return cls(ceiling=1.0, live_reserve=0, live_reserve_in_flight=0)
