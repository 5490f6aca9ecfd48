"""The lease keeper in virtual time: the session's end moves with each renewal, and with nothing else."""

import asyncio

import pytest

from counterfoil.dispatch.errors import LeaseLostError
from counterfoil.dispatch.lease import keep_lease
from counterfoil.dispatch.session import Session
from counterfoil.log import EventCodec, Lease
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from support.seeded import SeededEntropy

SECONDS = 60.0


class HangingOnce(MemoryLog):
    """Leases whose second renewal never answers."""

    renewals = 0

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        self.renewals += 1
        if self.renewals == 2:
            await asyncio.sleep(10_000)
        return await super().renew(lease, seconds)


def log_of(kind: type[MemoryLog] = MemoryLog) -> MemoryLog:
    entropy, clock = SeededEntropy(), LoopClock()
    return kind(EventCodec(MemoryKeyring(entropy), clock=clock, entropy=entropy), clock=clock)


async def held(log: MemoryLog) -> tuple[Lease, Session]:
    lease = await log.acquire(1, "me", SECONDS)
    assert lease is not None
    session = Session(company=1, epoch=lease.epoch, log=log, clock=LoopClock(), valid_until=lease.deadline)
    return lease, session


def test_it_is_renewed_long_before_it_ends() -> None:
    async def main() -> None:
        log = log_of()
        lease, session = await held(log)
        keeper = asyncio.create_task(keep_lease(log, lease, session, seconds=SECONDS, clock=LoopClock()))
        for _ in range(40):
            await asyncio.sleep(7)
            assert session.remaining() > SECONDS / 2
        assert await log.acquire(1, "another", SECONDS) is None
        keeper.cancel()

    run_virtually(main())


def test_a_renewal_that_hangs_is_tried_again_and_prolongs_nothing_meanwhile() -> None:
    async def main() -> None:
        log = log_of(HangingOnce)
        lease, session = await held(log)
        keeper = asyncio.create_task(keep_lease(log, lease, session, seconds=SECONDS, clock=LoopClock()))
        await asyncio.sleep(16)
        renewed = session.valid_until
        await asyncio.sleep(28)
        assert renewed == session.valid_until
        await asyncio.sleep(18)
        assert session.valid_until > renewed + 25
        keeper.cancel()

    run_virtually(main())


def test_a_lease_that_another_took_over_is_lost() -> None:
    async def main() -> None:
        log = log_of()
        lease, session = await held(log)
        await asyncio.sleep(SECONDS + 1)
        other = await log.acquire(1, "another", SECONDS)
        assert other is not None
        with pytest.raises(LeaseLostError, match="taken over by another process"):
            await keep_lease(log, lease, session, seconds=SECONDS, clock=LoopClock())
        assert session.remaining() < 0

    run_virtually(main())


def test_a_call_ends_inside_its_time_and_inside_the_lease() -> None:
    async def main() -> None:
        _, session = await held(log_of())
        now = LoopClock().monotonic()
        assert session.deadline(30.0, 2.0) == pytest.approx(now + 30.0)
        await asyncio.sleep(40)
        assert session.deadline(30.0, 2.0) == pytest.approx(session.valid_until - 2.0)

    run_virtually(main())
