"""The gate of one realm: nothing is sent to QuickBooks without a permit from here.

Every call takes a slot in sliding logs for the minute, the second and the batches, and gives it back a window after its
*response*; a small leaky bucket paces the calls in front. The gate belongs to one event loop.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiolimiter import AsyncLimiter

from counterfoil.dispatch.limiter.budget import WHAT_STOPS, ReadBudget
from counterfoil.dispatch.limiter.ceiling import Ceiling
from counterfoil.dispatch.limiter.lanes import Lanes, Waiter
from counterfoil.dispatch.limiter.settings import CallKind, Lane, LimiterSettings
from counterfoil.dispatch.limiter.sliding_log import SlidingLog
from counterfoil.errors import CounterfoilError
from counterfoil.ports import Clock, Entropy

_MINUTE = 60.0
_WAKE_SECONDS_MIN = 0.001
# What is over budget is asked about again now and then: budgets and their month change.
_OVER_BUDGET_SECONDS_MAX = 3_600.0
_ROUNDING = 1e-9
# Shares are kept to four places.
_SHARE_STEP = 1e-4
# A few calls that belong together, as a payment and its invoices, need not wait for each other.
_PACE_BURST = 3


class GateRefusedError(CounterfoilError):
    """No permit before the deadline.

    Attributes:
        retry_after_seconds: when a slot may be free, as far as is known.
        paused: whether the realm rests as a whole.
        over_budget: whether it is a read that the month's budget has no room for.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float, paused: bool = False, over_budget: bool = False
    ) -> None:
        super().__init__(message, remedy="It is sent later.")
        self.retry_after_seconds = retry_after_seconds
        self.paused = paused
        self.over_budget = over_budget


@dataclass(frozen=True, slots=True)
class Stamp:
    """A call that still counts: when it was answered (or, in flight, the present), and of what kind it was."""

    at: datetime
    kind: CallKind


@dataclass(frozen=True, slots=True)
class GateSnapshot:
    """What the metrics show of a gate.

    Attributes:
        used: calls that count against the minute.
        allowed: calls that the present ceiling allows in a minute.
        batches_used: batches that count against the minute.
        in_flight: calls without an answer yet.
        waiting: callers waiting, by lane.
        ceiling: present share of the limits.
        paused_until: end of the pause, if there is one.
        granted: permits given since the start.
        throttled: times that the realm was paused for a 429.
        waited_seconds: total time that callers stood at the gate.
        metered_reads: metered calls by month ("2026-11").
    """

    used: int
    allowed: int
    batches_used: int
    in_flight: int
    waiting: dict[Lane, int]
    ceiling: float
    paused_until: datetime | None
    granted: int
    throttled: int
    waited_seconds: float
    metered_reads: dict[str, int]


def _for_ever() -> float:
    return float("inf")


class Permit:
    """The right to make one call; give it back exactly once, in a `finally`."""

    __slots__ = ("_give_back", "kind", "lane")

    def __init__(self, lane: Lane, kind: CallKind, give_back: Callable[[CallKind, float | None], None]) -> None:
        self._give_back: Callable[[CallKind, float | None], None] | None = give_back
        self.lane = lane
        self.kind = kind

    def release(self, *, sent: bool = True, answered: bool = True, linger_seconds: float = 0.0) -> None:
        """The call is over; a second release does nothing.

        Args:
            sent: False when no byte left, so that the call never counted.
            answered: False when it was given up without an answer; it then counts `linger_seconds` longer.
        """
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back(self.kind, None if not sent else 0.0 if answered else linger_seconds)


