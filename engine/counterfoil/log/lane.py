"""One lane of the log's writer: a connection, and the task that carries groups to it from the queue of all lanes."""

import asyncio
from collections.abc import Sequence

import asyncpg
import backoff

from counterfoil.log.errors import LogClosedError, LogError, LogUnavailableError
from counterfoil.log.group import LogLimits, Request, Verdict
from counterfoil.log.heads import Heads
from counterfoil.log.session import UNDONE, AppendSession
from counterfoil.log.waiting import Waiting
from counterfoil.postgres.connect import LOST, Pool
from counterfoil.postgres.names import Names

_PAUSE_SECONDS_MAX = 2.0


class Lane:
    """Runs one transaction at a time; each takes up what queued while the last one ran.

    Args:
        patience: for how many seconds it leaves what waits to lanes that have none: a larger group costs less for
            each event, so that it helps out only where those do not come back.
    """

    def __init__(
        self, pool: Pool, names: Names, limits: LogLimits, waiting: Waiting, heads: Heads, *, patience: float = 0.0
    ) -> None:
        self._limits = limits
        self._session = AppendSession(pool, names, heads, answer_seconds_max=limits.answer_seconds_max)
        self._waiting = waiting
        self._patience = patience
        self._in_flight: Sequence[Request] = ()

    @property
    def idle(self) -> bool:
        """Whether it carries nothing."""
        return not self._in_flight

    async def work(self) -> None:
        """Carry groups until it is cancelled; what it carries then fails."""
        try:
            while True:
                self._in_flight = await self._waiting.take(self._patience)
                _answer(self._in_flight, await self._verdicts(self._in_flight))
                self._waiting.give_back(self._in_flight)
                self._in_flight = ()
                # Its callers go on now, and often append again at once.
                await asyncio.sleep(0)
        finally:
            for request in self._in_flight:
                request.fail(LogClosedError("The log's writer stopped before this was confirmed."))
            self._in_flight = ()
            self._session.abandon()
            await asyncio.shield(self._session.close())

    async def _verdicts(self, group: Sequence[Request]) -> list[Verdict | LogError]:
        """What became of each request."""
        try:
            return [*await self._send(group)]
        except ValueError as error:
            # The driver's refusal to send something; some of its errors are of both kinds.
            return await self._verdicts_apart(group, error)
        except (*LOST, *UNDONE) as error:
            return [_unavailable(request, error) for request in group]
        except asyncpg.PostgresError as error:
            return await self._verdicts_apart(group, error)

    async def _verdicts_apart(self, group: Sequence[Request], error: Exception) -> list[Verdict | LogError]:
        """The server refused the whole group for the sake of one: find it, by halves, and spare the others."""
        if len(group) == 1:
            refusal = LogError(
                f"Postgres refuses the append for company {group[0].company} ({type(error).__name__}: {error})."
            )
            refusal.__cause__ = error
            return [refusal]
        middle = len(group) // 2
        return [*await self._verdicts(group[:middle]), *await self._verdicts(group[middle:])]

    async def _send(self, group: Sequence[Request]) -> list[Verdict]:
        try:
            return await self._session.append(group)
        except ValueError:
            raise
        except LOST:
            return await self._send_again(group, lost=True)
        except UNDONE:
            return await self._send_again(group, lost=False)

    async def _send_again(self, group: Sequence[Request], *, lost: bool) -> list[Verdict]:
        @backoff.on_exception(
            backoff.expo,
            (*LOST, *UNDONE),
            max_time=self._limits.unavailable_seconds_max,
            giveup=_never_sent,
            jitter=backoff.full_jitter,
            logger=None,
            base=2,
            factor=0.02,
            max_value=_PAUSE_SECONDS_MAX,
        )
        async def attempt() -> list[Verdict]:
            nonlocal lost
            if lost:
                await self._session.settle(group)
                lost = False
            try:
                return await self._session.append(group)
            except LOST as error:
                lost = not isinstance(error, ValueError)
                raise

        return await attempt()


def _answer(group: Sequence[Request], verdicts: Sequence[Verdict | LogError]) -> None:
    for request, verdict in zip(group, verdicts, strict=True):
        if isinstance(verdict, LogError):
            request.fail(verdict)
        elif not request.verdict.done():
            request.verdict.set_result(verdict)


def _never_sent(error: Exception) -> bool:
    return isinstance(error, ValueError)


def _unavailable(request: Request, error: BaseException) -> LogUnavailableError:
    unavailable = LogUnavailableError(
        f"Postgres did not confirm an append for company {request.company} in time "
        f"({type(error).__name__}); it may or may not be recorded.",
        remedy="Check that Postgres runs and can be reached; what is recorded shows when it is read again.",
    )
    unavailable.__cause__ = error
    return unavailable
