"""Keeps a company's lease while its worker works."""

import asyncio

from counterfoil.dispatch.errors import LeaseLostError
from counterfoil.dispatch.session import Session
from counterfoil.log import Lease, Leases
from counterfoil.ports import Clock

RENEWALS_PER_LEASE = 4


async def keep_lease(leases: Leases, lease: Lease, session: Session, *, seconds: float, clock: Clock) -> None:
    """Renew again and again, moving the session's end; ends only by losing the lease or being cancelled.

    Raises:
        LeaseLostError: another process has taken the company over.
    """
    while True:
        await clock.sleep(seconds / RENEWALS_PER_LEASE)
        try:
            async with asyncio.timeout(seconds / RENEWALS_PER_LEASE):
                renewed = await leases.renew(lease, seconds)
        except TimeoutError:
            continue  # the lease itself says until when calls may go out
        if renewed is None:
            raise LeaseLostError(
                f"Company {lease.company} was taken over by another process.",
                remedy="Nothing needs doing: that process goes on where this one stopped.",
            )
        lease = renewed
        session.valid_until = renewed.deadline
