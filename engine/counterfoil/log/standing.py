"""Whether a company's log may be written upon: what verifying found last, and whether head and anchor still fit.

Looked at before a company's work begins, and again and again while it goes on. Proving every event is what
`log verify` does; its verdict is kept, and holds until another one finds nothing.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from counterfoil.log.anchor import AnchorKey, compare_anchor, read_anchor
from counterfoil.log.errors import AnchorBrokenError, LogDamagedError, LogForgetfulError
from counterfoil.log.types import LogReader
from counterfoil.log.verify import Fault
from counterfoil.ports import Clock
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query

LOOK_SECONDS = 5.0


class Standing(Protocol):
    """Whether a company's log may be written upon."""

    async def check(self, company: int) -> None:
        """Refuse a log that is not as it was written, as far as that is known or shows at its end.

        Raises:
            LogForgetfulError: it does not hold what was anchored.
            LogDamagedError: anything else; with where, and what to do.
        """
        ...

    async def watch(self, company: int) -> None:
        """Look again and again, until cancelled.

        Raises:
            LogForgetfulError, LogDamagedError: as `check`.
        """
        ...


class Unquestioned:
    """The standing of a log of which no verdicts are kept, as one in memory. See `Standing`."""

    async def check(self, company: int) -> None:
        """Nothing speaks against it."""

    async def watch(self, company: int) -> None:
        """Nothing ever will."""
        del company
        await asyncio.Event().wait()


class LogStanding:
    """Looks at logs in Postgres and keeps verdicts. See `Standing`.

    Args:
        anchor: the file of the last anchor, and its key; None if none is configured.
    """

    def __init__(
        self,
        pool: Pool,
        names: Names,
        reader: LogReader,
        *,
        clock: Clock,
        anchor: tuple[Path, AnchorKey] | None = None,
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._clock = clock
        self._anchor = anchor
        self._verdict = load_query("log_verdict", names)
        self._save = load_query("log_save_verdict", names)

    async def record(self, company: int, position: int, faults: list[Fault], *, against_anchor: bool) -> None:
        """Keep what a verification of one company found; what an anchor showed is cleared by an anchor alone."""
        first = str(faults[0]) if faults else ""
        by_anchor = any(fault.kind == "anchor" for fault in faults)
        await self._pool.execute(
            self._save, company, self._clock.now(), position, len(faults), first, against_anchor or by_anchor, by_anchor
        )

    async def check(self, company: int) -> None:
        """Refuse a log that is not as it was written, as far as that is known or shows at its end.

        Raises:
            LogForgetfulError: it does not hold what was anchored.
            LogDamagedError: anything else; with where, and what to do.
        """
        # First: whoever verified the log against its anchor has left a verdict that says less of what is to be done.
        if self._anchor is not None:
            await self._check_anchor(company, *self._anchor)
        await self.check_verdict(company)
        head = (await self._reader.heads([company])).get(company)
        if head is not None and head.position:
            last = await self._reader.get(company, head.position)
            if last is None or last.link != head.hash:
                raise damaged(company, f"company {company}, position {head.position}: the head does not fit its event")

    async def check_verdict(self, company: int) -> None:
        """Refuse a log in which verifying found something; nothing else is looked at.

        Raises:
            LogDamagedError: with where, and what to do.
        """
        found = await self._pool.fetchval(self._verdict, company)
        if found is not None:
            raise damaged(company, found)

    async def watch(self, company: int) -> None:
        """Look again and again, until cancelled: a database may be put back under a running engine.

        Raises:
            LogForgetfulError, LogDamagedError: as `check`.
        """
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.check(company)

    async def _check_anchor(self, company: int, file: Path, key: AnchorKey) -> None:
        if not await asyncio.to_thread(file.exists):
            return
        try:
            anchor = await read_anchor(file, key)
        except AnchorBrokenError as broken:
            raise damaged(company, str(broken)) from broken
        for fault in await compare_anchor(self._reader, anchor):
            if fault.company == company:
                raise forgetful(fault)


def forgetful(fault: Fault) -> LogForgetfulError:
    """What to raise of a log that does not hold what was anchored."""
    number = fault.company
    return LogForgetfulError(
        f"The log of company {number} does not hold what its anchor knows of, so that it may have forgotten what was "
        f"sent; nothing is sent: {fault}.",
        remedy=f"If the database was restored from a backup, follow ops/runbooks/restored-backup.md: "
        f"`counterfoil recover --company {number}` takes from QuickBooks what is ours. If nobody restored it, somebody "
        f"has changed it: follow ops/runbooks/log-verify-failed.md.",
    )


def damaged(company: int, where: str) -> LogDamagedError:
    """What to raise of a log that is not as it was written."""
    return LogDamagedError(
        f"The log of company {company} is not as it was written, and nothing is sent on the strength of it: {where}.",
        remedy=f"Follow ops/runbooks/log-verify-failed.md; the company goes on once "
        f"`counterfoil log verify --company {company}` finds nothing.",
    )