class RealmGate:
    """Keeps one realm inside Intuit's limits, by lane.

    Args:
        settings: the limits.
        clock: measures; waiting itself uses the timers of the running loop.
        entropy: jitter of the pauses.
        budget: of metered reads; none by default.
    """

    def __init__(
        self, settings: LimiterSettings, *, clock: Clock, entropy: Entropy, budget: ReadBudget | None = None
    ) -> None:
        self.settings = settings
        self.budget = budget or ReadBudget(clock)
        self._clock = clock
        self._entropy = entropy
        self._minute = SlidingLog(settings.requests_per_minute, _MINUTE)
        self._combined = SlidingLog(settings.combined_per_minute, _MINUTE)
        self._batches = SlidingLog(settings.batches_per_minute, _MINUTE)
        self._second = SlidingLog(settings.requests_per_second, 1.0)
        self._in_flight = 0
        self._lanes = Lanes(settings.low_lane_turn)
        self._numbers = itertools.count()
        self._ceiling = Ceiling(settings)
        self._paused_until = float("-inf")
        self._held_until: Callable[[], float] = _for_ever
        self._gentle_until = float("-inf")
        self._pace = AsyncLimiter(_PACE_BURST, _PACE_BURST / settings.requests_per_second)
        self._gentle_pace = self._pace
        self._timer: asyncio.TimerHandle | None = None
        self._granted = 0
        self._throttled = 0
        self._waited = 0.0

    async def acquire(self, lane: Lane, kind: CallKind = CallKind.SINGLE, *, deadline: float | None = None) -> Permit:
        """Wait for the right to make one call. Cancelling the wait leaks nothing.

        Args:
            lane: whose turn it is among those who wait.
            kind: what the call counts against.
            deadline: monotonic seconds of the clock after which the permit is of no use.

        Raises:
            GateRefusedError: no permit by the deadline, too many callers wait already, or it is a read and the
                month's budget has none left for its lane.
        """
        now = self._clock.monotonic()
        if kind is CallKind.READ:
            self._refuse_over_budget(lane)
        self._refuse_hopeless(now, deadline)
        waiter = Waiter(lane, kind, next(self._numbers), now, asyncio.get_running_loop().create_future())
        self._lanes.add(waiter)
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - now)):
                await self._stand_in_line(waiter)
        except TimeoutError:
            self._withdraw(waiter)
            raise self._refusal("No slot came free in time") from None
        except BaseException:
            self._withdraw(waiter)
            raise
        self._granted += 1
        self._waited += self._clock.monotonic() - now
        return Permit(lane, kind, self._give_back)

    @asynccontextmanager
    async def slot(
        self, lane: Lane, kind: CallKind = CallKind.SINGLE, *, deadline: float | None = None
    ) -> AsyncIterator[Permit]:
        """The same as a context; what the body did not release itself counts as unanswered.

        Raises:
            GateRefusedError: as `acquire`.
        """
        permit = await self.acquire(lane, kind, deadline=deadline)
        try:
            yield permit
        finally:
            permit.release(answered=False, linger_seconds=self.settings.unanswered_linger_seconds)

    def throttled(self) -> None:
        """QuickBooks answered 429: everybody rests, then work resumes gently under a lower ceiling.

        Several 429 of one burst cut the ceiling once.
        """
        now = self._clock.monotonic()
        fresh = now >= self._paused_until
        jitter = self._entropy.random() * self.settings.pause_jitter_seconds
        self._paused_until = max(self._paused_until, now + self.settings.pause_seconds + (jitter if fresh else 0.0))
        if fresh:
            self._throttled += 1
            share = self._minute.used(now) / self._minute.limit
            self._ceiling.cut(now, used_share=share, resumes_at=self._paused_until)
            self._go_gently(self._paused_until)
        self._gentle_until = self._paused_until + _MINUTE
        self._pump()

    def _go_gently(self, since: float) -> None:
        """Spread the calls of the first minute over all of it."""
        self._gentle_until = since + _MINUTE
        per_minute = self.settings.requests_per_minute * self._ceiling.at(since)
        self._gentle_pace = AsyncLimiter(1, max(_MINUTE / per_minute, 1 / self.settings.requests_per_second))

    def pause(self, seconds: float) -> None:
        """Rest without blame: maintenance, a locked company, a lapsed subscription."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)
        self._pump()

    def rest_seconds(self) -> float:
        """How long the realm still rests; 0 when it does not. A permit from before the rest must not be used in it."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @contextmanager
    def held(self, until: Callable[[], float]) -> Iterator[None]:
        """For the length of a block calls leave only while the company is held.

        Whoever holds it next counts what went before, and nothing that leaves later: a process that was halted, and
        wakes, must not even read.

        Args:
            until: the end of the lease in monotonic seconds of the clock, which moves as it is renewed.
        """
        before, self._held_until = self._held_until, until
        try:
            yield
        finally:
            self._held_until = before

    def may_leave(self) -> bool:
        """Whether a call may leave now."""
        return self._clock.monotonic() < self._held_until()

    def wait_seconds(self, lane: Lane, kind: CallKind, ahead: int = 0) -> float:
        """How long a caller of this kind that came now would stand behind those who wait, as far as is known.

        Counted by the limits of the minute; a minute where only answers can free enough of them.

        Args:
            ahead: callers of its kind that will come before it.
        """
        now = self._clock.monotonic()
        latest = max(now, self._paused_until)
        for log in self._logs(kind):
            if log is self._second:
                continue
            before = ahead + self._lanes.waiting_before(lane, kind if log is self._batches else None)
            free_at = log.free_at(now, self._allowed_to(lane, log, now) - before)
            latest = max(latest, now + _MINUTE if free_at is None else free_at)
        return latest - now

    def count_metered(self, calls: int = 1) -> None:
        """Count reads that Intuit meters (GET, query, CDC, reports; successful ones)."""
        self.budget.count(calls)

    def resume(self, *, ceiling: float, paused_until: datetime | None, seen_at: datetime) -> None:
        """Rest on where another process rested, and send no more than it dared to: a 429 outlives who received it.

        Args:
            ceiling: its share of the limits at `seen_at`.
            paused_until: the end of its pause.
        """
        now, wall = self._clock.monotonic(), self._clock.now()
        # Neither a clock set back nor a row from the future makes a pause longer than pauses are.
        longest = self.settings.pause_seconds + self.settings.pause_jitter_seconds
        left = min(longest, (paused_until - wall).total_seconds()) if paused_until is not None else 0.0
        if left > 0:
            self._paused_until = max(self._paused_until, now + left)
        if ceiling < self._ceiling.at(now) - _SHARE_STEP:
            ago = max(0.0, (wall - seen_at).total_seconds())
            self._ceiling.restore(ceiling, rising_from=max(now - ago, self._paused_until))
            self._go_gently(max(now, self._paused_until))

    def stamps(self) -> tuple[Stamp, ...]:
        """The calls that still count against the minute, to be kept across a restart."""
        now, wall = self._clock.monotonic(), self._clock.now()
        batches = list(self._batches.stamps(now))
        kinds = Counter(batches)
        result = []
        for at in self._minute.stamps(now):
            kind = CallKind.BATCH if kinds[at] > 0 else CallKind.SINGLE
            kinds[at] -= 1
            result.append(Stamp(wall - timedelta(seconds=now - at), kind))
        return tuple(result)

    def restore(self, stamps: Iterable[Stamp]) -> None:
        """Count the calls of an earlier process; those older than a minute are without effect."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for stamp in stamps:
            # A clock set back must not make stamps of the future, which would count for longer than a minute.
            at = now - max(0.0, (wall - stamp.at).total_seconds())
            if at + _MINUTE < now:
                continue
            self._minute.restore([at])
            self._combined.restore([at])
            # Whoever takes over within a second of the last calls shares that second with them.
            self._second.restore([at])
            if stamp.kind is CallKind.BATCH:
                self._batches.restore([at])

    def snapshot(self) -> GateSnapshot:
        """The present state, for metrics."""
        now = self._clock.monotonic()
        paused = self._clock.now() + timedelta(seconds=self._paused_until - now) if self._paused_until > now else None
        return GateSnapshot(
            used=self._minute.used(now),
            allowed=self._allowed(self._minute, now),
            batches_used=self._batches.used(now),
            in_flight=self._in_flight,
            waiting={lane: self._lanes.waiting(lane) for lane in Lane},
            ceiling=self._ceiling.at(now),
            paused_until=paused,
            granted=self._granted,
            throttled=self._throttled,
            waited_seconds=self._waited,
            metered_reads=dict(self.budget.counted),
        )

    async def _stand_in_line(self, waiter: Waiter) -> None:
        while True:
            self._pump()
            await waiter.granted
            gentle = self._clock.monotonic() < self._gentle_until
            await (self._gentle_pace if gentle else self._pace).acquire()
            now = self._clock.monotonic()
            if now >= self._paused_until:
                if self.settings.second_from_send:
                    self._second.answered(now)
                return
            # A 429 came in while this one was pacing: back to the head of the line.
            self._return_slot(waiter.kind)
            waiter.granted = asyncio.get_running_loop().create_future()
            self._lanes.add_first(waiter)

    def _withdraw(self, waiter: Waiter) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():
            self._return_slot(waiter.kind)
        else:
            self._lanes.remove(waiter)
        self._pump()

    def _refuse_over_budget(self, lane: Lane) -> None:
        until, budget = self.budget.stopped_until(lane), self.budget.tightest()
        if until is None or budget is None:
            return
        rest = (until - self._clock.now()).total_seconds()
        raise GateRefusedError(
            f"The month's budget of metered reads leaves none for {WHAT_STOPS[lane]} before {until:%Y-%m-%d %H:%M} "
            f"UTC: {budget.spent:,} of {budget.reads_per_month:,} are spent.",
            retry_after_seconds=min(_OVER_BUDGET_SECONDS_MAX, max(1.0, rest)),
            over_budget=True,
        )

    def _refuse_hopeless(self, now: float, deadline: float | None) -> None:
        if len(self._lanes) >= self.settings.waiters_max:
            raise self._refusal("Too many calls wait for this QuickBooks company")
        if deadline is not None and self._paused_until >= deadline:
            raise self._refusal("Sending to this QuickBooks company is paused")
        if deadline is not None and now >= deadline:
            raise self._refusal("The deadline had passed already")

    def _refusal(self, message: str) -> GateRefusedError:
        now = self._clock.monotonic()
        rest = self._paused_until - now
        return GateRefusedError(f"{message}.", retry_after_seconds=max(1.0, rest), paused=rest > 0)

    def _pump(self) -> None:
        """Serve everybody whom the limits let pass now, and set the timer for the next change."""
        now = self._clock.monotonic()
        while (waiter := self._lanes.next(lambda w: self._free_at(w, now) == now)) is not None:
            for log in self._logs(waiter.kind):
                log.take()
            self._in_flight += 1
            waiter.granted.set_result(None)
        self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [at for waiter in self._lanes.heads() if (at := self._free_at(waiter, now)) is not None]
        if times:
            # The log frees a slot just after the instant named; a clock that stands still must not spin.
            delay = max(min(times) - now, 0.0) + _WAKE_SECONDS_MIN
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)

    def _free_at(self, waiter: Waiter, now: float) -> float | None:
        """When the limits let this caller pass, as far as is known now; None: not before some answer."""
        if waiter.granted.done():
            return None
        live = waiter.lane is Lane.LIVE
        in_flight_max = self.settings.in_flight_max - (0 if live else self.settings.live_reserve_in_flight)
        if self._in_flight >= max(1, in_flight_max):
            return None
        latest = max(now, self._paused_until)
        for log in self._logs(waiter.kind):
            free_at = log.free_at(now, self._allowed_to(waiter.lane, log, now))
            if free_at is None:
                return None
            latest = max(latest, free_at)
        return latest

    def _allowed_to(self, lane: Lane, log: SlidingLog, now: float) -> int:
        reserve = self.settings.live_reserve if log is self._minute and lane is not Lane.LIVE else 0
        return max(1, self._allowed(log, now) - reserve)

    def _allowed(self, log: SlidingLog, now: float) -> int:
        if log is self._second:
            return log.limit
        return max(1, int(log.limit * self._ceiling.at(now) + _ROUNDING))

    def _logs(self, kind: CallKind) -> tuple[SlidingLog, ...]:
        common = (self._minute, self._second, self._combined)
        return (*common, self._batches) if kind is CallKind.BATCH else common

    def _return_slot(self, kind: CallKind) -> None:
        for log in self._logs(kind):
            log.give_back()
        self._in_flight -= 1

    def _give_back(self, kind: CallKind, counts_after: float | None) -> None:
        at = self._clock.monotonic() + (counts_after or 0.0)
        for log in self._logs(kind):
            if log is self._second and self.settings.second_from_send:
                continue
            if counts_after is None:
                log.give_back()
            else:
                log.answered(at)
        self._in_flight -= 1
        self._pump()
